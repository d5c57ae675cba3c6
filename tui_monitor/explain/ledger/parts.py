"""What the within-class term is opened into: its parts, and the classes whose shares stay what they are."""

import math
from dataclasses import dataclass

import numpy as np

from tui_monitor.explain.samples.probes import FloatArray, IntArray, ValidationProbe

_MOST_STRATA = 32


@dataclass(frozen=True)
class Part:
    """One cause's part of W."""

    point: float
    deviations: FloatArray
    """Of its resamples from the point, shape (resamples,)."""
    chance: float = 0.0
    """Size up to which drawing other samples would give it."""
    bounds: tuple[float, float] | None = None
    """Its interval, where that is known otherwise than from the deviations."""


@dataclass(frozen=True)
class Whole:
    """W itself."""

    point: float
    deviations: FloatArray
    """Shape (resamples,)."""
    chance: float
    """Size up to which drawing both sets anew would give it."""


@dataclass(frozen=True)
class Strata:
    """What validation samples count, so that class shares stay what they are in all of validation."""

    label: IntArray
    share: FloatArray
    """Of each class; shape (classes,)."""

    @staticmethod
    def of(validation: ValidationProbe) -> "Strata":
        """Return the classes of all of validation; a single one where there are none, or many."""
        counts = validation.class_counts
        if counts is None or counts.size > _MOST_STRATA or not counts.sum() or (validation.label < 0).any():
            return Strata(np.zeros(validation.label.size, dtype=np.int64), np.ones(1))
        size = max(counts.size, int(validation.label.max(initial=0)) + 1)
        return Strata(validation.label, np.pad(counts, (0, size - counts.size)) / counts.sum())

    def weights(self, label: IntArray) -> FloatArray:
        """Return weights under which some samples have these class shares, shape (n,), sum 1 if every class is there.

        Args:
            label: of the samples; classes as here.
        """
        label = label if self.share.size > 1 else np.zeros_like(label)
        known = label[label < self.share.size]
        counts = np.bincount(known, minlength=self.share.size)
        held = np.where(counts > 0, self.share, 0.0)
        each = np.divide(held / max(held.sum(), 1e-12), counts, out=np.zeros(self.share.size), where=counts > 0)
        return np.where(label < self.share.size, each[np.minimum(label, self.share.size - 1)], 0.0)


def error_of_mean(values: FloatArray, weights: FloatArray) -> float:
    """Return the standard error of a weighted mean, weights of sum 1; shape (n,) each."""
    return float(np.std(values)) * math.sqrt(float((weights**2).sum()))
