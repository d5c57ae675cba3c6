"""What opening, drawing and seeking cost as a run grows from ten thousand batches to ten million."""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from tests.benchmarks.measuring import Ratio, ratio_in_turns
from tui_monitor.charts.chart import draw_chart
from tui_monitor.history.batches.series import whole_blocks
from tui_monitor.history.replay.recording import Recording
from tui_monitor.history.snapshot import FitSnapshot
from tui_monitor.history.state.fold import History
from tui_monitor.run_log.format.layout import BASE_COLUMNS, METRIC_TYPE, FitInfo, RunInfo, run_info_to_json
from tui_monitor.run_log.read.reader import RunReader
from tui_monitor.run_log.write.block_writer import extend_blocks
from tui_monitor.view.charts.chart_metrics import chart_metric
from tui_monitor.view.charts.metric_chart import chart_spec
from tui_monitor.view.view_state import ViewState

SMALL, LARGE = 10_000, 10_000_000
SOUGHT = 1_000_000
SEEKS, EVENTS = 300, 4_000
TURNS = 5
"""Groups of four openings."""
COLUMNS = 240
CHART = (76, 16)
"""Cells of one chart on a screen of 120×40."""


def make_run(folder: Path, batches: int) -> Path:
    """Write a run of that many batches, with two metrics, and return its folder.

    Its records are written at once; the blocks beside them by what writes them during a training.
    """
    folder.mkdir()
    columns = (*BASE_COLUMNS, ("loss", METRIC_TYPE), ("accuracy", METRIC_TYPE))
    fit = FitInfo(index=1, columns=columns, batches="batches.bin", epochs=1, steps_per_epoch=batches)
    (folder / "run.json").write_text(json.dumps(run_info_to_json(RunInfo(name="large", fits=(fit,)))))
    generator = np.random.default_rng(0)
    with (folder / "batches.bin").open("wb") as file:
        for start in range(0, batches, 1_000_000):
            count = min(1_000_000, batches - start)
            records = np.zeros(count, dtype=fit.dtype)
            records["time"] = np.arange(start, start + count) * 1e-3
            records["epoch"], records["size"] = 1, 32
            records["loss"], records["accuracy"] = generator.exponential(0.5, count), generator.random(count)
            records.tofile(file)
    descriptor = os.open(folder, os.O_RDONLY)
    while extend_blocks(descriptor, fit):
        pass
    os.close(descriptor)
    return folder


@dataclass(frozen=True)
class Opened:
    """What opening a run cost a fresh process."""

    seconds: float
    """To the first full chart."""
    replay_seconds: float
    """To the same chart of a replay that stands in the middle, with all modules loaded."""
    frame: float
    """Seconds of one more frame of both charts, median."""
    memory: float
    """Most that was held up to the first full chart, in MiB."""


def open_and_draw(folder: Path) -> Opened:
    """Open a run in this process, live and in a replay, and draw it."""
    begun = time.perf_counter()
    history = History()
    _read(folder, history)
    fit = history.snapshot().fit
    assert fit is not None
    _draw(fit, "loss")
    opened, memory = time.perf_counter() - begun, _peak_memory()
    frames = []
    for _ in range(30):
        begun = time.perf_counter()
        for name in fit.series:
            _draw(fit, name)
        frames.append(time.perf_counter() - begun)
    begun = time.perf_counter()
    recording = Recording()
    _read(folder, recording)
    moment = recording.at(recording.end / 2).fit
    assert moment is not None
    _draw(moment, "loss")
    return Opened(opened, time.perf_counter() - begun, float(np.median(frames)), memory)


def _read(folder: Path, receiver: History | Recording) -> None:
    reader = RunReader(folder)
    while True:
        arrival = reader.poll(max_seconds=10)
        receiver.fold(arrival)
        if arrival.complete:
            return


def _peak_memory() -> float:
    """Return the most memory this process ever held, in MiB; `getrusage` would count what its parent held too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def _draw(fit: FitSnapshot, name: str) -> None:
    width, height = CHART
    draw_chart(chart_spec(fit, chart_metric(name), ViewState(), CHART), width, height)


def seeking() -> tuple[float, float]:
    """Return median and longest seconds of a seek anywhere in a million batches, to the data of both charts."""
    with tempfile.TemporaryDirectory() as folder:
        run = make_run(Path(folder) / "run", SOUGHT)
        with (run / "events.jsonl").open("w") as file:
            for number in range(EVENTS):
                event = {"kind": "epoch", "time": number * SOUGHT * 1e-3 / EVENTS, "phase": 1, "epoch": number + 1}
                file.write(json.dumps({**event, "logs": {"loss": 0.5, "val_loss": 0.4}}) + "\n")
        recording = Recording()
        _read(run, recording)
        taken = []
        for position in np.random.default_rng(0).uniform(0, recording.end, SEEKS):
            begun = time.perf_counter()
            fit = recording.at(float(position)).fit
            assert fit is not None
            for series in fit.series.values():
                series.envelope(whole_blocks(np.linspace(0, fit.batches, COLUMNS + 1)))
            taken.append(time.perf_counter() - begun)
    return float(np.median(taken)), max(taken)


@dataclass(frozen=True)
class Growth:
    """A run of ten million batches beside one of ten thousand."""

    small: Opened
    large: Opened
    unsummarised: Opened
    """The large one without the summaries of its batches."""
    opening: Ratio
    """Seconds to the first full chart."""


def growth() -> Growth:
    """Open runs of both lengths in fresh processes, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = (make_run(Path(folder) / str(batches), batches) for batches in (SMALL, LARGE))
        found: dict[Path, list[Opened]] = {small: [], large: []}

        def opened(run: Path) -> float:
            found[run].append(_opened_apart(run))
            return found[run][-1].seconds

        opening = ratio_in_turns(lambda: opened(large), lambda: opened(small), TURNS)
        (large / "batches.blocks").unlink()
        return Growth(_median(found[small]), _median(found[large]), _opened_apart(large), opening)


def _opened_apart(run: Path) -> Opened:
    command = [sys.executable, "-m", "tests.benchmarks.reading", str(run)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Opened(*(float(value) for value in done.stdout.split()))


def _median(opened: list[Opened]) -> Opened:
    return Opened(*np.median([astuple(each) for each in opened], axis=0).tolist())


if __name__ == "__main__":
    print(*astuple(open_and_draw(Path(sys.argv[1]))))
