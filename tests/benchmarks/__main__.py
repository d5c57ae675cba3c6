"""Prints the performance table of the README: `python -m tests.benchmarks`. Nothing here gates the tests."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import functools
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn

from tests.benchmarks.following import BATCHES_A_SECOND, FRAMES_A_SECOND, SIZE, followed
from tests.benchmarks.importing import (
    LINES_A_SECOND,
    bars_with_returns,
    epochs_of_progress,
    importing_cost,
    lines_of_progress,
    piped_cost,
    rows_of_a_table,
)
from tests.benchmarks.loggers import loggers
from tests.benchmarks.many_runs import OVERLAID, RUNS, listed, overlaid, switched
from tests.benchmarks.reading import growth, seeking
from tests.benchmarks.recording import least_cost, logging_cost, probing_cost, recording_cost
from tests.benchmarks.starting import LAST_OF_FIRST_PAINT, PART_OF_CHART, command_ratio, screen_ratio
from tests.benchmarks.training_turns import long_steps_model


class Row(NamedTuple):
    """One line of the table."""

    measured: str
    here: str
    """As measured on this machine."""
    goal: str = ""
    """What it is to be at most, where something is asked of it."""


Rows = Iterator[Row]

_LONG_STEP_UNITS = 400
_LONG_GROUPS = 160
_LONG_FIT_GROUPS = 5


def recording() -> Rows:
    """Yield what recording and probing cost a training."""
    cost = recording_cost()
    step = f"question's model ({cost.step / 1000:.1f} ms a batch)"
    yield Row(f"training time ÷ bare, {step}, every batch recorded, probes off: wall", str(cost.wall), "1.03")
    yield Row("the same, CPU", str(cost.cpu), "1.05")
    own, least = least_cost()
    yield Row("our Python between two steps, the write included, median µs a batch", f"{own:.1f}", "20")
    yield Row("of it, to read one tensor and put one record into shared memory", f"{least:.1f}")
    yield Row("what Keras' own callbacks take less beside it, median µs a batch", f"{cost.spared:.1f}")
    yield Row("bytes a batch on disk", f"{cost.disk:.0f}", "32")
    wall, cpu, fraction = probing_cost()
    yield Row("whole fits ÷ bare, question's model, probes at the default budget: wall", str(wall), "1.05")
    yield Row("the same, CPU", str(cpu))
    yield Row("fraction of training time that measuring took", f"{100 * fraction:.1f} %")
    build = functools.partial(long_steps_model, _LONG_STEP_UNITS)
    cost = recording_cost(build, _LONG_GROUPS)
    step = f"{cost.step / 1000:.0f} ms a batch"
    yield Row(f"training time ÷ bare at {step}, probes off: wall", str(cost.wall), "1.01")
    yield Row("the same, CPU", str(cost.cpu))
    wall, cpu, _ = probing_cost(build, _LONG_FIT_GROUPS)
    yield Row(f"whole fits ÷ bare at {step}, with probes: wall", str(wall), "1.03")
    yield Row("the same, CPU", str(cpu))


def rivals() -> Rows:
    """Yield what other loggers cost that are given every batch (`pip install tui-monitor[rivals]`)."""
    for name, logger in loggers().items():
        ratio, own = logging_cost(logger)
        yield Row(f"training time ÷ bare with {name} logging every batch: wall", f"{ratio} ({own:.0f} µs a batch)")


def reading() -> Rows:
    """Yield what long runs cost the screen."""
    grown = growth()
    usual, longest = seeking()
    small, large, whole = grown.small, grown.large, grown.unsummarised
    yield Row("10⁷ batches opened to a full chart ÷ 10⁴", f"{grown.opening} ({large.seconds:.2f} s)", "1.5")
    yield Row(
        "a replay of 10⁷ read and drawn in its middle",
        f"{large.replay_seconds:.2f} s (10⁴: {small.replay_seconds:.2f} s)",
    )
    yield Row("memory of 10⁷ batches beyond 10⁴", f"{large.memory - small.memory:.0f} MiB", "40")
    unsummarised = f"{whole.seconds:.2f} s, {whole.memory - small.memory:.0f} MiB more"
    yield Row("10⁷ batches without `batches.blocks`", unsummarised)
    frame = f"{large.frame / small.frame:.2f} ({1e3 * large.frame:.0f} ms)"
    yield Row("one frame of both charts, 10⁷ ÷ 10⁴ batches", frame, "1.2")
    yield Row("seek anywhere in 10⁶ batches, ms (longest of 300)", f"{1e3 * usual:.1f} ({1e3 * longest:.1f})")


def starting() -> Rows:
    """Yield how long answers take to come."""
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder)
        demo = ["demo", "--headless", "--epochs", "3", "--name", "measured", "--runs", folder]
        subprocess.run([sys.executable, "-m", "tui_monitor", *demo], check=True, capture_output=True)
        for command, goal in ((["ls"], "1.0"), (["explain", "measured"], "2.0")):
            yield Row(f"`{command[0]}` ÷ `python -c 'import numpy'`", str(command_ratio(command, runs)), goal)
        for command in (["attach", "measured"], ["replay", "measured"]):
            ratio = screen_ratio(command, runs, shown=LAST_OF_FIRST_PAINT)
            yield Row(f"first paint of `{command[0]}` ÷ the smallest Textual program", str(ratio), "1.5")
        ratio = screen_ratio(["attach", "measured"], runs, shown=PART_OF_CHART)
        yield Row("all panels and charts of `attach` ÷ the smallest Textual program", str(ratio))


def following() -> Rows:
    """Yield what a screen takes that follows a fast training."""
    size = f"{SIZE[0]}×{SIZE[1]}"
    pace = f"{BATCHES_A_SECOND} batches a second at {FRAMES_A_SECOND} frames a second and {size}"
    seen = followed()
    yield Row(f"the screen's CPU following {pace}", f"{100 * seen.cpu:.1f} % of a core", "15 %")
    yield Row("the same, bytes a second to the terminal", f"{seen.bytes_a_second:.0f}", "3000")
    median, high, greatest = (1000 * seconds for seconds in seen.lag)
    lag = f"{high:.0f} ms ({median:.0f}, {greatest:.0f})"
    yield Row("the same, batch end to pixels, p99 (median, greatest)", lag, "350 ms")


def importing() -> Rows:
    """Yield what foreign logs take to read."""
    yield Row("10⁶ rows of a CSV imported, an epoch each", str(importing_cost(rows_of_a_table)), "60 s")
    yield Row("10⁶ lines of progress imported, 100 an epoch", str(importing_cost(lines_of_progress)), "60 s")
    yield Row("10⁶ lines of progress imported, 2 an epoch", str(importing_cost(epochs_of_progress)))
    yield Row("500 MB of bars with carriage returns imported", str(importing_cost(bars_with_returns)))
    fraction, seconds = piped_cost()
    pipe = f"a pipe of {LINES_A_SECOND} lines a second followed without a screen"
    yield Row(pipe, f"{100 * fraction:.0f} % of a core, done {seconds:.1f} s after its end", "100 %")


def runs() -> Rows:
    """Yield what many runs cost the screen; times beside each other are the median and the greatest."""
    with tempfile.TemporaryDirectory() as folder:
        table = listed(Path(folder) / "many")
        yield Row(f"{RUNS} runs named, no catalogue written yet", f"{table.named:.2f} s", "1 s")
        yield Row("the same, the rows on screen with all their values", f"{table.filled:.2f} s", "1 s")
        yield Row("the same, all values of all runs read and sorted", f"{table.unknown:.2f} s")
        yield Row("the same, with a catalogue", f"{table.known:.2f} s", "1 s")
        yield Row(f"CPU time of a keystroke over {RUNS} runs", str(table.keys), "50 ms")
        yield Row(f"memory of a table of {RUNS} runs", f"{table.memory:.0f} MiB", "100")
        switching = switched(Path(folder) / "live")
        yield Row("from the table into one of two live runs, charts drawn", str(switching.opening), "300 ms")
        yield Row("back into the table", str(switching.back), "300 ms")
        for name, times in overlaid(Path(folder) / "long").items():
            yield Row(f"a frame of {OVERLAID} runs of 10⁶ batches on one chart: {name}", str(times), "200 ms")


PARTS: tuple[Callable[[], Rows], ...] = (recording, rivals, reading, starting, following, importing, runs)


def main(arguments: list[str]) -> None:
    """Measure and print.

    Args:
        arguments: of the command line.
    """
    named = {part.__name__: part for part in PARTS}
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(named)}; all of them by default")
    chosen = parser.parse_args(arguments).parts
    if unknown := [name for name in chosen if name not in named]:
        parser.error(f"no such part: {', '.join(unknown)}")
    parts = [named[name] for name in chosen or named]
    print("| measured | at most | here |\n|---|---:|---|")
    columns = (*Progress.get_default_columns(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=len(parts))
        for part in parts:
            progress.update(bar, description=part.__name__)
            for measured, here, goal in part():
                print(f"| {measured} | {goal} | {here} |", flush=True)
            progress.advance(bar)


if __name__ == "__main__":
    main(sys.argv[1:])
