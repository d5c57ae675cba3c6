"""Exact totals of an epoch from every batch: what the values reported for it are made of."""

from collections.abc import Callable, Sequence

import numpy as np

from tui_monitor.explain.samples.probes import Averaging, FloatArray, IntArray

_ROUNDING = 1e-5
"""Relative difference that float32 makes between Keras' running mean and one in float64."""


class EpochTotals:
    """Sums over the batches of one epoch, in float64.

    Batches wait until a sum is asked for, or `add_up` is called: many at once cost a twentieth of each alone.
    """

    def __init__(self, metrics: int) -> None:
        """Begin without batches.

        Args:
            metrics: of each batch.
        """
        self.metrics = metrics
        self._waiting: list[Sequence[float]] = []
        self.add: Callable[[Sequence[float]], None] = self._waiting.append
        """Adds one batch, as the row that a training step emits: samples, metrics, samples of each class."""
        self._summed = 0
        self._sums: FloatArray | None = None
        self._weighted: FloatArray = np.zeros(metrics)
        self._squares: FloatArray | None = None
        """Of each class, the sum over batches of its squared count by the batch's samples."""

    @property
    def batches(self) -> int:
        """How many were added."""
        return self._summed + len(self._waiting)

    def add_up(self) -> FloatArray | None:
        """Return the sums of all rows so far, or None before the first."""
        if self._waiting:
            rows = np.array(self._waiting)
            self._waiting.clear()
            self._summed += len(rows)
            sums = rows.sum(axis=0)
            self._add_squares(rows)
            self._weighted += (rows[:, :1] * rows[:, 1 : 1 + self.metrics]).sum(axis=0)
            self._sums = sums if self._sums is None else self._sums + sums
        return self._sums

    @property
    def samples(self) -> int:
        """Samples in all batches."""
        sums = self.add_up()
        return 0 if sums is None else round(float(sums[0]))

    @property
    def class_counts(self) -> IntArray | None:
        """Samples of each class in all batches, shape (classes,), or None without classes."""
        sums = self.add_up()
        if sums is None or sums.size == 1 + self.metrics:
            return None
        return np.rint(sums[1 + self.metrics :]).astype(np.int64)

    def _add_squares(self, rows: FloatArray) -> None:
        counts, sizes = rows[:, 1 + self.metrics :], rows[:, :1]
        squares = np.divide(counts**2, sizes, out=np.zeros_like(counts), where=sizes > 0).sum(axis=0)
        self._squares = squares if self._squares is None else self._squares + squares

    @property
    def class_dispersion(self) -> tuple[float, int] | None:
        """Chi-squared of the batches' class counts against the epoch's shares, and its degrees of freedom.

        Of shuffled batches it is about as large as its degrees of freedom. None without two classes and two batches.
        """
        counts = self.class_counts
        if counts is None or self._squares is None or (held := counts > 0).sum() < 2 or self.batches < 2:
            return None
        share = counts[held] / counts.sum()
        chi_squared = float((self._squares[held] / share).sum() - counts.sum())
        return chi_squared, int((held.sum() - 1) * (self.batches - 1))

    def mean(self, metric: int, averaging: Averaging) -> float:
        """Return a metric's mean over the epoch so far; NaN before the first batch.

        Args:
            metric: its place among the fit's metrics.
            averaging: whether batches count by size or all the same.
        """
        sums = self.add_up()
        if sums is None:
            return float("nan")
        if averaging is Averaging.BATCHES:
            return float(sums[1 + metric]) / self.batches
        return float(self._weighted[metric]) / max(float(sums[0]), 1.0)

    def averaging_behind(self, metric: int, reported: float) -> Averaging:
        """Return which averaging a reported value follows: the one whose mean is nearer to it.

        Where both means are the same but for rounding, it is that of Keras' own loop, by samples.
        """
        by_batches = abs(self.mean(metric, Averaging.BATCHES) - reported)
        by_samples = abs(self.mean(metric, Averaging.SAMPLES) - reported)
        told_apart = by_samples > _ROUNDING * max(1.0, abs(reported))
        return Averaging.BATCHES if told_apart and by_batches < by_samples else Averaging.SAMPLES
