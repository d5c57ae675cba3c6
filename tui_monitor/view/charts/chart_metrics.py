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
    """Return the metrics besides the loss, accuracy first, then in the order the run names them."""
    names = [canonical_metric(name) for name in fit.info.metrics]
    names += [name for row in fit.epochs[-1:] for name in row.metrics]
    stems = dict.fromkeys(n.removeprefix(VALIDATION_PREFIX) for n in names)
    return tuple(sorted((n for n in stems if n != "loss"), key=lambda name: name != "accuracy"))


def chart_metric(name: str) -> ChartMetric:
    """Return a metric with the bound its name implies."""
    return ChartMetric(name, 1.0 if name in _FRACTIONS else math.inf)


def shown_metrics(fit: FitSnapshot, view: ViewState) -> tuple[ChartMetric, ...]:
    """Return what the two charts show: the loss, and the further metric that was chosen, if there is any."""
    further = further_metrics(fit)
    names = ("loss", further[view.metric % len(further)]) if further else ("loss",)
    return tuple(map(chart_metric, names))
