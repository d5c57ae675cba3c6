"""Per-batch values with a minimum/maximum pyramid: any window costs the width of the screen, not the run's length."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
IntArray = NDArray[np.int64]

FACTOR = 16
"""Entries of one level that make one entry of the next; a power of two."""


@dataclass(frozen=True)
class Envelope:
    """What a chart draws of a window: one entry per column; NaN where a column holds no finite value."""

    low: Float64Array
    """Smallest finite value in the column, shape (columns,)."""
    mean: Float64Array
    """Mean of the finite values in the column, shape (columns,)."""
    high: Float64Array
    """Largest finite value in the column, shape (columns,)."""
    bad: NDArray[np.bool_]
    """Whether the column holds NaN or an infinity, shape (columns,)."""


@dataclass(frozen=True)
class _Level:
    """Finite values of equal blocks, summarised; buffers are longer than what is valid in a view."""

    low: Float32Array
    """+inf where a block holds no finite value."""
    high: Float32Array
    """−inf where a block holds no finite value."""
    total: Float64Array
    count: IntArray

    @classmethod
    def of_size(cls, size: int) -> Self:
        return cls(np.empty(size, np.float32), np.empty(size, np.float32), np.empty(size), np.empty(size, np.int64))

    @property
    def buffers(self) -> tuple[NDArray[Any], ...]:
        return (self.low, self.high, self.total, self.count)

    def part(self, select: slice | IntArray) -> "_Level":
        return _Level(self.low[select], self.high[select], self.total[select], self.count[select])


def whole_blocks(edges: ArrayLike) -> Float64Array:
    """Return column edges moved to boundaries of the pyramid's blocks, so that each column costs the same at any zoom.

    An edge moves by less than a sixteenth of a column, the first and the last not at all: every batch stays in
    exactly one column.

    Args:
        edges: batch positions, not falling, about equally far apart, shape (columns + 1,).
    """
    positions = np.array(edges, np.float64)
    inner = positions[1:-1]
    width = (positions[-1] - positions[0]) / max(len(positions) - 1, 1)
    if not width >= FACTOR**2:
        return positions
    block = FACTOR ** (math.floor(math.log(width, FACTOR)) - 1)
    inner[:] = np.maximum(np.floor(inner / block) * block, positions[0])
    return positions


class BatchSeries:
    """An immutable view of the first `len(self)` values of one metric, in the order of the batches."""

    __slots__ = ("_length", "_levels", "_values")

    def __init__(self, values: Float32Array | None = None, levels: Sequence[_Level] = (), length: int = 0) -> None:
        """Made by `SeriesBuilder.view` or `BatchSeries.of`; without arguments it is empty."""
        self._values = np.empty(0, np.float32) if values is None else values
        self._levels = tuple(levels)
        self._length = length

    @classmethod
    def of(cls, values: ArrayLike) -> "BatchSeries":
        """Return a series of given values, shape (batches,)."""
        builder = SeriesBuilder()
        builder.append(np.asarray(values, np.float32))
        return builder.view()

    def __len__(self) -> int:
        return self._length

    def prefix(self, length: int) -> "BatchSeries":
        """Return the series as it was when it held `length` values; shares memory, costs the same at any length."""
        # No block beyond the length is ever looked at: summaries are of whole blocks within what is asked for.
        return BatchSeries(self._values, self._levels, min(max(length, 0), self._length))

    def values(self, start: int = 0, stop: int | None = None) -> Float32Array:
        """Return the values of a slice of the batches, read-only, without copying.

        Args:
            start: first batch, from 0.
            stop: end of the slice, or None for all; both as in Python's slices.
        """
        view = self._values[: self._length][start:stop]
        view.flags.writeable = False
        return view

    def envelope(self, edges: ArrayLike) -> Envelope:
        """Summarise the batches between neighbouring edges.

        Args:
            edges: batch positions, not falling, shape (columns + 1,); column i covers batches
                `floor(edges[i])` up to, not including, `floor(edges[i + 1])`. Positions outside the
                series are moved to its ends; a column between falling or NaN edges is empty.
        """
        positions = np.asarray(edges, np.float64)
        whole = np.floor(np.clip(np.nan_to_num(positions, nan=0.0), 0, self._length)).astype(np.int64)
        is_known = ~np.isnan(positions)
        start = whole[:-1]
        stop = np.where(is_known[:-1] & is_known[1:], np.maximum(start, whole[1:]), start)
        sums = _Sums(len(start))
        self._collect(sums, start, stop)
        return sums.envelope(stop - start)

    def _collect(self, sums: "_Sums", start: IntArray, stop: IntArray) -> None:
        for depth in range(len(self._levels) + 1):
            inner_start = -(-start // FACTOR)
            inner_stop = stop // FACTOR
            is_deeper = (inner_start < inner_stop) & (depth < len(self._levels))
            left_stop = np.where(is_deeper, inner_start * FACTOR, stop)
            right_start = np.where(is_deeper, inner_stop * FACTOR, stop)
            for first, last in ((start, left_stop), (right_start, stop)):
                sums.add(lambda rows, depth=depth: self._rows(depth, rows), first, last)
            if not is_deeper.any():
                return
            start = np.where(is_deeper, inner_start, 0)
            stop = np.where(is_deeper, inner_stop, 0)

    def _rows(self, depth: int, rows: IntArray) -> _Level:
        return _summarised(self._values[rows]) if depth == 0 else self._levels[depth - 1].part(rows)


class SeriesBuilder:
    """Grows a series: appending costs what is new, and views taken before stay as they were."""

    def __init__(self) -> None:
        self._values = np.empty(0, np.float32)
        self._levels: list[_Level] = []
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, values: Float32Array) -> None:
        """Add the values of the batches that come next, shape (batches,); may hold NaN and infinities."""
        length = self._length + len(values)
        (self._values,) = _grown((self._values,), self._length, length)
        self._values[self._length : length] = values
        self._raise_levels(self._length, length)
        self._length = length

    def view(self) -> BatchSeries:
        """Return the series as it is now; shares memory, costs the same at any length."""
        return BatchSeries(self._values, self._levels, self._length)

    def _raise_levels(self, old: int, new: int) -> None:
        depth = 0
        while new >= FACTOR:
            old_blocks, new_blocks = old // FACTOR, new // FACTOR
            if depth == len(self._levels):
                self._levels.append(_Level.of_size(0))
            if old_blocks < new_blocks:
                covered = slice(old_blocks * FACTOR, new_blocks * FACTOR)
                below = _summarised(self._values[covered]) if depth == 0 else self._levels[depth - 1].part(covered)
                level = _Level(*_grown(self._levels[depth].buffers, old_blocks, new_blocks))
                for buffer, added in zip(level.buffers, _folded(below).buffers, strict=True):
                    buffer[old_blocks:new_blocks] = added
                self._levels[depth] = level
            old, new, depth = old_blocks, new_blocks, depth + 1


class _Sums:
    """Running summary of each column of an envelope."""

    def __init__(self, columns: int) -> None:
        self.low = np.full(columns, np.inf)
        self.high = np.full(columns, -np.inf)
        self.total = np.zeros(columns)
        self.count = np.zeros(columns, np.int64)

    def add(self, rows: Any, first: IntArray, last: IntArray) -> None:
        """Take in rows `first` up to `last` of one level, for each column."""
        lengths = last - first
        columns = np.flatnonzero(lengths > 0)
        if not len(columns):
            return
        lengths = lengths[columns]
        heads = np.cumsum(lengths) - lengths
        level = rows(np.repeat(first[columns] - heads, lengths) + np.arange(lengths.sum()))
        self.low[columns] = np.minimum(self.low[columns], np.minimum.reduceat(level.low, heads))
        self.high[columns] = np.maximum(self.high[columns], np.maximum.reduceat(level.high, heads))
        self.total[columns] += np.add.reduceat(level.total, heads)
        self.count[columns] += np.add.reduceat(level.count, heads)

    def envelope(self, size: IntArray) -> Envelope:
        has_any = self.count > 0
        low = np.where(has_any, self.low, np.nan)
        high = np.where(has_any, self.high, np.nan)
        mean = np.where(has_any, self.total / np.maximum(self.count, 1), np.nan)
        # Rounding may carry a mean just past its extremes.
        return Envelope(low=low, mean=np.clip(mean, low, high), high=high, bad=self.count < size)


def _summarised(values: Float32Array) -> _Level:
    """Return every value as a block of one."""
    is_finite = np.isfinite(values)
    if is_finite.all():
        return _Level(values, values, values.astype(np.float64), np.ones(len(values), np.int64))
    return _Level(
        np.where(is_finite, values, np.float32(np.inf)),
        np.where(is_finite, values, np.float32(-np.inf)),
        np.where(is_finite, values, 0.0).astype(np.float64),
        is_finite.astype(np.int64),
    )


def _folded(level: _Level) -> _Level:
    """Return blocks of `FACTOR` entries each; halving is many times faster than reducing short rows."""
    low, high, total, count = level.buffers
    for _ in range(FACTOR.bit_length() - 1):
        low = np.minimum(low[0::2], low[1::2])
        high = np.maximum(high[0::2], high[1::2])
        total = total[0::2] + total[1::2]
        count = count[0::2] + count[1::2]
    return _Level(low, high, total, count)


def _grown(buffers: tuple[NDArray[Any], ...], used: int, needed: int) -> list[NDArray[Any]]:
    """Return the buffers if they are long enough, else copies twice as long as what is needed."""
    if needed <= len(buffers[0]):
        return list(buffers)
    grown = []
    for buffer in buffers:
        longer = np.empty(max(2 * needed, FACTOR), buffer.dtype)
        longer[:used] = buffer[:used]
        grown.append(longer)
    return grown
