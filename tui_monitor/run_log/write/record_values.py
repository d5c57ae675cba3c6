"""Turns whatever a training gives into what a record can hold: no value of the user's may end the recording."""

import math
import struct
from typing import Any

_LARGEST_COUNT = 2**32 - 1
_FLOAT32 = struct.Struct("<f")


def as_float32(value: Any) -> float:
    """Return a value rounded to float32, infinite beyond its range; NaN for what is no number."""
    try:
        number = float(value)
    except (ArithmeticError, TypeError, ValueError):
        return math.nan
    try:
        return float(_FLOAT32.unpack(_FLOAT32.pack(number))[0])
    except OverflowError:
        return math.copysign(math.inf, number)


def as_count(value: Any) -> int:
    """Return a count cut to 0 … 2³² − 1; 0 for what is no number."""
    try:
        return min(max(int(value), 0), _LARGEST_COUNT)
    except (ArithmeticError, TypeError, ValueError):
        return 0


def count_or_none(value: Any) -> int | None:
    """Return a count that is at least 0, or None for None and what is no number."""
    try:
        return None if value is None else max(int(value), 0)
    except (ArithmeticError, TypeError, ValueError):
        return None
