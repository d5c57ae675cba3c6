"""Several runs on one chart: the same metric of each, over the same x axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from tui_monitor.charts.chart import data_area, dot_columns
from tui_monitor.charts.dots import logarithmic
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.charts.scale import (
    Limits,
    data_limits,
    epoch_ticks,
    round_step,
    ticks,
)
from tui_monitor.charts.spec import ChartSpec, Curve, FloatArray, Points, Tick
from tui_monitor.charts.y_axis import linear_axis, logarithmic_axis
from tui_monitor.history.snapshot import FitSnapshot
from tui_monitor.metric_names import VALIDATION_PREFIX
from tui_monitor.view.charts.chart_metrics import chart_metric, further_metrics
from tui_monitor.view.charts.epoch_axis import batch_edges, newest

_SMOOTHED = (1, 3, 9)
"""Neighbouring points that a smoothed curve averages, as many on one side as on the other."""
_NARROWEST = 0.02


class Side(StrEnum):
    """Which values are drawn."""

    VALIDATION = "validation"
    TRAINING = "training"
    BOTH = "both"


class XAxis(StrEnum):
    """What a value is drawn over."""

    EPOCH = "epoch"
    BATCH = "batch"
    SAMPLES = "samples"
    TIME = "minutes"


@dataclass(frozen=True, eq=False)
class OverlaidRun:
    """One of the runs."""

    name: str
    number: int
    """Of its mark, from 1: it is what tells its curve from others."""
    fit: FitSnapshot | None
    """None before its first epoch."""
    state: str = ""


@dataclass(frozen=True)
class OverlayState:
    """Everything the keys of the overlay change."""

    metric: int = 0
    """Index among `overlay_metrics`."""
    side: Side = Side.VALIDATION
    x: XAxis = XAxis.EPOCH
    hidden: frozenset[int] = frozenset()
    """Numbers of the runs that are not drawn."""
    log_y: bool = False
    smoothing: int = 0
    """Index of the points that are averaged."""
    window: Limits | None = None
    """Part of the x axis shown, as fractions of the whole; None for all."""

    def smoothed(self) -> OverlayState:
        """Return the state with the next smoothing."""
        return replace(self, smoothing=(self.smoothing + 1) % len(_SMOOTHED))

    def toggled(self, number: int) -> OverlayState:
        """Return the state with a run hidden, or shown again."""
        return replace(self, hidden=self.hidden ^ {number})

    def zoomed(self, factor: float) -> OverlayState:
        """Return the state with a window that many times as wide, around its middle."""
        low, high = self.window or (0.0, 1.0)
        half = max(_NARROWEST, (high - low) * factor) / 2
        return self.around((low + high) / 2, half) if half < 0.5 else replace(self, window=None)

    def panned(self, fraction: float) -> OverlayState:
        """Return the state with its window moved by a fraction of its width."""
        if self.window is None:
            return self
        low, high = self.window
        return self.around((low + high) / 2 + fraction * (high - low), (high - low) / 2)

    def around(self, middle: float, half: float) -> OverlayState:
        """Return the state with a window around a point, moved into the axis."""
        middle = min(max(middle, half), 1 - half)
        return replace(self, window=(middle - half, middle + half))


def overlay_metrics(runs: Sequence[OverlaidRun]) -> tuple[str, ...]:
    """Return the metrics that any run has, the loss first."""
    names = [name for run in runs if run.fit is not None for name in ("loss", *further_metrics(run.fit))]
    return tuple(dict.fromkeys(names)) or ("loss",)


def overlay_spec(
    runs: Sequence[OverlaidRun], state: OverlayState, size: tuple[int, int], markers: MarkerSet
) -> ChartSpec:
    """Return the chart of several runs.

    Args:
        runs: in the order of their numbers.
        state: what the user chose.
        size: columns and rows of the whole chart.
        markers: characters to draw with.
    """
    metrics = overlay_metrics(runs)
    name = metrics[state.metric % len(metrics)]
    shown = [run for run in runs if run.number not in state.hidden and run.fit is not None]
    full = _full_range(shown, state.x)
    low, high = state.window or (0.0, 1.0)
    x_range = (full[0] + low * (full[1] - full[0]), full[0] + high * (full[1] - full[0]))
    columns = dot_columns(size[0], markers)
    curves = [curve for run in shown for curve in _curves(run, name, state, x_range, columns)]
    visible = [_visible(points, x_range) for curve in curves for points in (curve.points, curve.marked)]
    wide, tall = data_area(*size, None)
    if state.log_y:
        axis = logarithmic_axis(data_limits(None, *map(logarithmic, visible)), tall)
    else:
        axis = linear_axis(data_limits(None, *visible), tall, ceiling=chart_metric(name).ceiling)
    remarks = [f"{name}, {state.side}" if state.side is not Side.BOTH else f"{name}, training (dim) and validation"]
    remarks += ["log"] if state.log_y else []
    remarks += [f"line: mean of {_SMOOTHED[state.smoothing]}, marks: values"] if state.smoothing else []
    return ChartSpec(
        title=f" {', '.join(remarks)}",
        x_range=x_range,
        y_range=axis.limits,
        x_ticks=_x_ticks(x_range, wide, state.x),
        y_ticks=axis.ticks,
        x_label=state.x.value,
        curves=tuple(curves),
        log_y=state.log_y,
        y_on_rows=axis.on_rows,
        markers=markers,
    )


def _x_ticks(x_range: Limits, width: int, axis: XAxis) -> tuple[Tick, ...]:
    return epoch_ticks(x_range, max(2, width // 8)) if axis is XAxis.EPOCH else ticks(x_range, max(2, width // 12))


def value_at(run: OverlaidRun, name: str, epoch: int | None = None) -> tuple[int, float] | None:
    """Return an epoch of a run and a metric's value in it: the one asked for, or the last; None where there is none."""
    rows = [row for row in (run.fit.epochs if run.fit is not None else ()) if name in row.metrics]
    if epoch is not None:
        rows = [row for row in rows if row.epoch == epoch]
    return (rows[-1].epoch, rows[-1].metrics[name]) if rows else None


def _curves(run: OverlaidRun, name: str, state: OverlayState, x_range: Limits, columns: int) -> list[Curve]:
    assert run.fit is not None
    found = []
    if state.side is not Side.VALIDATION:
        style = f"run-{run.number}" if state.side is Side.TRAINING else "baseline"
        values = _training(run.fit, name, state, x_range, columns)
        found.append(_curve(values, state, style, str(run.number) if state.side is Side.TRAINING else ""))
    if state.side is not Side.TRAINING:
        values = _epoch_points(run.fit, VALIDATION_PREFIX + name, state.x)
        found.append(_curve(values, state, f"run-{run.number}", str(run.number)))
    return found


def _training(fit: FitSnapshot, name: str, state: OverlayState, x_range: Limits, columns: int) -> Points:
    """Return the mean of the batches in each column, or the epochs' own values where batches have no place in x.

    Beside validation it is the epochs' own values, too: what scatters from batch to batch would hide all else.
    """
    series = fit.series.get(name)
    if state.side is Side.BOTH and any(name in row.metrics for row in fit.epochs):
        return _epoch_points(fit, name, state.x)
    if series is None or not len(series) or state.x not in (XAxis.EPOCH, XAxis.BATCH):
        return _epoch_points(fit, name, state.x)
    edges = np.linspace(*x_range, columns + 1)
    positions = batch_edges(fit, x_range, columns) if state.x is XAxis.EPOCH else edges
    mean = series.envelope(np.clip(positions, 0, len(series))).mean
    held = np.isfinite(mean)
    return Points(((edges[1:] + edges[:-1]) / 2)[held], mean[held])


def _epoch_points(fit: FitSnapshot, name: str, axis: XAxis) -> Points:
    rows = [(row, row.metrics[name]) for row in fit.epochs if name in row.metrics]
    if not rows:
        return Points()
    at = dict(zip((row.epoch for row in fit.epochs), _positions(fit, axis), strict=False))
    return Points(
        np.array([at[row.epoch] for row, _ in rows]), np.array([value for _, value in rows], dtype=np.float64)
    )


def _positions(fit: FitSnapshot, axis: XAxis) -> FloatArray:
    """Return where on the axis each epoch ends."""
    match axis:
        case XAxis.EPOCH:
            return np.array([float(row.epoch) for row in fit.epochs])
        case XAxis.BATCH:
            return np.cumsum([float(row.batches) for row in fit.epochs])
        case XAxis.SAMPLES:
            return np.cumsum([float(row.samples) for row in fit.epochs])
        case XAxis.TIME:
            # Since the fit began: the run's own time holds what came before.
            began = fit.epochs[0].ended - (fit.epochs[0].seconds or 0.0) if fit.epochs else 0.0
            return np.array([(row.ended - began) / 60 for row in fit.epochs])


def _curve(values: Points, state: OverlayState, style: str, mark: str) -> Curve:
    if not state.smoothing:
        return Curve(values, style, mark)
    return Curve(Points(values.x, smoothed(values.y, _SMOOTHED[state.smoothing])), style, mark, values)


def smoothed(values: FloatArray, width: int) -> FloatArray:
    """Return values each of which is the mean of its neighbours, as many on one side as on the other.

    Towards the ends there are fewer of them, and the first and the last value stay what they are: a mean of one side
    alone would move them away from what the curve comes from and goes to.

    Args:
        values: shape (points,); one that is not finite stays, and is part of no mean.
        width: how many values a mean is over at most, an odd number.
    """
    count = len(values)
    index = np.arange(count)
    reach = np.minimum(np.minimum(index, count - 1 - index), width // 2)
    held = np.isfinite(values)
    total = np.append(0.0, np.cumsum(np.where(held, values, 0.0)))
    counted = np.append(0, np.cumsum(held))
    low, high = index - reach, index + reach + 1
    inside = np.maximum(counted[high] - counted[low], 1)
    means = np.where(held & (reach > 0), (total[high] - total[low]) / inside, values)
    return np.asarray(means, np.float64)


def _full_range(runs: Sequence[OverlaidRun], axis: XAxis) -> Limits:
    ends = [0.0]
    for run in runs:
        assert run.fit is not None
        if axis is XAxis.EPOCH:
            ends.append(newest(run.fit))
        elif axis is XAxis.BATCH:
            ends.append(float(run.fit.batches))
        ends += [float(end) for end in _positions(run.fit, axis)[-1:]]
    end = max(ends) or 1.0
    # Moved in steps, so that the axis of a live run does not move with each batch.
    step = 1.0 if axis is XAxis.EPOCH else round_step(end, 10)
    return 0.0, step * float(np.ceil(end / step))


def _visible(points: Points, x_range: Limits) -> FloatArray:
    return points.y[(points.x >= x_range[0]) & (points.x <= x_range[1])]
