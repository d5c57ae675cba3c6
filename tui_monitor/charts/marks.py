"""Marks of epoch values: each in a cell of its own, over its epoch, with room between the epochs marked."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tui_monitor.charts.canvas import Canvas
from tui_monitor.charts.change import Layer
from tui_monitor.charts.spec import Points

_APART = 3
"""Cells between marked epochs: two marks side by side, and a blank."""
_Cell = tuple[int, int]
"""Column from the left and row from the bottom, in cells."""


@dataclass(frozen=True)
class _Mark:
    character: str
    row: int


def mark_layers(canvas: Canvas) -> Iterable[Layer]:
    """Yield the marks of both sides: as many epochs as there is room for, the newest of each side always.

    Where both sides' values fall into one cell, training's mark stands beside validation's.
    """
    train = _placed(canvas, canvas.spec.train, canvas.glyphs.train_marker)
    validation = _placed(canvas, canvas.spec.validation, canvas.glyphs.validation_marker)
    kept = _spaced(train, validation)
    shown = {(column, train[column].row): train[column] for column in kept if column in train}
    held = {(column, validation[column].row): validation[column] for column in kept if column in validation}
    for cell in sorted(shown.keys() & held.keys()):
        # The newest value is the one that is read: where there is a choice, older marks give way.
        free = _free_beside(cell, shown.keys() | held.keys(), canvas.width)
        if free is not None:
            shown[free] = shown.pop(cell)
    yield from _layers(canvas, shown, "train-mark")
    yield from _layers(canvas, held, "validation")


def _placed(canvas: Canvas, points: Points, character: str) -> dict[int, _Mark]:
    """Return the mark of each column of cells, that of the last epoch where several share one."""
    heights = canvas.heights(points.y)
    columns, rows = canvas.dot_columns(points.x), canvas.dot_rows(heights)
    is_above, is_below = canvas.is_above(heights), canvas.is_below(heights)
    marks = {}
    for index in np.flatnonzero(np.isfinite(columns) & np.isfinite(rows)).tolist():
        outside = (
            canvas.glyphs.above_marker if is_above[index] else canvas.glyphs.below_marker if is_below[index] else ""
        )
        mark = _Mark(outside or character, int(rows[index]) // canvas.glyphs.rows)
        marks[int(columns[index]) // canvas.glyphs.columns] = mark
    return marks


def _spaced(train: dict[int, _Mark], validation: dict[int, _Mark]) -> list[int]:
    """Return the columns to mark, chosen from the oldest on so that they stay while newer ones arrive."""
    kept = sorted({max(side) for side in (train, validation) if side})
    for column in (*sorted(validation), *sorted(train)):
        if all(abs(column - other) >= _APART for other in kept):
            kept.append(column)
    return kept


def _free_beside(cell: _Cell, taken: set[_Cell], width: int) -> _Cell | None:
    column, row = cell
    near = ((column + by, row) for by in (-1, 1))
    return next((place for place in near if 0 <= place[0] < width and place not in taken), None)


def _layers(canvas: Canvas, marks: dict[_Cell, _Mark], style: str) -> Iterable[Layer]:
    if marks:
        across, up = canvas.glyphs.columns, canvas.glyphs.rows
        x = [column * across + (across - 1) / 2 for column, _ in marks]
        y = [row * up + (up - 1) / 2 for _, row in marks]
        yield Layer(style, x, y, [mark.character for mark in marks.values()])
