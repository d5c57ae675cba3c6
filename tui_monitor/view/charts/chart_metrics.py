"""What the charts show: which metrics a run has, and the bounds that their names imply."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_monitor.metric_names import VALIDATION_PREFIX, canonical_metric

if TYPE_CHECKING:
    from tui_monitor.history.snapshot import PhaseSnapshot

_FRACTIONS = frozenset({"accuracy", "auc", "precision", "recall", "top_k_categorical_accuracy"})


@dataclass(frozen=True)
class Quantity:
    """What one chart shows."""

    name: str
    """Canonical metric name, without the validation prefix."""
    ceiling: float
    """A bound it can't exceed."""


def further_metrics(phase: PhaseSnapshot) -> tuple[str, ...]:
    """Return the metrics besides the loss, accuracy first, then in the order the run names them."""
    names = [canonical_metric(name) for name in phase.info.metrics]
    names += [name for row in phase.epochs[-1:] for name in row.figures]
    stems = dict.fromkeys(n.removeprefix(VALIDATION_PREFIX) for n in names)
    return tuple(sorted((n for n in stems if n != "loss"), key=lambda name: name != "accuracy"))


def quantity(name: str) -> Quantity:
    """Return a metric with the bound its name implies."""
    return Quantity(name, 1.0 if name in _FRACTIONS else math.inf)
