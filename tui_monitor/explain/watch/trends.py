"""The course of a loss: its noise, its trend, and runs of batches far above all that was."""

import math
from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import median

import numpy as np

from tui_monitor.explain.samples.probes import FloatArray, IntArray

_WINDOW_BATCHES = 20
_HIGH_WINDOWS = 3
_FLAT_DECLINE = 0.01
"""Fraction of the loss that the trend of a flat series takes off over its length, at most."""
_NEWEST_BENDS = 10


@dataclass
class Windows:
    """Means over runs of batches, however the epochs cut them."""

    epoch: int = 0
    batches: int = 0
    total: float = 0.0
    """Sum of batch losses of the epoch up to the last window."""
    first: float | None = None
    lowest: float = math.inf
    high: int = 0
    """Windows in a row that were far above all that was."""

    def take(self, epoch: int, batches: int, mean_loss: float) -> tuple[float, float] | None:
        """Return the lowest window and this one where three in a row are far above all that was, else None."""
        if epoch != self.epoch:
            self.epoch, self.batches, self.total = epoch, 0, 0.0
        count = batches - self.batches
        if count < _WINDOW_BATCHES:
            return None
        window = (mean_loss * batches - self.total) / count
        self.batches, self.total = batches, mean_loss * batches
        if self.first is None:
            self.first = window
        is_high = 0 < self.lowest * 4 < window and window > 2 * self.first
        self.high = self.high + 1 if is_high else 0
        told = (self.lowest, window) if self.high >= _HIGH_WINDOWS else None
        self.lowest = min(self.lowest, window)
        return told


def noise(values: FloatArray) -> float:
    """Return the standard deviation of a series around its own slow course, from its newest second differences."""
    bends = np.diff(values, n=2)[-_NEWEST_BENDS:]
    return math.sqrt(float((bends**2).mean()) / 6) if bends.size else 0.0


@dataclass
class NewestTrend:
    """The trend of the newest values of a series, kept up to date as they come."""

    length: int
    """Values looked at."""
    values: deque[float] = field(default_factory=deque)
    """The newest; fewer than `length` at the beginning, and after a value that is unknown."""
    _ranked: list[float] = field(default_factory=list)
    """The same in ascending order."""
    _rises: int = 0
    """Pairs of values of which the later is greater, less those of which it is smaller."""

    def add(self, value: float | None) -> None:
        """Take the next value; None, NaN and infinities begin anew."""
        values, ranked = self.values, self._ranked
        if value is None or not math.isfinite(value):
            values.clear()
            ranked.clear()
            self._rises = 0
            return
        if len(values) == self.length:
            oldest = values.popleft()
            del ranked[bisect_left(ranked, oldest)]
            self._rises += bisect_left(ranked, oldest) + bisect_right(ranked, oldest) - len(ranked)
        index = bisect_right(ranked, value)
        self._rises += bisect_left(ranked, value) + index - len(ranked)
        ranked.insert(index, value)
        values.append(value)

    @property
    def is_known(self) -> bool:
        """Whether there are as many values as are looked at."""
        return len(self.values) == self.length

    @property
    def score(self) -> float:
        """The standard score of a monotonic trend (Mann, 1945; Kendall): negative where the values fall."""
        size = len(self.values)
        return self._rises / math.sqrt(size * (size - 1) * (2 * size + 5) / 18)

    @property
    def falls(self) -> bool:
        """Whether the values fall beyond noise, at the 5 % level."""
        return self.score < -1.645

    @property
    def is_flat(self) -> bool:
        """Whether the values show no sign of falling."""
        if self.score <= -1.0:
            return False
        array = np.array(self.values, dtype=np.float64)
        return -median_slope(array) * (array.size - 1) <= _FLAT_DECLINE * median(map(abs, self.values))


def median_slope(values: FloatArray) -> float:
    """Return the median slope of a series over its pairs (Theil and Sen)."""
    earlier, later, apart = _pairs(values.size)
    # Of the few pairs of a trend, `statistics` finds the middle in a third of NumPy's time.
    return float(median(((values[later] - values[earlier]) / apart).tolist()))


@lru_cache(maxsize=8)
def _pairs(size: int) -> tuple[IntArray, IntArray, IntArray]:
    earlier, later = np.triu_indices(size, 1)
    return earlier, later, later - earlier
