"""Recall and precision of each class over epochs, training and validation on one chart; a table holds every class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tui_monitor.charts.chart import GUTTER, data_area, draw_chart
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.charts.scale import data_limits, epoch_ticks
from tui_monitor.charts.spec import ChartSpec, Points
from tui_monitor.charts.y_axis import linear_axis
from tui_monitor.history.snapshot import FitSnapshot
from tui_monitor.run_log.events.explanation import Classes, Explanation
from tui_monitor.units import percentage
from tui_monitor.view.charts.epoch_axis import full_range
from tui_monitor.view.panels.evidence.dots import TRAIN, VALIDATION
from tui_monitor.view.text.rows import Row, Rows, Run, cell_len, left, plain, right, wrap

_LEGEND: Row = (
    Run(f" {TRAIN}", "train-mark"),
    Run(" training  ", "muted"),
    Run(VALIDATION, "validation"),
    Run(" validation", "muted"),
)
_LEAST_CHART, _TALLEST_CHART = 7, 24
_FIELD = 9
_QUALITIES = ("recall", "precision")
_SIDES = ("train", "validation")


@dataclass(frozen=True)
class _History:
    """What was measured of every class at the end of each epoch; NaN where a value does not exist."""

    labels: tuple[str, ...]
    epochs: tuple[int, ...]
    name: str
    """What an entry is called, `class` or `label`."""
    values: Mapping[str, np.ndarray[tuple[int, int], np.dtype[np.float64]]]
    """`train_recall`, ... to an array of shape (epochs, classes)."""


def recall_rows(fit: FitSnapshot, width: int, height: int, markers: MarkerSet) -> Rows:
    """Return charts for as many classes as there is room for, those with the lowest validation recall, and the table.

    Args:
        fit: what ran so far.
        width: cells a row.
        height: rows to be seen at once.
        markers: characters to draw curves with.
    """
    history = _history(fit)
    if history is None:
        return wrap("Recall and precision by class were not measured in this run (yet).", width)
    table = _table(history, width)
    seen_of_table = min(len(table), 6)
    most = max(1, (height - seen_of_table - 1) // _LEAST_CHART)
    chosen = _chosen(history, most)
    each = max(_LEAST_CHART, min(_TALLEST_CHART, (height - seen_of_table - 1) // max(1, len(chosen))))
    rows: list[Row] = []
    for index in chosen:
        rows += _pair(fit, history, index, width, each, markers)
    return (*rows, _LEGEND, *table)


def _history(fit: FitSnapshot) -> _History | None:
    """Return the classes of each epoch's last explanation at its end; what is damaged is left out."""
    ended: dict[int, Classes] = {}
    has_labels = False
    for held in fit.explanations:
        classes = _classes(held.explanation)
        if held.batch is None and classes is not None:
            ended[held.epoch] = classes
            has_labels = held.explanation is not None and held.explanation.labels is not None
    if not ended:
        return None
    names = max((classes.labels for classes in ended.values()), key=len)
    epochs = tuple(sorted(ended))
    values = {
        f"{side}_{quality}": np.array([_padded(getattr(ended[e], f"{side}_{quality}"), len(names)) for e in epochs])
        for side in _SIDES
        for quality in _QUALITIES
    }
    return _History(names, epochs, "label" if has_labels else "class", values) if names else None


def _classes(explanation: Explanation | None) -> Classes | None:
    if explanation is None:
        return None
    return explanation.classes if explanation.labels is None else explanation.labels.each


def _padded(values: Sequence[float | None], size: int) -> list[float]:
    known = [float("nan") if value is None else value for value in values[:size]]
    return known + [float("nan")] * (size - len(known))


def _chosen(history: _History, most: int) -> list[int]:
    """Return the classes to draw, in the order of their labels."""
    newest = history.values["validation_recall"][-1]
    order = sorted(range(len(history.labels)), key=lambda i: (newest[i] if np.isfinite(newest[i]) else 2.0, i))
    return sorted(order[:most])


def _pair(
    fit: FitSnapshot, history: _History, index: int, width: int, height: int, markers: MarkerSet
) -> tuple[Row, ...]:
    """Return two charts side by side."""
    half = width // 2
    parts = [
        draw_chart(_spec(fit, history, index, quality, (size, height), markers), size, height).rows
        for quality, size in zip(_QUALITIES, (half, width - half), strict=True)
    ]
    return tuple((*first, *second) for first, second in zip(*parts, strict=True))


def _spec(
    fit: FitSnapshot, history: _History, index: int, quality: str, size: tuple[int, int], markers: MarkerSet
) -> ChartSpec:
    x = np.array(history.epochs, dtype=np.float64)
    train, validation = (_points(x, history.values[f"{side}_{quality}"][:, index]) for side in _SIDES)
    x_range = full_range(fit)
    axis = linear_axis(data_limits(None, train.y, validation.y), data_area(*size, None)[1], ceiling=1.0)
    return ChartSpec(
        title=f" {quality}, {history.name} {plain(history.labels[index])}",
        x_range=x_range,
        y_range=axis.limits,
        x_ticks=epoch_ticks(x_range, max(2, (size[0] - GUTTER) // 8)),
        y_ticks=axis.ticks,
        y_on_rows=axis.on_rows,
        train=train,
        validation=validation,
        markers=markers,
    )


def _points(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> Points:
    known = np.isfinite(y)
    return Points(x[known], y[known])


def _table(history: _History, width: int) -> Rows:
    label = max(6, *(cell_len(plain(name)) + 1 for name in history.labels))
    columns = [(f"{side}_{quality}", side, quality) for quality in _QUALITIES for side in _SIDES]
    label = min(label, max(6, width - len(columns) * _FIELD))
    wide = width >= label + len(columns) * (_FIELD + 9)
    field = _FIELD + 9 if wide else _FIELD
    heads = tuple(right(quality, 2 * field, "strong") for quality in _QUALITIES)
    names = tuple(
        right("training" if side == "train" else "validation" if wide else "valid.", field, "muted")
        for _, side, _ in columns
    )
    rows: list[Row] = [(left("", label), *heads)]
    rows.append((left(history.name, label, "muted"), *names))
    for index, name in enumerate(history.labels):
        fields = [right(_said(history.values[key], index, wide=wide), field) for key, _, _ in columns]
        rows.append((left(plain(name), label), *fields))
    return tuple(rows)


def _said(values: np.ndarray[Any, Any], index: int, *, wide: bool) -> str:
    """Return the newest value, with its change since the epoch before where there is room."""
    newest = float(values[-1, index])
    if not np.isfinite(newest):
        return "–"
    before = float(values[-2, index]) if wide and len(values) > 1 else float("nan")
    if not np.isfinite(before):
        return percentage(newest, 1)
    change = 100 * (newest - before)
    arrow = "=" if abs(change) < 0.05 else f"{'↑' if change > 0 else '↓'}{abs(change):.1f}"
    return f"{arrow} {percentage(newest, 1):>8}"
