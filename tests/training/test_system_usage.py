"""What the process uses is written while a fit runs, truly and seldom, and never harms it."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tui_monitor.history.load import load
from tui_monitor.run_log.events.notifications import NoteTaken
from tui_monitor.run_log.format.layout import EVENTS_FILE, RunInfo
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.usage.gpu_usage import GpuReader
from tui_monitor.training.usage.system_usage import SystemReader, SystemSampler, interval_seconds


def until(condition: Callable[[], bool]) -> None:
    """Wait for something, up to half a minute."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def opened(folder: Path) -> RunWriter:
    """Return the writer of a run without a heartbeat."""
    return RunWriter(folder, RunInfo(name="run"), heartbeat_seconds=None)


def system_events(folder: Path) -> int:
    """Return how many the run holds."""
    return (folder / EVENTS_FILE).read_bytes().count(b'"kind":"system"')


def test_this_process_is_measured_as_the_system_counts_it() -> None:
    """Work on a core is counted as processor time says, between bounds; memory grows with what is held."""
    reader = SystemReader()
    outer_wall, outer_own = time.monotonic(), time.process_time()
    before = reader()
    wall, own = time.monotonic(), time.process_time()
    held = np.ones(32 * 2**20 // 8)
    while time.process_time() - own < 0.3:
        np.sqrt(held[:1000])
    own, wall = time.process_time() - own, time.monotonic() - wall
    usage = reader()
    outer_own, outer_wall = time.process_time() - outer_own, time.monotonic() - outer_wall
    assert 100 * own / outer_wall - 0.1 <= usage["cpu_percent"] <= 100 * outer_own / wall + 0.1
    assert usage["memory_bytes"] - before["memory_bytes"] > 0.9 * held.nbytes
    assert usage["cores"] == os.cpu_count()
    assert 0 < usage["machine_cpu_percent"] <= 100
    assert 0 < usage["machine_memory_percent"] < 100


def test_usage_is_written_while_a_fit_runs_and_only_then(tmp_path: Path) -> None:
    """Short fits share an interval; outside the block nothing is written, and its thread is gone."""
    with opened(tmp_path) as writer:
        sampler = SystemSampler(writer, interval=lambda run_seconds: 0.02)
        for number in range(3):
            with sampler.sampling():
                until(lambda number=number: system_events(tmp_path) > number)  # type: ignore[misc]
        until(lambda: "system-usage" not in {thread.name for thread in threading.enumerate()})
        written = system_events(tmp_path)
        assert written >= 3
    assert system_events(tmp_path) == written
    usage = load(tmp_path).system
    assert usage is not None
    assert usage.memory_bytes is not None
    assert 5e6 < usage.memory_bytes < 1e12


def test_a_failure_ends_the_sampling_and_nothing_else(tmp_path: Path) -> None:
    """A reader that can't be made, or that fails later, is said once in the run; the fits go on."""

    def can_not_be_made() -> Any:
        raise ImportError("no psutil")

    calls = []

    def fails_later() -> Any:
        def read() -> dict[str, Any]:
            calls.append(1)
            if len(calls) > 1:
                raise OSError("gone")
            return {"cpu_percent": 50.0}

        return read

    for name, open_reader, said in (("made", can_not_be_made, b"no psutil"), ("later", fails_later, b"gone")):
        folder = tmp_path / name
        with opened(folder) as writer:
            sampler = SystemSampler(writer, open_reader, interval=lambda run_seconds: 0.01)
            with sampler.sampling():
                until(lambda: said in (folder / EVENTS_FILE).read_bytes())  # noqa: B023 - called within the turn
            with sampler.sampling():
                writer.event(NoteTaken(text="trained on"))
        assert (folder / EVENTS_FILE).read_bytes().count(b'"failure"') == 1
        snapshot = load(folder)
        assert snapshot.system is None
        assert [entry.text for entry in snapshot.timeline] == ["trained on"]


def test_a_reader_that_hangs_holds_up_no_fit(tmp_path: Path) -> None:
    """A driver that never answers keeps its own thread, not the training."""
    hangs, free = threading.Event(), threading.Event()

    def stuck() -> dict[str, Any]:
        hangs.set()
        free.wait(30)
        return {}

    with opened(tmp_path) as writer:
        sampler = SystemSampler(writer, lambda: stuck, interval=lambda run_seconds: 0.0)
        with sampler.sampling():
            assert hangs.wait(30)
        begun = time.monotonic()
        with sampler.sampling():
            pass
        assert time.monotonic() - begun < 10
        assert not free.is_set()
        free.set()


def test_a_day_holds_few_thousand_samples() -> None:
    """Samples get rarer as a run gets longer."""
    seconds, count = 0.0, 0
    while seconds < 86_400:
        seconds += interval_seconds(seconds)
        count += 1
    assert interval_seconds(0) == 2
    assert 2000 < count < 2500


def _library(devices: int) -> Any:
    """Return what the driver's library answers on a machine with so many GPUs, the last of them silent."""

    def utilisation(handle: int) -> Any:
        if handle == devices - 1:
            raise RuntimeError("Not Supported")
        return SimpleNamespace(gpu=10 * handle, memory=0)

    return SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: devices,
        nvmlDeviceGetHandleByIndex=range(devices).__getitem__,
        nvmlDeviceGetHandleByUUID={"GPU-two": 2}.__getitem__,
        nvmlDeviceGetUtilizationRates=utilisation,
        nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(used=handle + 1, total=100, free=0),
    )


@pytest.mark.parametrize(
    ("visible", "used"),
    [("0,1,2,3", [1, 2, 3, 4]), ("3,1", [4, 2]), ("GPU-two", [3]), ("1,-1,2", [2]), ("", []), ("9", [])],
)
def test_the_gpus_that_training_may_use_are_read(visible: str, used: list[int]) -> None:
    """Numbers and UUIDs choose; what a GPU does not tell is None; what is not there is no GPU."""
    usage = GpuReader(_library(4), visible).read()
    assert [gpu["memory_bytes"] for gpu in usage] == used
    for gpu in usage:
        busy = None if gpu["memory_bytes"] == 4 else 10 * (gpu["memory_bytes"] - 1)
        assert (gpu["utilisation_percent"], gpu["memory_total_bytes"]) == (busy, 100)
