"""The ledger's terms as estimated from probed batches, anchored at what is known of every batch.

Notation: v(S) is the mean over training samples at the current weights with the toggles in S moved from
"as training reported it" to "as validation is measured". A toggle's term is its Shapley value over v, so
the terms add up whatever the order (Shapley, A value for n-person games, 1953).
"""

import functools
import itertools
import math
from dataclasses import dataclass

import numpy as np

from tui_monitor.explain.quantiles import small_sample_inflation
from tui_monitor.explain.samples.probes import (
    Averaging,
    FloatArray,
    IntArray,
    PerSampleMetric,
    TrainingProbe,
    ValidationProbe,
    Weighting,
    effective_weights,
)
from tui_monitor.run_log.events.ledger import Cause

TOGGLES = (Cause.TRAIN_MODE_LAYERS, Cause.SAMPLE_WEIGHTS, Cause.BATCH_AVERAGING, Cause.CLASS_MIX)
RESAMPLES = 400
_FEWEST_BATCHES_REGRESSED = 8
"""With fewer batches, a slope over them says too little."""
_MOST_CLASSES_RESTRATIFIED = 32
"""With more classes the bootstrap keeps the full probe's class weights, which bounds its memory."""


@dataclass(frozen=True)
class ClassWeights:
    """Factors of each class's samples; shape (classes,) each."""

    counts: FloatArray
    """Probed training samples of each class."""
    train_share: FloatArray
    """Share of each class in all training samples of the epoch."""
    ratio: FloatArray
    """Validation share over training share, scaled so that training's mean ratio is 1."""


def class_weights(probe: TrainingProbe, validation: ValidationProbe) -> ClassWeights:
    """Return post-stratification shares and label-shift ratios.

    Classes that only validation holds can't be reached by reweighting training and are left out of the ratios, see
    `new_classes`. Without classes everything is one class of ratio 1.
    """
    train_counts, validation_counts = probe.epoch_class_counts, validation.class_counts
    if train_counts is None or validation_counts is None:
        return one_class(probe)
    size = max(train_counts.size, validation_counts.size, int(probe.label.max(initial=0)) + 1)
    train = padded(train_counts, size)
    valid = padded(validation_counts, size)
    counts = np.bincount(probe.label, minlength=size).astype(float)
    train_share = train / train.sum() if train.sum() else np.zeros(size)
    validation_share = valid / valid.sum() if valid.sum() else train_share
    ratio = np.divide(validation_share, train_share, out=np.zeros(size), where=train > 0)
    reachable = float((ratio * train_share).sum())
    ratio = ratio / reachable if reachable > 0 else np.ones(size)
    return ClassWeights(counts, train_share, ratio)


def one_class(probe: TrainingProbe) -> ClassWeights:
    """Return class weights that put all in one class of ratio 1."""
    one = np.ones(1)
    return ClassWeights(np.array([float(probe.label.size)]), one, one)


def padded(counts: IntArray, size: int) -> FloatArray:
    """Return counts of classes with zeros for further ones, shape (size,)."""
    return np.pad(counts, (0, size - counts.size)).astype(float)


@dataclass(frozen=True)
class Estimates:
    """Row 0 from the probe as it is, the other rows from its bootstrap resamples."""

    in_epoch: FloatArray
    toggles: FloatArray
    """Shape (rows, 4), in the order of `TOGGLES`."""
    end: FloatArray
    """The training value with every toggle moved, anchored at the reported value."""
    fitted: int
    """Parameters fitted to the batches: the mean, and a slope where there is one."""
    leverage: float
    """What the slope's own error adds to the variance of a mean, as a fraction of that variance."""
    draw_variance: float
    """Upper bound of the variance that training mode's random draws give to the value now: half the variance between
    two draws, the one trained on and the one probed."""


@functools.lru_cache(maxsize=1)
def multiplicities(batches: int, seed: int) -> FloatArray:
    """Return how often each batch counts, shape (1 + `RESAMPLES`, batches), first row all ones."""
    drawn = np.random.default_rng(seed).integers(batches, size=(RESAMPLES, batches))
    drawn += np.arange(0, RESAMPLES * batches, batches)[:, np.newaxis]
    counts = np.bincount(drawn.ravel(), minlength=RESAMPLES * batches).reshape(RESAMPLES, batches)
    return np.concatenate([np.ones((1, batches)), counts])


def estimate(
    probe: TrainingProbe, metric: PerSampleMetric, classes: ClassWeights, multiplicity: FloatArray
) -> Estimates:
    """Return the training side's terms of one metric, from the probe as it is and from its resamples.

    Args:
        probe: probed training batches with at least one sample.
        metric: its loss or its accuracy.
        classes: weights of each class's samples.
        multiplicity: how often each batch counts, shape (rows, batches).
    """
    batches = multiplicity.shape[1]
    label = probe.label if classes.train_share.size > 1 else np.zeros_like(probe.label)
    weights = effective_weights(probe.weight, probe.batch, metric.weighting)
    columns = np.stack([*_columns(metric, weights), np.ones_like(weights)], axis=1)
    sums = _sums_by_batch_and_class(columns, probe.batch, label, batches, classes.train_share.size)
    if classes.train_share.size > _MOST_CLASSES_RESTRATIFIED:
        fixed = _stratum_weights(classes.counts[np.newaxis], classes.train_share, classes.counts.sum())[0]
        moved = np.einsum("bcf,c->bf", sums, fixed * classes.ratio)
        sums = np.stack([np.einsum("bcf,c->bf", sums, fixed), moved], axis=1)
        mixes = np.broadcast_to(np.eye(2)[:, np.newaxis, :], (2, len(multiplicity), 2))
    else:
        counts = multiplicity @ sums[:, :, 5]
        strata = _stratum_weights(counts, classes.train_share, counts.sum(axis=1, keepdims=True))
        mixes = np.stack([strata, strata * classes.ratio])
    units = np.bincount(probe.batch, minlength=batches).astype(np.float64)
    as_reported = batch_weights(metric.averaging, probe.batch_samples, units)
    plain = units if probe.batch_samples is None or not metric.is_of_batches else probe.batch_samples
    reported_way, by_units = (_means(multiplicity, sums, units, weight) for weight in (as_reported, plain))

    means = np.stack([reported_way, by_units])[..., 1:5]
    # Columns are (mode, weight) in order; the toggles' order is mode, weight, averaging, mix.
    values = np.einsum("arcf,mrc->famr", means, mixes).reshape(2, 2, 2, 2, len(multiplicity))
    then = (reported_way[:, :, 0] * mixes[0]).sum(axis=1) + metric.offset_then
    now = values[0, 0, 0, 0] + metric.offset_now
    return _anchored(then, np.column_stack([now, shapley(values)]), metric.reported, batches)


def _columns(metric: PerSampleMetric, weights: FloatArray) -> tuple[FloatArray, ...]:
    """Return the values of then, then weighted and plain ones in training mode, then both in inference mode."""
    if metric.unweighted is not None:
        # Only training's step knows the weights: they are taken to do as much in inference mode.
        of_weights = metric.training - metric.unweighted
        return metric.then, metric.training, metric.unweighted, metric.inference + of_weights, metric.inference
    plain = metric.training, metric.inference
    return weights * metric.then, weights * plain[0], plain[0], weights * plain[1], plain[1]


def batch_weights(averaging: Averaging, samples: FloatArray | None, units: FloatArray) -> FloatArray:
    """Return the weight of each batch's mean in a reported value, shape (batches,).

    Args:
        averaging: of the value.
        samples: of each batch, shape (batches,); None where they are the units.
        units: of each batch, shape (batches,).
    """
    if averaging is Averaging.BATCHES:
        return np.ones_like(units)
    return units if averaging is Averaging.UNITS or samples is None else samples


def _means(multiplicity: FloatArray, sums: FloatArray, units: FloatArray, weight: FloatArray) -> FloatArray:
    """Return means over batches of their own means, shape (rows, classes, columns).

    Args:
        multiplicity: how often each batch counts, shape (rows, batches).
        sums: of each batch, shape (batches, classes, columns).
        units: of each batch, shape (batches,).
        weight: of each batch's mean, shape (batches,).
    """
    share = np.divide(weight, units, out=np.zeros_like(units), where=units > 0)
    below = np.maximum(multiplicity @ weight, np.finfo(float).tiny)
    return np.asarray(np.tensordot(multiplicity * share, sums, axes=1) / below[:, None, None])


def _anchored(then: FloatArray, measured: FloatArray, reported: float, batches: int) -> Estimates:
    """Correct measured values by how far the probed batches were off the value of all batches, which is known.

    The regression estimator of survey sampling (Cochran, Sampling Techniques, 1977, chapter 7), with slopes from the
    bootstrap; a slope's error counts by how far off the probed batches were. With too few batches for a slope, the
    value now is corrected by the whole difference: batches that were easier then are taken to be as much easier now.

    Args:
        then: the reported value as the probed batches alone give it, shape (rows,).
        measured: the value now, and each toggle's term, shape (rows, 5).
        reported: the value over all batches.
        batches: probed.
    """
    slope = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
    from_mean = then[1:] - then[1:].mean()
    spread = float(from_mean @ from_mean)
    fitted, leverage = 1, 0.0
    if batches >= _FEWEST_BATCHES_REGRESSED and spread > 0:
        slope = from_mean @ (measured[1:] - measured[1:].mean(axis=0)) / spread
        fitted, leverage = 2, float((reported - then[0]) ** 2 / (batches * spread / from_mean.size))
    corrected = measured + np.outer(reported - then, slope)
    in_epoch, toggles = reported - corrected[:, 0], corrected[:, 1:]
    draws = float(np.var(then[1:] - measured[1:, 0])) / 2
    return Estimates(in_epoch, toggles, reported - in_epoch - toggles.sum(axis=1), fitted, leverage, draws)


def _sums_by_batch_and_class(
    columns: FloatArray, batch: IntArray, label: IntArray, batches: int, classes: int
) -> FloatArray:
    cell = batch * classes + label
    sums = [np.bincount(cell, weights=column, minlength=batches * classes) for column in columns.T]
    return np.stack(sums, axis=1, dtype=np.float64).reshape(batches, classes, columns.shape[1])


def _stratum_weights(counts: FloatArray, share: FloatArray, total: FloatArray | float) -> FloatArray:
    """Return what multiplies each class so that its share becomes the exact one, shape (rows, classes)."""
    seen = counts > 0
    covered = (seen * share).sum(axis=1, keepdims=True)
    exact = np.where(seen, share, 0.0) / np.where(covered > 0, covered, 1.0)
    return np.divide(exact * total, counts, out=np.zeros_like(exact), where=seen)


def shapley(values: FloatArray) -> FloatArray:
    """Return the Shapley value of moving each toggle, as value before minus value after, shape (rows, toggles).

    Args:
        values: a value for every combination of toggles, shape (2, ..., 2, rows) with one axis a toggle:
            0 as training reported it, 1 as validation is measured.
    """
    players = values.ndim - 1
    flat = values.reshape(2**players, -1)
    return np.asarray((_shapley_coefficients(players) @ flat).T, dtype=np.float64)


@functools.lru_cache
def _shapley_coefficients(players: int) -> FloatArray:
    """Return what each combination counts in each toggle's value, shape (players, 2^players)."""
    coefficients = np.zeros((players, 2**players))
    for index, moved in enumerate(itertools.product((0, 1), repeat=players)):
        for player in range(players):
            others = sum(moved) - moved[player]
            weight = math.factorial(others) * math.factorial(players - 1 - others) / math.factorial(players)
            coefficients[player, index] = -weight if moved[player] else weight
    return coefficients


@dataclass(frozen=True)
class ValidationValue:
    """Validation's mean of one metric at the current weights."""

    as_reported: float
    """As Keras measures it: averaged its way, with weights that came with the data."""
    weighted: float
    """The mean over all units, with those weights."""
    plain: float
    """The mean with every sample counting the same."""
    deviation: FloatArray
    """Bootstrap deviations of the plain value, shape (resamples,); zeros where all was measured."""


def validation_value(
    probe: ValidationProbe,
    values: FloatArray,
    weighting: Weighting,
    averaging: Averaging,
    seed: int,
) -> ValidationValue:
    """Return validation's mean of one metric, at validation's exact class shares.

    Args:
        probe: validation samples with at least one sample.
        values: the metric of each of them, shape (n,).
        weighting: how weights that came with the data enter it.
        averaging: how the reported value averages batches.
        seed: of the bootstrap.
    """
    label = probe.label if probe.class_counts is not None else np.zeros_like(probe.label)
    size = int(label.max(initial=0)) + 1
    if probe.class_counts is None:
        share = np.ones(1)
    else:
        size = max(size, probe.class_counts.size)
        share = padded(probe.class_counts, size) / max(1, int(probe.class_counts.sum()))
    counts = np.bincount(label, minlength=size).astype(float)
    strata = _stratum_weights(counts[np.newaxis], share, counts.sum())[0][label]
    weights = effective_weights(probe.weight, probe.batch, weighting)
    plain, weighted = float((values * strata).mean()), float((values * strata * weights).mean())
    batches = probe.batches
    units = np.ones(batches) * np.bincount(probe.batch, minlength=batches)
    counts_as = batch_weights(averaging, probe.batch_samples, units)
    as_reported = weighted
    if counts_as is not units:
        weighted_sums = np.bincount(probe.batch, weights=values * strata * weights, minlength=batches)
        own = np.divide(weighted_sums, units, out=np.zeros(batches), where=units > 0)
        as_reported = float(own @ counts_as / max(float(counts_as.sum()), 1.0))
    if probe.complete:
        return ValidationValue(as_reported, weighted, plain, np.zeros(RESAMPLES))
    if batches < 2:
        return ValidationValue(as_reported, weighted, plain, np.full(RESAMPLES, np.inf))
    multiplicity = multiplicities(batches, seed)[1:]
    sums = np.bincount(probe.batch, weights=values * strata, minlength=batches)
    resampled = multiplicity @ sums / np.maximum(multiplicity @ units, 1.0)
    inflated = (resampled - plain) * small_sample_inflation(batches, 1)
    return ValidationValue(as_reported, weighted, plain, inflated)
