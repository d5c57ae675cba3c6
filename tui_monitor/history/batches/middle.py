"""Where most batches of each column lie: quantiles, which a pyramid of extremes can't tell."""

import numpy as np
from numpy.typing import ArrayLike

from tui_monitor.history.batches.series import BatchSeries, column_bounds
from tui_monitor.run_log.format.pyramid_level import Float64Array, IntArray

MIDDLE = (0.1, 0.9)
"""The quantiles between which a column's middle lies."""
_PIECES, _PIECE = 4, 16
_SAMPLE = _PIECES * _PIECE
"""Values looked at in a column at most: a rank is then known to within 4 % (one standard error)."""


def middle(series: BatchSeries, edges: ArrayLike) -> tuple[Float64Array, Float64Array]:
    """Return the `MIDDLE` quantiles of the finite values between neighbouring edges, NaN where there is none.

    Of a column with more than 64 batches, 64 stand for all: four pieces of 16, spread evenly, so that a long run
    whose early batches are on disk costs a few short reads a column.

    Args:
        series: one metric's batches.
        edges: as for `BatchSeries.envelope`, shape (columns + 1,).

    Returns:
        The lower and the upper quantile, interpolated linearly between values, each of shape (columns,).
    """
    start, stop = column_bounds(edges, len(series))
    indices, is_there = _sampled(start, stop - start)
    values = np.full(indices.shape, np.nan)
    values[is_there] = series.at(indices[is_there])
    values[~np.isfinite(values)] = np.nan
    values.sort(axis=1)
    count = np.isfinite(values).sum(axis=1)
    return _quantile(values, count, MIDDLE[0]), _quantile(values, count, MIDDLE[1])


def _sampled(start: IntArray, size: IntArray) -> tuple[IntArray, np.ndarray[tuple[int, int], np.dtype[np.bool_]]]:
    """Return the batches to look at, shape (columns, 64), and which of the entries stand for one."""
    order = np.arange(_SAMPLE)
    spread = (size[:, None] - _PIECE) * (order // _PIECE) // (_PIECES - 1) + order % _PIECE
    offsets = np.where(size[:, None] > _SAMPLE, spread, order)
    return start[:, None] + offsets, order < size[:, None]


def _quantile(ordered: Float64Array, count: IntArray, fraction: float) -> Float64Array:
    rank = fraction * np.maximum(count - 1, 0)
    below = np.floor(rank).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(count - 1, 0))
    rows = np.arange(len(ordered))
    part = rank - below
    return np.asarray(ordered[rows, below] * (1 - part) + ordered[rows, above] * part, dtype=np.float64)
