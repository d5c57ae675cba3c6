"""A training script that knows nothing of the monitor: trains the cells it is told, and notes what each model saw.

Run as `python -m tests.training.matrix.script NOTES CELLS`: a file to write, and the cells as JSON.
"""

import json
import pickle
import sys
import zlib
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tests.training.matrix.cells import EPOCHS, Cell
from tests.training.matrix.feeding import fit_arguments
from tests.training.matrix.models import Noted, build


class Notes(keras.callbacks.Callback):  # type: ignore[misc]
    """Weights before each batch, the first column of each batch, and weights at each epoch's end."""

    def __init__(self, parts: list[Any]) -> None:
        super().__init__()
        self.parts = parts
        self.given: list[np.ndarray] = []
        self.before: list[Any] = []
        self.after: list[Any] = []
        self.epochs: list[dict[str, float]] = []

    def _weights(self) -> list[list[np.ndarray]]:
        return [part.get_weights() for part in self.parts]

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Note the weights."""
        self.before.append(self._weights())

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note the batch by its first column."""
        self.given.append(Noted.column.numpy())

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Note the weights that the epoch ends with, and what Keras reports."""
        self.after.append(self._weights())
        self.epochs.append({name: float(value) for name, value in logs.items()})


def main(path: str, cells: str) -> None:
    """Train each cell and write down the notes."""
    noted = {}
    for entry in json.loads(cells):
        cell = Cell(*entry)
        keras.utils.set_random_seed(zlib.crc32(str(cell).encode()))
        model, parts = build(cell)
        notes = Notes(parts)
        model.fit(**fit_arguments(cell), epochs=EPOCHS, verbose=0, callbacks=[notes])
        noted[cell] = {name: getattr(notes, name) for name in ("given", "before", "after", "epochs")}
    Path(path).write_bytes(pickle.dumps(noted))


if __name__ == "__main__":
    main(*sys.argv[1:])
