"""The x axis in epochs: batch i of epoch e lies at e − 1 + i / steps, so that epoch e ends at x = e."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tui_monitor.charts.scale import round_step
from tui_monitor.history.snapshot import FitSnapshot

FloatArray = NDArray[np.float64]

_NEARLY = 1.5
"""An axis that would end at two thirds of the plan or later ends at the plan: one move less."""
_JUST_BEFORE = 1e-9
"""Keeps the end of an epoch apart from the begin of the next."""


def full_range(fit: FitSnapshot) -> tuple[float, float]:
    """Return the whole x axis: from the first epoch to a round number of epochs that the run has not outgrown.

    The end grows through 1, 2, 5, 10, 20, 50 ... epochs up to the plan, so that the first epochs of a long training
    are wide and the axis seldom moves.
    """
    start = float(fit.info.initial_epoch)
    reached = max(float(fit.epoch), fit.epochs[-1].epoch if fit.epochs else 0.0, start + 1)
    end = start + round_step(reached - start, 1)
    planned = fit.info.epochs
    if planned is not None and reached <= planned <= start + (end - start) * _NEARLY:
        return start, float(planned)
    return start, end


def planned_end(fit: FitSnapshot, x_range: tuple[float, float]) -> str:
    """Return how many epochs are planned, where the axis ends before them; else nothing."""
    planned = fit.info.epochs
    return f"→ {planned}" if planned is not None and planned > x_range[1] else ""


def newest(fit: FitSnapshot) -> float:
    """Return where the data ends, in epochs."""
    if not fit.epoch_starts:
        return float(fit.epochs[-1].epoch) if fit.epochs else float(fit.info.initial_epoch)
    return float(_knots(fit)[0][-1])


def batch_edges(fit: FitSnapshot, x_range: tuple[float, float], columns: int) -> FloatArray:
    """Return the batch positions that cut an x range into equal columns, shape (columns + 1,).

    Columns before the first and after the last batch are empty: their two edges are equal.
    """
    positions = np.linspace(*x_range, columns + 1)
    if not fit.epoch_starts:
        return np.zeros(columns + 1)
    x, batches = _knots(fit)
    return np.interp(positions, x, batches)


def _knots(fit: FitSnapshot) -> tuple[FloatArray, FloatArray]:
    """Return each epoch's begin and end: their positions on the axis, and their batch positions."""
    starts = np.array(fit.epoch_starts, dtype=np.float64)
    ends = np.append(starts[1:], fit.batches)
    numbers = np.array(_epoch_numbers(fit), dtype=np.float64)
    # Where a training was set back, only the epochs that count are drawn: those below all that follow.
    later = np.append(np.minimum.accumulate(numbers[::-1])[::-1][1:], np.inf)
    kept = numbers < later
    x_ends = numbers - _JUST_BEFORE
    last_has_ended = bool(fit.epochs) and fit.epochs[-1].epoch >= fit.epoch
    x_ends[-1] = numbers[-1]
    if not last_has_ended:
        x_ends[-1] += min(1.0, fit.batch / max(_steps(fit), fit.batch, 1)) - 1.0
    x = np.column_stack([numbers - 1.0, x_ends])[kept].ravel()
    return x, np.column_stack([starts, ends])[kept].ravel()


def _epoch_numbers(fit: FitSnapshot) -> Sequence[int]:
    return fit.epoch_numbers or range(fit.first_epoch, fit.first_epoch + len(fit.epoch_starts))


def _steps(fit: FitSnapshot) -> int:
    """Return the batches of an epoch; before the first one has shown it, a round number ahead of the run."""
    known = fit.steps_per_epoch
    return known if known else int(max(10, 5 * round_step(fit.batch * 1.2, 5)))
