"""From a chart's data to layers of dots: cleaned, clipped to the canvas, lines broken where a value is bad."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tui_monitor.charts.change import Layer
from tui_monitor.charts.dots import levels, logarithmic, slices
from tui_monitor.charts.markers import MarkerSet, glyphs
from tui_monitor.charts.spec import Band, ChartSpec, FloatArray, Points

_BRAILLE_BITS = ((0x40, 0x80), (0x04, 0x20), (0x02, 0x10), (0x01, 0x08))
_QUARTER_BITS = ((4, 8), (1, 2))
_QUARTERS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"


class Canvas:
    """The data area of one chart: its size in cells and dots, and where values fall on it."""

    def __init__(self, spec: ChartSpec, width: int, height: int) -> None:
        self.spec = spec
        self.width = width
        self.height = height
        self.glyphs = glyphs(spec.markers)
        self.columns = width * self.glyphs.columns
        self.rows = height * self.glyphs.rows
        self._y_range = spec.y_range
        if spec.log_y:
            low, high = logarithmic(np.array(spec.y_range, dtype=np.float64))
            self._y_range = (float(low), float(high))

    def heights(self, values: FloatArray) -> FloatArray:
        """Return values in the units of the y axis: themselves, or their logarithm."""
        values = np.asarray(values, dtype=np.float64)
        return logarithmic(values) if self.spec.log_y else values

    def dot_rows(self, heights: FloatArray) -> FloatArray:
        """Return dot rows from the bottom as floats, NaN where a height is not finite."""
        result = np.full(len(heights), np.nan)
        finite = np.isfinite(heights)
        result[finite] = levels(heights[finite], self._y_range, self.rows)
        return result

    def dot_columns(self, x: FloatArray) -> FloatArray:
        """Return dot columns from the left as floats, NaN where x is not finite or outside the range."""
        x = np.asarray(x, dtype=np.float64)
        low, high = self.spec.x_range
        result = np.full(len(x), np.nan)
        inside = np.isfinite(x) & (x >= low) & (x <= high)
        result[inside] = slices(x[inside], self.spec.x_range, self.columns)
        return result

    def column_of_slice(self, slices: int) -> FloatArray:
        """Return the dot column of each of equal slices of the x range."""
        return np.floor((np.arange(slices) + 0.5) / max(slices, 1) * self.columns)

    def cell_centre(self, columns: FloatArray, rows: FloatArray) -> tuple[list[float], list[float]]:
        """Return the centres, in dots, of the cells that hold the given dots."""
        across, up = self.glyphs.columns, self.glyphs.rows
        x = columns // across * across + (across - 1) / 2
        y = rows // up * up + (up - 1) / 2
        return x.tolist(), y.tolist()

    @property
    def top(self) -> float:
        """The topmost dot row."""
        return float(self.rows - 1)

    def is_above(self, heights: FloatArray) -> FloatArray:
        """Return whether heights lie above the y range, 1.0 or 0.0."""
        with np.errstate(invalid="ignore"):
            return np.asarray(heights > self._y_range[1], dtype=np.float64)


def layers_of(canvas: Canvas) -> list[Layer]:
    """Return everything in the data area, bottom first."""
    spec, glyph = canvas.spec, canvas.glyphs
    layers: list[Layer] = []
    if spec.band is not None:
        layers += _band(canvas, spec.band)
        layers += _line(canvas, *_mean(canvas, spec.band), glyph.train_line, "train")
    else:
        layers += _line(canvas, *_placed(canvas, spec.train), glyph.train_line, "train")
    layers += _line(canvas, *_placed(canvas, spec.validation), glyph.validation_line, "validation-line")
    layers += _above(canvas)
    layers += _markers(canvas, spec.train, glyph.train_marker, "train-mark")
    layers += _markers(canvas, spec.validation, glyph.validation_marker, "validation")
    layers += _bad(canvas)
    return layers


def _placed(canvas: Canvas, points: Points) -> tuple[FloatArray, FloatArray]:
    columns = canvas.dot_columns(points.x)
    within = np.isfinite(columns)
    return columns[within], canvas.dot_rows(canvas.heights(points.y))[within]


def _mean(canvas: Canvas, band: Band) -> tuple[FloatArray, FloatArray]:
    rows = canvas.dot_rows(canvas.heights(band.mean))
    bad = np.asarray(band.bad, dtype=bool)
    keep = np.isfinite(rows) | bad
    rows = np.where(bad & ~np.isfinite(rows), np.nan, rows)
    return canvas.column_of_slice(len(rows))[keep], rows[keep]


def _line(canvas: Canvas, columns: FloatArray, rows: FloatArray, marker: str, style: str) -> Iterator[Layer]:
    """Yield one layer for each segment without a NaN."""
    breaks = np.flatnonzero(~np.isfinite(rows))
    for piece in np.split(np.arange(len(rows)), breaks):
        kept = piece[np.isfinite(rows[piece])]
        if len(kept):
            yield Layer(style, columns[kept].tolist(), rows[kept].tolist(), marker, joined=True)


def _markers(canvas: Canvas, points: Points, mark: str, style: str) -> Iterator[Layer]:
    columns, rows = _placed(canvas, points)
    finite = np.isfinite(rows)
    columns, rows = columns[finite], rows[finite]
    cells = len(np.unique(columns // canvas.glyphs.columns))
    if len(columns) and len(columns) * 3 <= canvas.width and cells == len(columns):
        yield Layer(style, *canvas.cell_centre(columns, rows), mark)
    elif len(columns):
        # Markers in every cell would hide the curve; the newest alone still shows where it stands.
        yield Layer(style, *canvas.cell_centre(columns[-1:], rows[-1:]), mark)


def _above(canvas: Canvas) -> Iterator[Layer]:
    if canvas.spec.band is None or canvas.height < 2:
        return
    heights = canvas.heights(canvas.spec.band.mean)
    columns = canvas.column_of_slice(len(heights))[canvas.is_above(heights) > 0]
    if len(columns):
        top = np.full(len(columns), canvas.top)
        yield Layer("train", *canvas.cell_centre(columns, top), canvas.glyphs.above_marker)


def _bad(canvas: Canvas) -> Iterator[Layer]:
    columns = [_bad_columns(canvas, canvas.spec.train), _bad_columns(canvas, canvas.spec.validation)]
    if canvas.spec.band is not None:
        bad = np.asarray(canvas.spec.band.bad, dtype=bool)
        columns.append(canvas.column_of_slice(len(bad))[bad])
    bad_columns = np.unique(np.concatenate(columns))
    if len(bad_columns):
        top = np.full(len(bad_columns), canvas.top)
        yield Layer("alert", *canvas.cell_centre(bad_columns, top), canvas.glyphs.bad_marker)


def _bad_columns(canvas: Canvas, points: Points) -> FloatArray:
    columns = canvas.dot_columns(points.x)
    bad = ~np.isfinite(np.asarray(points.y, dtype=np.float64)) & np.isfinite(columns)
    return columns[bad]


def _band(canvas: Canvas, band: Band) -> Iterator[Layer]:
    """Yield the min–max band as one character a cell: composing dots here is ten times cheaper."""
    low = canvas.dot_rows(canvas.heights(band.low))
    high = canvas.dot_rows(canvas.heights(band.high))
    column = canvas.column_of_slice(len(low)).astype(np.int64)
    row = np.arange(canvas.rows)
    filled = np.zeros((canvas.columns, canvas.rows), dtype=bool)
    with np.errstate(invalid="ignore"):
        np.logical_or.at(filled, column, (row >= low[:, None]) & (row <= high[:, None]))
    if canvas.spec.markers is MarkerSet.BRAILLE:
        filled &= (np.arange(canvas.columns)[:, None] + row) % 2 == 0
    up, across = canvas.glyphs.rows, canvas.glyphs.columns
    blocks = filled.T.reshape(canvas.height, up, canvas.width, across).swapaxes(1, 2)
    positions = np.argwhere(blocks.any(axis=(2, 3)))
    if len(positions):
        characters = _characters(canvas.spec.markers, blocks[positions[:, 0], positions[:, 1]])
        x = positions[:, 1] * across + (across - 1) / 2
        y = positions[:, 0] * up + (up - 1) / 2
        yield Layer("train-band", x.tolist(), y.tolist(), characters)


def _characters(markers: MarkerSet, blocks: NDArray[np.bool_]) -> list[str]:
    """Return the characters for cells' dots, shape (cells, rows from the bottom, columns)."""
    if markers is MarkerSet.BRAILLE:
        return [chr(0x2800 + bits) for bits in (blocks * np.array(_BRAILLE_BITS)).sum(axis=(1, 2)).tolist()]
    if markers is MarkerSet.BLOCKS:
        return [_QUARTERS[bits] for bits in (blocks * np.array(_QUARTER_BITS)).sum(axis=(1, 2)).tolist()]
    return [":"] * len(blocks)
