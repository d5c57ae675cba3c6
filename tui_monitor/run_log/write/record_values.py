"""Turns whatever a training gives into what a record can hold: no value of the user's may end the recording."""

from typing import Any

import numpy as np

_LARGEST_COUNT = 2**32 - 1


def as_float32(value: Any) -> float:
    """Return a value rounded to float32, infinite beyond its range; NaN for what is no number."""
    try:
        with np.errstate(over="ignore"):
            return float(np.float32(float(value)))
    except (ArithmeticError, TypeError, ValueError):
        return float("nan")


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
