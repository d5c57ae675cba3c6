"""Whether samples across two sets are closer than samples are by nature: pairs by distance, across and within.

Pairs within the sets show how common a distance is among different samples. Noise or compression of copies gives pairs
across the sets far below it, with a gap above them; where samples are alike by nature, both kinds grow together.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_monitor.explain.evidence.copies import CLEAR_P_VALUE, copies_p_value
from tui_monitor.explain.samples.probes import FloatArray, IntArray

Signatures = NDArray[np.float32]

_NEIGHBOURS: Final = 20
"""Neighbours within its own set that a sample has on average inside the largest radius."""
_STEP: Final = 2.0**0.25
_RADII: Final = _STEP ** -np.arange(60.0)[::-1]
"""Radii that are tried, relative to the largest, rising to 1."""
_GAP: Final = 3
"""Steps between a pair's distance and the radius that must hold hardly any pair: a factor of 1.7."""
_IN_GAP: Final = 0.02
"""Part of the pairs inside a radius that may lie in the gap."""
_BY_NATURE: Final = 0.02
"""Part of the pairs inside a radius that may be different samples."""
_DOUBTFUL: Final = 0.1
"""Part of the copies that may count wrongly."""
_LEAST_RADIUS: Final = 1e-3
"""Of signatures of standardised values: below it rounding decides."""
_SOME: Final = 64
_REFERENCE: Final = 2048
"""Samples, and how many others, whose distances tell how far samples lie apart."""
_ROWS: Final = 64
_COLUMNS: Final = 128
"""Samples of both sets whose distances are computed together: so few that no library divides it among threads, which
would wait for one another on a busy machine."""


@dataclass(frozen=True)
class Copies:
    """Which samples of the second set are near-copies of some of the first."""

    is_copy: NDArray[np.bool_]
    """Shape (m,)."""
    p_value: float = 1.0
    """Probability of as many if samples are as close across the sets as within them."""
    doubtful: float = 0.0
    """Samples that may count wrongly, one way or the other."""


@dataclass
class NearPairs:
    """Pairs of samples across two sets and within them, counted by distance; only counts and nearest are kept."""

    here: Signatures
    """Of the second set, shape (m, numbers)."""
    radius: float
    """The largest distance at which pairs are counted; 0 where nothing can be told."""
    across: IntArray = field(default_factory=lambda: np.zeros(_RADII.size, dtype=np.int64))
    """Pairs at each radius that no smaller one holds."""
    within: IntArray = field(default_factory=lambda: np.zeros(_RADII.size, dtype=np.int64))
    nearest: FloatArray = field(init=False)
    """Distance to the nearest sample of the first set that is inside the radius, shape (m,); infinite elsewhere."""
    nearest_index: IntArray = field(init=False)
    """Its index among all samples of the first set, in the order in which they were added."""
    compared: int = 0
    """Samples of the first set."""

    def __post_init__(self) -> None:
        self.nearest = np.full(len(self.here), np.inf)
        self.nearest_index = np.zeros(len(self.here), dtype=np.int64)

    @staticmethod
    def begin(here: Signatures, there: Signatures) -> "NearPairs":
        """Return counts with the pairs within the second set, at a radius that fits the first.

        Args:
            here: of the second set.
            there: some of the first set, to find how far its samples lie apart.
        """
        some = there[:_SOME]
        if len(some) < 2 * _NEIGHBOURS or not len(here):
            return NearPairs(here, 0.0)
        # Itself is among each one's neighbours.
        squares = ((some[:, np.newaxis] - there[:_REFERENCE]) ** 2).sum(axis=2)
        rank = min(squares.size - 1, len(some) * (1 + _NEIGHBOURS * squares.shape[1] // len(there)))
        radius = float(np.sqrt(np.partition(squares, rank, axis=None)[rank]))
        pairs = NearPairs(here, radius if radius > _LEAST_RADIUS else 0.0)
        pairs._count_within(here)
        return pairs

    def add(self, there: Signatures) -> None:
        """Count further samples of the first set.

        Args:
            there: their signatures, none of which was added before.
        """
        if self.radius:
            self._count_within(there)
            for row, column, distance in self._close(self.here, there):
                self.across += _counted(distance / self.radius)
                self._note(row, column + self.compared, distance)
        self.compared += len(there)

    def _note(self, row: IntArray, column: IntArray, distance: FloatArray) -> None:
        order = np.argsort(distance, kind="stable")[::-1]
        row, column, distance = row[order], column[order], distance[order]
        closer = distance < self.nearest[row]
        # The smallest comes last, and stays.
        self.nearest[row[closer]], self.nearest_index[row[closer]] = distance[closer], column[closer]

    def _count_within(self, samples: Signatures) -> None:
        for row, column, distance in self._close(samples, samples) if self.radius else ():
            self.within += _counted(distance[row < column] / self.radius)

    def _close(self, first: Signatures, second: Signatures) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
        for row, column in _closer_than(self.radius * 1.005, first, second):
            # Again without the rounding of large numbers' difference.
            distance = np.sqrt(((first[row] - second[column]).astype(np.float64) ** 2).sum(axis=1))
            inside = distance <= self.radius
            yield row[inside], column[inside], distance[inside]

    def copies(self) -> Copies:
        """Return which samples of the second set are near-copies; none where that is unclear."""
        across, within = np.cumsum(self.across), np.cumsum(self.within)
        nobody = np.zeros(len(self.here), dtype=bool)
        if not self.radius or not within[-1]:
            return Copies(nobody)
        for index in range(_RADII.size - 1, _GAP, -1):
            count, in_gap = int(across[index]), int(across[index] - across[index - _GAP])
            by_nature = within[index] * across[-1] / within[-1]
            if not count or in_gap > _IN_GAP * count or by_nature > _BY_NATURE * count:
                continue
            if count > 2 * len(self.here):
                # Each has several: that is what the data are like, not one source on both sides.
                continue
            p_value = copies_p_value(count, float(across[-1]), int(within[index]), float(within[-1]))
            if p_value < CLEAR_P_VALUE:
                cut = _widest_gap(across, int(np.searchsorted(across, count - by_nature)), index)
                doubtful = by_nature + float(across[min(cut + _GAP, _RADII.size - 1)] - across[cut])
                if doubtful <= _DOUBTFUL * count:
                    return Copies(self.nearest <= _RADII[cut] * self.radius, p_value, doubtful)
        return Copies(nobody)


def _widest_gap(across: IntArray, first: int, last: int) -> int:
    """Return the middle of the widest range of radii, among some, in which no pair lies."""
    counts = across[first : last + 1]
    begins = np.flatnonzero(np.diff(counts, prepend=-1))
    widths = np.diff(begins, append=counts.size)
    widest = int(np.argmax(widths))
    return first + int(begins[widest] + widths[widest] // 2)


def _closer_than(radius: float, first: Signatures, second: Signatures) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield the places of pairs that are closer than a radius, some at a time, but for rounding."""
    rows = -(-len(first) // _ROWS) * _ROWS
    padded = np.zeros((rows, first.shape[1] + 2), dtype=np.float32)
    padded[: len(first)] = np.column_stack([first, (first**2).sum(axis=1), np.ones(len(first), dtype=np.float32)])
    stacked = padded.reshape(-1, _ROWS, padded.shape[1])
    for begin in range(0, len(second), _COLUMNS):
        some = second[begin : begin + _COLUMNS]
        factor = np.column_stack([-2.0 * some, np.ones(len(some), dtype=np.float32), (some**2).sum(axis=1)])
        squares = np.matmul(stacked, factor.T.astype(np.float32))
        row, column = np.divmod(np.flatnonzero(squares.ravel() <= radius**2), len(some))
        inside = row < len(first)
        yield row[inside], column[inside] + begin


def _counted(relative: FloatArray) -> IntArray:
    """Return how many pairs lie at each of the radii and no smaller one."""
    return np.bincount(np.searchsorted(_RADII, relative), minlength=_RADII.size)[: _RADII.size]
