"""What several workers measured, each on its own part of every batch, put together as if one had measured it all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tui_monitor.explain.samples.probes import (
    Averaging,
    FloatArray,
    IntArray,
    PerSampleMetric,
    TrainingProbe,
    ValidationProbe,
)
from tui_monitor.run_log.events.ledger import Cause

Part = TypeVar("Part")


@dataclass(frozen=True)
class Average:
    """A training value's mean over one worker's parts of an epoch's batches."""

    by_samples: float
    by_batches: float


@dataclass(frozen=True)
class WorkerShare:
    """What one worker measured at the end of an epoch; reported values are those of the whole cluster."""

    training: TrainingProbe
    validation: ValidationProbe | None
    samples: int
    """Training samples of the worker's epoch, probed or not."""
    loss: Average
    accuracy: Average | None


def join_shares(shares: Sequence[WorkerShare]) -> tuple[TrainingProbe, ValidationProbe | None]:
    """Return one probe of training and one of validation.

    A worker's part of a batch counts as a batch. Where the workers probed different shares of their parts, all
    are cut to the smallest, at random, so that no worker's samples count for more than they are.

    Args:
        shares: of one epoch, at least one, lowest rank first.
    """
    share = min(_probed(share) for share in shares)
    trainings = [_cut(each.training, share, seed) for seed, each in enumerate(shares)]
    first = trainings[0]
    accuracies = [training.accuracy for training in trainings if training.accuracy is not None]
    training = TrainingProbe(
        batch=_ordinals([training.batch for training in trainings]),
        label=_all(trainings, lambda training: training.label),
        predicted=_all(trainings, lambda training: training.predicted),
        weight=_all(trainings, lambda training: training.weight),
        loss=_joined([training.loss for training in trainings], shares, [each.loss for each in shares]),
        accuracy=_joined(accuracies, shares, [each.accuracy for each in shares if each.accuracy is not None])
        if first.accuracy is not None and len(accuracies) == len(shares)
        else None,
        epoch_batches=sum(training.epoch_batches for training in trainings),
        epoch_class_counts=_counts([training.epoch_class_counts for training in trainings]),
        confidence=_all_known([training.confidence for training in trainings]),
        sample=_ordinals_known([training.sample for training in trainings]),
        batch_samples=_all_known([training.batch_samples for training in trainings]),
        counted=_all_known([training.counted for training in trainings]),
    )
    return training, _validation([share.validation for share in shares if share.validation is not None])


def _probed(share: WorkerShare) -> float:
    return len(np.unique(share.training.batch)) / max(share.training.epoch_batches, 1)


def _cut(probe: TrainingProbe, share: float, seed: int) -> TrainingProbe:
    batches = np.unique(probe.batch)
    kept = max(round(share * probe.epoch_batches), 1)
    if kept >= len(batches):
        return probe
    chosen = np.isin(probe.batch, np.random.default_rng(seed).choice(batches, kept, replace=False))
    return replace(
        probe,
        batch=probe.batch[chosen],
        label=probe.label[chosen],
        predicted=probe.predicted[chosen],
        weight=probe.weight[chosen],
        loss=_chosen(probe.loss, chosen),
        accuracy=_chosen(probe.accuracy, chosen) if probe.accuracy else None,
        confidence=None if probe.confidence is None else probe.confidence[chosen],
        sample=None if probe.sample is None else probe.sample[chosen],
        batch_samples=None if probe.batch_samples is None else probe.batch_samples[np.unique(probe.batch[chosen])],
        counted=None if probe.counted is None else probe.counted[chosen],
    )


def _chosen(metric: PerSampleMetric, chosen: NDArray[np.bool_]) -> PerSampleMetric:
    return replace(
        metric,
        then=metric.then[chosen],
        training=metric.training[chosen],
        inference=metric.inference[chosen],
        unweighted=None if metric.unweighted is None else metric.unweighted[chosen],
    )


def _joined(
    metrics: Sequence[PerSampleMetric], shares: Sequence[WorkerShare], averages: Sequence[Average]
) -> PerSampleMetric:
    first = metrics[0]
    batches = [share.training.epoch_batches for share in shares]
    by_samples = np.average([each.by_samples for each in averages], weights=[share.samples for share in shares])
    by_batches = np.average([each.by_batches for each in averages], weights=batches)
    nearer_by_batches = abs(by_batches - first.reported) < abs(by_samples - first.reported)
    parts = [metric.unweighted for metric in metrics]
    unweighted = [part for part in parts if part is not None]
    is_mixed = 0 < len(unweighted) < len(parts)
    return replace(
        first,
        unweighted=np.concatenate(unweighted) if len(unweighted) == len(parts) else None,
        unsplit=(Cause.SAMPLE_WEIGHTS, Cause.CLASS_MIX) if is_mixed else first.unsplit,
        then=_all(metrics, lambda metric: metric.then),
        training=_all(metrics, lambda metric: metric.training),
        inference=_all(metrics, lambda metric: metric.inference),
        averaging=Averaging.BATCHES if nearer_by_batches else Averaging.SAMPLES,
        offset_then=float(np.average([metric.offset_then for metric in metrics], weights=batches)),
        offset_now=float(np.average([metric.offset_now for metric in metrics], weights=batches)),
    )


def _validation(probes: Sequence[ValidationProbe]) -> ValidationProbe | None:
    if not probes:
        return None
    scored = all(probe.correct is not None for probe in probes)
    return replace(
        probes[0],
        batch=_ordinals([probe.batch for probe in probes]),
        label=_all(probes, lambda probe: probe.label),
        predicted=_all(probes, lambda probe: probe.predicted),
        weight=_all(probes, lambda probe: probe.weight),
        loss=_all(probes, lambda probe: probe.loss),
        correct=_all(probes, lambda probe: probe.correct) if scored else None,
        class_counts=_counts([probe.class_counts for probe in probes]),
        complete=all(probe.complete for probe in probes),
        confidence=_all_known([probe.confidence for probe in probes]),
        sample=_ordinals_known([probe.sample for probe in probes]),
        batch_samples=_all_known([probe.batch_samples for probe in probes]),
        counted=_all_known([probe.counted for probe in probes]),
        # One worker's part does not tell how the value of all is averaged; Keras weights batches by their samples.
        averaging=Averaging.SAMPLES,
        accuracy_averaging=Averaging.SAMPLES,
    )


def _all(parts: Sequence[Part], of: Callable[[Part], FloatArray | IntArray | None]) -> NDArray[Any]:
    arrays: list[Any] = [of(part) for part in parts]
    return np.concatenate(arrays)


def _all_known(parts: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
    """Return the parts one after the other, or None where one is missing."""
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if len(known) == len(parts) else None


def _ordinals(parts: Sequence[IntArray]) -> IntArray:
    """Return ordinals of batches that go on from one worker to the next, shape (samples of all,)."""
    numbered, begun = [], 0
    for part in parts:
        indices = np.unique(part, return_inverse=True)[1]
        numbered.append(indices + begun)
        begun += int(indices.max(initial=-1)) + 1
    return np.concatenate(numbered).astype(np.int64)


def _ordinals_known(parts: Sequence[IntArray | None]) -> IntArray | None:
    """Return ordinals as `_ordinals` does, or None where a part has none."""
    known = [part for part in parts if part is not None]
    return _ordinals(known) if len(known) == len(parts) else None


def _counts(parts: Sequence[IntArray | None]) -> IntArray | None:
    counts = [part for part in parts if part is not None]
    if len(counts) < len(parts):
        return None
    size = max(len(part) for part in counts)
    total: IntArray = np.sum([np.pad(part, (0, size - len(part))) for part in counts], axis=0)
    return total
