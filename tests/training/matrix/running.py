"""The cells of the matrix as one script under `tui-monitor run`."""

import json
import pickle
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from tests.training.matrix.cells import Cell
from tui_monitor.history.load import load
from tui_monitor.history.snapshot import FitSnapshot
from tui_monitor.run_log.format.layout import State


@dataclass(frozen=True)
class Trained:
    """A run of many fits and what the script itself noted of each."""

    fits: Mapping[Cell, FitSnapshot]
    notes: Mapping[Cell, Mapping[str, Any]]


def run_matrix(folder: Path, cells: list[Cell]) -> Trained:
    """Run the cells as one script, each `fit` recorded in its run."""
    notes = folder / "notes.pickle"
    script = ["-m", "tests.training.matrix.script", str(notes), json.dumps([astuple(cell) for cell in cells])]
    options = ["--headless", "--runs", str(folder), "--name", "matrix", "--probe-budget", "1"]
    command = [sys.executable, "-m", "tui_monitor", "run", *options, *script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    snapshot = load(folder / "matrix")
    assert snapshot.state is State.FINISHED
    assert not [entry.text for entry in snapshot.timeline if "Recording stopped" in entry.text]
    return Trained(dict(zip(cells, snapshot.fits, strict=True)), pickle.loads(notes.read_bytes()))
