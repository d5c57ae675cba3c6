"""The course of a loss: its noise, its trend, and stretches of batches far above all that was."""

import math
from dataclasses import dataclass

import numpy as np

from tui_monitor.explain.samples.probes import FloatArray

_WINDOW_BATCHES = 20
_FLAT_DECLINE = 0.01
"""Share of the loss that the trend of a flat series takes off over its length, at most."""
_NEWEST_BENDS = 10


@dataclass
class Windows:
    """Means over stretches of batches, however the epochs cut them."""

    epoch: int = 0
    batches: int = 0
    total: float = 0.0
    """Sum of batch losses of the epoch up to the last window."""
    first: float | None = None
    lowest: float = math.inf
    was_high: bool = False

    def take(self, epoch: int, batches: int, mean_loss: float) -> tuple[float, float] | None:
        """Return the lowest window and this one where two in a row are far above all that was, else None."""
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
        told = (self.lowest, window) if is_high and self.was_high else None
        self.was_high, self.lowest = is_high, min(self.lowest, window)
        return told


def noise(values: FloatArray) -> float:
    """Return the standard deviation of a series around its own slow course, from its newest second differences."""
    bends = np.diff(values, n=2)[-_NEWEST_BENDS:]
    return math.sqrt(float((bends**2).mean()) / 6) if bends.size else 0.0


def trend(values: FloatArray) -> tuple[float, float]:
    """Return the standard score of a monotonic trend (Mann, 1945; Kendall) and the median slope (Theil and Sen)."""
    size = values.size
    later, earlier = np.triu_indices(size, 1)[::-1]
    score = float(np.sign(values[later] - values[earlier]).sum())
    spread = math.sqrt(size * (size - 1) * (2 * size + 5) / 18)
    return score / spread, float(np.median((values[later] - values[earlier]) / (later - earlier)))


def is_flat(values: FloatArray) -> bool:
    """Whether a series shows no sign of falling."""
    score, slope = trend(values)
    level = float(np.median(np.abs(values)))
    return score > -1.0 and -slope * (values.size - 1) <= _FLAT_DECLINE * level


def falls(values: FloatArray) -> bool:
    """Whether a series falls beyond noise, at the 5 % level."""
    return trend(values)[0] < -1.645
