"""How fast training goes and how long it still takes, from the times at which batches ended."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

WINDOW_SECONDS = 30.0
"""How far back the pace looks, gaps not counted."""

_FEWEST_INTERVALS = 8
_USUAL_QUANTILE = 0.75
_PAUSE_FACTOR = 10.0
_SHORTEST_PAUSE_SECONDS = 0.05


def batches_per_second(times: ArrayLike) -> float | None:
    """Return the pace of the newest batches; None before two of them have ended at different times.

    Validation, measuring, saving and pauses show as intervals far longer than three quarters of the
    others: they are left out. Batches that end in bursts do not. What remains is averaged over the last
    `WINDOW_SECONDS`, or over the last 8 intervals.

    Args:
        times: ends of the newest batches in seconds, oldest first, shape (batches,). NaN, infinite and
            backward steps are left out.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        intervals = np.diff(np.asarray(times, np.float64))
    intervals = intervals[np.isfinite(intervals) & (intervals >= 0)]
    if not len(intervals):
        return None
    longest = max(_PAUSE_FACTOR * float(np.quantile(intervals, _USUAL_QUANTILE)), _SHORTEST_PAUSE_SECONDS)
    usual = intervals[intervals <= longest][::-1]
    elapsed = np.cumsum(usual)
    within = max(int(np.searchsorted(elapsed, WINDOW_SECONDS, side="right")), _FEWEST_INTERVALS)
    usual = usual[:within]
    total = float(usual.sum())
    if not 0 < total < np.inf:
        return None
    pace = len(usual) / total
    return pace if np.isfinite(pace) else None


@dataclass(frozen=True)
class Remaining:
    """What a fit still has to do."""

    batches: int
    """Batches to the end of the epoch under way."""
    epochs: int
    """Whole epochs after it."""
    steps_per_epoch: int


def seconds_left(remaining: Remaining, pace: float | None, overhead: float = 0.0) -> float | None:
    """Return the expected time to the end of a fit; None without a pace.

    Args:
        remaining: the work left.
        pace: batches a second.
        overhead: seconds an epoch takes besides its batches, at its end.
    """
    if pace is None or not pace > 0:
        return None
    batches = remaining.batches + remaining.epochs * remaining.steps_per_epoch
    epoch_ends = remaining.epochs + (remaining.batches > 0)
    seconds = batches / pace + epoch_ends * max(overhead, 0.0)
    return seconds if np.isfinite(seconds) else None


def epoch_overhead(epoch_seconds: ArrayLike, epoch_batches: ArrayLike, pace: float | None) -> float:
    """Return the usual seconds that an epoch takes besides its batches: validation, measuring, saving.

    Of two epochs the shorter one counts, as the first one holds what is done once.

    Args:
        epoch_seconds: wall time of the newest epochs, shape (epochs,); NaN is left out.
        epoch_batches: batches each of them had, shape (epochs,); epochs without any are left out.
        pace: batches a second, or None.
    """
    if pace is None or not pace > 0:
        return 0.0
    seconds, batches = np.asarray(epoch_seconds, np.float64), np.asarray(epoch_batches, np.float64)
    beside = (seconds - batches / pace)[np.isfinite(seconds) & (batches > 0)]
    return max(float(np.quantile(beside, 0.5, method="lower")), 0.0) if beside.size else 0.0
