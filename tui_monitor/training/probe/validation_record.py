"""The newest validation: metrics of every sample from Keras' own pass, and some batches kept to be measured again."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np

from tui_monitor.explain.samples.probes import FloatArray
from tui_monitor.training.probe.batches import LazyBatch, unpack_batch
from tui_monitor.training.probe.opening.fingerprints import Fingerprints, mixed
from tui_monitor.training.probe.reservoir import Reservoir
from tui_monitor.training.probe.sample_keys import keys_of_batches
from tui_monitor.training.step.marks import unmarked
from tui_monitor.training.step.packing import PER_SAMPLE, StepOutput
from tui_monitor.training.step.per_sample_metrics import NO_LOSS, Unsupported

_MOST_WAITING: Final = 64
"""Steps that wait to be taken apart."""
_MOST_WAITING_BYTES: Final = 2**22
_MOST_BYTES: Final = 2**27
"""Values of samples that are kept; of batches beyond, the numbers alone."""


@dataclass(frozen=True)
class ValidationBatch:
    """Values of one batch of validation, sample by sample."""

    index: int
    """Among all batches of validation, from 0."""
    samples: int
    rows: list[FloatArray]
    """Of all outputs one after the other, see `unmarked`."""


@dataclass
class ValidationRecord:
    """All of the newest validation, once `flush` was called: metrics of each sample, and some batches for later."""

    by_sample: list[ValidationBatch] = field(default_factory=list)
    """Of the batches whose samples' values are known."""
    kept: Reservoir[LazyBatch] = field(default_factory=Reservoir)
    loss: float | None = None
    """As reported; None while validation is under way."""
    caveat: str = ""
    """Why the values of its samples are not known, a clause; empty where they are."""
    _rows: list[FloatArray] = field(default_factory=list)
    _bytes: int = 0
    keys: Fingerprints | None = None
    """Number that stands for each sample, uint64, in their order; None where it could not be made."""
    _targets: list[Fingerprints | None] = field(default_factory=list)
    """Keys of the targets, an entry for each run of batches of the same shapes."""
    _data: list[Fingerprints | None] = field(default_factory=list)
    """Keys of the data, where they are not known from an earlier validation."""
    _known: tuple[Fingerprints, Fingerprints] | None = None
    """Keys of targets and of whole samples of an earlier validation."""
    _keys_data: bool = True
    """Whether the data is looked at: not while validation goes through the same targets in the same order."""
    _waiting: list[StepOutput] = field(default_factory=list)
    _waiting_bytes: int = 0

    def begin(self) -> None:
        """Forget the validation before."""
        self._waiting.clear()
        self._waiting_bytes = self._bytes = 0
        self.by_sample.clear()
        self.kept.clear()
        self._rows.clear()
        self.loss, self.keys, self.caveat = None, None, ""
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
        # Taken out first: what can't be taken apart must not be tried again with the next step.
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        self._add_keys(waiting)
        for output in waiting:
            begin = len(self._rows)
            self._rows += [np.array(row) for row in output.rows]
            if self._bytes < _MOST_BYTES:
                try:
                    found = _by_sample(output, begin)
                except Unsupported as reason:
                    self.caveat, found = str(reason), []
                self._bytes += sum(row.nbytes for batch in found for row in batch.rows)
                self.by_sample += found
            # Not unpacked yet: only few of the kept batches are ever measured again.
            self.kept.offer(len(self._rows) - 1, output.nbytes, partial(unpack_batch, output, in_training=False))

    def _add_keys(self, outputs: Sequence[StepOutput]) -> None:
        # Of several steps in one call only the last one's data is emitted.
        if any(len(output.rows) != 1 for output in outputs):
            self._targets.append(None)
            return
        batches = [(output.parts(), int(output.rows[0][0])) for output in outputs]
        self._targets += keys_of_batches(batches, "y")
        if self._keys_data:
            self._data += keys_of_batches(batches, "x")

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
        # Other targets than expected: this validation's data was not looked at, the next one's is.
        self._keys_data = True
        if data is not None and data.shape == targets.shape:
            self.keys = mixed([data, targets])
            self._known = (targets, self.keys)

    @property
    def batches(self) -> int:
        """Batches of validation, whether their samples' values are known or not."""
        return len(self._rows)

    @property
    def samples(self) -> FloatArray:
        """Of each batch, shape (batches,)."""
        return np.array([row[0] for row in self._rows])

    @property
    def losses(self) -> FloatArray:
        """The model's own loss of each batch, shape (batches,); NaN where nothing tells it."""
        return np.array([math.nan if row[1] == NO_LOSS else row[1] for row in self._rows])

    @property
    def counts(self) -> FloatArray | None:
        """Sum of what the steps emitted as `PerSampleMetrics.counts` of each output; None before the first."""
        return np.sum(self._rows, axis=0)[2:] if self._rows else None


def _joined(keys: list[Fingerprints | None]) -> Fingerprints | None:
    known = [key for key in keys if key is not None]
    return np.concatenate(known) if known and len(known) == len(keys) else None


def _by_sample(output: StepOutput, begin: int) -> list[ValidationBatch]:
    """Return the values of each of a step's batches; those of the last alone where the others' can't be gathered."""
    parts = output.parts()
    if PER_SAMPLE not in parts:
        return []
    # A copy: a view would keep the inputs of every batch in memory.
    found = list(unmarked(np.array(parts[PER_SAMPLE])))
    if len(output.rows) == 1 and len(found) > 1:
        # Each of several replicas gave its part of the one batch.
        found = [[np.concatenate(same) for same in zip(*found, strict=True)]]
    first = len(output.rows) - len(found)
    return [
        ValidationBatch(begin + first + index, int(output.rows[first + index][0]), rows)
        for index, rows in enumerate(found)
        if first + index >= 0
    ]
