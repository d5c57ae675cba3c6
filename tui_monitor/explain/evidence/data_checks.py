"""Checks of the two sides' samples: their order, whether they stay the same, how they count, what numbers they are."""

import math

import numpy as np

from tui_monitor.explain.evidence.check_results import (
    CutValidation,
    Drift,
    NewTraining,
    NotFinite,
    NotShuffled,
    PaddingCounted,
    PenaltyInOneMode,
    Repeated,
    Rounded,
    WeightedValidation,
)
from tui_monitor.explain.evidence.rounding import narrow_type
from tui_monitor.explain.evidence.sureness import FEWEST, SURE_DEVIATIONS
from tui_monitor.explain.samples.labels import BoolArray
from tui_monitor.explain.samples.observed import Observed, ValidationChange
from tui_monitor.explain.samples.probes import (
    IN_ACCURACY,
    IN_LOSS,
    FloatArray,
    IntArray,
    TrainingProbe,
    ValidationProbe,
    effective_weights,
    loss_within_classes,
)

_DISPERSED = 2.0
"""Times the dispersion of shuffled batches from which they count as not shuffled."""
_REPEATED = 0.6
"""Fraction of different samples in validation below which samples count as repeated."""
_PENALTY = 1e-3
_CUT = 0.9
"""Fraction of validation below which it counts as cut: a last batch that is left out is no fault."""
_FEWEST_EXPECTED = 20.0
"""Training samples to be expected again from which on none of them is no chance: e⁻²⁰."""
_NONE_BACK = 0.02
_FELT = 0.005
"""Fraction by which padding must move an accuracy, or a loss relative to it, to be worth a word."""


def not_shuffled(observed: Observed) -> NotShuffled | None:
    """Find class counts that vary between training batches as they don't in shuffled ones."""
    dispersion, freedom = observed.class_dispersion, observed.class_freedom
    if dispersion is None or freedom < FEWEST:
        return None
    times = dispersion / freedom
    is_sure = (dispersion - freedom) / math.sqrt(2 * freedom) > 2 * SURE_DEVIATIONS
    return NotShuffled(times) if times > _DISPERSED and is_sure else None


def changed(observed: Observed) -> ValidationChange | None:
    """Find a validation set that is another one than in the epoch before."""
    change = observed.validation_change
    if change is None or change.in_both == change.samples_now == change.samples_before:
        return None
    return change


def repeated(observed: Observed) -> Repeated | None:
    """Find samples that stand in validation several times, where training's don't."""
    samples, distinct = observed.validation_samples, observed.validation_distinct
    if samples < FEWEST or distinct > _REPEATED * samples or observed.training_repeats > samples / 100:
        return None
    return Repeated(samples, distinct)


def drift(validation: ValidationProbe) -> Drift | None:
    """Find a trend over validation's order in the ranks of the loss, each class's mean loss taken off."""
    size = validation.loss.size
    if not validation.complete or size < 4 * FEWEST or not np.isfinite(validation.loss).all():
        return None
    above = loss_within_classes(validation)
    ranks = _mean_ranks(np.round(above, 9))
    if not ranks.std():
        return None
    correlation = float(np.corrcoef(ranks, np.arange(size))[0, 1])
    if not abs(correlation) * math.sqrt(size) > SURE_DEVIATIONS or abs(correlation) < 0.1:
        return None
    rest = above + validation.loss.mean()
    quarter = size // 4
    return Drift(float(rest[:quarter].mean()), float(rest[-quarter:].mean()))


def _mean_ranks(values: FloatArray) -> FloatArray:
    """Return ranks, equal values sharing the mean of theirs, so that no order among them counts."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[inverse], dtype=np.float64)


def not_finite(probe: TrainingProbe, validation: ValidationProbe) -> NotFinite | None:
    """Find losses that are no numbers on one side alone."""
    train = int((~np.isfinite(probe.loss.inference)).sum())
    other = int((~np.isfinite(validation.loss)).sum())
    return NotFinite(train, other) if bool(train) != bool(other) else None


def penalty(observed: Observed) -> PenaltyInOneMode | None:
    """Find a penalty that is part of the loss in one mode alone."""
    training, inference = observed.penalty_in_training, observed.penalty_in_inference
    # A penalty on activities differs between modes by what dropout does: only one that is 0 in a mode is meant.
    if max(abs(training), abs(inference)) <= _PENALTY or min(abs(training), abs(inference)) > 0:
        return None
    return PenaltyInOneMode(training, inference)


def cut_validation(observed: Observed) -> CutValidation | None:
    """Find whether a good part of validation's data is never looked at."""
    given, used = observed.validation_given, observed.validation_used
    for unit, whole, part in (("samples", given.samples, used.samples), ("batches", given.batches, used.batches)):
        if whole is not None and part is not None and 0 < part < _CUT * whole:
            return CutValidation(part, whole, unit)
    return None


def weighted_validation(probe: TrainingProbe, validation: ValidationProbe) -> WeightedValidation | None:
    """Find validation's samples to be weighted by their labels, or though training's are not."""
    weight, label = validation.weight, validation.label
    if weight.size < FEWEST or (weight == 1.0).all() or not np.isfinite(validation.loss).all():
        return None
    is_label = bool((weight == label).all()) and np.unique(weight).size > 1
    if not is_label and (probe.weight != 1.0).any():
        return None
    weighted = float((effective_weights(weight, validation.batch, validation.weighting) * validation.loss).mean())
    plain = float(validation.loss.mean())
    return WeightedValidation(is_label, float(weight.min()), float(weight.max()), weighted, plain)


def new_training(observed: Observed) -> NewTraining | None:
    """Find whether training's inputs are others in every epoch."""
    expected, back = observed.training_expected_back, observed.training_back
    if expected < _FEWEST_EXPECTED or back > _NONE_BACK * expected:
        return None
    return NewTraining(expected, back)


def padding_counted(probe: TrainingProbe, validation: ValidationProbe, observed: Observed) -> PaddingCounted | None:
    """Find time steps that are padding in a mean: those that the loss leaves out, or that nothing masks at all."""
    train, other = _left_out(probe.counted), _left_out(validation.counted)
    in_loss = train is None and observed.padding is not None
    if in_loss and observed.padding is not None:
        train, other = observed.padding.train, observed.padding.validation
    if train is None or not train.any() or train.all():
        return None
    is_accuracy = probe.accuracy is not None and validation.correct is not None
    if not is_accuracy and not in_loss:
        return None
    counts = _counts_in_mean(probe.counted, train.size)
    of_train = probe.accuracy.inference if is_accuracy and probe.accuracy is not None else probe.loss.inference
    pair = _with_and_without(of_train, train, counts)
    of_other = validation.correct if is_accuracy else validation.loss
    beside = None
    if other is not None and of_other is not None and not other.all():
        beside = _with_and_without(of_other, other, _counts_in_mean(validation.counted, other.size))
    if max(abs(a - b) / (1.0 if is_accuracy else max(abs(a), 1e-9)) for a, b in (pair, beside or pair)) < _FELT:
        return None
    return PaddingCounted(float(train[counts].mean()), in_loss, pair, beside, is_accuracy)


def _left_out(counted: IntArray | None) -> BoolArray | None:
    """Return which units the accuracy counts though the loss leaves them out; None without a mask."""
    return None if counted is None else np.asarray((counted & (IN_LOSS | IN_ACCURACY)) == IN_ACCURACY)


def _counts_in_mean(counted: IntArray | None, size: int) -> BoolArray:
    return np.ones(size, dtype=bool) if counted is None else np.asarray((counted & IN_ACCURACY) > 0)


def _with_and_without(values: FloatArray, padding: BoolArray, counts: BoolArray) -> tuple[float, float]:
    return float(values[counts].mean()), float(values[counts & ~padding].mean())


def rounded(probe: TrainingProbe, validation: ValidationProbe, observed: Observed) -> Rounded | None:
    """Find whether one side's inputs or losses all fit float16 or bfloat16, and the other's don't."""
    losses = narrow_type(probe.loss.then), narrow_type(validation.loss)
    for of, (train, other) in (("inputs", observed.input_types), ("losses", losses)):
        if train is None or other is None or bool(train) == bool(other):
            continue
        return Rounded("training" if train else "validation", train or other, of)
    return None
