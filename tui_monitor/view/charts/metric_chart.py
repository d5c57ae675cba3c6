"""From a snapshot and a view to chart specifications: pure, and free of any terminal size but the dot columns."""

from collections.abc import Mapping

import numpy as np

from tui_monitor.charts.markers import Glyphs, MarkerSet, glyphs
from tui_monitor.charts.scale import (
    Limits,
    data_limits,
    epoch_ticks,
    logarithmic_limits,
    logarithmic_ticks,
    stepped_limits,
    ticks,
)
from tui_monitor.charts.spec import Band, ChartSpec, FloatArray, LegendEntry, Points
from tui_monitor.history.batches.series import whole_blocks
from tui_monitor.history.snapshot import EpochRow, FitSnapshot
from tui_monitor.metric_names import VALIDATION_PREFIX
from tui_monitor.units import rounded
from tui_monitor.view.charts.chart_metrics import ChartMetric
from tui_monitor.view.charts.epoch_axis import batch_edges, full_range
from tui_monitor.view.view_state import SMOOTHING, ViewState


def chart_spec(
    fit: FitSnapshot,
    metric: ChartMetric,
    view: ViewState,
    size: tuple[int, int],
    columns: int,
    *,
    previous: Limits | None = None,
    markers: MarkerSet = MarkerSet.BRAILLE,
) -> ChartSpec:
    """Return the chart of one metric.

    Args:
        fit: what ran so far.
        metric: the metric.
        view: window, smoothing and scale chosen by the user.
        size: of the data area, in cells: it decides how many ticks there is room for.
        columns: dot columns of the data area.
        previous: y limits last shown, kept while they still fit.
        markers: characters to draw with.
    """
    x_range = view.window or full_range(fit)
    band = _smoothed(_band(fit, metric.name, x_range, columns), SMOOTHING[view.smoothing])
    train = _epoch_points(fit.epochs, metric.name)
    validation = _epoch_points(fit.epochs, VALIDATION_PREFIX + metric.name)
    visible = [_visible(train, x_range), _visible(validation, x_range)]
    if view.log_y:
        wanted = data_limits(_positive(band), *(values[values > 0] for values in visible))
        y_range = logarithmic_limits(wanted, previous)
        y_ticks = logarithmic_ticks(y_range, max(2, size[1] // 2))
    else:
        y_range = stepped_limits(data_limits(band, *visible), previous, ceiling=metric.ceiling)
        y_ticks = ticks(y_range, min(8, max(3, size[1] // 3)))
    return ChartSpec(
        title=_title(metric.name, view, is_running=metric.name in fit.info.running_means),
        x_range=x_range,
        y_range=y_range,
        x_ticks=epoch_ticks(x_range, max(2, size[0] // 8)),
        y_ticks=y_ticks,
        x_markers=tuple(float(row.epoch) for row in fit.epochs[-500:]),
        band=band,
        train=train,
        validation=validation,
        legend=_legend(fit.epochs, metric.name, glyphs(markers), has_batches=band is not None),
        log_y=view.log_y,
        markers=markers,
    )


def _title(name: str, view: ViewState, *, is_running: bool) -> str:
    remarks = [name]
    if is_running:
        remarks.append("running mean")
    if view.log_y:
        remarks.append("log")
    if view.smoothing:
        remarks.append(f"smoothed {SMOOTHING[view.smoothing]:g}")
    return f" {', '.join(remarks)}"


def _band(fit: FitSnapshot, name: str, x_range: Limits, columns: int) -> Band | None:
    series = fit.series.get(name)
    if series is None or len(series) == 0:
        return None
    edges = np.minimum(batch_edges(fit, x_range, columns), len(series))
    envelope = series.envelope(whole_blocks(edges))
    return Band(envelope.low, envelope.mean, envelope.high, envelope.bad)


def _smoothed(band: Band | None, weight: float) -> Band | None:
    """Return the band with its mean line as a debiased exponential moving average over columns."""
    if band is None or weight == 0:
        return band
    mean = np.full(len(band.mean), np.nan)
    total = mass = 0.0
    for index, value in enumerate(band.mean):
        if np.isfinite(value):
            total = weight * total + (1 - weight) * float(value)
            mass = weight * mass + (1 - weight)
            mean[index] = total / mass
    return Band(band.low, mean, band.high, band.bad)


def _positive(band: Band | None) -> Band | None:
    if band is None:
        return None
    low, mean, high = (np.where(v > 0, v, np.nan) for v in (band.low, band.mean, band.high))
    return Band(low, mean, high, band.bad)


def _epoch_points(epochs: tuple[EpochRow, ...], name: str) -> Points:
    held = [(row.epoch, row.metrics[name]) for row in epochs if name in row.metrics]
    if not held:
        return Points()
    return Points(*np.array(held, dtype=np.float64).T)


def _visible(points: Points, x_range: Limits) -> FloatArray:
    return points.y[(points.x >= x_range[0]) & (points.x <= x_range[1])]


def _legend(epochs: tuple[EpochRow, ...], name: str, glyph: Glyphs, *, has_batches: bool) -> tuple[LegendEntry, ...]:
    metrics: Mapping[str, float] = epochs[-1].metrics if epochs else {}
    validated = VALIDATION_PREFIX + name
    train = f"train {rounded(metrics[name])}" if name in metrics else "train"
    entries = [LegendEntry(glyph.train_marker, train, "train")]
    if validated in metrics:
        entries.append(LegendEntry(glyph.validation_marker, f"validation {rounded(metrics[validated])}", "validation"))
    if has_batches:
        entries.append(LegendEntry(glyph.line, "mean", "train"))
        entries.append(LegendEntry(glyph.band, "min–max of batches", "train-band"))
    return tuple(entries)
