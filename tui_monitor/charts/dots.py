"""From data units to dots: every finite value lands on exactly one dot of the canvas, whatever its size."""

import numpy as np
from numpy.typing import NDArray

from tui_monitor.charts.spec import FloatArray

IntArray = NDArray[np.int64]


def usable_range(low: float, high: float) -> tuple[float, float]:
    """Return a range that can be divided by: finite, and not empty; (0, 1) stands in for what is not."""
    if not (np.isfinite(low) and np.isfinite(high)) or high <= low:
        return 0.0, 1.0
    return float(low), float(high)


def logarithmic(values: FloatArray) -> FloatArray:
    """Return log10, with NaN for what has no logarithm."""
    safe = np.where(np.isfinite(values) & (values > 0), values, np.nan)
    return np.asarray(np.log10(safe), dtype=np.float64)


def slices(values: FloatArray, limits: tuple[float, float], count: int) -> IntArray:
    """Return which of `count` equal slices of an axis, from 0, holds each value.

    Args:
        values: finite, shape (n,); those outside the limits go to the nearest edge.
        limits: of the axis, low before high.
        count: slices, at least 1.
    """
    return np.clip(np.floor(_fraction(values, limits) * count + 1e-9), 0, count - 1).astype(np.int64)


def levels(values: FloatArray, limits: tuple[float, float], count: int) -> IntArray:
    """Return which of `count` levels, the first at the low limit and the last at the high one, is nearest each value.

    Args:
        values: finite, shape (n,); those outside the limits go to the nearest edge.
        limits: of the axis, low before high.
        count: levels, at least 1.
    """
    return np.floor(_fraction(values, limits) * (count - 1) + 0.5).astype(np.int64)


def _fraction(values: FloatArray, limits: tuple[float, float]) -> FloatArray:
    low, high = usable_range(*limits)
    inside = np.clip(values, low, high)
    # Halves keep the span of -1e308..1e308 finite; tiny spans would lose bits by it.
    scale = 0.5 if max(abs(low), abs(high)) > 1e300 else 1.0
    with np.errstate(all="ignore"):
        fraction = (inside * scale - low * scale) / (high * scale - low * scale)
    return np.clip(np.nan_to_num(fraction, nan=0.5), 0.0, 1.0)
