"""What surrounds the data: title with legend, tick labels and axes, each in its own cells, never over the data."""

from itertools import pairwise

import numpy as np

from tui_monitor.charts.cells import Cell
from tui_monitor.charts.layers import Canvas
from tui_monitor.charts.spec import ChartSpec

_BLANK = Cell(" ", "")


def title_row(spec: ChartSpec, width: int) -> list[Cell]:
    """Return the title at the left and as many legend entries as fit at the right."""
    title = [Cell(character, "title") for character in spec.title[:width]]
    entries: list[Cell] = []
    for entry in spec.legend:
        lead = "  " if entries else ""
        cells = [Cell(c, "") for c in lead]
        cells += [Cell(c, entry.style) for c in entry.mark]
        cells += [Cell(c, "legend") for c in f" {entry.text}"]
        if len(title) + 3 + len(entries) + len(cells) > width:
            break
        entries += cells
    free = width - len(title) - len(entries)
    last = min(1, free)
    return title + [_BLANK] * (free - last) + entries + [_BLANK] * last


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


def axis_rows(canvas: Canvas, gutter: int) -> list[list[Cell]]:
    """Return the x axis with its markers, and the row of labels under it."""
    return [_axis(canvas, gutter), _labels(canvas, gutter)]


def _cell_columns(canvas: Canvas, positions: list[float]) -> list[int | None]:
    columns = canvas.dot_columns(np.array(positions, dtype=np.float64))
    return [int(c) // canvas.glyphs.columns if np.isfinite(c) else None for c in columns]


def _axis(canvas: Canvas, gutter: int) -> list[Cell]:
    line = [canvas.glyphs.horizontal] * canvas.width
    markers = sorted({c for c in _cell_columns(canvas, list(canvas.spec.x_markers)) if c is not None})
    ticks = {c for c in _cell_columns(canvas, [t.at for t in canvas.spec.x_ticks]) if c is not None}
    crowded = any(b - a < 2 for a, b in pairwise(markers))
    for column in ticks if crowded else ticks | set(markers):
        line[column] = canvas.glyphs.tick_below
    return [_BLANK] * (gutter - 1) + [Cell(c, "axis") for c in canvas.glyphs.corner + "".join(line)]


def _labels(canvas: Canvas, gutter: int) -> list[Cell]:
    width = gutter + canvas.width
    row = [_BLANK] * width
    for index, character in enumerate(canvas.spec.x_label[: gutter - 1].rjust(gutter - 1)):
        row[index] = Cell(character, "tick-label")
    free = gutter
    columns = _cell_columns(canvas, [tick.at for tick in canvas.spec.x_ticks])
    for tick, column in zip(canvas.spec.x_ticks, columns, strict=True):
        if column is None:
            continue
        start = min(max(gutter, gutter + column - (len(tick.label) - 1) // 2), width - len(tick.label))
        if start < free:
            continue
        for index, character in enumerate(tick.label):
            row[start + index] = Cell(character, "tick-label")
        free = start + len(tick.label) + 1
    return row
