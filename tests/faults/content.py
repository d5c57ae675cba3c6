"""Hostile and huge content in a run folder: shown inert, read in bounded time, never obeyed."""

import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tests.faults.child import readable
from tests.faults.table import Outcome
from tests.faults.terminal import Terminal, monitor
from tests.faults.training import Training
from tui_monitor.history.load import load
from tui_monitor.run_log.runs.control import Action, send_request
from tui_monitor.run_log.runs.folders import create_run_folder, list_runs

_GIGABYTE = 2**30
_HOSTILE = "x\x1b]0;owned\x07\x1b[2J[red]../../etc\n"


def _shown(fault: str, training: Training, expected: str) -> Outcome:
    """Show the output of a run that trains, and return what became of it."""
    with Terminal(monitor("attach", str(training.folder)), (80, 24), {}) as terminal:
        terminal.wait_for("TRAINING")
        terminal.press("o")
        terminal.wait_for(expected)
        assert b"\x1b]0;" not in terminal.received
    send_request(training.folder, Action.STOP_BATCH)
    finished = training.end()
    return Outcome(fault, 1, training.batches, readable(load(training.folder)), int(finished), 1)


def gigabyte_printed(folder: Path) -> Outcome:
    """A script that prints a gigabyte: its newest lines are shown, and the memory stays small."""
    training = Training(folder / "run", seconds_a_batch=0.01)
    training.wait_for(1)
    with (training.folder / "output.log").open("ab") as output:
        output.truncate(_GIGABYTE)
        output.write(b"\nthe last line\n")
    return _shown("script prints a gigabyte", training, "the last line")


def escapes_printed(folder: Path) -> Outcome:
    """Binary output and escape sequences are shown without being obeyed."""
    training = Training(folder / "run", seconds_a_batch=0.01)
    training.wait_for(1)
    noise = bytes(range(256)) * 40
    (training.folder / "output.log").write_bytes(noise + b"\n\x1b]0;owned\x07\x1b[2J\x1bc[red]still[/red] here\n")
    return _shown("script prints binary and escapes", training, "[red]still[/red] here")


def hostile_names(folder: Path) -> Outcome:
    """Names of runs and metrics with escapes, markup and paths in them stay names."""
    run = create_run_folder(folder / "runs", _HOSTILE, "x", datetime(2026, 11, 22))
    assert run.parent == folder / "runs"
    training = Training(run, seconds_a_batch=0.01, metrics=("loss", _HOSTILE))
    training.wait_for(45)
    (run / "output.log").write_text("all well\n")
    return _shown("hostile run and metric names", training, "all well")


def many_runs(folder: Path) -> Outcome:
    """Ten thousand runs in the folder: found and put in order in seconds, the one that trains among them."""
    for number in range(10_000):
        run = folder / f"run-{number}"
        run.mkdir()
        (run / "run.json").write_text(json.dumps({"format": 1, "name": run.name, "created": 1.7e9 + number}))
    training = Training(folder / "live", seconds_a_batch=0.01)
    training.wait_for(1)
    begun = time.monotonic()
    assert [run.name for run in list_runs(folder)[:2]] == ["live", "run-9999"]
    assert time.monotonic() - begun < 10
    return _ended("10 000 runs in the folder", training)


def other_formats(folder: Path) -> Outcome:
    """A folder of a newer format is refused with a word, an older one with fewer entries is read."""
    training = Training(folder / "run", seconds_a_batch=0.01)
    training.wait_for(1)
    content = json.loads((training.folder / "run.json").read_text())
    newer = folder / "newer"
    newer.mkdir()
    (newer / "run.json").write_text(json.dumps({**content, "format": 99}))
    with Terminal(monitor("attach", str(newer)), (80, 24), {}) as terminal:
        terminal.wait_for("pip install --upgrade")
    for name in ("versions", "description", "command"):
        content.pop(name)
    (training.folder / "run.json").write_text(json.dumps(content))
    return _ended("run folders of other formats", training)


def _ended(fault: str, training: Training) -> Outcome:
    send_request(training.folder, Action.STOP_BATCH)
    finished = training.end()
    return Outcome(fault, 1, training.batches, readable(load(training.folder)), int(finished))


CONTENT_FAULTS: tuple[Callable[[Path], Outcome], ...] = (
    gigabyte_printed,
    escapes_printed,
    hostile_names,
    many_runs,
    other_formats,
)
