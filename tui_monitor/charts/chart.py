"""A chart is a pure function of its data and its size: same arguments, same cells."""

from tui_monitor.charts.canvas import Canvas
from tui_monitor.charts.cells import Cell, CellGrid, grid_of
from tui_monitor.charts.frame import axis_rows, gap_columns, label_columns, title_row
from tui_monitor.charts.layers import layers_of
from tui_monitor.charts.markers import MarkerSet, glyphs
from tui_monitor.charts.raster import LastDrawing, rasterise
from tui_monitor.charts.spec import ChartSpec, Gap

GUTTER = 7
"""Cells left of the data area: tick labels, fixed so that the chart never shifts, and the axis."""
_FRAME_ROWS = 3
_SMALLEST_CANVAS = (4, 1)
_ROOM_FOR_GAP = 24
"""Cells of data beside which the gap's bracket has room."""


def data_area(width: int, height: int, gap: Gap | None) -> tuple[int, int]:
    """Return the columns and rows of cells that a chart of some size has for its data, at least 1 each.

    Args:
        width: cells a row of the whole chart.
        height: its rows.
        gap: what its right edge shows.
    """
    return max(1, width - GUTTER - _margin(width, gap)), max(1, height - _FRAME_ROWS)


def dot_columns(width: int, markers: MarkerSet, gap: Gap | None = None) -> int:
    """Return how many dot columns a chart of that width has: the slices a band is best cut into."""
    return data_area(width, 1, gap)[0] * glyphs(markers).columns


def _margin(width: int, gap: Gap | None) -> int:
    """Return the cells right of the data: one for the bracket, the others for the gap's value."""
    needed = 0 if gap is None else 1 + len(gap.label)
    return needed if width - GUTTER - needed >= _ROOM_FOR_GAP else 0


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
        return grid_of(_drawn(Canvas(spec, width, height), last), width)
    canvas = Canvas(spec, *data_area(width, height, spec.gap))
    margin = width - GUTTER - canvas.width
    parts = zip(label_columns(canvas, GUTTER), _drawn(canvas, last), gap_columns(canvas, margin), strict=True)
    body = [left + data + right for left, data, right in parts]
    return grid_of([title_row(spec, width), *body, *axis_rows(canvas, GUTTER, margin)], width)


def _drawn(canvas: Canvas, last: LastDrawing | None) -> list[list[Cell]]:
    return rasterise(layers_of(canvas), canvas.width, canvas.height, (canvas.columns, canvas.rows), last)
