"""The newest validation: metrics of every sample from Keras' own pass, and some batches kept to be measured again."""

from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np

from tui_monitor.explain.samples.probes import FloatArray, IntArray
from tui_monitor.training.probe.passes import LazyBatch, unpack_batch
from tui_monitor.training.probe.reservoir import Reservoir
from tui_monitor.training.probe.sample_keys import mixed, sample_keys
from tui_monitor.training.step.packing import PER_SAMPLE, StepOutput
from tui_monitor.training.step.per_sample_metrics import NOT_BY_SAMPLE, Unsupported, unmarked

_MOST_WAITING: Final = 64
"""Steps that wait to be taken apart."""
_MOST_WAITING_BYTES: Final = 2**22


@dataclass
class ValidationRecord:
    """All of the newest validation, once `flush` was called: metrics of each sample, and some batches for later."""

    per_sample: list[FloatArray] = field(default_factory=list)
    """One array of shape (6, batch) for each batch, rows as in `ROWS`; empty where a step emits its data alone."""
    kept: Reservoir[LazyBatch] = field(default_factory=Reservoir)
    batches: int = 0
    """Batches of validation, measured or not."""
    numbers: FloatArray | None = None
    """Samples, then samples of each class, over all batches; None before the first."""
    loss: float | None = None
    """As reported; None while validation is under way."""
    accuracy: float | None = None
    caveat: str = ""
    """Why the values of its samples are not known, as a sentence; empty where they are."""
    keys: IntArray | None = None
    """Number that stands for each sample, uint64, in their order; None where it could not be made."""
    _targets: list[IntArray | None] = field(default_factory=list)
    """Keys of the targets of each batch."""
    _data: list[IntArray | None] = field(default_factory=list)
    """Keys of the data of each batch, where they are not known from an earlier validation."""
    _known: tuple[IntArray, IntArray] | None = None
    """Keys of targets and of whole samples of an earlier validation."""
    _keys_data: bool = True
    """Whether the data is looked at: not while validation goes through the same targets in the same order."""
    _waiting: list[StepOutput] = field(default_factory=list)
    _waiting_bytes: int = 0

    def begin(self) -> None:
        """Forget the validation before."""
        self._waiting.clear()
        self._waiting_bytes = 0
        self.per_sample.clear()
        self.kept.clear()
        self.batches, self.numbers, self.caveat = 0, None, ""
        self.loss = self.accuracy = self.keys = None
        self._targets.clear()
        self._data.clear()

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
            try:
                self.per_sample += _per_sample(output)
            except Unsupported as reason:
                self.caveat = str(reason)
            self._add_keys(output)
            self.kept.offer(self.batches - 1, output.nbytes, partial(unpack_batch, output, in_training=False))

    def _add_keys(self, output: StepOutput) -> None:
        # Of several steps in one call only the last one's data is emitted.
        if len(output.rows) != 1:
            self._targets.append(None)
            return
        samples, parts = int(output.rows[0][0]), output.parts()
        self._targets.append(sample_keys(parts, "y", samples))
        if self._keys_data:
            self._data.append(sample_keys(parts, "x", samples))

    def find_keys(self) -> None:
        """Set the keys of the samples: those of an earlier validation where it went through the same targets."""
        targets = _joined(self._targets)
        if targets is None:
            return
        if self._known is not None and np.array_equal(self._known[0], targets):
            self.keys = self._known[1]
            self._keys_data = False
            return
        data = _joined(self._data) if self._keys_data else None
        self._keys_data = True
        if data is not None and data.shape == targets.shape:
            self.keys = mixed([data, targets])
            self._known = (targets, self.keys)

    @property
    def class_counts(self) -> IntArray | None:
        """Samples of each class in all of validation, shape (classes,), or None without classes."""
        if self.numbers is None or self.numbers.size == 1:
            return None
        return np.rint(self.numbers[1:]).astype(np.int64)


def _joined(keys: list[IntArray | None]) -> IntArray | None:
    known = [key for key in keys if key is not None]
    return np.concatenate(known) if known and len(known) == len(keys) else None


def _per_sample(output: StepOutput) -> list[FloatArray]:
    """Return the values of each of a step's batches; those of the last alone where the others' can't be gathered."""
    parts = output.parts()
    if PER_SAMPLE not in parts:
        return []
    # A copy: a view would keep the inputs of every batch in memory.
    per_sample = list(unmarked(np.array(parts[PER_SAMPLE])))
    if len(output.rows) == 1:
        per_sample = [np.concatenate(per_sample, axis=1)]
    sizes = [int(row[0]) for row in output.rows][-len(per_sample) :]
    if [values.shape[1] for values in per_sample] != sizes:
        raise Unsupported(NOT_BY_SAMPLE)
    return per_sample
