"""The side of validation in a ledger: of one output, or of the whole model by its batches."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tui_monitor.explain.samples.probes import (
    NO_CLASS,
    Averaging,
    FloatArray,
    IntArray,
    ValidationProbe,
    Weighting,
    effective_weights,
)
from tui_monitor.metric_names import VALIDATION_PREFIX
from tui_monitor.training.probe import unit_values
from tui_monitor.training.probe.both_sides import Measured
from tui_monitor.training.probe.training_side import reported_loss


def validation_of(known: Measured, index: int, scale: float, *, by_batch: bool = False) -> ValidationProbe | None:
    """Return the side of validation for one output; None where nothing of it was measured.

    Args:
        known: of the epoch.
        index: of the output.
        scale: by which its samples' losses are multiplied.
        by_batch: whether each sample's loss is that of its batch.
    """
    metrics = known.plan.outputs[index]
    found = _validation_units(known, index)
    if found is None:
        return None
    _, counts = known.counts(index)
    has_classes, whole = known.has_classes(index), len(known.plan.outputs) == 1
    scored = known.position(metrics.accuracy_name) is not None and not known.is_meaningless(index)
    loss = found.rows["loss"] * scale
    if by_batch:
        loss = found.batch_loss[found.batch]
    side = ValidationProbe(
        batch=found.batch,
        label=unit_values.labels(metrics, found.rows, has_classes=has_classes),
        predicted=unit_values.predicted(found.rows, has_classes=has_classes),
        weight=found.rows["weight"],
        loss=loss,
        correct=found.rows["correct"] if scored else None,
        reported_loss=None,
        reported_accuracy=None,
        class_counts=unit_values.class_counts(metrics, counts) if has_classes else None,
        complete=found.complete,
        offset=known.training.inference_penalty if whole and not by_batch else 0.0,
        weighting=metrics.loss_weighting,
        accuracy_weighting=metrics.accuracy_weighting,
        confidence=unit_values.confidence(found.rows["confidence"]),
        sample=found.sample,
        batch_samples=found.samples if metrics.has_units else None,
        counted=unit_values.whole(found.rows["counted"]) if metrics.is_masked else None,
        accuracy_averaging=Averaging.UNITS if metrics.has_units else Averaging.SAMPLES,
    )
    accuracy = known.reported.get(f"{VALIDATION_PREFIX}{metrics.accuracy_name}") if scored else None
    side = replace(side, reported_accuracy=accuracy if known.is_at_end else None)
    if whole:
        return replace(side, **reported_validation(known, "loss"))
    side = replace(side, **reported_validation(known, metrics.loss_name))
    return side if metrics.has_units else replace(side, averaging=_averaging_of_output(known, metrics.loss_name, side))


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
    begin = sum(len(before.computed) for before in known.plan.outputs[:index])
    parts = [metrics.taken(batch.rows[begin : begin + len(metrics.computed)], batch.samples) for batch in batches]
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


def validation_by_batch(known: Measured) -> ValidationProbe | None:
    """Return the side of validation for the whole model, each sample standing for its batch; None without any."""
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
    return replace(side, **reported_validation(known, "loss"))


def reported_validation(known: Measured, name: str) -> Mapping[str, Any]:
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
        averaging: Averaging = reported_loss(known, name)["averaging"]
        return averaging
    weighted = side.loss * effective_weights(side.weight, side.batch, side.weighting)
    by_batches = float((np.bincount(side.batch, weights=weighted) / np.bincount(side.batch)).mean())
    is_nearer = abs(by_batches - side.reported_loss) < abs(float(weighted.mean()) - side.reported_loss)
    return Averaging.BATCHES if is_nearer else Averaging.SAMPLES
