"""Which metrics the charts show, and the bounds that their names imply."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_monitor.metric_names import VALIDATION_PREFIX, canonical_metric

if TYPE_CHECKING:
    from tui_monitor.history.snapshot import FitSnapshot
    from tui_monitor.view.view_state import ViewState

_FRACTIONS = frozenset({"accuracy", "auc", "precision", "recall", "top_k_categorical_accuracy"})


@dataclass(frozen=True)
class ChartMetric:
    """What one chart shows."""

    name: str
    """Canonical metric name, without the validation prefix."""
    ceiling: float
    """A bound it can't exceed."""


def further_metrics(fit: FitSnapshot) -> tuple[str, ...]:
    """Return the metrics besides the first, accuracy before the others, which stand in the order the run names them."""
    return every_metric(fit)[1:]


def every_metric(fit: FitSnapshot) -> tuple[str, ...]:
    """Return all metrics: the loss first, or where there is none the first metric that the run names."""
    names = [canonical_metric(name) for name in fit.info.metrics]
    names += [name for row in fit.epochs[-1:] for name in row.metrics]
    stems = dict.fromkeys(n.removeprefix(VALIDATION_PREFIX) for n in names)
    if "loss" in stems or not stems:
        return ("loss", *sorted((n for n in stems if n != "loss"), key=lambda name: name != "accuracy"))
    return tuple(stems)


def chart_metric(name: str) -> ChartMetric:
    """Return a metric with the bound its name implies."""
    return ChartMetric(name, 1.0 if name in _FRACTIONS else math.inf)


def shown_metrics(fit: FitSnapshot, view: ViewState, charts: int = 2) -> tuple[ChartMetric, ...]:
    """Return what the charts show.

    Args:
        fit: the call of fit.
        view: says which metric was chosen.
        charts: how many there is room for: with two, the first metric and a further one; with one, the chosen of all.
    """
    every = every_metric(fit)
    further = every[1:]
    if charts == 1:
        return (chart_metric(every[view.metric % len(every)]),)
    names = (every[0], further[view.metric % len(further)]) if further else every
    return tuple(map(chart_metric, names))
