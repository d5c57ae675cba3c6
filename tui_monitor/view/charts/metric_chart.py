"""From a snapshot and a view to chart specifications: pure, and free of any terminal size but the dot columns."""

from collections.abc import Mapping

import numpy as np

from tui_monitor.charts.chart import data_area, dot_columns
from tui_monitor.charts.dots import logarithmic
from tui_monitor.charts.markers import Glyphs, MarkerSet, glyphs
from tui_monitor.charts.scale import (
    Limits,
    data_limits,
    epoch_ticks,
    whole_limits,
)
from tui_monitor.charts.spec import Band, ChartSpec, Curve, FloatArray, LegendEntry, Points
from tui_monitor.charts.y_axis import linear_axis, logarithmic_axis
from tui_monitor.history.snapshot import EpochRow, FitSnapshot
from tui_monitor.metric_names import VALIDATION_PREFIX, is_count
from tui_monitor.run_log.runs.folders import printable
from tui_monitor.units import rounded, signed
from tui_monitor.view.charts.batch_band import band_words, batch_band, logarithmic_band, smoothed
from tui_monitor.view.charts.chart_metrics import ChartMetric
from tui_monitor.view.charts.epoch_axis import full_range, planned_end
from tui_monitor.view.charts.newest_gap import newest_gap
from tui_monitor.view.view_state import SMOOTHING, ViewState

BASELINE_MARK = "B"
_LONGEST_NAME = 24
"""Characters of the baseline's name."""


def chart_spec(
    fit: FitSnapshot,
    metric: ChartMetric,
    view: ViewState,
    size: tuple[int, int],
    *,
    columns: int | None = None,
    previous: Limits | None = None,
    markers: MarkerSet = MarkerSet.BRAILLE,
) -> ChartSpec:
    """Return the chart of one metric.

    Args:
        fit: what ran so far.
        metric: the metric.
        view: window, smoothing, scale and band chosen by the user.
        size: columns and rows of the whole chart.
        columns: slices of the x range that batches are summarised over; by default the dot columns of that size.
        previous: y limits last shown, kept while they still fit.
        markers: characters to draw with.
    """
    x_range = view.window or full_range(fit)
    train = _epoch_points(fit.epochs, metric.name)
    validation = _epoch_points(fit.epochs, VALIDATION_PREFIX + metric.name)
    gap = newest_gap(train, validation, x_range)
    wide, high = data_area(*size, gap)
    columns = columns or dot_columns(size[0], markers, gap)
    across = glyphs(markers).columns
    # A count's values of batches and of whole epochs are not of one size.
    is_of_epochs = is_count(metric.name) and bool(fit.epochs)
    band = None if is_of_epochs else batch_band(fit, metric.name, x_range, columns, across, view)
    band = smoothed(band, SMOOTHING[view.smoothing] * across)
    baseline = _baseline(view, metric.name)
    visible = [_visible(points, x_range) for points in (train, validation, *(curve.points for curve in baseline))]
    limits = whole_limits if view.extremes else data_limits
    if view.log_y:
        axis = logarithmic_axis(limits(logarithmic_band(band), *map(logarithmic, visible)), high, previous=previous)
    else:
        needed = limits(None, *visible)
        axis = linear_axis(limits(band, *visible), high, previous=previous, needed=needed, ceiling=metric.ceiling)
    return ChartSpec(
        title=_title(metric.name, view, is_running=metric.name in fit.info.running_means, is_of_epochs=is_of_epochs),
        x_range=x_range,
        y_range=axis.limits,
        x_ticks=epoch_ticks(x_range, max(2, wide // 8)),
        y_ticks=axis.ticks,
        x_markers=tuple(float(row.epoch) for row in fit.epochs[-500:]),
        x_end=planned_end(fit, x_range),
        band=band,
        train=train,
        validation=validation,
        gap=gap,
        curves=baseline,
        legend=_legend(fit.epochs, metric.name, glyphs(markers), band_words(band, axis.limits), band, view),
        log_y=view.log_y,
        y_on_rows=axis.on_rows,
        markers=markers,
    )


def _baseline(view: ViewState, name: str) -> tuple[Curve, ...]:
    """Return the curve of the baseline's validation, or of its training where it has no validation."""
    if view.baseline is None or view.hides_baseline:
        return ()
    for metric in (VALIDATION_PREFIX + name, name):
        points = _epoch_points(view.baseline.epochs, metric)
        if len(points.x):
            return (Curve(points, "baseline", BASELINE_MARK),)
    return ()


def _title(name: str, view: ViewState, *, is_running: bool, is_of_epochs: bool) -> str:
    remarks = [name]
    if is_of_epochs:
        remarks.append("of whole epochs")
    elif is_running:
        remarks.append("running mean")
    if view.log_y:
        remarks.append("log")
    if view.smoothing:
        remarks.append(("", "smoothed", "not smoothed")[view.smoothing])
    return f" {', '.join(remarks)}"


def _epoch_points(epochs: tuple[EpochRow, ...], name: str) -> Points:
    held = [(row.epoch, row.metrics[name]) for row in epochs if name in row.metrics]
    if not held:
        return Points()
    return Points(*np.array(held, dtype=np.float64).T)


def _visible(points: Points, x_range: Limits) -> FloatArray:
    return points.y[(points.x >= x_range[0]) & (points.x <= x_range[1])]


def _against_baseline(view: ViewState, epochs: tuple[EpochRow, ...], name: str) -> tuple[LegendEntry, ...]:
    """Return what the baseline had at the newest epoch that both have, and how far this run is off it."""
    if view.baseline is None or view.hides_baseline:
        return ()
    name_shown = printable(view.baseline.name)
    if len(name_shown) > _LONGEST_NAME:
        name_shown = name_shown[: _LONGEST_NAME - 1] + "…"
    for row in reversed(epochs):
        then = view.baseline.value_at(row.epoch, name)
        if then is not None and name in row.metrics:
            difference = signed(row.metrics[name] - then, 4)
            return (LegendEntry(BASELINE_MARK, f"{difference} to {name_shown}", "baseline", difference),)
    return (LegendEntry(BASELINE_MARK, name_shown, "baseline"),)


def _legend(
    epochs: tuple[EpochRow, ...], name: str, glyph: Glyphs, words: str, band: Band | None, view: ViewState
) -> tuple[LegendEntry, ...]:
    metrics: Mapping[str, float] = epochs[-1].metrics if epochs else {}
    validated = VALIDATION_PREFIX + name
    entries = [LegendEntry(glyph.train_marker, "train", "train")]
    if name in metrics:
        value = rounded(metrics[name])
        entries = [LegendEntry(glyph.train_marker, f"train {value}", "train", value)]
    if validated in metrics:
        value = rounded(metrics[validated])
        entries.append(LegendEntry(glyph.validation_marker, f"validation {value}", "validation", value))
    entries += _against_baseline(view, epochs, validated if validated in metrics else name)
    if band is not None:
        entries.append(LegendEntry(glyph.line, "mean", "train"))
    if band is not None and words:
        entries.append(LegendEntry(glyph.edge if band.is_outline else glyph.band, words, "train-band"))
    return tuple(entries)
