"""When each batch of a fit had ended: the newest in memory, the others found again by the ends of their blocks."""

from collections.abc import Callable
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tui_monitor.run_log.format.block_summaries import BLOCK

Times = NDArray[np.float64]
"""Run times in seconds, shape (batches,)."""
EarlierTimes = Callable[[NDArray[np.int64]], Times]
"""Returns the times of batches by their indices from 0, which rise; NaN where they can't be had."""


class Positions(Protocol):
    """Positions on a run's time axis, never falling: an array is one."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __getitem__(self, index: int, /) -> float:
        """Return one of them, from 0."""

    def searchsorted(self, position: float, /, side: Literal["left", "right"]) -> np.intp | int:
        """Return how many lie before a position (left), or at it and before (right)."""


class BatchEnds:
    """Run time by which each batch and all before it had ended: `Positions`, however much is kept in memory."""

    def __init__(self) -> None:
        self._count = 0
        self._kept_from = 0
        self._last = 0.0
        self._times = np.empty(0)
        self._ends = np.empty(0)
        """Ends of the batches kept."""
        self._block_ends = np.empty(0)
        """End of the last batch of each whole block, longer than what is valid."""
        self._earlier: EarlierTimes | None = None

    def begin(self, block_seconds: Times, earlier: EarlierTimes) -> None:
        """Take the first batches as blocks, before any times.

        Args:
            block_seconds: latest time in each, shape (blocks,).
            earlier: returns their times.
        """
        self._block_ends = np.maximum.accumulate(block_seconds)
        self._count = self._kept_from = len(block_seconds) * BLOCK
        self._last = float(self._block_ends[-1])
        self._earlier = earlier

    def append(self, times: Times) -> None:
        """Add the times of the batches that come next."""
        if not len(times):
            return
        held = self._count - self._kept_from
        last = held + len(times)
        self._times, self._ends = (_grown(kept, held, last) for kept in (self._times, self._ends))
        self._times[held:last] = times
        self._ends[held:last] = np.maximum(np.maximum.accumulate(times), self._last)
        self._last = float(self._ends[last - 1])
        blocks = self._count // BLOCK
        self._count += len(times)
        if (filled := self._count // BLOCK) > blocks:
            self._block_ends = _grown(self._block_ends, blocks, filled)
            at = slice((blocks + 1) * BLOCK - 1 - self._kept_from, last, BLOCK)
            self._block_ends[blocks:filled] = self._ends[at]

    def evict(self, before: int, earlier: EarlierTimes) -> None:
        """Keep no times of the batches before a multiple of `BLOCK`, which lies within those added.

        Args:
            before: the batch that times are kept from.
            earlier: returns the times of those before it from now on.
        """
        held = slice(before - self._kept_from, self._count - self._kept_from)
        self._times, self._ends = self._times[held].copy(), self._ends[held].copy()
        self._kept_from, self._earlier = before, earlier

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int, /) -> float:
        if index >= self._kept_from:
            return float(self._ends[index - self._kept_from])
        return float(self._ends_of(index // BLOCK)[index % BLOCK])

    def searchsorted(self, position: float, /, side: Literal["left", "right"]) -> int:
        """Return how many batches had ended before a position (left), or at it and before (right)."""
        block = int(self._block_ends[: self._count // BLOCK].searchsorted(position, side))
        return block * BLOCK + int(self._ends_of(block).searchsorted(position, side))

    def times(self, start: int, stop: int) -> Times:
        """Return the times of a slice of the batches as they were recorded."""
        kept = self._times[max(start - self._kept_from, 0) : max(stop - self._kept_from, 0)]
        if self._earlier is None or start >= self._kept_from:
            return kept
        return np.concatenate((self._earlier(np.arange(start, min(stop, self._kept_from))), kept))

    def _ends_of(self, block: int) -> Times:
        """Return the ends of the batches of one block, as many as there are."""
        start = block * BLOCK
        if start >= self._kept_from:
            return self._ends[start - self._kept_from : min(start + BLOCK, self._count) - self._kept_from]
        before = float(self._block_ends[block - 1]) if block else 0.0
        times = self.times(start, start + BLOCK)
        # Where a time can't be read, the batch counts as ended with the one before it.
        ends: Times = np.maximum.accumulate(np.where(np.isnan(times), before, times).clip(min=before))
        return ends


def _grown(kept: Times, used: int, needed: int) -> Times:
    """Return the array if it is long enough, else a copy twice as long as what is needed."""
    return kept if needed <= len(kept) else np.concatenate((kept[:used], np.empty(2 * needed - used)))
