"""What many runs cost the screen: the table of ten thousand, going from run to run, and eight of a million batches."""

import asyncio
import functools
import json
import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np

from tests.faults.terminal import Terminal, monitor
from tests.unit.run_log.long_runs import some_records, written
from tests.unit.run_log.many_runs import make_runs
from tui_monitor.app.feed.runs_session import RunsSession
from tui_monitor.app.runs_app import RunsApp
from tui_monitor.charts.chart import draw_chart
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.charts.raster import LastDrawing
from tui_monitor.history.load import load
from tui_monitor.history.snapshot import FitSnapshot
from tui_monitor.run_log.events.progress import EpochBegan, EpochEnded
from tui_monitor.run_log.format.layout import EVENTS_FILE, RunInfo, State
from tui_monitor.run_log.runs.catalogue import CATALOGUE_FILE
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.view.charts.overlay import OverlaidRun, OverlayState, Side, XAxis, overlay_spec

SIZE = (120, 40)
RUNS = 10_000
OVERLAID, BATCHES, STEPS = 8, 1_000_000, 10_000
_SWITCHES = 12
_FRAMES = 20
_LONGEST_SECONDS = 60.0
_FIRST_ROW = 2
"""Of the table, below its two heads."""
_KEYS = ("down", "end", "home", *["s"] * 14, "S", "m", "m", "space", "slash", *"run-01 lr=0.1", "enter", "escape")


@dataclass(frozen=True)
class Times:
    """Seconds that one thing took, done several times."""

    median: float
    greatest: float

    def __str__(self) -> str:
        return f"{1e3 * self.median:.0f} ms ({1e3 * self.greatest:.0f})"


def _times(values: Sequence[float]) -> Times:
    return Times(float(np.median(values)), max(values))


@dataclass(frozen=True)
class Listing:
    """The table of ten thousand runs."""

    named: float
    """Seconds until all are named of which no catalogue is written."""
    filled: float
    """Seconds until the rows on screen have all their values then."""
    unknown: float
    """Seconds until the values of all of those are read, sorted and drawn."""
    known: float
    """The same with a catalogue."""
    keys: Times
    """CPU seconds of a keystroke."""
    memory: float
    """MiB of the process, beyond those with an empty table."""


def listed(runs: Path) -> Listing:
    """Show ten thousand runs, press keys, and return what that took."""
    make_runs(runs, RUNS)
    before = _memory()
    (named, filled, unknown), _ = asyncio.run(_listed(runs, ()))
    (_, _, known), keys = asyncio.run(_listed(runs, _KEYS))
    return Listing(named, filled, unknown, known, _times(keys), _memory() - before)


async def _listed(runs: Path, keys: Sequence[str]) -> tuple[tuple[float, float, float], list[float]]:
    """Return seconds until all runs are named, those on screen read, and all read; and CPU seconds of each key then."""
    begun = time.perf_counter()
    session = RunsSession.over(runs)
    app, costs = RunsApp(session), []
    async with app.run_test(size=SIZE) as pilot:
        while len(app.shown) < RUNS or not app.is_settled:
            await asyncio.sleep(0.005)
        named = time.perf_counter() - begun
        while not all(entry.is_read for entry in app.shown[: SIZE[1]]):
            await asyncio.sleep(0.005)
        filled = time.perf_counter() - begun
        while not all(entry.is_read for entry in app.shown):
            await asyncio.sleep(0.005)
        read = time.perf_counter() - begun
        for key in keys:
            await pilot.pause(0.1)
            spent = time.process_time()
            await pilot.press(key)
            costs.append(time.process_time() - spent)
    session.close()
    assert (runs / CATALOGUE_FILE).is_file()
    return (named, filled, read), costs


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@dataclass(frozen=True)
class Switching:
    """Going between the table and two runs that train."""

    opening: Times
    """From Enter until the other run's charts are drawn."""
    back: Times
    """From `b` until the table is drawn."""


def switched(runs: Path) -> Switching:
    """Go from the table into two live runs in turns, in a terminal of 120×40, and return how long that takes."""
    opening, back = [], []
    with _training(runs, ("first", "second")), Terminal(monitor("--runs", str(runs)), SIZE, {}) as terminal:
        _until(terminal, lambda rows: sum(name in row for row in rows for name in ("first", "second")) > 1)
        for turn in range(_SWITCHES):
            name = ("first", "second")[turn % 2]
            terminal.press("g")
            _until(terminal, lambda rows: rows[_FIRST_ROW].startswith("▶"))
            if name not in terminal.display[_FIRST_ROW]:
                terminal.press("j")
            _until(terminal, functools.partial(_has_cursor, name))
            opening.append(_pressed(terminal, "\r", functools.partial(_has_charts, name)))
            back.append(_pressed(terminal, "b", lambda rows: "Runs" in rows[0]))
    return Switching(_times(opening), _times(back))


def _has_cursor(name: str, rows: list[str]) -> bool:
    return any(row.startswith("▶") and name in row for row in rows)


def _has_charts(name: str, rows: list[str]) -> bool:
    return name in rows[0] and "└" in "".join(rows)


def _pressed(terminal: Terminal, key: str, holds: Callable[[list[str]], bool]) -> float:
    begun = time.perf_counter()
    terminal.press(key)
    _until(terminal, holds)
    return time.perf_counter() - begun


def _until(terminal: Terminal, holds: Callable[[list[str]], bool]) -> None:
    end, seen = time.perf_counter() + _LONGEST_SECONDS, -1
    while True:
        # Looked at only when something came: looking takes longer than a key does, and from the same two cores.
        received = len(terminal.received)
        if received != seen and holds(terminal.display):
            return
        seen = received
        if time.perf_counter() > end:
            raise TimeoutError(terminal.text)
        time.sleep(0.002)


@contextmanager
def _training(runs: Path, names: Sequence[str]) -> Iterator[None]:
    """Write runs as trainings do, each in a process of its own, until the block ends."""
    context = multiprocessing.get_context("spawn")
    stopping = context.Event()
    trainings = [context.Process(target=_write, args=(runs / name, stopping)) for name in names]
    for training in trainings:
        training.start()
    try:
        yield
    finally:
        stopping.set()
        for training in trainings:
            training.join()


def _write(folder: Path, stopping: Event) -> None:
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    with RunWriter(folder, RunInfo(name=folder.name, pid=os.getpid(), created=time.time())) as writer:
        writer.begin_fit(["loss", "accuracy"], epochs=1000, steps_per_epoch=50)
        writer.status(State.TRAINING)
        epoch = 0
        while not stopping.wait(0.2):
            epoch += 1
            writer.event(EpochBegan(epoch))
            for _ in range(50):
                writer.batch(epoch, 32, [float(generator.gamma(4, 0.25)) / epoch**0.3, 0.8])
            logs = {"loss": 1 / epoch**0.3, "accuracy": 0.8, "val_loss": 1.1 / epoch**0.3, "val_accuracy": 0.75}
            writer.event(EpochEnded(epoch=epoch, logs=logs, batches=50, samples=1600))


def overlaid(runs: Path) -> dict[str, Times]:
    """Draw eight runs of a million batches on one chart, and return what a frame took over each axis and on each side.

    A frame is what a key or news gives: the chart's curves found anew, and drawn.
    """
    fits = [_long_run(runs / f"run-{number}", number) for number in range(1, OVERLAID + 1)]
    drawn = tuple(OverlaidRun(f"run-{number}", number, fit) for number, fit in enumerate(fits, 1))
    found = {}
    for side in Side:
        for axis in XAxis:
            state, last, costs = OverlayState(side=side, x=axis), LastDrawing(), []
            for frame in range(_FRAMES):
                # Another window each time, as panning gives it: nothing can be kept from the frame before.
                low = 0.5 * frame / _FRAMES
                begun = time.perf_counter()
                moved = replace(state, window=(low, low + 0.5))
                draw_chart(overlay_spec(drawn, moved, SIZE, MarkerSet.BRAILLE), *SIZE, last)
                costs.append(time.perf_counter() - begun)
            found[f"{side.value}, by {axis.value}"] = _times(costs)
    return found


def _long_run(folder: Path, number: int) -> FitSnapshot:
    """Write a run of a million batches at once, and return it as it is read."""
    folder.parent.mkdir(exist_ok=True)
    written(folder, some_records(BATCHES, seed=number, steps=STEPS))
    with (folder / EVENTS_FILE).open("a") as file:
        for epoch in range(1, BATCHES // STEPS + 1):
            logs = {"loss": 1 / epoch**0.3, "val_loss": (1 + number / 50) / epoch**0.3}
            line = {"kind": "epoch", "time": float(epoch), "phase": 1, "epoch": epoch, "logs": logs, "batches": STEPS}
            file.write(json.dumps({**line, "samples": 32 * STEPS}) + "\n")
    fit = load(folder).fit
    assert fit is not None
    return fit
