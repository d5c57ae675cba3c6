"""What came of two runs' differences, measured on validation: losses, accuracies, classes, mistakes."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from tui_monitor.compare.paired import Difference, paired_difference, paired_fractions, unpaired_difference
from tui_monitor.compare.recorded_run import RecordedRun
from tui_monitor.explain.quantiles import QUANTILE_WORTH_A_CAUSE
from tui_monitor.metric_names import VALIDATION_PREFIX
from tui_monitor.run_log.format.validation_samples import ValidationSamples
from tui_monitor.units import count

_ERROR_RATE = 0.005
"""Of naming any class that chance alone moved."""


@dataclass(frozen=True)
class ClassOutcome:
    """How one class fares; recalls are fractions of its samples that are right."""

    label: str
    samples: int
    first: float
    second: float
    mended: int
    """Samples that the first run has wrong and the second right."""
    broken: int
    """Samples that the first run has right and the second wrong."""
    is_worth_naming: bool
    """Whether chance would hardly move any of the classes so far."""


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    loss: Difference | None
    """Of validation loss, every sample counted the same, without penalties; None where neither run has one."""
    accuracy: Difference | None
    """Of validation accuracy, as a fraction."""
    matching: str
    """How the samples of both were matched, in a sentence."""
    mended: int | None = None
    """Validation samples that the first run has wrong and the second right; None where they can't be paired."""
    broken: int | None = None
    """The other way round."""
    classes: tuple[ClassOutcome, ...] = ()


@dataclass(frozen=True, eq=False)
class _Matched:
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    how: str


def outcome(first: RecordedRun, second: RecordedRun, labels: tuple[str, ...]) -> Outcome:
    """Return what came of the differences of two runs.

    Args:
        first: the one compared with.
        second: the one that is said to be better or worse.
        labels: of the classes, in the order of their indices.
    """
    one, other = first.samples, second.samples
    if one is None or other is None:
        return _reported(first, second)
    matched = _match(one, other)
    if matched is None:
        return _unpaired(one, other)
    loss_pair = one.loss[matched.first], other.loss[matched.second]
    is_finite = np.isfinite(loss_pair[0]) & np.isfinite(loss_pair[1])
    how = matched.how
    if not is_finite.all():
        how += f" {int((~is_finite).sum())} of them have a loss that is not finite and are left out of the loss."
    loss = paired_difference(loss_pair[0][is_finite], loss_pair[1][is_finite]) if is_finite.any() else None
    if one.correct is None or other.correct is None:
        return Outcome(loss, None, how)
    right = one.correct[matched.first], other.correct[matched.second]
    return Outcome(
        loss,
        paired_fractions(*right),
        how,
        mended=int((right[1] > right[0]).sum()),
        broken=int((right[1] < right[0]).sum()),
        classes=_classes(one.label[matched.first], right[0], right[1], labels),
    )


def _match(one: ValidationSamples, other: ValidationSamples) -> _Matched | None:
    """Return how the samples of both runs belong together; None where they are not the same ones."""
    if one.loss.size != other.loss.size:
        return None
    if one.key is not None and other.key is not None:
        first, second = np.argsort(one.key, kind="stable"), np.argsort(other.key, kind="stable")
        if not np.array_equal(one.key[first], other.key[second]):
            return None
        return _Matched(first, second, f"Paired over the same {count(one.loss.size)} validation samples.")
    has_labels = bool((one.label >= 0).any())
    if not has_labels or not np.array_equal(one.label, other.label):
        return None
    every = np.arange(one.loss.size)
    text = (
        f"Paired by position: both have {count(one.loss.size)} validation samples with the same labels in the same "
        "order; their data is not known."
    )
    return _Matched(every, every, text)


def _unpaired(one: ValidationSamples, other: ValidationSamples) -> Outcome:
    sides = [side.loss[np.isfinite(side.loss)] for side in (one, other)]
    loss = unpaired_difference(*sides) if all(side.size for side in sides) else None
    accuracy = None
    if one.correct is not None and other.correct is not None:
        accuracy = unpaired_difference(one.correct, other.correct)
    text = "The validation samples are not the same: the difference is one of data and model together."
    return Outcome(loss, accuracy, text)


def _reported(first: RecordedRun, second: RecordedRun) -> Outcome:
    """Return the difference of what was reported, of which nobody knows what chance alone would give."""
    without = [run.name for run in (first, second) if run.samples is None]
    text = (
        f"No interval: {' and '.join(without)} kept no validation sample. Runs recorded with a probe budget above 0 "
        "keep theirs, if the model's loss can be taken apart by sample."
    )
    return Outcome(_reported_difference(first, second, "loss"), _reported_difference(first, second, "accuracy"), text)


def _reported_difference(first: RecordedRun, second: RecordedRun, metric: str) -> Difference | None:
    name = VALIDATION_PREFIX + metric
    rows = [run.epoch for run in (first, second)]
    values = [row.metrics.get(name) for row in rows if row is not None]
    if len(values) < 2 or values[0] is None or values[1] is None or not np.isfinite([values[0], values[1]]).all():
        return None
    return Difference(values[0], values[1], values[1] - values[0])


def _classes(
    label: NDArray[np.int32],
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    labels: tuple[str, ...],
) -> tuple[ClassOutcome, ...]:
    found = [int(index) for index in np.unique(label) if index >= 0]
    if len(found) < 2:
        return ()
    quantile = max(QUANTILE_WORTH_A_CAUSE, NormalDist().inv_cdf(1 - _ERROR_RATE / (2 * len(found))))
    outcomes = []
    for index in found:
        one, other = first[label == index], second[label == index]
        mended, broken = int((other > one).sum()), int((other < one).sum())
        # McNemar's test with a continuity correction.
        excess = abs(mended - broken) - 1
        outcomes.append(
            ClassOutcome(
                label=labels[index] if index < len(labels) else str(index),
                samples=int(one.size),
                first=float(one.mean()),
                second=float(other.mean()),
                mended=mended,
                broken=broken,
                is_worth_naming=excess > quantile * float(np.sqrt(max(mended + broken, 1))),
            )
        )
    return tuple(outcomes)
