"""What a step computes for each sample of one output."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tui_monitor.training.backends.graphs import is_eager


@dataclass(frozen=True)
class SampleTensors:
    """What a step computes for each sample of one output, as Keras itself computed it."""

    loss: Any
    """Before it is reduced or weighted, shape (batch, ...)."""
    correct: Any
    """What the metric that the run reports as accuracy averages, shape (batch, ...); None without one."""
    y: Any
    y_pred: Any
    weight: Any
    """Sample weights, shape (batch, ...) with as many axes as `loss` or fewer, or one more of size 1; None without."""
    mask: Any = None
    """Which values of `loss` count, shape (batch, ...); None for all."""
    correct_mask: Any = None
    """Which values of `correct` count; None for all."""

    def tensors(self) -> tuple[Any, ...]:
        """Return what is there, in order."""
        return tuple(tensor for tensor in self._fields() if tensor is not None)

    def at_hand(self) -> "SampleTensors":
        """Return the same as arrays, if all of it is there already; else this itself."""
        there = self.tensors()
        if not all(isinstance(tensor, np.ndarray) or is_eager(tensor) for tensor in there):
            return self
        return self.filled(tensor.numpy() if is_eager(tensor) else tensor for tensor in there)

    def filled(self, values: Iterator[Any]) -> "SampleTensors":
        """Return the same with other values, an iterator over those that are there."""
        return SampleTensors(*(None if tensor is None else next(values) for tensor in self._fields()))

    def _fields(self) -> tuple[Any, ...]:
        return (self.loss, self.correct, self.y, self.y_pred, self.weight, self.mask, self.correct_mask)

    def followed(self) -> tuple[Any, ...]:
        """Return what follows from the outputs and the batch."""
        found = (self.loss, self.correct, self.y_pred, self.mask, self.correct_mask)
        return tuple(tensor for tensor in found if tensor is not None)
