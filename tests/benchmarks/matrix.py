"""Trains every cell of the matrix and checks each as the tests do: `python -m tests.benchmarks.matrix`."""

import sys
import tempfile
from pathlib import Path

from tests.training.matrix.cells import all_cells
from tests.training.matrix.check import check_batches, check_ledgers, check_order
from tests.training.matrix.running import run_matrix


def main() -> int:
    """Print how many cells hold, and each that does not; return 1 if any does not."""
    cells = list(all_cells())
    with tempfile.TemporaryDirectory() as folder:
        trained = run_matrix(Path(folder), cells)
    wrong = 0
    for cell in cells:
        notes, fit = trained.notes[cell], trained.fits[cell]
        try:
            check_order(cell, notes)
            check_batches(cell, notes, fit)
            check_ledgers(cell, notes, fit)
        except AssertionError as difference:
            wrong += 1
            print(f"{cell}: {difference}")
    print(f"{len(cells) - wrong} of {len(cells)} cells recorded and explained as computed independently")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
