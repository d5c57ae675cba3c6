"""Checks of what is reported: whether loss and accuracy read the model's outputs as what they are."""

import numpy as np

from tui_monitor.explain.evidence.check_results import (
    LogitThreshold,
    MultiLabelAccuracy,
    OtherAccuracy,
    Pair,
    RareLabels,
    SoftmaxOfOne,
    WrongScale,
)
from tui_monitor.explain.evidence.sureness import FEWEST
from tui_monitor.explain.samples.labels import LabelSide, MultiLabel
from tui_monitor.explain.samples.observed import Observed, OutputScale
from tui_monitor.explain.samples.probes import IN_LOSS, NO_CLASS, FloatArray, IntArray, TrainingProbe, ValidationProbe

_SAME = 1e-9
_LITTLE_AHEAD = 0.03
"""What accuracy by label may be ahead of one that says the commoner of every label and still say little."""
_SELDOM_FOUND = 0.5


def logit_threshold(probe: TrainingProbe, validation: ValidationProbe, observed: Observed) -> LogitThreshold | None:
    """Find a threshold of the accuracy that is put on logits of two classes."""
    threshold = observed.logit_threshold
    if not threshold or probe.accuracy is None or validation.correct is None or validation.confidence is None:
        return None
    if probe.confidence is None or not _have_classes(probe, validation):
        return None
    train = _at_one_half(probe.label, probe.predicted, probe.confidence, probe.accuracy.inference)
    other = _at_one_half(validation.label, validation.predicted, validation.confidence, validation.correct)
    return LogitThreshold(threshold, train, other) if train[0] != train[1] or other[0] != other[1] else None


def _at_one_half(label: IntArray, predicted: IntArray, sure: FloatArray, right: FloatArray) -> tuple[float, float]:
    of_one = np.where(predicted == 1, sure, 1.0 - sure)
    return float(right.mean()), float(((of_one > 0.5) == (label == 1)).mean())


def other_accuracy(probe: TrainingProbe, validation: ValidationProbe, observed: Observed) -> OtherAccuracy | None:
    """Find whether the reported accuracy is another number than the fraction of samples whose class is predicted."""
    if not observed.class_kind or observed.has_signs or probe.accuracy is None or validation.correct is None:
        return None
    if any((side == NO_CLASS).any() for side in (probe.label, validation.label)):
        return None
    if not _have_classes(probe, validation):
        return None
    train = _as_counted(probe.label, probe.predicted, probe.accuracy.inference)
    other = _as_counted(validation.label, validation.predicted, validation.correct)
    if all(abs(reported - anew) <= _SAME for reported, anew in (train, other)):
        return None
    is_logits = observed.logit_threshold is not None
    return OtherAccuracy(observed.accuracy_function, observed.class_kind, train, other, is_logits)


def _have_classes(probe: TrainingProbe, validation: ValidationProbe) -> bool:
    """Whether all units have classes; those that the loss leaves out have none, though the accuracy may count them."""
    return all(side.counted is None or bool((side.counted & IN_LOSS).all()) for side in (probe, validation))


def _as_counted(label: IntArray, predicted: IntArray, right: FloatArray) -> Pair:
    return float(right.mean()), float((label == predicted).mean())


def wrong_scale(probe: TrainingProbe, validation: ValidationProbe, observed: Observed) -> WrongScale | None:
    """Find a loss that takes probabilities for logits, or numbers that are none for probabilities."""
    if observed.output_scale is OutputScale.PROBABILITIES_AS_LOGITS:
        return WrongScale("probabilities", "logits")
    sides = [side for side in (probe.confidence, validation.confidence) if side is not None]
    known = np.concatenate([side[np.isfinite(side)] for side in sides]) if sides else np.zeros(0)
    if observed.takes_probabilities and known.size and ((known < -1e-3) | (known > 1 + 1e-3)).mean() > 0.01:
        return WrongScale("no probabilities", "probabilities")
    return None


def softmax_of_one(observed: Observed) -> SoftmaxOfOne | None:
    """Find a softmax over one output."""
    return SoftmaxOfOne() if observed.output_scale is OutputScale.ALWAYS_ONE else None


def multi_label_accuracy(observed: Observed) -> MultiLabelAccuracy | None:
    """Find whether the accuracy of samples with several labels counts the largest output, or cuts logits at 0.5."""
    labels = observed.labels
    if labels is None:
        return None
    if labels.accuracy_function == "categoricalaccuracy":
        counts = "largest"
    elif labels.accuracy_function == "binaryaccuracy" and labels.threshold != labels.one_half:
        counts = "threshold"
    else:
        return None
    train, other = (_reported_and_anew(side, labels, counts) for side in (labels.train, labels.validation))
    if train[0] == train[1] and other[0] == other[1]:
        return None
    exact = _exact(labels.train, labels), _exact(labels.validation, labels)
    return MultiLabelAccuracy(counts, labels.threshold, train, other, exact, labels.is_logits)


def _reported_and_anew(side: LabelSide, labels: MultiLabel, counts: str) -> Pair:
    anew = float(((side.output > labels.one_half) == side.target).mean())
    if counts == "largest":
        return float((side.output.argmax(axis=1) == side.target.argmax(axis=1)).mean()), anew
    return float(((side.output > labels.threshold) == side.target).mean()), anew


def _exact(side: LabelSide, labels: MultiLabel) -> float:
    return float(((side.output > labels.one_half) == side.target).all(axis=1).mean())


def rare_labels(observed: Observed) -> RareLabels | None:
    """Find whether accuracy by label is hardly better than saying of every label what is commoner."""
    labels = observed.labels
    if labels is None or labels.accuracy_function != "binaryaccuracy" or len(labels.validation.target) < FEWEST:
        return None
    side = labels.validation
    said = side.output > labels.one_half
    there = labels.train.target.mean(axis=0) > 0.5
    accuracy, without = float((said == side.target).mean()), float((there == side.target).mean())
    found = float(said[side.target].mean()) if side.target.any() else 1.0
    if accuracy > without + _LITTLE_AHEAD or found >= _SELDOM_FOUND:
        return None
    return RareLabels(accuracy, without, _exact(side, labels), found)
