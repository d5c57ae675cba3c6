"""Looks for validation samples that stand in training but for small changes, by signatures of both sides' inputs."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_monitor.explain.evidence.near_copies import NearPairs
from tui_monitor.explain.samples.probes import IntArray
from tui_monitor.training.probe.batches import UnpackedBatch, concatenate, same_shapes
from tui_monitor.training.probe.opening.signatures import Signatures, Signer

_FEWEST_VALUES: Final = 4
"""Values of a sample below which samples are close by nature."""
_MOST_HERE: Final = 4096
"""Validation samples that are compared: their signatures take 128 bytes each."""
_MOST_PAIRS: Final = 2**24
"""Pairs of samples that are compared in one epoch."""
_SECONDS_PER_PAIR: Final = 2.5e-9
_FEWEST_THERE: Final = 100
"""Training samples that are worth a comparison."""
_AT_ONCE: Final = 2048
"""Samples that are signed together at most."""


@dataclass(frozen=True)
class Training:
    """Training batches of one epoch, and what is known of their samples, in the batches' order."""

    batches: Sequence[UnpackedBatch]
    is_new: NDArray[np.bool_]
    """Whether a sample was not compared before; shape (n,), of the first samples where not all were looked at."""
    places: IntArray
    """Where each stands, shape (n,)."""


@dataclass(frozen=True)
class Validation:
    """Validation's batches."""

    identity: object
    """What tells it from another validation."""
    samples: int
    """How many of the first are to be compared."""
    batches: Sequence[UnpackedBatch]


@dataclass(frozen=True)
class NearCopies:
    """Near-copies among some of validation's samples."""

    rows: IntArray
    """Index of each compared sample among those that `NearSearch.search` was given, shape (m,)."""
    is_copy: NDArray[np.bool_]
    """Shape (m,)."""
    places: IntArray
    """Place of the training sample that is nearest to it."""
    p_value: float
    doubtful: float
    """Samples that may count wrongly."""
    compared: int
    """Training samples that they were compared with."""


class NearSearch:
    """Compares validation with the training samples of one epoch, or of several through which the same come back."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._validation: object = None
        self._signer: Signer | None = None
        self._pairs: NearPairs | None = None
        self._rows: IntArray = np.zeros(0, dtype=np.int64)
        self._places: list[IntArray] = []
        self._found: NearCopies | None = None
        self.applies = True
        """Whether inputs can be close otherwise than by nature, as far as is known; then copies may have changed."""

    def search(
        self,
        training: Training | None,
        validation: Validation,
        deadline: float,
        *,
        adds: bool,
    ) -> NearCopies | None:
        """Return the near-copies known now; None where signatures say nothing, or where time is short.

        Args:
            training: of the newest epoch; None where nothing of it is new.
            validation: of the newest epoch.
            deadline: by `time.perf_counter`, by which it should be done.
            adds: whether training's samples are known to come back, so that new ones add to those of earlier epochs.
        """
        if validation.identity is not self._validation or (training is not None and not adds):
            self._pairs, self._found, self._places = None, None, []
        if training is None:
            return self._found
        here = self._signed_validation(training, validation, deadline) if self._pairs is None else None
        if self._pairs is None and here is None:
            return None
        size = len(self._rows)
        new = np.flatnonzero(training.is_new)
        chosen = new[: min(_MOST_PAIRS // max(size, 1), _as_many_as(size, deadline - time.perf_counter()))]
        if chosen.size < min(_FEWEST_THERE, max(new.size, 1)):
            return self._found
        there = _signed(self._signer, training.batches, chosen)
        if there is None:
            self.applies = False
            return self._found
        if self._pairs is None:
            assert here is not None
            self._pairs = NearPairs.begin(here, there)
        self._pairs.add(there)
        self._places.append(training.places[chosen])
        found = self._pairs.copies()
        places = np.concatenate(self._places)[self._pairs.nearest_index]
        self._found = NearCopies(self._rows, found.is_copy, places, found.p_value, found.doubtful, self._pairs.compared)
        return self._found

    def _signed_validation(self, training: Training, validation: Validation, deadline: float) -> Signatures | None:
        self._validation = validation.identity
        if self._signer is None:
            group = next(same_shapes(training.batches, _AT_ONCE), None)
            self._signer = Signer.of(concatenate(group).inputs["x"]) if group else None
        self.applies = self._signer is not None and self._signer.values >= _FEWEST_VALUES
        if not self.applies or time.perf_counter() > deadline:
            return None
        self._rows = np.arange(0, validation.samples, -(-validation.samples // _MOST_HERE))
        return _signed(self._signer, validation.batches, self._rows)


def _as_many_as(size: int, seconds: float) -> int:
    """Return how many training samples can be compared with `size` of validation, and with one another, in a time."""
    pairs = max(0.0, seconds) / _SECONDS_PER_PAIR
    return int((math.sqrt(size**2 + 4.0 * pairs) - size) / 2)


def _signed(signer: Signer | None, batches: Sequence[UnpackedBatch], chosen: IntArray) -> Signatures | None:
    """Return the signatures of some samples of batches, their indices rising; None where one can't be signed."""
    parts, begin = [], 0
    for group in same_shapes(batches, _AT_ONCE):
        size = sum(batch.samples for batch in group)
        inside = chosen[(chosen >= begin) & (chosen < begin + size)] - begin
        begin += size
        if inside.size:
            part = signer.sign(concatenate(group).inputs["x"]) if signer is not None else None
            if part is None:
                return None
            parts.append(part[inside])
    return np.concatenate(parts) if parts else None
