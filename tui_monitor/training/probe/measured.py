"""What passes over batches measure: of each sample, of each batch, and of what is no sample's."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tui_monitor.explain.samples.probes import IN_LOSS, FloatArray, IntArray, Weighting
from tui_monitor.training.probe.batches import UnpackedBatch
from tui_monitor.training.step.per_sample_metrics import PerSampleMetrics

_ROUNDING: Final = 1e-5
"""Relative difference between a loss and its samples' mean that float32 makes."""


@dataclass(frozen=True)
class MeasuredOutput:
    """Metrics of one output's units of several batches, in the order given; arrays of shape (n,)."""

    batch: IntArray
    """Ordinal of each unit's batch among those given."""
    sample: IntArray | None
    """Ordinal of each unit's sample; None where samples are the units."""
    then: Mapping[str, FloatArray]
    """Values from the outputs of the training step; empty for validation batches."""
    training: Mapping[str, FloatArray]
    """Values at the current weights in training mode; empty where only inference was asked for."""
    inference: Mapping[str, FloatArray]


@dataclass(frozen=True)
class MeasuredBatches:
    """Values measured of several batches."""

    outputs: tuple[MeasuredOutput, ...]
    """Of each output with a loss that can be told apart by sample, in the plan's order."""
    samples: FloatArray
    """Of each batch, shape (batches,)."""
    training_loss: FloatArray
    """The model's own loss of each batch at the current weights in training mode, shape (batches,); NaN for batches
    that shared a pass, and where nothing tells it."""
    inference_loss: FloatArray
    """The same in inference mode."""
    penalty: float
    """What the model's loss holds beyond its samples' (L1/L2, activity) in training mode at the current weights."""
    inference_penalty: float
    """The same in inference mode."""
    unweighted_loss: FloatArray | None = None
    """`training_loss` without the samples' weights; None where it has none, or the test step knows them, too."""


@dataclass(frozen=True)
class MeasuredPass:
    """What one pass measured of a group of batches."""

    rows: tuple[FloatArray, ...]
    """Of each output, shape (rows, units)."""
    loss: float
    """The model's own of all together; NaN where nothing tells it."""
    beyond: float
    """What it holds beyond its samples'."""


def beyond(rows: Sequence[FloatArray], loss: float, outputs: Sequence[PerSampleMetrics]) -> float:
    """Return what a batch's loss holds beyond its samples'; what rounding may give counts as nothing."""
    # Where samples' losses don't make up the loss, a penalty can't be told from the rest.
    if not rows or any(metrics.by_batch for metrics in outputs):
        return 0.0
    both = zip(outputs, rows, strict=True)
    beyond = loss - sum(metrics.loss_scale * batch_loss(metrics, each) for metrics, each in both)
    return beyond if abs(beyond) > _ROUNDING * max(1.0, abs(loss)) else 0.0


def batch_loss(metrics: PerSampleMetrics, rows: FloatArray) -> float:
    """Return the loss of one batch that an output's samples give, as Keras reduces it."""
    named = dict(zip(metrics.rows, rows, strict=True))
    counted = (named["counted"].astype(int) & IN_LOSS > 0) if metrics.is_masked else np.ones(rows.shape[1], bool)
    values, weight = named["loss"][counted], named["weight"][counted]
    below = weight.sum() if metrics.loss_weighting is Weighting.PER_BATCH_WEIGHT else float(values.size)
    return float((values * weight).sum() / below) if below else 0.0


def together(
    outputs: Sequence[PerSampleMetrics],
    groups: Sequence[Sequence[UnpackedBatch]],
    measured: Mapping[str, Sequence[MeasuredPass]],
) -> MeasuredBatches:
    """Return what passes over groups of batches measured, batch by batch.

    Args:
        outputs: of the model.
        groups: of batches, each measured in one pass.
        measured: what each kind of pass gave, `then`, `training`, `unweighted` or `inference`, group by group.
    """
    sizes = [[batch.samples for batch in group] for group in groups]
    found = []
    for index, metrics in enumerate(outputs):
        # As rows of one tensor, all samples of a pass have the same number of units.
        per_sample = [
            part.rows[index].shape[1] // max(sum(size), 1)
            for part, size in zip(measured["inference"], sizes, strict=True)
        ]
        units = np.array([size * each for group, each in zip(sizes, per_sample, strict=True) for size in group])
        inner = np.repeat(per_sample, [sum(group) for group in sizes])
        named = {
            kind: dict(zip(metrics.rows, np.concatenate([part.rows[index] for part in parts], axis=1), strict=True))
            for kind, parts in measured.items()
        }
        found.append(
            MeasuredOutput(
                batch=np.repeat(np.arange(units.size), units),
                sample=np.repeat(np.arange(inner.size), inner) if metrics.axes else None,
                then=named.get("then", {}),
                training=named.get("training", {}),
                inference=named["inference"],
            )
        )
    training = measured.get("training", ())
    return MeasuredBatches(
        outputs=tuple(found),
        samples=np.array([size for group in sizes for size in group], dtype=np.float64),
        training_loss=_losses(training, sizes) if training else np.full(sum(map(len, sizes)), math.nan),
        inference_loss=_losses(measured["inference"], sizes),
        penalty=float(np.mean([part.beyond for part in training])) if training else 0.0,
        inference_penalty=float(np.mean([part.beyond for part in measured["inference"]])),
        unweighted_loss=_losses(measured["unweighted"], sizes) if "unweighted" in measured else None,
    )


def _losses(measured: Sequence[MeasuredPass], sizes: Sequence[Sequence[int]]) -> FloatArray:
    both = zip(measured, sizes, strict=True)
    return np.concatenate([np.full(len(group), part.loss if len(group) == 1 else math.nan) for part, group in both])
