"""Exact totals of an epoch from every batch: what the figures reported for it are made of."""

import numpy as np

from tui_monitor.explain.samples import Averaging, FloatArray, IntArray


class EpochTotals:
    """Sums over the batches of one epoch, in float64.

    A batch arrives as the vector that the training step hands out: samples, the batch's own metrics,
    samples of each class.
    """

    def __init__(self, metrics: int) -> None:
        self._metrics = metrics
        self.batches = 0
        self._sums: FloatArray | None = None
        self._weighted: FloatArray = np.zeros(metrics)

    def add(self, values: FloatArray) -> None:
        """Add one batch.

        Args:
            values: shape (1 + metrics + classes,), as handed out by the step.
        """
        if self._sums is None:
            self._sums = np.zeros(values.size)
        self.batches += 1
        self._sums += values
        self._weighted += values[0] * values[1 : 1 + self._metrics]

    @property
    def samples(self) -> int:
        """Samples in all batches."""
        return 0 if self._sums is None else round(float(self._sums[0]))

    @property
    def class_counts(self) -> IntArray | None:
        """Samples of each class in all batches, shape (classes,), or None without classes."""
        if self._sums is None or self._sums.size == 1 + self._metrics:
            return None
        return np.rint(self._sums[1 + self._metrics :]).astype(np.int64)

    def mean(self, metric: int, averaging: Averaging) -> float:
        """Return a metric's mean over the epoch so far; NaN before the first batch.

        Args:
            metric: its place among the phase's metrics.
            averaging: whether batches count by size or all the same.
        """
        if self._sums is None:
            return float("nan")
        if averaging is Averaging.BATCHES:
            return float(self._sums[1 + metric]) / self.batches
        return float(self._weighted[metric]) / max(float(self._sums[0]), 1.0)

    def averaging_behind(self, metric: int, reported: float) -> Averaging:
        """Return which averaging a reported figure follows: the one whose mean is nearer to it."""
        by_batches = abs(self.mean(metric, Averaging.BATCHES) - reported)
        by_samples = abs(self.mean(metric, Averaging.SAMPLES) - reported)
        return Averaging.BATCHES if by_batches < by_samples else Averaging.SAMPLES
