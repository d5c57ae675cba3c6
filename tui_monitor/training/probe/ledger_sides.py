"""Measured values become the two sides that a ledger compares, of the whole model and of each of its outputs.

A model's loss is made of its samples' where they add up to it. Otherwise it is measured by whole batches: each sample
then stands for its batch.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from tui_monitor.explain.samples.probes import (
    NO_CLASS,
    FloatArray,
    TrainingProbe,
    ValidationProbe,
)
from tui_monitor.run_log.events.ledger import Cause
from tui_monitor.training.probe.both_sides import Measured
from tui_monitor.training.probe.training_side import offsets, reported_loss, training_by_batch, training_of
from tui_monitor.training.probe.validation_side import reported_validation, validation_by_batch, validation_of


def whole_training(known: Measured) -> TrainingProbe:
    """Return the side of training for the model's own loss, and its accuracy where it has one output."""
    plan = known.plan
    if len(plan.outputs) == 1:
        return training_of(known, 0, plan.outputs[0].loss_scale, by_batch=bool(plan.by_batch))
    if plan.by_batch or not plan.outputs or not _can_be_summed(known):
        return training_by_batch(known)
    parts = [training_of(known, index, metrics.loss_scale) for index, metrics in enumerate(plan.outputs)]
    loss = replace(
        parts[0].loss,
        then=_sum(part.loss.then for part in parts),
        training=_sum(part.loss.training for part in parts),
        inference=_sum(part.loss.inference for part in parts),
        unsplit=(Cause.CLASS_MIX,) if any(known.has_classes(index) for index in range(len(parts))) else (),
        in_nats=False,
        **reported_loss(known, "loss"),
        **offsets(known),
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
        return validation_of(known, 0, plan.outputs[0].loss_scale, by_batch=bool(plan.by_batch))
    if plan.by_batch or not plan.outputs or not _can_be_summed(known):
        return validation_by_batch(known)
    parts = [validation_of(known, index, metrics.loss_scale) for index, metrics in enumerate(plan.outputs)]
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
    return replace(side, **reported_validation(known, "loss"), offset=known.training.inference_penalty)


def output_training(known: Measured, index: int) -> TrainingProbe:
    """Return the side of training for one of several outputs, its own loss as Keras logs it."""
    return training_of(known, index, 1.0)


def output_validation(known: Measured, index: int) -> ValidationProbe | None:
    """Return the side of validation for one of several outputs."""
    return validation_of(known, index, 1.0)


def _can_be_summed(known: Measured) -> bool:
    """Whether the outputs' losses can be added up sample by sample: samples are their units and weights the same."""
    if any(metrics.has_units for metrics in known.plan.outputs):
        return False
    weighting = {metrics.loss_weighting for metrics in known.plan.outputs}
    weights = [output.then["weight"] for output in known.training.outputs]
    return len(weighting) == 1 and all(np.array_equal(weight, weights[0]) for weight in weights)


def _sum(parts: Any) -> FloatArray:
    return np.asarray(np.sum(list(parts), axis=0))
