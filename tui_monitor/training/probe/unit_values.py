"""What the rows that a step has measured say of each unit (a sample, a time step, a pixel)."""

from collections.abc import Mapping

import numpy as np

from tui_monitor.explain.samples.probes import (
    NO_CLASS,
    FloatArray,
    IntArray,
)
from tui_monitor.training.step.classes import NO_CONFIDENCE
from tui_monitor.training.step.per_sample_metrics import PerSampleMetrics, UnitCounts


def labels(metrics: PerSampleMetrics, rows: Mapping[str, FloatArray], *, has_classes: bool) -> IntArray:
    """Return the class of each unit; units that don't count for the loss are a class of their own, the last."""
    if not has_classes or metrics.classes is None:
        return np.full(rows["label"].size, NO_CLASS)
    label = whole(rows["label"])
    return np.where(whole(rows["counted"]) & 1 == 1, label, metrics.classes.count) if metrics.is_masked else label


def predicted(rows: Mapping[str, FloatArray], *, has_classes: bool) -> IntArray:
    """Return the class that each unit is taken for."""
    return whole(rows["predicted"]) if has_classes else np.full(rows["predicted"].size, NO_CLASS)


def class_counts(metrics: PerSampleMetrics, counts: UnitCounts | None) -> IntArray | None:
    """Return how many units each class has, those left out a class of their own, the last; None where unknown."""
    if counts is None or counts.classes is None:
        return None
    return np.append(counts.classes, counts.left_out) if metrics.is_masked else counts.classes


def confidence(values: FloatArray) -> FloatArray:
    """Return the confidence in each unit's predicted class, NaN where there is none."""
    return np.where(values == NO_CONFIDENCE, np.nan, values)


def whole(values: FloatArray) -> IntArray:
    """Return values that float arithmetic carries as the whole numbers that they are."""
    return np.rint(values).astype(np.int64)
