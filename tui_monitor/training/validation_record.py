"""The newest validation: figures of every sample from Keras' own pass, and some batches kept to be measured again."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tui_monitor.explain.samples import FloatArray, IntArray
from tui_monitor.training.packing import StepOutput
from tui_monitor.training.reservoir import Reservoir


@dataclass
class ValidationRecord:
    """All of the newest validation: per-sample figures from Keras' own pass, and some batches kept for later."""

    figures: list[FloatArray] = field(default_factory=list)
    """One array of shape (6, batch) for each batch, rows as in `ROWS`."""
    kept: Reservoir[StepOutput] = field(default_factory=Reservoir)
    batches: int = 0
    """Batches of validation, measured or not."""
    numbers: FloatArray | None = None
    """Samples, then samples of each class, over all batches; None before the first."""
    loss: float | None = None
    """As reported; None while validation is under way."""
    accuracy: float | None = None

    def begin(self) -> None:
        """Forget the validation before."""
        self.figures.clear()
        self.kept.clear()
        self.batches, self.numbers = 0, None
        self.loss = self.accuracy = None

    def count(self, row: Sequence[float]) -> None:
        """Add one batch's samples, then samples of each class."""
        self.batches += 1
        numbers = np.asarray(row)
        self.numbers = numbers if self.numbers is None else self.numbers + numbers

    @property
    def class_counts(self) -> IntArray | None:
        """Samples of each class in all of validation, shape (classes,), or None without classes."""
        if self.numbers is None or self.numbers.size == 1:
            return None
        return np.rint(self.numbers[1:]).astype(np.int64)
