"""From a chart's data to layers of dots: cleaned, clipped to the canvas, lines broken where a value is bad."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tui_monitor.charts.canvas import Canvas
from tui_monitor.charts.change import Layer
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.charts.marks import mark_layers
from tui_monitor.charts.spec import Band, Curve, FloatArray, Points

_LEADER_CELLS = 2
"""Cells from one dot of a leader to the next."""
_MARK_CELLS = 16
"""Cells between two marks of a curve."""
_BRAILLE_BITS = ((0x40, 0x80), (0x04, 0x20), (0x02, 0x10), (0x01, 0x08))
_QUARTER_BITS = ((4, 8), (1, 2))
_QUARTERS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"


def layers_of(canvas: Canvas) -> list[Layer]:
    """Return everything in the data area, bottom first."""
    spec, glyph = canvas.spec, canvas.glyphs
    layers: list[Layer] = list(_leaders(canvas))
    for curve in spec.curves:
        layers += _line(canvas, *_placed(canvas, curve.points), glyph.validation_line, curve.style)
    if spec.band is not None:
        layers += _edges(canvas, spec.band) if spec.band.is_outline else _band(canvas, spec.band)
        layers += _line(canvas, *_mean(canvas, spec.band), glyph.train_line, "train")
    else:
        layers += _line(canvas, *_placed(canvas, spec.train), glyph.train_line, "train")
    layers += _line(canvas, *_placed(canvas, spec.validation), glyph.validation_line, "validation-line")
    for curve in spec.curves:
        layers += _curve_marks(canvas, curve)
    layers += _outside(canvas)
    layers += mark_layers(canvas)
    layers += _bad(canvas)
    return layers


def _leaders(canvas: Canvas) -> Iterator[Layer]:
    """Yield dots from the marks of the gap's epoch to the bracket, where the axis goes on behind them."""
    gap, across = canvas.spec.gap, canvas.glyphs.columns
    if gap is None:
        return
    last = canvas.dot_columns(np.array([gap.x]))
    rows = canvas.dot_rows(canvas.heights(np.array([gap.train, gap.validation])))
    if not np.isfinite([*last, *rows]).all():
        return
    cells = np.arange(int(last[0]) // across + 1, canvas.width)
    cells = cells[cells % _LEADER_CELLS == 0] * across
    for row in np.unique(rows // canvas.glyphs.rows) * canvas.glyphs.rows:
        if len(cells):
            yield Layer("gap", *canvas.cell_centre(cells, np.full(len(cells), row)), canvas.glyphs.leader)


def _placed(canvas: Canvas, points: Points) -> tuple[FloatArray, FloatArray]:
    columns = canvas.dot_columns(points.x)
    within = np.isfinite(columns)
    return columns[within], canvas.dot_rows(canvas.heights(points.y))[within]


def _curve_marks(canvas: Canvas, curve: Curve) -> Iterator[Layer]:
    """Yield a curve's marks: at its last point, and at points before it that are some cells apart."""
    columns, rows = _placed(canvas, curve.marked)
    columns, rows = columns[np.isfinite(rows)], rows[np.isfinite(rows)]
    if not curve.mark or not len(columns):
        return
    # Begun at another cell for each mark, so that curves that run together don't hide each other's.
    apart = _MARK_CELLS * canvas.glyphs.columns
    slot = (columns + (ord(curve.mark) % 8) * canvas.glyphs.columns) // apart
    chosen = np.append(np.flatnonzero(np.diff(slot) > 0), len(columns) - 1)
    yield Layer(curve.style, *canvas.cell_centre(columns[chosen], rows[chosen]), curve.mark)


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


def _outside(canvas: Canvas) -> Iterator[Layer]:
    """Yield arrows where the mean lies outside the y range."""
    if canvas.spec.band is None or canvas.height < 2:
        return
    heights = canvas.heights(canvas.spec.band.mean)
    columns = canvas.column_of_slice(len(heights))
    for is_out, row, mark in (
        (canvas.is_above(heights), canvas.top, canvas.glyphs.above_marker),
        (canvas.is_below(heights), 0.0, canvas.glyphs.below_marker),
    ):
        if is_out.any():
            yield Layer("train", *canvas.cell_centre(columns[is_out], np.full(is_out.sum(), row)), mark)


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
    """Yield the band as one character a cell: composing dots here is ten times cheaper."""
    low, high = canvas.heights(band.low), canvas.heights(band.high)
    is_outside = canvas.is_above(low) | canvas.is_below(high)
    low, high = canvas.dot_rows(np.where(is_outside, np.nan, low)), canvas.dot_rows(high)
    column = canvas.column_of_slice(len(low)).astype(np.int64)
    row = np.arange(canvas.rows)
    filled = np.zeros((canvas.columns, canvas.rows), dtype=bool)
    with np.errstate(invalid="ignore"):
        np.logical_or.at(filled, column, (row >= low[:, None]) & (row <= high[:, None]))
    # Sparse, so that lines and marks stand out without colour too.
    filled &= _sparse(canvas.spec.markers, np.arange(canvas.columns)[:, None], row)
    up, across = canvas.glyphs.rows, canvas.glyphs.columns
    blocks = filled.T.reshape(canvas.height, up, canvas.width, across).swapaxes(1, 2)
    positions = np.argwhere(blocks.any(axis=(2, 3)))
    if len(positions):
        characters = _characters(canvas.spec.markers, blocks[positions[:, 0], positions[:, 1]])
        x = positions[:, 1] * across + (across - 1) / 2
        y = positions[:, 0] * up + (up - 1) / 2
        yield Layer("train-band", x.tolist(), y.tolist(), characters)


def _edges(canvas: Canvas, band: Band) -> Iterator[Layer]:
    """Yield the two edges of a band, a dot in each cell, as far as they are inside the y range."""
    across = canvas.glyphs.columns
    column = canvas.column_of_slice(len(band.low))
    for edge in (band.low, band.high):
        heights = canvas.heights(edge)
        rows = canvas.dot_rows(np.where(canvas.is_above(heights) | canvas.is_below(heights), np.nan, heights))
        drawn = np.isfinite(rows) & (column % across == 0)
        x, y = column[drawn], rows[drawn]
        if canvas.spec.markers is MarkerSet.ASCII:
            yield Layer("train-band", *canvas.cell_centre(x, y), canvas.glyphs.edge[0])
        else:
            yield Layer("train-band", x.tolist(), y.tolist(), canvas.glyphs.train_line)


def _sparse(markers: MarkerSet, column: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which dots a band fills, the same in every cell."""
    if markers is MarkerSet.BRAILLE:
        return np.asarray((row + 2 * column) % 4 == 0)
    if markers is MarkerSet.BLOCKS:
        return np.asarray((row % 2 == 0) & (column % 2 == 0))
    return np.ones((len(column), len(row)), dtype=np.bool_)


def _characters(markers: MarkerSet, blocks: NDArray[np.bool_]) -> list[str]:
    """Return the characters for cells' dots, shape (cells, rows from the bottom, columns)."""
    if markers is MarkerSet.BRAILLE:
        return [chr(0x2800 + bits) for bits in (blocks * np.array(_BRAILLE_BITS)).sum(axis=(1, 2)).tolist()]
    if markers is MarkerSet.BLOCKS:
        return [_QUARTERS[bits] for bits in (blocks * np.array(_QUARTER_BITS)).sum(axis=(1, 2)).tolist()]
    return ["."] * len(blocks)
