"""Exact totals of an epoch from every batch: the sums that the reported values are made of."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tui_monitor.explain.samples.probes import Averaging, FloatArray

_ROUNDING = 1e-5
"""Relative difference that float32 makes between Keras' running mean and one in float64."""


class EpochTotals:
    """Sums over the batches of one epoch, in float64.

    Batches wait until a sum is asked for, or `add_up` is called: many at once cost a twentieth of each alone.
    """

    def __init__(self, metrics: int, units: Mapping[int, Sequence[int]] | None = None) -> None:
        """Begin without batches.

        Args:
            metrics: of each batch.
            units: by the index of each metric whose units are not samples, which counts of a batch add up to the
                number of units that the metric is a mean over.
        """
        self.metrics = metrics
        self._unit_columns = {metric: [1 + metrics + place for place in of] for metric, of in (units or {}).items()}
        self._by_units: dict[int, FloatArray] = {metric: np.zeros(2) for metric in self._unit_columns}
        self._waiting: list[Sequence[float]] = []
        self.add: Callable[[Sequence[float]], None] = self._waiting.append
        """Adds one batch, as the row that a training step emits: samples, metrics, samples of each class."""
        self._summed = 0
        self._sums: FloatArray | None = None
        self._last: FloatArray | None = None
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
            # The stall watch reads `batches` in its thread without a lock; a count that is off only restarts its wait.
            self._waiting.clear()
            self._summed += len(rows)
            self._last = rows[-1]
            sums = rows.sum(axis=0)
            self._add_squares(rows)
            self._weighted += (rows[:, :1] * rows[:, 1 : 1 + self.metrics]).sum(axis=0)
            for metric, columns in self._unit_columns.items():
                units = rows[:, columns].sum(axis=1)
                self._by_units[metric] += ((rows[:, 1 + metric] * units).sum(), units.sum())
            self._sums = sums if self._sums is None else self._sums + sums
        return self._sums

    @property
    def samples(self) -> int:
        """Samples in all batches."""
        sums = self.add_up()
        return 0 if sums is None else round(float(sums[0]))

    @property
    def counts(self) -> FloatArray | None:
        """What steps counted beside the metrics, summed over all batches, shape (counts,); None before the first."""
        sums = self.add_up()
        return None if sums is None else sums[1 + self.metrics :]

    def _add_squares(self, rows: FloatArray) -> None:
        counts, sizes = rows[:, 1 + self.metrics :], rows[:, :1]
        squares = np.divide(counts**2, sizes, out=np.zeros_like(counts), where=sizes > 0).sum(axis=0)
        self._squares = squares if self._squares is None else self._squares + squares

    def dispersion(self, classes: int) -> tuple[float, int] | None:
        """Return chi-squared of the batches' class counts against the epoch's shares, and its degrees of freedom.

        Of shuffled batches it is about as large as its degrees of freedom.

        Args:
            classes: whose counts are the first of what steps counted beside the metrics.

        Returns:
            None without two classes and two batches.
        """
        every = self.counts
        if every is None or self._squares is None or self.batches < 2:
            return None
        counts = every[:classes]
        held = counts > 0
        if held.sum() < 2:
            return None
        share = counts[held] / counts.sum()
        chi_squared = float((self._squares[:classes][held] / share).sum() - counts.sum())
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
        if averaging is Averaging.UNITS and metric in self._by_units:
            total, units = self._by_units[metric]
            return float(total) / max(float(units), 1.0)
        return float(self._weighted[metric]) / max(float(sums[0]), 1.0)

    def last(self, metric: int) -> float:
        """Return a metric's value on the newest batch; NaN before the first."""
        self.add_up()
        return float("nan") if self._last is None else float(self._last[1 + metric])

    def averaging_behind(self, metric: int, reported: float) -> Averaging:
        """Return which averaging a reported value follows: the one whose mean is nearest to it.

        Where means are the same but for rounding, it is that of Keras' own loop: by units where a metric has its own,
        else by samples.
        """
        own = Averaging.UNITS if metric in self._by_units else Averaging.SAMPLES
        off = {averaging: abs(self.mean(metric, averaging) - reported) for averaging in Averaging}
        nearest = min(off, key=lambda averaging: (off[averaging], averaging is not own))
        told_apart = off[own] > _ROUNDING * max(1.0, abs(reported))
        return nearest if told_apart else own
