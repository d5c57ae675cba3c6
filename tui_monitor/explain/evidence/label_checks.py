"""Checks of the two sides' labels: other classes, out of step with their inputs, unrelated to them, missing."""

import math
from collections.abc import Iterator

import numpy as np

from tui_monitor.explain.evidence.check_results import LabelMap, LabelShift, MissingClasses, UnrelatedLabels
from tui_monitor.explain.evidence.sureness import FEWEST, SURE, SURE_DEVIATIONS, is_larger
from tui_monitor.explain.samples.probes import NO_CLASS, FloatArray, IntArray, TrainingProbe, ValidationProbe

_MOST_CLASSES = 256
_SHIFTS = (-2, -1, 1, 2)
_FEWEST_UNRELATED = 200
"""Validation samples from which on agreement by chance alone can be told from a weak one."""
_RELATED, _UNRELATED = 0.3, 0.15
"""Cohen's kappa (1960) that training must have, and that validation must be below, three standard errors included."""
_LEAST_SPREAD = 0.05
"""Part of validation that must be taken for other classes than the most frequent one: a model that says one class
always agrees with nothing, whatever the labels are."""


def label_map(probe: TrainingProbe, validation: ValidationProbe) -> LabelMap | None:
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
    return bool(row[other] > row.sum() / 2 and (row[other] - row[own]) / math.sqrt(total) > SURE_DEVIATIONS)


def label_shift(probe: TrainingProbe, validation: ValidationProbe) -> LabelShift | None:
    """Find whether predictions fit labels some positions further on better than their own, and better than chance."""
    classes = _classes(probe, validation)
    if not classes or validation.label.size < FEWEST:
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
        is_sure = is_larger(shifted - own) and is_larger(shifted - unrelated)
        if is_sure and (best is None or found > best.accuracy_shifted):
            best = LabelShift(places, float(own.mean()), found)
    return best


def unrelated_labels(probe: TrainingProbe, validation: ValidationProbe) -> UnrelatedLabels | None:
    """Find whether predictions agree with validation's labels as unrelated lists would, though not in training."""
    classes = _classes(probe, validation)
    if not classes or validation.label.size < _FEWEST_UNRELATED or probe.label.size < FEWEST:
        return None
    said = np.bincount(validation.predicted)
    if said.max() > (1 - _LEAST_SPREAD) * said.sum():
        return None
    train, other = (_agreement(side.label, side.predicted, classes) for side in (probe, validation))
    kappas = [(agree - chance) / max(1 - chance, 1e-9) for agree, chance in (train, other)]
    error = math.sqrt(max(other[0] * (1 - other[0]), 1e-9) / validation.label.size) / max(1 - other[1], 1e-9)
    # Classes that stand for one another agree seldom, too, but are related.
    is_sure = abs(kappas[1]) + 3 * error < _UNRELATED and not _are_dependent(validation, classes)
    return UnrelatedLabels(train, other) if kappas[0] > _RELATED and is_sure else None


def _agreement(label: IntArray, predicted: IntArray, classes: int) -> tuple[float, float]:
    """Return how often two lists agree, and how often they would if the one told nothing of the other."""
    shares = (np.bincount(side, minlength=classes) / side.size for side in (label, predicted))
    return float((label == predicted).mean()), float(np.dot(*shares))


def _are_dependent(validation: ValidationProbe, classes: int) -> bool:
    """Whether predictions tell anything of labels (Pearson's chi-squared, normal approximation; 3 deviations)."""
    table = _counted(validation.label, validation.predicted, classes)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    statistic = float(((table - expected) ** 2 / expected).sum())
    return freedom > 0 and bool((statistic - freedom) / math.sqrt(2 * freedom) > 3)


def missing_classes(probe: TrainingProbe, validation: ValidationProbe) -> MissingClasses | None:
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
            if log_p < math.log(SURE / size):
                yield int(index)

    only_training, only_validation = tuple(lacking(sides[0], sides[1])), tuple(lacking(sides[1], sides[0]))
    return MissingClasses(only_training, only_validation) if only_training or only_validation else None


def _counted(label: IntArray, predicted: IntArray, classes: int) -> FloatArray:
    return np.bincount(label * classes + predicted, minlength=classes**2).reshape(classes, classes).astype(np.float64)


def _classes(probe: TrainingProbe, validation: ValidationProbe) -> int:
    """Return how many classes both sides know; 0 without classes, or with too many."""
    arrays = (probe.label, probe.predicted, validation.label, validation.predicted)
    if any(not array.size or (array == NO_CLASS).any() for array in arrays):
        return 0
    count = 1 + max(int(array.max()) for array in arrays)
    return count if 2 <= count <= _MOST_CLASSES else 0
