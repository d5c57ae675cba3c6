"""The units of a side that one mean is over, where not every unit is part of every mean: masked time steps, for one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tui_monitor.explain.samples.probes import IN_LOSS, IntArray, PerSampleMetric, TrainingProbe, ValidationProbe


def training_counted(probe: TrainingProbe, what: int) -> TrainingProbe:
    """Return the probed units alone that are part of a mean.

    Args:
        probe: of training.
        what: `IN_LOSS`, `IN_ACCURACY`, or both for the units that are part of both means.
    """
    if probe.counted is None:
        return probe
    chosen = (probe.counted & what) == what
    return replace(
        probe,
        **_units(probe, chosen),
        loss=_metric(probe.loss, chosen),
        accuracy=None if probe.accuracy is None else _metric(probe.accuracy, chosen),
        epoch_class_counts=_counts(probe.epoch_class_counts, what),
    )


def validation_counted(probe: ValidationProbe, what: int) -> ValidationProbe:
    """Return the units of validation alone that are part of a mean, see `training_counted`."""
    if probe.counted is None:
        return probe
    chosen = (probe.counted & what) == what
    return replace(
        probe,
        **_units(probe, chosen),
        loss=probe.loss[chosen],
        correct=None if probe.correct is None else probe.correct[chosen],
        class_counts=_counts(probe.class_counts, what),
    )


def _units(probe: TrainingProbe | ValidationProbe, chosen: Any) -> Mapping[str, Any]:
    names = ("batch", "label", "predicted", "weight", "confidence", "sample", "counted")
    found = {name: getattr(probe, name) for name in names}
    return {name: None if value is None else value[chosen] for name, value in found.items()}


def _metric(metric: PerSampleMetric, chosen: Any) -> PerSampleMetric:
    return replace(
        metric,
        then=metric.then[chosen],
        training=metric.training[chosen],
        inference=metric.inference[chosen],
        unweighted=None if metric.unweighted is None else metric.unweighted[chosen],
    )


def _counts(counts: IntArray | None, what: int) -> IntArray | None:
    """Return the class counts of a mean's units; the last class holds those that are no part of the loss."""
    return counts[:-1] if counts is not None and what & IN_LOSS else counts
