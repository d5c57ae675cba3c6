"""Measured values become the two sides that a ledger compares, of the whole model and of each of its outputs.

A model's loss is made of its samples' where they add up to it. Otherwise it is measured by whole batches: each sample
then stands for its batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tui_monitor.explain.samples.probes import (
    NO_CLASS,
    Averaging,
    FloatArray,
    IntArray,
    PerSampleMetric,
    TrainingProbe,
    ValidationProbe,
    Weighting,
    effective_weights,
)
from tui_monitor.metric_names import VALIDATION_PREFIX
from tui_monitor.run_log.events.ledger import Cause
from tui_monitor.training.probe.batches import UnpackedBatch
from tui_monitor.training.probe.measured import MeasuredBatches, batch_loss
from tui_monitor.training.probe.validation_record import ValidationRecord
from tui_monitor.training.record.epoch_totals import EpochTotals
from tui_monitor.training.step.classes import NO_CONFIDENCE, ClassKind
from tui_monitor.training.step.payload import StepPlan
from tui_monitor.training.step.per_sample_metrics import PerSampleMetrics, UnitCounts

REPRODUCED = 1e-3
"""Relative difference up to which a value counts as reproduced by its parts."""


@dataclass(frozen=True)
class Measured:
    """What is known of an epoch, or of its part so far, on both sides."""

    plan: StepPlan
    """Of the training step."""
    batches: Sequence[UnpackedBatch]
    """Of training, those that were measured."""
    training: MeasuredBatches
    totals: EpochTotals
    reported: Mapping[str, float]
    """By the names of Keras' logs, validation's too."""
    validation: ValidationRecord
    now: MeasuredBatches | None = None
    """Batches kept of the newest validation as they are measured again; None where its own steps have measured all."""
    is_at_end: bool = True
    """Whether the epoch has ended, so that its validation has reported values."""

    @property
    def is_weighted(self) -> bool:
        """Whether samples come with weights."""
        return any(batch.inputs["sample_weight"] for batch in self.batches)

    def position(self, name: str | None) -> int | None:
        """Return a metric's position among those of each batch, or None where it has none or is not reported."""
        names = self.plan.metrics
        return names.index(name) if name in names and name in self.reported and name is not None else None

    def counts(self, index: int) -> tuple[UnitCounts | None, UnitCounts | None]:
        """Return the unit counts of an output, in training and in validation."""
        of = self.plan.counts_of
        return of(index, self.totals.counts), of(index, self.validation.counts)

    def has_classes(self, index: int) -> bool:
        """Whether every unit of an output has a class, on both sides."""
        train, validation = self.counts(index)
        return train is not None and train.is_hard and (validation is None or validation.is_hard)

    def is_meaningless(self, index: int) -> bool:
        """Whether an output's accuracy means nothing, as its targets are no classes."""
        classes = self.plan.outputs[index].classes
        if classes is None or self.has_classes(index):
            return False
        return classes.kind is ClassKind.BINARY or not classes.is_classifying


def whole_training(known: Measured) -> TrainingProbe:
    """Return the side of training for the model's own loss, and its accuracy where it has one output."""
    plan = known.plan
    if len(plan.outputs) == 1:
        return _training(known, 0, plan.outputs[0].loss_scale, by_batch=bool(plan.by_batch))
    if plan.by_batch or not plan.outputs or not _can_be_summed(known):
        return _training_by_batch(known)
    parts = [_training(known, index, metrics.loss_scale) for index, metrics in enumerate(plan.outputs)]
    loss = replace(
        parts[0].loss,
        then=_sum(part.loss.then for part in parts),
        training=_sum(part.loss.training for part in parts),
        inference=_sum(part.loss.inference for part in parts),
        unsplit=(Cause.CLASS_MIX,) if any(known.has_classes(index) for index in range(len(parts))) else (),
        in_nats=False,
        **_reported_loss(known, "loss"),
        **_offsets(known),
    )
    # Each output names classes of its own, so a sample of the whole model has none.
    nothing = np.full_like(parts[0].label, NO_CLASS)
    return replace(
        parts[0],
        loss=loss,
        accuracy=None,
        label=nothing,
        predicted=nothing,
        epoch_class_counts=None,
        confidence=None,
    )


def whole_validation(known: Measured) -> ValidationProbe | None:
    """Return the side of validation for the model's own loss; None without validation."""
    plan = known.plan
    if known.is_at_end and known.validation.loss is None:
        return None
    if len(plan.outputs) == 1:
        return _validation(known, 0, plan.outputs[0].loss_scale, by_batch=bool(plan.by_batch))
    if plan.by_batch or not plan.outputs or not _can_be_summed(known):
        return _validation_by_batch(known)
    parts = [_validation(known, index, metrics.loss_scale) for index, metrics in enumerate(plan.outputs)]
    sides = [part for part in parts if part is not None]
    if len(sides) < len(parts):
        return None
    nothing = np.full_like(sides[0].label, NO_CLASS)
    side = replace(
        sides[0],
        loss=_sum(side.loss for side in sides),
        label=nothing,
        predicted=nothing,
        correct=None,
        class_counts=None,
        confidence=None,
    )
    return replace(side, **_reported_validation(known, "loss"), offset=known.training.inference_penalty)


def output_training(known: Measured, index: int) -> TrainingProbe:
    """Return the side of training for one of several outputs, its own loss as Keras logs it."""
    return _training(known, index, 1.0)


def output_validation(known: Measured, index: int) -> ValidationProbe | None:
    """Return the side of validation for one of several outputs."""
    return _validation(known, index, 1.0)


def _can_be_summed(known: Measured) -> bool:
    """Whether the outputs' losses can be added up sample by sample: samples are their units and weights the same."""
    if any(metrics.axes or metrics.is_masked for metrics in known.plan.outputs):
        return False
    weighting = {metrics.loss_weighting for metrics in known.plan.outputs}
    weights = [output.then["weight"] for output in known.training.outputs]
    return len(weighting) == 1 and all(np.array_equal(weight, weights[0]) for weight in weights)


def _sum(parts: Any) -> FloatArray:
    return np.asarray(np.sum(list(parts), axis=0))


# Training


def _training(known: Measured, index: int, scale: float, *, by_batch: bool = False) -> TrainingProbe:
    metrics, output = known.plan.outputs[index], known.training.outputs[index]
    counts, _ = known.counts(index)
    has_classes = known.has_classes(index)
    whole = len(known.plan.outputs) == 1
    has_units = bool(metrics.axes) or metrics.is_masked
    name = "loss" if whole else metrics.loss_name
    loss = PerSampleMetric(
        then=output.then["loss"] * scale,
        training=output.training["loss"] * scale,
        inference=output.inference["loss"] * scale,
        weighting=metrics.loss_weighting,
        # A loss times a `loss_weights` of its own is no entropy any more.
        in_nats=metrics.is_cross_entropy and has_classes and scale == 1.0,
        **_reported_loss(known, name),
        **(_offsets(known) if whole and not by_batch else {}),
    )
    return TrainingProbe(
        batch=output.batch,
        label=_labels(metrics, output.inference, has_classes=has_classes),
        predicted=_predicted(output.inference, has_classes=has_classes),
        weight=output.then["weight"],
        loss=_loss_of_batches(known, output.batch) if by_batch else loss,
        accuracy=_accuracy(known, index),
        epoch_batches=known.totals.batches,
        epoch_class_counts=_class_counts(metrics, counts) if has_classes else None,
        confidence=_confidence(output.inference["confidence"]),
        sample=output.sample,
        batch_samples=known.training.samples if has_units else None,
        counted=_whole(output.inference["counted"]) if metrics.is_masked else None,
    )


def _training_by_batch(known: Measured) -> TrainingProbe:
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
    hidden = known.is_weighted and unweighted is None
    return PerSampleMetric(
        then=then[batch],
        training=known.training.training_loss[batch],
        inference=known.training.inference_loss[batch],
        weighting=Weighting.NONE,
        unweighted=None if unweighted is None else unweighted[batch],
        is_of_batches=True,
        unsplit=(Cause.SAMPLE_WEIGHTS, Cause.CLASS_MIX) if hidden else (Cause.CLASS_MIX,),
        in_nats=False,
        **_reported_loss(known, "loss"),
    )


def _reported_loss(known: Measured, name: str) -> Mapping[str, Any]:
    reported = known.reported.get(name, float("nan"))
    place = known.position(name)
    averaging = Averaging.SAMPLES if place is None else known.totals.averaging_behind(place, reported)
    return {"reported": reported, "averaging": averaging}


def _offsets(known: Measured) -> Mapping[str, Any]:
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


# Validation


def _validation(known: Measured, index: int, scale: float, *, by_batch: bool = False) -> ValidationProbe | None:
    metrics = known.plan.outputs[index]
    found = _validation_units(known, index)
    if found is None:
        return None
    _, counts = known.counts(index)
    has_classes, whole = known.has_classes(index), len(known.plan.outputs) == 1
    has_units = bool(metrics.axes) or metrics.is_masked
    scored = known.position(metrics.accuracy_name) is not None and not known.is_meaningless(index)
    loss = found.rows["loss"] * scale
    if by_batch:
        loss = found.batch_loss[found.batch]
    side = ValidationProbe(
        batch=found.batch,
        label=_labels(metrics, found.rows, has_classes=has_classes),
        predicted=_predicted(found.rows, has_classes=has_classes),
        weight=found.rows["weight"],
        loss=loss,
        correct=found.rows["correct"] if scored else None,
        reported_loss=None,
        reported_accuracy=None,
        class_counts=_class_counts(metrics, counts) if has_classes else None,
        complete=found.complete,
        offset=known.training.inference_penalty if whole and not by_batch else 0.0,
        weighting=metrics.loss_weighting,
        accuracy_weighting=metrics.accuracy_weighting,
        confidence=_confidence(found.rows["confidence"]),
        sample=found.sample,
        batch_samples=found.samples if has_units else None,
        counted=_whole(found.rows["counted"]) if metrics.is_masked else None,
        accuracy_averaging=Averaging.UNITS if has_units else Averaging.SAMPLES,
    )
    accuracy = known.reported.get(f"{VALIDATION_PREFIX}{metrics.accuracy_name}") if scored else None
    side = replace(side, reported_accuracy=accuracy if known.is_at_end else None)
    if whole:
        return replace(side, **_reported_validation(known, "loss"))
    side = replace(side, **_reported_validation(known, metrics.loss_name))
    return side if has_units else replace(side, averaging=_averaging_of_output(known, metrics.loss_name, side))


@dataclass(frozen=True)
class _Units:
    """Validation's units of one output."""

    rows: Mapping[str, FloatArray]
    batch: IntArray
    sample: IntArray | None
    samples: FloatArray
    """Of each batch."""
    batch_loss: FloatArray
    """The model's own loss of each batch."""
    complete: bool


def _validation_units(known: Measured, index: int) -> _Units | None:
    metrics, record = known.plan.outputs[index], known.validation
    if known.now is not None:
        now = known.now.outputs[index]
        complete = known.now.samples.size == record.batches
        return _Units(now.inference, now.batch, now.sample, known.now.samples, known.now.inference_loss, complete)
    batches = record.by_sample
    if not batches:
        return None
    begin = sum(len(before.rows) for before in known.plan.outputs[:index])
    parts = [metrics.taken(batch.rows[begin : begin + len(metrics.rows)], batch.samples) for batch in batches]
    rows = dict(zip(metrics.rows, np.concatenate(parts, axis=1), strict=True))
    places = [batch.index for batch in batches]
    samples = np.array([batch.samples for batch in batches])
    units = np.array([part.shape[1] for part in parts])
    inner = np.repeat(units // np.maximum(samples, 1), samples)
    return _Units(
        rows=rows,
        batch=np.repeat(np.arange(units.size), units),
        sample=np.repeat(np.arange(inner.size), inner) if metrics.axes else None,
        samples=samples.astype(np.float64),
        batch_loss=record.losses[places],
        complete=len(batches) == record.batches,
    )


def _validation_by_batch(known: Measured) -> ValidationProbe | None:
    record, now = known.validation, known.now
    if not record.batches:
        return None
    samples = (record.samples if now is None else now.samples).astype(np.int64)
    losses = record.losses if now is None else now.inference_loss
    batch = np.repeat(np.arange(samples.size), samples)
    nothing = np.full(batch.size, NO_CLASS)
    side = ValidationProbe(
        batch=batch,
        label=nothing,
        predicted=nothing,
        weight=np.ones(batch.size),
        loss=losses[batch],
        correct=None,
        reported_loss=None,
        reported_accuracy=None,
        class_counts=None,
        complete=samples.size == record.batches,
        weighting=Weighting.NONE,
    )
    return replace(side, **_reported_validation(known, "loss"))


def _reported_validation(known: Measured, name: str) -> Mapping[str, Any]:
    """Return validation's loss as reported, and how it averages batches; nothing is reported within an epoch."""
    if not known.is_at_end:
        return {}
    reported = known.reported.get(f"{VALIDATION_PREFIX}{name}")
    losses, samples = known.validation.losses, known.validation.samples
    averaging = Averaging.SAMPLES
    if name == "loss" and reported is not None and np.isfinite(losses).all() and samples.sum():
        by_samples, by_batches = np.average(losses, weights=samples), losses.mean()
        # Where only rounding tells both means apart, Keras' own loop decides: it counts samples.
        if abs(by_batches - reported) < abs(by_samples - reported) - 1e-5 * abs(reported):
            averaging = Averaging.BATCHES
    return {"reported_loss": reported, "averaging": averaging}


def _averaging_of_output(known: Measured, name: str, side: ValidationProbe) -> Averaging:
    """Return how an output's reported loss averages validation's batches: as the nearest mean, or as training's."""
    if side.reported_loss is None or not side.complete or not np.isfinite(side.loss).all():
        averaging: Averaging = _reported_loss(known, name)["averaging"]
        return averaging
    weighted = side.loss * effective_weights(side.weight, side.batch, side.weighting)
    by_batches = float((np.bincount(side.batch, weights=weighted) / np.bincount(side.batch)).mean())
    is_nearer = abs(by_batches - side.reported_loss) < abs(float(weighted.mean()) - side.reported_loss)
    return Averaging.BATCHES if is_nearer else Averaging.SAMPLES


# What rows say


def _labels(metrics: PerSampleMetrics, rows: Mapping[str, FloatArray], *, has_classes: bool) -> IntArray:
    """Return the class of each unit; units that don't count for the loss are a class of their own, the last."""
    if not has_classes or metrics.classes is None:
        return np.full(rows["label"].size, NO_CLASS)
    label = _whole(rows["label"])
    return np.where(_whole(rows["counted"]) & 1 == 1, label, metrics.classes.count) if metrics.is_masked else label


def _predicted(rows: Mapping[str, FloatArray], *, has_classes: bool) -> IntArray:
    return _whole(rows["predicted"]) if has_classes else np.full(rows["predicted"].size, NO_CLASS)


def _class_counts(metrics: PerSampleMetrics, counts: UnitCounts | None) -> IntArray | None:
    if counts is None or counts.classes is None:
        return None
    return np.append(counts.classes, counts.left_out) if metrics.is_masked else counts.classes


def _confidence(values: FloatArray) -> FloatArray:
    return np.where(values == NO_CONFIDENCE, np.nan, values)


def _whole(values: FloatArray) -> IntArray:
    return np.rint(values).astype(np.int64)
