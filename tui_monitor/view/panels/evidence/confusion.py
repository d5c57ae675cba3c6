"""Which class is taken for which: both sides' matrices where they fit, and the most frequent mistakes in any case."""

from collections.abc import Sequence
from dataclasses import dataclass

from tui_monitor.run_log.events.distributions import Confusion
from tui_monitor.units import count, percentage
from tui_monitor.view.text.rows import BLANK, Row, Rows, Run, cell_len, left, plain, right, width_of, wrap

_GAP = 3
_MOST_MISTAKES = 12
_TOTAL = 9
_WITH_COUNT = 13
"""Cells of a field that shows the number of samples beside their share."""
_KEY = "rows: true class; columns: predicted class; per cent of the row"


@dataclass(frozen=True)
class _Mistake:
    true: str
    taken_for: str
    train: float | None
    """Share of the true class's samples; None where there are none."""
    validation: float | None
    weight: float
    """How often it happens, for sorting."""


def confusion_rows(confusion: Confusion, width: int) -> Rows:
    """Return both matrices, each row in per cent of its true class, and the most frequent mistakes.

    Args:
        confusion: what was measured.
        width: cells a row.
    """
    mistakes = _mistakes(confusion)
    rows: list[Row] = [*wrap(_sentence(mistakes, confusion), width, "headline"), BLANK]
    matrices = _matrices(confusion, width)
    if matrices:
        rows += [*matrices, *wrap(_KEY, width, "muted"), BLANK]
    rows += _listed(mistakes, width)
    return tuple(rows)


def _matrices(confusion: Confusion, width: int) -> Rows:
    labels = tuple(plain(label) for label in confusion.labels)
    name = max(cell_len(label) for label in labels)
    cell = max(5, 1 + max(cell_len(label) for label in labels))
    if 2 * (name + _WITH_COUNT * len(labels) + _TOTAL) + _GAP <= width:
        cell = max(cell, _WITH_COUNT)
    size = name + cell * len(labels) + _TOTAL
    sides = [("Training", confusion.train)]
    if confusion.validation is not None:
        sides.append(("Validation", confusion.validation))
    drawn = [_matrix(title, table, labels, name, cell) for title, table in sides]
    if size > width:
        return ()
    if len(drawn) * size + _GAP * (len(drawn) - 1) > width:
        return tuple(row for i, matrix in enumerate(drawn) for row in ((BLANK,) if i else ()) + matrix)
    space = Run(" " * _GAP, "")
    return tuple(
        tuple(run for i, part in enumerate(parts) for run in ((space,) if i else ()) + (*part, _fill(part, size)))
        for parts in zip(*drawn, strict=True)
    )


def _fill(row: Row, width: int) -> Run:
    return Run(" " * max(0, width - width_of(row)), "")


def _matrix(
    title: str, table: Sequence[Sequence[float]], labels: Sequence[str], name: int, cell: int
) -> tuple[Row, ...]:
    spread = cell * len(labels)
    head: Row = (left(title, name + spread, "strong"), right("samples", _TOTAL, "muted"))
    columns: Row = (left("", name), *(right(label, cell, "muted") for label in labels))
    rows = [head, columns]
    for index, line in enumerate(table):
        total = sum(line)
        cells = [
            right(_cell(value, total, cell), cell, "strong" if column == index else "" if value else "muted")
            for column, value in enumerate(line)
        ]
        rows.append((left(labels[index], name, "muted"), *cells, right(count(round(total)), _TOTAL, "muted")))
    return tuple(rows)


def _cell(value: float, total: float, size: int) -> str:
    percent = _percent(value, total)
    return f"{count(round(value))} {percent:>4}" if size >= _WITH_COUNT and value > 0 else percent


def _percent(value: float, total: float) -> str:
    if total <= 0 or value <= 0:
        return "·"
    fraction = 100 * value / total
    return "<1%" if fraction < 0.5 else f"{fraction:.0f}%"


def _mistakes(confusion: Confusion) -> list[_Mistake]:
    """Return all mistakes that happen, the most frequent on validation first."""
    found = []
    for row, true in enumerate(confusion.labels):
        for column, taken_for in enumerate(confusion.labels):
            if row == column:
                continue
            train = _fraction(confusion.train, row, column)
            side = confusion.validation
            validation = None if side is None else _fraction(side, row, column)
            often = confusion.train[row][column] if side is None else side[row][column]
            if train or validation:
                found.append(_Mistake(plain(true), plain(taken_for), train, validation, often))
    return sorted(found, key=lambda mistake: -mistake.weight)


def _fraction(table: Sequence[Sequence[float]], row: int, column: int) -> float | None:
    total = sum(table[row])
    return table[row][column] / total if total > 0 else None


def _sentence(mistakes: Sequence[_Mistake], confusion: Confusion) -> str:
    if not mistakes:
        return "No sample that was measured is taken for another class."
    first = mistakes[0]
    if first.validation is None:
        return f"Training takes {percentage(first.train or 0.0)} of class {first.true} for class {first.taken_for}."
    beside = "" if first.train is None else f" (training {percentage(first.train)})"
    return (
        f"Validation takes {percentage(first.validation)} of class {first.true} for class {first.taken_for}{beside}: "
        "its most frequent mistake."
    )


def _listed(mistakes: Sequence[_Mistake], width: int) -> Rows:
    if not mistakes:
        return ()
    name = min(max(24, *(cell_len(_name(mistake)) for mistake in mistakes[:_MOST_MISTAKES])), max(10, width - 24))
    head: Row = (left("Mistakes, of the class", name, "muted"), right("training", 11, "muted"))
    rows: list[Row] = [(*head, right("validation", 12, "muted"))]
    for mistake in mistakes[:_MOST_MISTAKES]:
        sides = ((mistake.train, 11), (mistake.validation, 12))
        fields = [right("–" if value is None else percentage(value, 1), size) for value, size in sides]
        rows.append((left(_name(mistake), name), *fields))
    hidden = len(mistakes) - _MOST_MISTAKES
    if hidden > 0:
        rows += wrap(f"and {count(hidden)} rarer ones", width, "muted")
    return tuple(rows)


def _name(mistake: _Mistake) -> str:
    return f"class {mistake.true} as {mistake.taken_for}"
