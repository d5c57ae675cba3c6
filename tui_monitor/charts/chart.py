"""A chart is a pure function of its data and its size: same arguments, same cells."""

from tui_monitor.charts.cells import Cell, CellGrid, grid_of
from tui_monitor.charts.frame import axis_rows, label_columns, title_row
from tui_monitor.charts.layers import Canvas, layers_of
from tui_monitor.charts.markers import MarkerSet, glyphs
from tui_monitor.charts.raster import LastDrawing, rasterise
from tui_monitor.charts.spec import ChartSpec

GUTTER = 7
"""Cells left of the data area: tick labels, fixed so that the chart never shifts, and the axis."""
_FRAME_ROWS = 3
_SMALLEST_CANVAS = (4, 1)


def dot_columns(width: int, markers: MarkerSet) -> int:
    """Return how many dot columns a chart of that width has: the slices a band is best cut into."""
    return max(1, width - GUTTER) * glyphs(markers).columns


def draw_chart(spec: ChartSpec, width: int, height: int, last: LastDrawing | None = None) -> CellGrid:
    """Draw a chart.

    No data can make this raise: values that have no position are left out or marked.

    Args:
        spec: what to show.
        width: cells a row; 0 or less gives an empty grid.
        height: rows: one of title, two of axis, the rest data. Too little room leaves the frame away.
        last: of the same chart, which saves drawing what did not change; the result is the same.
    """
    if width < 1 or height < 1:
        return CellGrid(max(0, width), 0, ())
    framed = width >= GUTTER + _SMALLEST_CANVAS[0] and height >= _FRAME_ROWS + _SMALLEST_CANVAS[1]
    if not framed:
        return grid_of(_data_area(Canvas(spec, width, height), last), width)
    canvas = Canvas(spec, width - GUTTER, height - _FRAME_ROWS)
    labels = label_columns(canvas, GUTTER)
    body = [left + right for left, right in zip(labels, _data_area(canvas, last), strict=True)]
    return grid_of([title_row(spec, width), *body, *axis_rows(canvas, GUTTER)], width)


def _data_area(canvas: Canvas, last: LastDrawing | None) -> list[list[Cell]]:
    return rasterise(layers_of(canvas), canvas.width, canvas.height, (canvas.columns, canvas.rows), last)
