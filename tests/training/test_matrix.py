"""Data forms × model styles × losses under `tui-monitor run --headless`, against a computation outside our code."""

import pytest

from tests.training.matrix.cells import Cell, covering_cells
from tests.training.matrix.check import check_batches, check_ledgers, check_order
from tests.training.matrix.running import Trained, run_matrix

CELLS = covering_cells()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train the covering cells in one process."""
    return run_matrix(tmp_path_factory.mktemp("matrix"), CELLS)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_cell_is_recorded_as_it_was_trained(trained: Trained, cell: Cell) -> None:
    """The model saw its batches in their order; batch values and all ledgers equal an independent computation."""
    notes, fit = trained.notes[cell], trained.fits[cell]
    check_order(cell, notes)
    check_batches(cell, notes, fit)
    check_ledgers(cell, notes, fit)
