"""Measured values become the two sides that the ledger compares: probed training batches, and validation."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from tui_monitor.explain.samples.probes import (
    FloatArray,
    IntArray,
    PerSampleMetric,
    TrainingProbe,
    ValidationProbe,
    Weighting,
)
from tui_monitor.run_log.events.explanation import Cause
from tui_monitor.training.probe.passes import MeasuredBatches, UnpackedBatch
from tui_monitor.training.probe.validation_record import ValidationRecord
from tui_monitor.training.record.epoch_totals import EpochTotals
from tui_monitor.training.step.per_sample_metrics import NO_CONFIDENCE, ROWS, PerSampleMetrics

_RESIDUAL_WORTH_SAYING = 1e-3
"""Relative difference from which a batch loss counts as not reproduced by its outputs."""


def training_side(
    per_sample: PerSampleMetrics,
    batches: Sequence[UnpackedBatch],
    measured: MeasuredBatches,
    totals: EpochTotals,
    metrics: Sequence[str],
    reported: Mapping[str, float | None],
) -> TrainingProbe:
    """Return the probed batches with what training reported for them.

    Args:
        per_sample: of the model's samples.
        batches: those that were measured.
        measured: what came of it.
        totals: of every batch of the epoch so far.
        metrics: names of those in `totals`, the loss first.
        reported: `loss` and `accuracy` as training reported them; None for one it did not.
    """
    loss = PerSampleMetric(
        then=measured.then["loss"],
        training=measured.training["loss"],
        inference=measured.inference["loss"],
        reported=_finite(reported["loss"]),
        averaging=totals.averaging_behind(0, _finite(reported["loss"])),
        weighting=per_sample.loss_weighting,
        offset_then=_beyond_samples(batches, measured, per_sample.loss_weighting),
        offset_now=measured.penalty,
    )
    accuracy = None
    if per_sample.accuracy_name in metrics and reported.get("accuracy") is not None:
        assert per_sample.accuracy_name is not None
        index = metrics.index(per_sample.accuracy_name)
        accuracy = PerSampleMetric(
            then=measured.then["correct"],
            training=measured.training["correct"],
            inference=measured.inference["correct"],
            reported=_finite(reported["accuracy"]),
            averaging=totals.averaging_behind(index, _finite(reported["accuracy"])),
            weighting=per_sample.accuracy_weighting,
        )
    return TrainingProbe(
        batch=measured.batch,
        label=_labels(measured.inference["label"]),
        predicted=_labels(measured.inference["predicted"]),
        weight=measured.then["weight"],
        loss=loss,
        accuracy=accuracy,
        epoch_batches=totals.batches,
        epoch_class_counts=totals.class_counts,
        confidence=_confidence(measured.inference["confidence"]),
    )


def residual_caveat(side: TrainingProbe) -> str:
    """Return the sentence on reported losses that the model's outputs and penalties don't give; empty where they do."""
    loss = side.loss
    if loss.offset_now != 0.0 or loss.offset_then == 0.0:
        return ""
    return (
        "The training loss can't be reproduced from the model's outputs "
        f"(it is {loss.offset_then:+.4f} off): the difference is counted under "
        f"“{Cause.IN_EPOCH_AVERAGING.label}”."
    )


def complete_validation(
    per_sample: PerSampleMetrics, validation: ValidationRecord, penalty: float
) -> ValidationProbe | None:
    """Return all of an epoch's validation as its own steps measured it, or None where they did not.

    Args:
        per_sample: of the model's samples.
        validation: of the epoch; its reported values are set.
        penalty: part of the losses that no sample has, in nats.
    """
    if validation.loss is None or not validation.per_sample:
        return None
    rows = dict(zip(ROWS, np.concatenate(validation.per_sample, axis=1).astype(np.float64), strict=True))
    sizes = [part.shape[1] for part in validation.per_sample]
    return ValidationProbe(
        batch=np.repeat(np.arange(len(sizes)), sizes),
        label=_labels(rows["label"]),
        predicted=_labels(rows["predicted"]),
        weight=rows["weight"],
        loss=rows["loss"],
        correct=rows["correct"] if validation.accuracy is not None else None,
        reported_loss=validation.loss,
        reported_accuracy=validation.accuracy,
        class_counts=validation.class_counts,
        complete=len(validation.per_sample) == validation.batches,
        offset=penalty,
        weighting=per_sample.loss_weighting,
        accuracy_weighting=per_sample.accuracy_weighting,
        confidence=_confidence(rows["confidence"]),
    )


def partial_validation(
    per_sample: PerSampleMetrics,
    validation: ValidationRecord,
    now: MeasuredBatches,
    penalty: float,
    *,
    complete: bool,
) -> ValidationProbe:
    """Return the kept validation batches as measured now; nothing is reported yet, so the probe's value stands.

    Args:
        per_sample: of the model's samples.
        validation: the newest one.
        now: its kept batches, measured at the current weights.
        penalty: part of the losses that no sample has, in nats.
        complete: whether those are all batches of validation.
    """
    loss, weight = now.inference["loss"], now.inference["weight"]
    correct = now.inference["correct"] if per_sample.accuracy_name is not None else None
    return ValidationProbe(
        batch=now.batch,
        label=_labels(now.inference["label"]),
        predicted=_labels(now.inference["predicted"]),
        weight=weight,
        loss=loss,
        correct=correct,
        reported_loss=None,
        reported_accuracy=None,
        class_counts=validation.class_counts,
        complete=complete,
        offset=penalty,
        weighting=per_sample.loss_weighting,
        accuracy_weighting=per_sample.accuracy_weighting,
    )


def repeated_validation(
    per_sample: PerSampleMetrics,
    validation: ValidationRecord,
    again: MeasuredBatches,
    penalty: float,
    *,
    complete: bool,
) -> ValidationProbe:
    """Return the kept batches of an epoch's validation, measured again at its weights, with what it reported.

    Args:
        per_sample: of the model's samples.
        validation: of the epoch; its reported values are set.
        again: its kept batches, measured before any weight has changed.
        penalty: part of the losses that no sample has, in nats.
        complete: whether those are all batches of validation.
    """
    side = partial_validation(per_sample, validation, again, penalty, complete=complete)
    return replace(
        side,
        correct=side.correct if validation.accuracy is not None else None,
        reported_loss=validation.loss,
        reported_accuracy=validation.accuracy,
        confidence=_confidence(again.inference["confidence"]),
    )


def _beyond_samples(batches: Sequence[UnpackedBatch], measured: MeasuredBatches, weighting: Weighting) -> float:
    """Return what the reported batch losses held beyond the samples' own, on average over the batches, in nats.

    Without a penalty of the model, a difference that rounding may give counts as none.
    """
    own = _batch_losses(measured, weighting, len(batches))
    recorded = np.array([batch.loss for batch in batches])
    difference = float(np.mean(recorded - own))
    scale = max(1.0, float(np.mean(np.abs(recorded))))
    if measured.penalty == 0.0 and not abs(difference) > _RESIDUAL_WORTH_SAYING * scale:
        return 0.0
    return difference


def _finite(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _confidence(values: FloatArray) -> FloatArray:
    return np.where(values == NO_CONFIDENCE, np.nan, values)


def _labels(values: FloatArray) -> IntArray:
    return np.rint(values).astype(np.int64)


def _batch_losses(measured: MeasuredBatches, weighting: Weighting, batches: int) -> FloatArray:
    """Return each batch's own loss from its samples' metrics as trained on, shape (batches,)."""
    loss, weight, batch = measured.then["loss"], measured.then["weight"], measured.batch
    sums = np.bincount(batch, weights=loss * weight, minlength=batches)
    if weighting is Weighting.PER_BATCH_WEIGHT:
        below = np.bincount(batch, weights=weight, minlength=batches)
    else:
        below = np.bincount(batch, minlength=batches).astype(np.float64)
    return np.divide(sums, below, out=np.zeros_like(sums), where=below != 0)
