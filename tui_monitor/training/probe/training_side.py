"""The side of training in a ledger: of one output, or of the whole model by its batches."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tui_monitor.explain.samples.probes import (
    NO_CLASS,
    Averaging,
    IntArray,
    PerSampleMetric,
    TrainingProbe,
    Weighting,
)
from tui_monitor.run_log.events.ledger import Cause
from tui_monitor.training.probe import unit_values
from tui_monitor.training.probe.both_sides import REPRODUCED, Measured
from tui_monitor.training.probe.measured import batch_loss


def training_of(known: Measured, index: int, scale: float, *, by_batch: bool = False) -> TrainingProbe:
    """Return the side of training for one output.

    Args:
        known: of the epoch.
        index: of the output.
        scale: by which its samples' losses are multiplied.
        by_batch: whether each sample's loss is that of its batch, as samples' losses do not add up to the model's.
    """
    metrics, output = known.plan.outputs[index], known.training.outputs[index]
    counts, _ = known.counts(index)
    has_classes = known.has_classes(index)
    whole = len(known.plan.outputs) == 1
    name = "loss" if whole else metrics.loss_name
    loss = PerSampleMetric(
        then=output.then["loss"] * scale,
        training=output.training["loss"] * scale,
        inference=output.inference["loss"] * scale,
        weighting=metrics.loss_weighting,
        # A loss times a `loss_weights` of its own is no entropy any more.
        in_nats=metrics.is_cross_entropy and has_classes and scale == 1.0,
        **reported_loss(known, name),
        **(offsets(known) if whole and not by_batch else {}),
    )
    return TrainingProbe(
        batch=output.batch,
        label=unit_values.labels(metrics, output.inference, has_classes=has_classes),
        predicted=unit_values.predicted(output.inference, has_classes=has_classes),
        weight=output.then["weight"],
        loss=_loss_of_batches(known, output.batch) if by_batch else loss,
        accuracy=_accuracy(known, index),
        epoch_batches=known.totals.batches,
        epoch_class_counts=unit_values.class_counts(metrics, counts) if has_classes else None,
        confidence=unit_values.confidence(output.inference["confidence"]),
        sample=output.sample,
        batch_samples=known.training.samples if metrics.has_units else None,
        counted=unit_values.whole(output.inference["counted"]) if metrics.is_masked else None,
    )


def training_by_batch(known: Measured) -> TrainingProbe:
    """Return the side of training for the whole model, each sample standing for its batch."""
    samples = known.training.samples.astype(np.int64)
    batch = np.repeat(np.arange(samples.size), samples)
    nothing = np.full(batch.size, NO_CLASS)
    return TrainingProbe(
        batch=batch,
        label=nothing,
        predicted=nothing,
        # The weights of its samples are in a batch's loss already.
        weight=np.ones(batch.size),
        loss=_loss_of_batches(known, batch),
        accuracy=None,
        epoch_batches=known.totals.batches,
        epoch_class_counts=None,
    )


def _loss_of_batches(known: Measured, batch: IntArray) -> PerSampleMetric:
    then, unweighted = np.array([batch.loss for batch in known.batches]), known.training.unweighted_loss
    is_hidden = known.is_weighted and unweighted is None
    return PerSampleMetric(
        then=then[batch],
        training=known.training.training_loss[batch],
        inference=known.training.inference_loss[batch],
        weighting=Weighting.NONE,
        unweighted=None if unweighted is None else unweighted[batch],
        is_of_batches=True,
        unsplit=(Cause.SAMPLE_WEIGHTS, Cause.CLASS_MIX) if is_hidden else (Cause.CLASS_MIX,),
        in_nats=False,
        **reported_loss(known, "loss"),
    )


def reported_loss(known: Measured, name: str) -> Mapping[str, Any]:
    """Return a loss of training as reported, and how it averages batches, as fields of a `PerSampleMetric`."""
    reported = known.reported.get(name, float("nan"))
    place = known.position(name)
    averaging = Averaging.SAMPLES if place is None else known.totals.averaging_behind(place, reported)
    return {"reported": reported, "averaging": averaging}


def offsets(known: Measured) -> Mapping[str, Any]:
    """Return what the model's losses hold beyond their samples', see `PerSampleMetric`.

    Without a penalty of the model, a difference that rounding may give counts as none.
    """
    recorded = np.array([batch.loss for batch in known.batches])
    own = np.zeros(recorded.size)
    for metrics, output in zip(known.plan.outputs, known.training.outputs, strict=True):
        rows = np.stack([output.then[name] for name in metrics.rows])
        for index in range(recorded.size):
            own[index] += metrics.loss_scale * batch_loss(metrics, rows[:, output.batch == index])
    # `np.average` refuses weights that add up to 0, as those of empty batches do.
    samples = known.training.samples if known.training.samples.sum() else np.ones(recorded.size)
    difference, penalty = float(np.average(recorded - own, weights=samples)), known.training.penalty
    # Not `<=`: a difference that is NaN says nothing either.
    if penalty == 0.0 and not abs(difference) > REPRODUCED * float(np.mean(np.abs(recorded))):
        difference = 0.0
    return {"offset_then": difference, "offset_now": penalty}


def _accuracy(known: Measured, index: int) -> PerSampleMetric | None:
    metrics, output = known.plan.outputs[index], known.training.outputs[index]
    place = known.position(metrics.accuracy_name)
    if place is None or known.is_meaningless(index):
        return None
    reported = known.reported[metrics.accuracy_name or ""]
    return PerSampleMetric(
        then=output.then["correct"],
        training=output.training["correct"],
        inference=output.inference["correct"],
        reported=reported,
        averaging=known.totals.averaging_behind(place, reported),
        weighting=metrics.accuracy_weighting,
    )
