"""Per-batch values with a minimum/maximum pyramid: any window costs the width of the screen, not the run's length."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tui_monitor.run_log.format.pyramid_level import (
    FACTOR,
    Float32Array,
    Float64Array,
    IntArray,
    PyramidLevel,
    blocks_of_one,
    downsampled,
)

Earlier = Callable[[IntArray], Float32Array]
"""Returns the values of batches by their indices from 0, which rise in pieces; NaN where they can't be had."""

_KEPT_BY_NEED = 2
"""Finest levels that may begin later than the series: the values and their blocks of `FACTOR`."""


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
    moved = np.maximum(np.floor(inner / block) * block, positions[0])
    # Edges at the end stay there: the columns between them are those ahead of the newest batch, and hold none.
    inner[:] = np.where(inner < positions[-1], moved, positions[-1])
    return positions


def column_bounds(edges: ArrayLike, length: int) -> tuple[IntArray, IntArray]:
    """Return the first batch of each column between edges, and the one behind its last, both of shape (columns,).

    Args:
        edges: as for `BatchSeries.envelope`.
        length: batches there are.
    """
    positions = np.asarray(edges, np.float64)
    whole = np.floor(np.clip(np.nan_to_num(positions, nan=0.0), 0, length)).astype(np.int64)
    is_known = ~np.isnan(positions)
    start = whole[:-1]
    return start, np.where(is_known[:-1] & is_known[1:], np.maximum(start, whole[1:]), start)


class BatchSeries:
    """An immutable view of the first `len(self)` values of one metric, in the order of the batches."""

    __slots__ = ("_earlier", "_kept_from", "_length", "_levels", "_values")

    def __init__(
        self,
        values: Float32Array | None = None,
        levels: Sequence[PyramidLevel] = (),
        length: int = 0,
        kept_from: int = 0,
        earlier: Earlier | None = None,
    ) -> None:
        """Made by `SeriesBuilder.view` or `BatchSeries.of`; without arguments it is empty."""
        self._values = np.empty(0, np.float32) if values is None else values
        self._levels = tuple(levels)
        self._length = length
        self._kept_from = kept_from
        self._earlier = earlier

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
        length = min(max(length, 0), self._length)
        return BatchSeries(self._values, self._levels, length, self._kept_from, self._earlier)

    def values(self, start: int = 0, stop: int | None = None) -> Float32Array:
        """Return the values of a slice of the batches, read-only; a copy only where they are not in memory any more.

        Args:
            start: first batch, from 0.
            stop: end of the slice, or None for all; both as in Python's slices.
        """
        first, last, _ = slice(start, stop).indices(self._length)
        if first >= self._kept_from or first >= last:
            view = self._values[first - self._kept_from : max(last, first) - self._kept_from]
        else:
            view = self._values_at(np.arange(first, last))
        view.flags.writeable = False
        return view

    def at(self, batches: IntArray) -> Float32Array:
        """Return the values of some batches, shape (batches,).

        Args:
            batches: their indices from 0, within the series, in pieces that rise.
        """
        return self._values_at(batches)

    def envelope(self, edges: ArrayLike) -> Envelope:
        """Summarise the batches between neighbouring edges.

        Args:
            edges: batch positions, not falling, shape (columns + 1,); column i covers batches
                `floor(edges[i])` up to, not including, `floor(edges[i + 1])`. Positions outside the
                series are moved to its ends; a column between falling or NaN edges is empty.
        """
        start, stop = column_bounds(edges, self._length)
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
            # Side by side, what ends one column and begins the next is read in one piece.
            first, last = np.column_stack((start, right_start)), np.column_stack((left_stop, stop))
            sums.add(lambda rows, depth=depth: self._rows(depth, rows), first, last)
            if not is_deeper.any():
                return
            start = np.where(is_deeper, inner_start, 0)
            stop = np.where(is_deeper, inner_stop, 0)

    def _rows(self, depth: int, rows: IntArray) -> PyramidLevel:
        if depth >= _KEPT_BY_NEED:
            return self._levels[depth - 1].part(rows)
        if depth == 0:
            return blocks_of_one(self._values_at(rows))
        kept_from = self._kept_from // FACTOR
        is_earlier = rows < kept_from
        if not is_earlier.any():
            return self._levels[0].part(rows - kept_from)
        level = PyramidLevel.of_size(len(rows))
        values = self._values_at((rows[is_earlier][:, None] * FACTOR + np.arange(FACTOR)).ravel())
        kept = self._levels[0].part(rows[~is_earlier] - kept_from)
        for out, early, late in zip(
            level.buffers, downsampled(blocks_of_one(values)).buffers, kept.buffers, strict=True
        ):
            out[is_earlier], out[~is_earlier] = early, late
        return level

    def _values_at(self, batches: IntArray) -> Float32Array:
        is_earlier = batches < self._kept_from
        if self._earlier is None or not is_earlier.any():
            return self._values[batches - self._kept_from]
        values = np.empty(len(batches), np.float32)
        values[is_earlier] = self._earlier(batches[is_earlier])
        values[~is_earlier] = self._values[batches[~is_earlier] - self._kept_from]
        return values


class SeriesBuilder:
    """Grows a series: appending costs what is new, and views taken before stay as they were."""

    def __init__(self) -> None:
        self._values = np.empty(0, np.float32)
        self._levels: list[PyramidLevel] = []
        self._length = 0
        self._kept_from = 0
        self._earlier: Earlier | None = None

    def __len__(self) -> int:
        return self._length

    def begin(self, blocks: PyramidLevel, earlier: Earlier) -> None:
        """Take the first batches as blocks of `FACTOR`², before any values.

        Args:
            blocks: what is known of them.
            earlier: returns their values.
        """
        self._length = self._kept_from = len(blocks.count) * FACTOR**_KEPT_BY_NEED
        self._earlier = earlier
        self._levels = [PyramidLevel.of_size(0), blocks]
        self._raise_levels(0, len(blocks.count), _KEPT_BY_NEED)

    def append(self, values: Float32Array) -> None:
        """Add the values of the batches that come next, shape (batches,); may hold NaN and infinities."""
        held, length = self._length - self._kept_from, self._length + len(values)
        (self._values,) = _grown((self._values,), held, held + len(values))
        self._values[held : held + len(values)] = values
        self._raise_levels(self._length, length)
        self._length = length

    def evict(self, before: int, earlier: Earlier) -> None:
        """Keep no values of the batches before a multiple of `FACTOR`², which lies within the series.

        Args:
            before: the batch that values are kept from.
            earlier: returns the values of those before it from now on.
        """
        dropped = before - self._kept_from
        self._values = self._values[dropped : self._length - self._kept_from].copy()
        self._levels[0] = PyramidLevel(*(buffer[dropped // FACTOR :].copy() for buffer in self._levels[0].buffers))
        self._kept_from, self._earlier = before, earlier

    def view(self) -> BatchSeries:
        """Return the series as it is now; shares memory, costs the same at any length."""
        return BatchSeries(self._values, self._levels, self._length, self._kept_from, self._earlier)

    def _raise_levels(self, old: int, new: int, depth: int = 0) -> None:
        """Bring all levels above one up to date.

        Args:
            old: entries that the level held.
            new: entries it holds now.
            depth: of the level; 0 is that of the values.
        """
        while new >= FACTOR:
            old_blocks, new_blocks = old // FACTOR, new // FACTOR
            if depth == len(self._levels):
                self._levels.append(PyramidLevel.of_size(0))
            if old_blocks < new_blocks:
                kept_from, start = self._first_kept(depth), self._first_kept(depth + 1)
                covered = slice(old_blocks * FACTOR - kept_from, new_blocks * FACTOR - kept_from)
                below = blocks_of_one(self._values[covered]) if depth == 0 else self._levels[depth - 1].part(covered)
                held = slice(old_blocks - start, new_blocks - start)
                level = PyramidLevel(*_grown(self._levels[depth].buffers, held.start, held.stop))
                for buffer, added in zip(level.buffers, downsampled(below).buffers, strict=True):
                    buffer[held] = added
                self._levels[depth] = level
            old, new, depth = old_blocks, new_blocks, depth + 1

    def _first_kept(self, depth: int) -> int:
        return self._kept_from // FACTOR**depth if depth < _KEPT_BY_NEED else 0


class _Sums:
    """Running summary of each column of an envelope."""

    def __init__(self, columns: int) -> None:
        self.low = np.full(columns, np.inf)
        self.high = np.full(columns, -np.inf)
        self.total = np.zeros(columns)
        self.count = np.zeros(columns, np.int64)

    def add(self, rows: Any, first: IntArray, last: IntArray) -> None:
        """Take in two pieces of one level for each column: rows `first` up to `last`, both of shape (columns, 2)."""
        lengths = (last - first).ravel()
        pieces = np.flatnonzero(lengths > 0)
        if not len(pieces):
            return
        lengths = lengths[pieces]
        heads = np.cumsum(lengths) - lengths
        level = rows(np.repeat(first.ravel()[pieces] - heads, lengths) + np.arange(lengths.sum()))
        low, high = np.minimum.reduceat(level.low, heads), np.maximum.reduceat(level.high, heads)
        total, count = np.add.reduceat(level.total, heads), np.add.reduceat(level.count, heads)
        for side in (0, 1):
            of_side = pieces % 2 == side
            columns = pieces[of_side] // 2
            self.low[columns] = np.minimum(self.low[columns], low[of_side])
            self.high[columns] = np.maximum(self.high[columns], high[of_side])
            self.total[columns] += total[of_side]
            self.count[columns] += count[of_side]

    def envelope(self, size: IntArray) -> Envelope:
        """Return the columns; NaN where one has no finite value."""
        has_any = self.count > 0
        low = np.where(has_any, self.low, np.nan)
        high = np.where(has_any, self.high, np.nan)
        mean = np.where(has_any, self.total / np.maximum(self.count, 1), np.nan)
        # Rounding may carry a mean just past its extremes.
        return Envelope(low=low, mean=np.clip(mean, low, high), high=high, bad=self.count < size)


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
