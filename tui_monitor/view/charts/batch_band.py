"""The band of a chart: where the batches of each column lie, and the line of their means."""

from dataclasses import replace

import numpy as np

from tui_monitor.charts.dots import logarithmic
from tui_monitor.charts.scale import Limits
from tui_monitor.charts.spec import Band, FloatArray
from tui_monitor.history.batches.middle import MIDDLE, middle
from tui_monitor.history.batches.series import BatchSeries, whole_blocks
from tui_monitor.history.snapshot import FitSnapshot
from tui_monitor.view.charts.epoch_axis import batch_edges, newest
from tui_monitor.view.view_state import ViewState

_EDGE_CELLS = 4
"""Cells whose batches have one quantile at each edge, so that an edge is a line and no cloud of dots."""


def batch_band(fit: FitSnapshot, name: str, x_range: Limits, columns: int, across: int, view: ViewState) -> Band | None:
    """Return the band of a metric's batches, or None where none were recorded.

    Args:
        fit: what ran so far.
        name: of the metric.
        x_range: the epochs in view.
        columns: dot columns.
        across: dot columns in a cell.
        view: says whether the extremes are asked for.
    """
    series = fit.series.get(name)
    if series is None or len(series) == 0:
        return None
    edges = whole_blocks(np.minimum(batch_edges(fit, x_range, columns), len(series)))
    envelope = series.envelope(edges)
    # A cell whose batches still arrive would be sent anew with each of them.
    open_from = _open_from(fit, x_range, columns, across)
    if view.extremes:
        is_open = np.arange(columns) >= open_from
        low, high = (np.where(is_open, np.nan, end) for end in (envelope.low, envelope.high))
        return Band(low, envelope.mean, high, envelope.bad)
    low, high = outline(series, edges, open_from, _EDGE_CELLS * across)
    return Band(low, envelope.mean, high, envelope.bad, is_outline=True)


def band_words(band: Band | None, limits: Limits) -> str:
    """Return what the band is in words; nothing where none of it is in the range shown.

    Args:
        band: as `batch_band` returned it.
        limits: of the y axis.
    """
    if band is None:
        return ""
    if not band.is_outline:
        return "min–max of batches"
    edges = np.concatenate([band.low, band.high])
    with np.errstate(invalid="ignore"):
        is_shown = bool(((edges >= limits[0]) & (edges <= limits[1])).any())
    return f"{100 * MIDDLE[0]:.0f}–{100 * MIDDLE[1]:.0f} % of batches" if is_shown else ""


def outline(series: BatchSeries, edges: FloatArray, open_from: int, group: int) -> tuple[FloatArray, FloatArray]:
    """Return the `MIDDLE` quantiles of groups of columns, lines through the middles of those whose batches are there.

    What a line was stays as it was while batches arrive, but for half of the newest group.

    Args:
        series: one metric's batches.
        edges: batch positions between columns, shape (columns + 1,).
        open_from: the first column whose batches still arrive.
        group: columns in a group.

    Returns:
        The lower and the upper line, shape (columns,), NaN where a group is not whole or holds no finite value.
    """
    columns = np.arange(len(edges) - 1)
    starts = columns[::group]
    ends = np.append(starts[1:], len(columns))
    middles, group_of = (starts + ends - 1) / 2, columns // group
    drawn = []
    for quantiles in middle(series, np.append(edges[starts], edges[-1])):
        is_known = np.isfinite(quantiles) & (ends <= open_from)
        line = np.full(len(columns), np.nan)
        if is_known.any():
            within = is_known[group_of]
            line[within] = np.interp(columns[within], middles[is_known], quantiles[is_known])
        drawn.append(line)
    return drawn[0], drawn[1]


def _open_from(fit: FitSnapshot, x_range: Limits, columns: int, across: int) -> int:
    """Return the first dot column of the cell that the newest batch falls into, or all columns where the axis ends."""
    fraction = (newest(fit) - x_range[0]) / (x_range[1] - x_range[0])
    return columns if fraction > 1 - 1e-6 else int(fraction * columns) // across * across


def smoothed(band: Band | None, columns: int) -> Band | None:
    """Return the band with its mean line through the means of so many columns each, at their middle."""
    if band is None or columns < 2:
        return band
    held = np.flatnonzero(np.isfinite(band.mean))
    if not len(held):
        return band
    group = held // columns
    sizes = np.bincount(group)
    is_any = sizes > 0
    middles = np.bincount(group, held)[is_any] / sizes[is_any]
    means = np.bincount(group, band.mean[held])[is_any] / sizes[is_any]
    mean = np.full(len(band.mean), np.nan)
    mean[held] = np.interp(held, middles, means)
    return replace(band, mean=mean)


def logarithmic_band(band: Band | None) -> Band | None:
    """Return the band with its values' logarithms to base 10, NaN for what has none."""
    if band is None:
        return None
    return replace(band, low=logarithmic(band.low), mean=logarithmic(band.mean), high=logarithmic(band.high))
