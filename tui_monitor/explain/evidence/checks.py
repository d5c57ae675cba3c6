"""Checks that are no terms of the ledger: what each saw, only where chance would show it in one run of 10 000."""

import math
from collections.abc import Iterator

import numpy as np

from tui_monitor.explain.evidence.check_results import (
    Check,
    Drift,
    LabelMap,
    LabelShift,
    LogitThreshold,
    MissingClasses,
    NotFinite,
    NotShuffled,
    PenaltyInOneMode,
    Repeated,
    WrongScale,
)
from tui_monitor.explain.samples.observed import Observed, OutputScale, ValidationChange
from tui_monitor.explain.samples.probes import NO_CLASS, FloatArray, IntArray, TrainingProbe, ValidationProbe

_SURE = 1e-5
"""Probability of raising one check by chance."""
_SURE_DEVIATIONS = 4.5
_MOST_CLASSES = 256
_FEWEST = 30
_SHIFTS = (-2, -1, 1, 2)
_DISPERSED = 2.0
"""Times the dispersion of shuffled batches from which they count as not shuffled."""
_REPEATED = 0.6
"""Fraction of different samples in validation below which samples count as repeated."""
_PENALTY = 1e-3


def checks(probe: TrainingProbe, validation: ValidationProbe, observed: Observed) -> tuple[Check, ...]:
    """Return what the checks found, nothing where all is as it should be.

    Args:
        probe: at least one training sample.
        validation: at least one sample, in the order of validation.
        observed: what else is known.
    """
    found: list[Check | None] = [
        _logit_threshold(probe, validation, observed),
        _wrong_scale(probe, validation, observed),
        _label_map(probe, validation),
        _label_shift(probe, validation),
        _not_shuffled(observed),
        _changed(observed),
        _repeated(observed),
        _missing_classes(probe, validation),
        _not_finite(probe, validation),
        _drift(validation),
        _penalty(observed),
    ]
    return tuple(check for check in found if check is not None)


def _logit_threshold(probe: TrainingProbe, validation: ValidationProbe, observed: Observed) -> LogitThreshold | None:
    threshold = observed.logit_threshold
    if not threshold or probe.accuracy is None or validation.correct is None or validation.confidence is None:
        return None
    if probe.confidence is None:
        return None
    train = _at_one_half(probe.label, probe.predicted, probe.confidence, probe.accuracy.inference)
    other = _at_one_half(validation.label, validation.predicted, validation.confidence, validation.correct)
    return LogitThreshold(threshold, train, other) if train[0] != train[1] or other[0] != other[1] else None


def _at_one_half(label: IntArray, predicted: IntArray, sure: FloatArray, right: FloatArray) -> tuple[float, float]:
    of_one = np.where(predicted == 1, sure, 1.0 - sure)
    return float(right.mean()), float(((of_one > 0.5) == (label == 1)).mean())


def _wrong_scale(probe: TrainingProbe, validation: ValidationProbe, observed: Observed) -> WrongScale | None:
    if observed.output_scale is OutputScale.PROBABILITIES_AS_LOGITS:
        return WrongScale("probabilities", "logits")
    sides = [side for side in (probe.confidence, validation.confidence) if side is not None]
    known = np.concatenate([side[np.isfinite(side)] for side in sides]) if sides else np.zeros(0)
    if observed.takes_probabilities and known.size and ((known < -1e-3) | (known > 1 + 1e-3)).mean() > 0.01:
        return WrongScale("no probabilities", "probabilities")
    return None


def _counted(label: IntArray, predicted: IntArray, classes: int) -> FloatArray:
    return np.bincount(label * classes + predicted, minlength=classes**2).reshape(classes, classes).astype(np.float64)


def _classes(probe: TrainingProbe, validation: ValidationProbe) -> int:
    """Return how many classes both sides know; 0 without classes, or with too many."""
    arrays = (probe.label, probe.predicted, validation.label, validation.predicted)
    if any(not array.size or (array == NO_CLASS).any() for array in arrays):
        return 0
    count = 1 + max(int(array.max()) for array in arrays)
    return count if 2 <= count <= _MOST_CLASSES else 0


def _label_map(probe: TrainingProbe, validation: ValidationProbe) -> LabelMap | None:
    """Find classes of validation that the model takes for one another, as a permutation, though not in training."""
    classes = _classes(probe, validation)
    if not classes:
        return None
    table, train = (_counted(side.label, side.predicted, classes) for side in (validation, probe))
    held = np.flatnonzero(table.sum(axis=1) > 0)
    says = table.argmax(axis=1)
    moved = [(int(c), int(says[c])) for c in held if says[c] != c and _is_taken_for(table[c], int(c), int(says[c]))]
    sources, targets = {c for c, _ in moved}, {target for _, target in moved}
    # A permutation moves a set of classes onto itself, and training must know each of them.
    if not moved or sources != targets or len(targets) < len(moved):
        return None
    if any(train[c].sum() < 5 or train[c].argmax() != c for c in sources):
        return None
    total = table.sum()
    mapped = dict(moved)
    better = sum(table[c, mapped.get(int(c), int(c))] for c in held)
    return LabelMap(tuple(moved), float(np.trace(table) / total), float(better / total))


def _is_taken_for(row: FloatArray, own: int, other: int) -> bool:
    """Whether a class is said to be another one clearly more often than itself (sign test)."""
    total = row[own] + row[other]
    return bool(row[other] > row.sum() / 2 and (row[other] - row[own]) / math.sqrt(total) > _SURE_DEVIATIONS)


def _label_shift(probe: TrainingProbe, validation: ValidationProbe) -> LabelShift | None:
    """Find whether predictions fit labels some positions further on better than their own, and better than chance."""
    classes = _classes(probe, validation)
    if not classes or validation.label.size < _FEWEST:
        return None
    label, predicted = validation.label, validation.predicted
    unrelated = float(np.bincount(label, minlength=classes) @ np.bincount(predicted, minlength=classes)) / label.size**2
    best: LabelShift | None = None
    for places in _SHIFTS:
        end, start = max(0, -places), max(0, places)
        said = predicted[end : label.size - start]
        shifted = (said == label[start : label.size - end]).astype(float)
        own = (said == label[end : label.size - start]).astype(float)
        found = float(shifted.mean())
        # A model that is wrong more often than a coin fits any other labels better than these.
        is_sure = _is_larger(shifted - own) and _is_larger(shifted - unrelated)
        if is_sure and (best is None or found > best.accuracy_shifted):
            best = LabelShift(places, float(own.mean()), found)
    return best


def _is_larger(changes: FloatArray) -> bool:
    """Whether the mean of independent values is above 0 for sure."""
    error = float(np.std(changes)) / math.sqrt(changes.size)
    return error > 0 and float(changes.mean()) / error > _SURE_DEVIATIONS


def _not_shuffled(observed: Observed) -> NotShuffled | None:
    dispersion, freedom = observed.class_dispersion, observed.class_freedom
    if dispersion is None or freedom < _FEWEST:
        return None
    times = dispersion / freedom
    is_sure = (dispersion - freedom) / math.sqrt(2 * freedom) > 2 * _SURE_DEVIATIONS
    return NotShuffled(times) if times > _DISPERSED and is_sure else None


def _changed(observed: Observed) -> ValidationChange | None:
    change = observed.validation_change
    if change is None or change.in_both == change.samples_now == change.samples_before:
        return None
    return change


def _repeated(observed: Observed) -> Repeated | None:
    samples, distinct = observed.validation_samples, observed.validation_distinct
    if samples < _FEWEST or distinct > _REPEATED * samples or observed.training_repeats > samples / 100:
        return None
    return Repeated(samples, distinct)


def _missing_classes(probe: TrainingProbe, validation: ValidationProbe) -> MissingClasses | None:
    """Find classes of one side that the other would hold but for a chance of one in 100 000, all classes together."""
    train, valid = probe.epoch_class_counts, validation.class_counts
    if train is None or valid is None or not train.sum() or not valid.sum():
        return None
    size = max(train.size, valid.size)
    sides = [np.pad(side, (0, size - side.size)).astype(float) for side in (train, valid)]

    def lacking(held: FloatArray, other: FloatArray) -> Iterator[int]:
        """Yield classes that one side holds and the other lacks beyond chance."""
        for index in np.flatnonzero((held > 0) & (other == 0)):
            # Of all that both hold, how likely is it that all of this class fall on one side?
            log_p = held[index] * math.log(held.sum() / (held.sum() + other.sum()))
            if log_p < math.log(_SURE / size):
                yield int(index)

    only_training, only_validation = tuple(lacking(sides[0], sides[1])), tuple(lacking(sides[1], sides[0]))
    return MissingClasses(only_training, only_validation) if only_training or only_validation else None


def _not_finite(probe: TrainingProbe, validation: ValidationProbe) -> NotFinite | None:
    train = int((~np.isfinite(probe.loss.inference)).sum())
    other = int((~np.isfinite(validation.loss)).sum())
    return NotFinite(train, other) if bool(train) != bool(other) else None


def _drift(validation: ValidationProbe) -> Drift | None:
    """Find a trend over validation's order in the ranks of the loss, each class's mean loss taken off."""
    size = validation.loss.size
    if not validation.complete or size < 4 * _FEWEST or not np.isfinite(validation.loss).all():
        return None
    label = np.maximum(validation.label, 0)
    means = np.bincount(label, weights=validation.loss) / np.maximum(np.bincount(label), 1)
    ranks = _mean_ranks(np.round(validation.loss - means[label], 9))
    if not ranks.std():
        return None
    correlation = float(np.corrcoef(ranks, np.arange(size))[0, 1])
    if not abs(correlation) * math.sqrt(size) > _SURE_DEVIATIONS or abs(correlation) < 0.1:
        return None
    rest = validation.loss - means[label] + validation.loss.mean()
    quarter = size // 4
    return Drift(float(rest[:quarter].mean()), float(rest[-quarter:].mean()))


def _mean_ranks(values: FloatArray) -> FloatArray:
    """Return ranks, equal values sharing the mean of theirs, so that no order among them counts."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[inverse], dtype=np.float64)


def _penalty(observed: Observed) -> PenaltyInOneMode | None:
    training, inference = observed.penalty_in_training, observed.penalty_in_inference
    # A penalty on activities differs between modes by what dropout does: only one that is 0 in a mode is meant.
    if max(abs(training), abs(inference)) <= _PENALTY or min(abs(training), abs(inference)) > 0:
        return None
    return PenaltyInOneMode(training, inference)
