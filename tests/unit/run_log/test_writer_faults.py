"""Real faults: killed processes, full disks, signals. Nothing more is lost than what must be."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tests.unit.run_log.faults import Clock, forked, loaded
from tui_monitor.history.load import load
from tui_monitor.run_log.events.notifications import NoteTaken
from tui_monitor.run_log.format.layout import EVENTS_FILE, RunInfo, State
from tui_monitor.run_log.format.ring_buffer import RING_BUFFER_SUFFIX, ROOM
from tui_monitor.run_log.write.writer import RunWriter

INFO = RunInfo(name="run")
KILLS = 20

_ENDLESS_TRAINING = """
import os, socket, sys
from pathlib import Path
from tui_monitor.run_log.events.notifications import NoteTaken
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.write.writer import RunWriter
writer = RunWriter(Path(sys.argv[1]), RunInfo(name="run", host=socket.gethostname(), pid=os.getpid()))
writer.begin_fit(["loss"])
number = 0
while True:
    number += 1
    writer.batch(1, 1, (number,))
    os.write(1, b"b")
    if number % 10 == 0:
        writer.event(NoteTaken("x" * 300, batch=number))
        os.write(1, b"e")
"""


def killed_at(folder: Path, acknowledged: int) -> bytes:
    """Run a training, kill it once it acknowledged so many records, return all it acknowledged."""
    command = [sys.executable, "-c", _ENDLESS_TRAINING, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        seen = process.stdout.read(acknowledged)
        process.send_signal(signal.SIGKILL)
        return seen + process.stdout.read()


def test_a_killed_training_loses_only_the_record_in_flight(tmp_path: Path) -> None:
    """After `kill -9` at any moment every record whose call had returned can be read, in order."""
    chance = random.Random(20261122)
    for attempt in range(KILLS):
        folder = tmp_path / str(attempt)
        seen = killed_at(folder, chance.randrange(1, 3000))
        snapshot = load(folder)
        assert snapshot.fit is not None
        numbers = snapshot.fit.series["loss"].values()
        np.testing.assert_array_equal(numbers, np.arange(1, len(numbers) + 1))
        assert seen.count(b"b") <= len(numbers) <= seen.count(b"b") + 1
        events = len(snapshot.timeline)
        assert min(seen.count(b"e"), 1000) <= events <= seen.count(b"e") + 1
        assert snapshot.damage.events_skipped == 0
        assert snapshot.state is State.LOST


def limit_files_to(byte_count: int) -> None:
    """Let no file of this process grow beyond a size, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (byte_count, hard))


def lift_limit() -> None:
    """Make room again."""
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@pytest.mark.parametrize("limit", [4096, 4097, 4101, 4115])
def test_a_full_disk_costs_whole_records_and_is_told(tmp_path: Path, limit: int) -> None:
    """The newest records wait, those beyond are counted, none stays torn, and all is well once there is room."""
    total = limit // 20 + ROOM + 100

    def train() -> None:
        clock = Clock()
        writer = RunWriter(tmp_path, INFO, clock=clock, heartbeat_seconds=None)
        writer.begin_fit(["loss"])
        limit_files_to(limit)
        for number in range(1, total + 1):
            writer.batch(1, 1, (number,))
        in_file, torn = divmod((tmp_path / "batches.bin").stat().st_size, 20)
        assert not torn
        assert writer.lost_batches == total - in_file - ROOM
        assert writer.last_error
        lift_limit()
        clock.now = 10
        writer.batch(1, 1, (-1,))
        writer.close()

    forked(train)
    snapshot = load(tmp_path)
    assert snapshot.fit is not None
    lost = snapshot.damage.batches_lost
    assert lost >= 100
    assert snapshot.fit.series["loss"].values().tolist() == [*range(1, total - lost + 1), -1]


def test_lost_records_are_told_with_the_reason(tmp_path: Path) -> None:
    """The event names how many and why, even if training ends before there is room again."""

    def train() -> None:
        writer = RunWriter(tmp_path, INFO, clock=Clock(), heartbeat_seconds=None)
        writer.begin_fit(["loss"])
        for _ in range(100):
            writer.batch(1, 1, (1.0,))
        writer.event(NoteTaken(""))
        limit_files_to(2000)
        for _ in range(ROOM + 5):
            writer.batch(1, 1, (1.0,))
        writer.close()

    forked(train)
    assert loaded(tmp_path) == [1.0] * (100 + ROOM)
    lines = (tmp_path / EVENTS_FILE).read_bytes().split(b"\n")[:-1]
    lost = json.loads(lines[-1])
    assert (lost["kind"], lost["batches"]) == ("lost", 5)
    assert "arge" in lost["reason"] or "space" in lost["reason"]


def test_what_waits_for_room_survives_the_process(tmp_path: Path) -> None:
    """On a full disk the newest records stay in shared memory, and are read there once the training was killed."""

    def train() -> None:
        clock = Clock()
        writer = RunWriter(tmp_path, INFO, clock=clock, heartbeat_seconds=None)
        writer.begin_fit(["loss"])
        limit_files_to(110)
        for number in range(1, ROOM + 1):
            clock.now += 1
            writer.batch(1, 1, (number,))
            writer.event(NoteTaken(""))
        os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        train()
    os.waitpid(child, 0)
    assert (tmp_path / "batches.bin").stat().st_size == 100
    assert loaded(tmp_path) == list(range(1, ROOM + 1))


def test_slots_that_find_no_room_leave_no_file(tmp_path: Path) -> None:
    """Where shared memory can't be had, nothing is left of the attempt."""

    def train() -> None:
        writer = RunWriter(tmp_path, INFO, clock=Clock(), heartbeat_seconds=None)
        limit_files_to(1000)
        writer.begin_fit(["loss"])
        writer.batch(1, 1, (1.0,))
        assert not (tmp_path / ("batches.bin" + RING_BUFFER_SUFFIX)).exists()

    forked(train)
    assert loaded(tmp_path) == [1.0]


@pytest.mark.parametrize("error", [KeyboardInterrupt, TimeoutError, ValueError])
def test_a_write_that_a_signal_interrupts_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    """A handler that raises just after the records were written doubles none of them."""
    writer = RunWriter(tmp_path, INFO, clock=Clock(), heartbeat_seconds=None)
    writer.begin_fit(["loss"])
    for number in range(1, 11):
        writer.batch(1, 1, (number,))
    write = os.write

    def interrupted(descriptor: int, content: bytes) -> int:
        monkeypatch.undo()
        write(descriptor, content)
        raise error

    monkeypatch.setattr(os, "write", interrupted)
    with suppress(error):
        writer.event(NoteTaken(""))
    writer.batch(1, 1, (11,))
    writer.close()
    assert loaded(tmp_path) == list(range(1, 12))
    assert writer.lost_batches == 0


def test_an_event_of_a_signal_handler_while_the_identity_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both write `run.json` then, neither in the other's way: it is whole, and nothing is left beside it."""
    writer = RunWriter(tmp_path, INFO, clock=Clock(), heartbeat_seconds=None)
    write = os.write

    def interrupted(descriptor: int, content: bytes) -> int:
        monkeypatch.undo()
        writer.event(NoteTaken(text="from the handler"))
        return write(descriptor, content)

    monkeypatch.setattr(os, "write", interrupted)
    writer.begin_fit(["loss"])
    writer.batch(1, 1, (1.0,))
    writer.close()
    assert writer.last_error is None
    assert loaded(tmp_path) == [1.0]
    assert {path.name for path in tmp_path.iterdir()} == {"batches.bin", "events.jsonl", "run.json"}


def test_events_wait_for_room(tmp_path: Path) -> None:
    """Events that don't fit are written later, in order, each whole; only the newest thousand wait."""

    def train() -> None:
        writer = RunWriter(tmp_path, INFO, clock=Clock(), heartbeat_seconds=None)
        limit_files_to(2000)
        for number in range(100):
            writer.event(NoteTaken("", batch=number))
        assert (tmp_path / EVENTS_FILE).read_bytes().endswith(b"\n")
        lift_limit()
        writer._beat()

    forked(train)
    lines = (tmp_path / EVENTS_FILE).read_bytes().split(b"\n")[:-1]
    assert [json.loads(line)["batch"] for line in lines] == list(range(100))
