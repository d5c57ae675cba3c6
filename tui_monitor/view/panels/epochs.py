"""The epochs that ended, as a table: one row each, the newest at the bottom."""

from dataclasses import dataclass
from itertools import groupby

from tui_monitor.history.snapshot import EpochRow, FitSnapshot
from tui_monitor.metric_names import VALIDATION_PREFIX
from tui_monitor.units import count, fitting
from tui_monitor.view.text.rows import Row, Rows, left, right, wrap

HEADER_ROWS = 2


@dataclass(frozen=True)
class _Column:
    group: str
    name: str
    width: int
    metric: str = ""
    """Under which its value stands in an epoch's row; empty for a column of another kind."""
    style: str = ""


_EPOCH, _TIME = 5, 7


def _columns(metrics: tuple[str, ...], width: int) -> tuple[_Column, ...]:
    columns = [_Column("", "epoch", _EPOCH)]
    taken = _EPOCH
    both = 2 * _value_width(metrics, width)
    for metric in metrics:
        group = (
            _Column(metric, "train", both // 2, metric),
            _Column(metric, "valid", both // 2, VALIDATION_PREFIX + metric),
            _Column(metric, "gap", 7, metric, "strong"),
        )
        size = both + 7
        if taken + size + (0 if metric == metrics[0] else _TIME) > width:
            break
        columns += group
        taken += size
    for column in (_Column("", "time", _TIME), _Column("", "batches", 9), _Column("", "rate", 10)):
        if taken + column.width <= width:
            columns.append(column)
            taken += column.width
    return tuple(columns)


def _value_width(metrics: tuple[str, ...], width: int) -> int:
    """Return the cells of a value: four digits, or three where a second metric would not fit otherwise."""
    charts = min(len(metrics), 2)
    return 9 if _EPOCH + charts * (2 * 9 + 7) + _TIME <= width else 6


def table_header(metrics: tuple[str, ...], width: int) -> Rows:
    """Return the two rows above the table: metrics, then columns."""
    columns = _columns(metrics, width)
    groups = []
    for group, members in groupby(columns, key=lambda column: column.group):
        size = sum(column.width for column in members)
        groups.append(left(group.center(size), size, "strong"))
    return tuple(groups), tuple(right(_heading(column), column.width, "muted") for column in columns)


def _heading(column: _Column) -> str:
    return "l. rate" if column.name == "rate" else column.name


def table_rows(fit: FitSnapshot | None, metrics: tuple[str, ...], width: int, newest: int | None) -> Rows:
    """Return one row an epoch.

    Args:
        fit: what ran so far.
        metrics: the most important first; those that don't fit are left out.
        width: cells a row.
        newest: how many of the newest epochs to return; None for all.
    """
    if fit is None or not fit.epochs:
        return wrap("No epoch has ended yet.", width, "muted")
    columns = _columns(metrics, width)
    epochs = fit.epochs if newest is None else fit.epochs[-newest:] if newest > 0 else ()
    return tuple(_row(epoch, columns) for epoch in epochs)


def _row(epoch: EpochRow, columns: tuple[_Column, ...]) -> Row:
    return tuple(right(_text(epoch, column), column.width, column.style) for column in columns)


def _text(epoch: EpochRow, column: _Column) -> str:
    match column.name:
        case "epoch":
            return str(epoch.epoch)
        case "time":
            return "–" if epoch.seconds is None else _short(epoch.seconds)
        case "batches":
            return count(epoch.batches)
        case "rate":
            return "–" if epoch.learning_rate is None else f"{epoch.learning_rate:.3g}"
        case "gap":
            train = epoch.metrics.get(column.metric)
            validation = epoch.metrics.get(VALIDATION_PREFIX + column.metric)
            gap = None if train is None or validation is None else train - validation
            return fitting(gap, column.width - 1, 3, sign=True)
    # A blank at the left keeps a column from running into the one before it.
    return fitting(epoch.metrics.get(column.metric), column.width - 1, 4 if column.width > 7 else 3)


def _short(seconds: float) -> str:
    """Return a duration in one unit, at most six cells."""
    for limit, size, unit in ((1000, 1, "s"), (60_000, 60, "min")):
        if seconds < limit:
            return f"{seconds / size:.1f} {unit}" if seconds < 100 else f"{seconds / size:.0f} {unit}"
    return f"{seconds / 3600:.0f} h"
