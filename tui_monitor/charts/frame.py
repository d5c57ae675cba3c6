"""What surrounds the data: title with legend, tick labels and axes, each in its own cells, never over the data."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from tui_monitor.charts.canvas import Canvas
from tui_monitor.charts.cells import Cell
from tui_monitor.charts.spec import ChartSpec, LegendEntry

_BLANK = Cell(" ", "")


def title_row(spec: ChartSpec, width: int) -> list[Cell]:
    """Return the title at the left and as many legend entries as fit at the right, as values alone where need be."""
    title = [Cell(character, "title") for character in spec.title[:width]]
    room = width - len(title) - 3
    entries, is_whole = _legend([(entry, entry.text) for entry in spec.legend], room)
    if not is_whole:
        entries, _ = _legend([(entry, entry.brief) for entry in spec.legend if entry.brief] or [], room)
        if not entries:
            entries, _ = _legend([(entry, entry.text) for entry in spec.legend], room)
    free = width - len(title) - len(entries)
    last = min(1, free)
    return title + [_BLANK] * (free - last) + entries + [_BLANK] * last


def _legend(texts: Sequence[tuple[LegendEntry, str]], room: int) -> tuple[list[Cell], bool]:
    """Return the cells of the first entries that fit, and whether none is missing of those that must be read."""
    entries: list[Cell] = []
    for number, (entry, text) in enumerate(texts):
        cells = [Cell(c, "") for c in ("  " if entries else "")]
        cells += [Cell(c, entry.style) for c in entry.mark]
        cells += [Cell(c, "legend") for c in f" {text}"]
        if len(entries) + len(cells) > room:
            return entries, not any(rest.brief for rest, _ in texts[number:])
        entries += cells
    return entries, True


def label_columns(canvas: Canvas, gutter: int) -> list[list[Cell]]:
    """Return the cells left of the data, one list a row, top first: tick labels, then the axis."""
    labels: dict[int, str] = {}
    if canvas.spec.y_ticks:
        heights = canvas.heights(np.array([tick.at for tick in canvas.spec.y_ticks]))
        for tick, dot in zip(canvas.spec.y_ticks, canvas.dot_rows(heights), strict=True):
            if np.isfinite(dot):
                labels.setdefault(canvas.height - 1 - int(dot) // canvas.glyphs.rows, tick.label)
    rows = []
    for row in range(canvas.height):
        label = labels.get(row, "")[: gutter - 1]
        axis = canvas.glyphs.tick_left if label else canvas.glyphs.vertical
        text = label.rjust(gutter - 1)
        rows.append([Cell(c, "tick-label") for c in text] + [Cell(axis, "axis")])
    return rows


def gap_columns(canvas: Canvas, margin: int) -> list[list[Cell]]:
    """Return the cells right of the data, one list a row, top first: a bracket over the gap, and its value.

    Args:
        canvas: the data area.
        margin: cells a row; 0 gives empty rows.
    """
    rows = [[_BLANK] * margin for _ in range(canvas.height)]
    gap = canvas.spec.gap
    if gap is None or not margin:
        return rows
    dots = canvas.dot_rows(canvas.heights(np.array([gap.train, gap.validation])))
    if not np.isfinite(dots).all():
        return rows
    top, bottom = sorted(canvas.height - 1 - int(dot) // canvas.glyphs.rows for dot in dots)
    above, between, below, level = list(canvas.glyphs.bracket)
    for row in range(top, bottom + 1):
        mark = level if top == bottom else above if row == top else below if row == bottom else between
        rows[row][0] = Cell(mark, "gap")
    middle = rows[(top + bottom) // 2]
    middle[1:] = [Cell(character, "gap") for character in gap.label[: margin - 1].ljust(margin - 1)]
    return rows


def axis_rows(canvas: Canvas, gutter: int, margin: int) -> list[list[Cell]]:
    """Return the x axis with its marks, and the row of labels under it."""
    return [[*_axis(canvas, gutter), *[_BLANK] * margin], _labels(canvas, gutter, margin)]


def _cell_columns(canvas: Canvas, positions: list[float]) -> list[int | None]:
    columns = canvas.dot_columns(np.array(positions, dtype=np.float64))
    return [int(c) // canvas.glyphs.columns if np.isfinite(c) else None for c in columns]


def _axis(canvas: Canvas, gutter: int) -> list[Cell]:
    line = [canvas.glyphs.horizontal] * canvas.width
    marks = sorted({c for c in _cell_columns(canvas, list(canvas.spec.x_markers)) if c is not None})
    ticks = {c for c in _cell_columns(canvas, [t.at for t in canvas.spec.x_ticks]) if c is not None}
    crowded = any(b - a < 2 for a, b in pairwise(marks))
    for column in ticks if crowded else ticks | set(marks):
        line[column] = canvas.glyphs.tick_below
    return [_BLANK] * (gutter - 1) + [Cell(c, "axis") for c in canvas.glyphs.corner + "".join(line)]


def _labels(canvas: Canvas, gutter: int, margin: int) -> list[Cell]:
    width = gutter + canvas.width + margin
    row = [_BLANK] * width
    for index, character in enumerate(canvas.spec.x_label[: gutter - 1].rjust(gutter - 1)):
        row[index] = Cell(character, "tick-label")
    free = gutter
    columns = _cell_columns(canvas, [tick.at for tick in canvas.spec.x_ticks])
    for tick, column in zip(canvas.spec.x_ticks, columns, strict=True):
        if column is None:
            continue
        start = max(gutter, gutter + column - (len(tick.label) - 1) // 2)
        start = min(start, gutter + canvas.width - len(tick.label))
        if start < free:
            continue
        for index, character in enumerate(tick.label):
            row[start + index] = Cell(character, "tick-label")
        free = start + len(tick.label) + 1
    end = canvas.spec.x_end
    if end and free + len(end) <= width:
        row[width - len(end) :] = [Cell(character, "tick-label") for character in end]
    return row
