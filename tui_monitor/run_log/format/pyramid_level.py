"""Values in equal blocks, each told by its finite ones: what a pyramid is made of, in memory as on disk."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
IntArray = NDArray[np.int64]

FACTOR = 16
"""Entries of one level that make one entry of the next; a power of two."""


@dataclass(frozen=True)
class Level:
    """The finite values of equal blocks, one entry a block; each array has shape (blocks,)."""

    low: Float32Array
    """+inf where a block holds no finite value."""
    high: Float32Array
    """−inf where a block holds no finite value."""
    total: Float64Array
    count: IntArray

    @classmethod
    def of_size(cls, size: int) -> Self:
        """Return that many blocks, of which nothing is known yet."""
        return cls(np.empty(size, np.float32), np.empty(size, np.float32), np.empty(size), np.empty(size, np.int64))

    @property
    def buffers(self) -> tuple[NDArray[Any], ...]:
        """The four arrays, in the order of the fields."""
        return (self.low, self.high, self.total, self.count)

    def part(self, select: slice | IntArray | NDArray[np.bool_]) -> "Level":
        """Return some of the blocks."""
        return Level(self.low[select], self.high[select], self.total[select], self.count[select])


def summarised(values: Float32Array) -> Level:
    """Return every value as a block of one."""
    is_finite = np.isfinite(values)
    if is_finite.all():
        return Level(values, values, values.astype(np.float64), np.ones(len(values), np.int64))
    return Level(
        np.where(is_finite, values, np.float32(np.inf)),
        np.where(is_finite, values, np.float32(-np.inf)),
        np.where(is_finite, values, 0.0).astype(np.float64),
        is_finite.astype(np.int64),
    )


def folded(level: Level) -> Level:
    """Return blocks of `FACTOR` entries each; halving is many times faster than reducing short rows."""
    low, high, total, count = level.buffers
    for _ in range(FACTOR.bit_length() - 1):
        low = np.minimum(low[0::2], low[1::2])
        high = np.maximum(high[0::2], high[1::2])
        total = total[0::2] + total[1::2]
        count = count[0::2] + count[1::2]
    return Level(low, high, total, count)
