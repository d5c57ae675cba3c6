"""Data forms × model styles × losses under `tui-monitor run --headless`, against a computation outside our code."""

import json
import pickle
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.training.matrix.cells import Cell, covering_cells
from tests.training.matrix.check import check_batches, check_ledgers, check_order
from tui_monitor.history.load import load
from tui_monitor.history.snapshot import PhaseSnapshot
from tui_monitor.run_log.format.layout import State

CELLS = covering_cells()


@dataclass(frozen=True)
class Trained:
    """A run of many fits and what the script itself noted of each."""

    phases: Mapping[Cell, PhaseSnapshot]
    notes: Mapping[Cell, Mapping[str, Any]]


def run_matrix(folder: Path, cells: list[Cell]) -> Trained:
    """Run the cells as one script, each `fit` a phase of its run."""
    notes = folder / "notes.pickle"
    script = ["-m", "tests.training.matrix.script", str(notes), json.dumps([astuple(cell) for cell in cells])]
    options = ["--headless", "--runs", str(folder), "--name", "matrix", "--probe-budget", "1"]
    command = [sys.executable, "-m", "tui_monitor", "run", *options, *script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    snapshot = load(folder / "matrix")
    assert snapshot.state is State.FINISHED
    assert not [entry.text for entry in snapshot.timeline if "Recording stopped" in entry.text]
    return Trained(dict(zip(cells, snapshot.phases, strict=True)), pickle.loads(notes.read_bytes()))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train the covering cells in one process."""
    return run_matrix(tmp_path_factory.mktemp("matrix"), CELLS)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_cell_is_recorded_as_it_was_trained(trained: Trained, cell: Cell) -> None:
    """The model saw its batches in their order; batch values and all ledgers equal an independent computation."""
    notes, phase = trained.notes[cell], trained.phases[cell]
    check_order(cell, notes)
    check_batches(cell, notes, phase)
    check_ledgers(cell, notes, phase)
