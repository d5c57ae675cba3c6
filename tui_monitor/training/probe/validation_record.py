"""The newest validation: metrics of every sample from Keras' own pass, and some batches kept to be measured again."""

from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np

from tui_monitor.explain.samples.probes import FloatArray, IntArray
from tui_monitor.training.probe.passes import LazyBatch, unpack_batch
from tui_monitor.training.probe.reservoir import Reservoir
from tui_monitor.training.step.packing import StepOutput

_MOST_WAITING: Final = 64
"""Steps that wait to be taken apart."""
_MOST_WAITING_BYTES: Final = 2**22


@dataclass
class ValidationRecord:
    """All of the newest validation, once `flush` was called: metrics of each sample, and some batches for later."""

    per_sample: list[FloatArray] = field(default_factory=list)
    """One array of shape (6, batch) for each batch, rows as in `ROWS`."""
    kept: Reservoir[LazyBatch] = field(default_factory=Reservoir)
    batches: int = 0
    """Batches of validation, measured or not."""
    numbers: FloatArray | None = None
    """Samples, then samples of each class, over all batches; None before the first."""
    loss: float | None = None
    """As reported; None while validation is under way."""
    accuracy: float | None = None
    _waiting: list[StepOutput] = field(default_factory=list)
    _waiting_bytes: int = 0

    def begin(self) -> None:
        """Forget the validation before."""
        self._waiting.clear()
        self._waiting_bytes = 0
        self.per_sample.clear()
        self.kept.clear()
        self.batches, self.numbers = 0, None
        self.loss = self.accuracy = None

    def add(self, output: StepOutput) -> None:
        """Take what a validation step emitted.

        It waits for others, as next to a step taking it apart would cost several times as much.
        """
        self._waiting.append(output)
        self._waiting_bytes += output.nbytes
        if len(self._waiting) >= _MOST_WAITING or self._waiting_bytes >= _MOST_WAITING_BYTES:
            self.flush()

    def flush(self) -> None:
        """Take apart what waits; only then do the fields hold every step."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if not waiting:
            return
        numbers = np.array([row for output in waiting for row in output.rows]).sum(axis=0)
        self.numbers = numbers if self.numbers is None else self.numbers + numbers
        for output in waiting:
            self.batches += len(output.rows)
            self.per_sample += _per_sample(output)
            self.kept.offer(self.batches - 1, output.nbytes, partial(unpack_batch, output, in_training=False))

    @property
    def class_counts(self) -> IntArray | None:
        """Samples of each class in all of validation, shape (classes,), or None without classes."""
        if self.numbers is None or self.numbers.size == 1:
            return None
        return np.rint(self.numbers[1:]).astype(np.int64)


def _per_sample(output: StepOutput) -> list[FloatArray]:
    """Return the values of each of a step's batches; those of the last alone where the others' can't be gathered."""
    # A copy: a view would keep the inputs of every batch in memory.
    per_sample = np.asarray(output.parts()["per_sample"]).T.copy()
    if len(output.rows) == 1:
        return [per_sample]
    ends = np.cumsum([int(row[0]) for row in output.rows])
    return np.split(per_sample, ends[:-1], axis=1) if per_sample.shape[1] == ends[-1] else [per_sample]
