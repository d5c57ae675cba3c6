"""A gap as named terms that add up to it exactly, each with an interval from a bootstrap over batches.

Notation: v(S) is the mean over training samples at the current weights with the toggles in S moved from
"as training reported it" to "as validation is measured". A toggle's term is its Shapley value over v, so
the terms add up whatever the order (Shapley, A value for n-person games, 1953).
"""

import functools
import itertools
import math
from dataclasses import dataclass

import numpy as np

from tui_monitor.explain.explanation import Cause, Ledger, Term, Verdict
from tui_monitor.explain.samples import (
    NO_CLASS,
    Averaging,
    FloatArray,
    IntArray,
    Quantity,
    TrainingProbe,
    ValidationProbe,
    Weighting,
    effective_weights,
)

Bounds = tuple[float | None, float | None]
"""Lower and upper end of an interval; None where it is unknown."""

TOGGLES = (Cause.TRAIN_MODE_LAYERS, Cause.SAMPLE_WEIGHTS, Cause.BATCH_AVERAGING, Cause.CLASS_MIX)
SMALLEST_LOSS_WORTH_NAMING = 0.005
"""Nats."""
SMALLEST_ACCURACY_WORTH_NAMING = 0.0025
"""Fraction of samples."""
RULED_OUT_SHARE_OF_GAP = 0.10
RESAMPLES = 400
_NORMAL_QUANTILE = 1.959964
_MOST_CLASSES_RESTRATIFIED = 32
"""With more classes the bootstrap keeps the full probe's class weights, which bounds its memory."""


@dataclass(frozen=True)
class ClassWeights:
    """What each class's samples are multiplied by; shape (classes,) each."""

    counts: FloatArray
    """Probed training samples of each class."""
    train_share: FloatArray
    """Share of each class in all training samples of the epoch."""
    ratio: FloatArray
    """Validation share over training share, scaled so that training's mean ratio is 1."""


def class_weights(probe: TrainingProbe, validation: ValidationProbe) -> ClassWeights:
    """Return post-stratification shares and label-shift ratios.

    Classes that only validation holds can't be reached by reweighting training and are left out of the ratios.
    Without classes everything is one class of ratio 1.
    """
    train_counts, validation_counts = probe.epoch_class_counts, validation.class_counts
    if train_counts is None or validation_counts is None:
        one = np.ones(1)
        return ClassWeights(np.array([float(probe.label.size)]), one, one)
    size = max(train_counts.size, validation_counts.size, int(probe.label.max(initial=0)) + 1)
    train = _padded(train_counts, size)
    valid = _padded(validation_counts, size)
    counts = np.bincount(probe.label, minlength=size).astype(float)
    train_share = train / train.sum() if train.sum() else np.zeros(size)
    validation_share = valid / valid.sum() if valid.sum() else train_share
    ratio = np.divide(validation_share, train_share, out=np.zeros(size), where=train > 0)
    reachable = float((ratio * train_share).sum())
    ratio = ratio / reachable if reachable > 0 else np.ones(size)
    return ClassWeights(counts, train_share, ratio)


def _padded(counts: IntArray, size: int) -> FloatArray:
    return np.pad(counts, (0, size - counts.size)).astype(float)


@dataclass(frozen=True)
class _Estimates:
    """Row 0 from the probe as it is, the other rows from its bootstrap resamples."""

    in_epoch: FloatArray
    toggles: FloatArray
    """Shape (rows, 4), in the order of `TOGGLES`."""
    end: FloatArray
    """The training figure with every toggle moved, anchored at the reported figure."""


@functools.lru_cache(maxsize=1)
def _multiplicities(batches: int, seed: int) -> FloatArray:
    """Return how often each batch counts, shape (1 + `RESAMPLES`, batches), first row all ones."""
    drawn = np.random.default_rng(seed).integers(batches, size=(RESAMPLES, batches))
    drawn += np.arange(0, RESAMPLES * batches, batches)[:, np.newaxis]
    counts = np.bincount(drawn.ravel(), minlength=RESAMPLES * batches).reshape(RESAMPLES, batches)
    return np.concatenate([np.ones((1, batches)), counts])


def _estimate(probe: TrainingProbe, quantity: Quantity, classes: ClassWeights, multiplicity: FloatArray) -> _Estimates:
    batches = multiplicity.shape[1]
    label = probe.label if classes.train_share.size > 1 else np.zeros_like(probe.label)
    sizes = np.bincount(probe.batch, minlength=batches).astype(float)
    weights = effective_weights(probe.weight, probe.batch, quantity.weighting)
    columns = np.stack(
        [
            weights * quantity.then,
            weights * quantity.training,
            quantity.training,
            weights * quantity.inference,
            quantity.inference,
            np.ones_like(weights),
        ],
        axis=1,
    )
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
    by_samples = np.tensordot(multiplicity, sums, axes=1) / (multiplicity @ sizes)[:, None, None]
    reported_way = by_samples
    if quantity.averaging is Averaging.BATCHES:
        by_batches = np.tensordot(multiplicity, sums / sizes[:, None, None], axes=1)
        reported_way = by_batches / multiplicity.sum(axis=1)[:, None, None]

    means = np.stack([reported_way, by_samples])[..., 1:5]
    # Columns are (mode, weight) in order; the toggles' order is mode, weight, averaging, mix.
    figures = np.einsum("arcf,mrc->famr", means, mixes).reshape(2, 2, 2, 2, len(multiplicity))
    then = (reported_way[:, :, 0] * mixes[0]).sum(axis=1)
    in_epoch = then + quantity.offset_then - figures[0, 0, 0, 0] - quantity.offset_now
    toggles = shapley(figures)
    end = quantity.reported - in_epoch - toggles.sum(axis=1)
    return _Estimates(in_epoch, toggles, end)


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


def shapley(figures: FloatArray) -> FloatArray:
    """Return the Shapley value of moving each toggle, as figure before minus figure after, shape (rows, toggles).

    Args:
        figures: a figure for every combination of toggles, shape (2, ..., 2, rows) with one axis a toggle:
            0 as training reported it, 1 as validation is measured.
    """
    players = figures.ndim - 1
    flat = figures.reshape(2**players, -1)
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
class _ValidationFigure:
    weighted: float
    """As Keras measures it, with weights that came with the data."""
    plain: float
    """Every sample counting the same."""
    deviation: FloatArray
    """Bootstrap deviations of the plain figure, shape (resamples,); zeros where all was measured."""


def _validation_figure(
    probe: ValidationProbe, values: FloatArray, weighting: Weighting, seed: int
) -> _ValidationFigure:
    label = probe.label if probe.class_counts is not None else np.zeros_like(probe.label)
    size = int(label.max(initial=0)) + 1
    if probe.class_counts is None:
        share = np.ones(1)
    else:
        size = max(size, probe.class_counts.size)
        share = _padded(probe.class_counts, size) / max(1, int(probe.class_counts.sum()))
    counts = np.bincount(label, minlength=size).astype(float)
    strata = _stratum_weights(counts[np.newaxis], share, counts.sum())[0][label]
    weights = effective_weights(probe.weight, probe.batch, weighting)
    plain, weighted = (values * strata).mean(), (values * strata * weights).mean()
    if probe.complete:
        return _ValidationFigure(float(weighted), float(plain), np.zeros(RESAMPLES))
    batches = int(probe.batch.max(initial=0)) + 1
    if batches < 2:
        return _ValidationFigure(float(weighted), float(plain), np.full(RESAMPLES, np.inf))
    multiplicity = _multiplicities(batches, seed)[1:]
    sums = np.bincount(probe.batch, weights=values * strata, minlength=batches)
    sizes = np.bincount(probe.batch, minlength=batches)
    resampled = multiplicity @ sums / (multiplicity @ sizes)
    inflated = (resampled - plain) * _small_sample_inflation(batches)
    return _ValidationFigure(float(weighted), float(plain), inflated)


def _small_sample_inflation(batches: int) -> float:
    """Return what a bootstrap over few batches must be widened by: Student's t over normal, and n over n−1.

    The t quantile is the Cornish–Fisher expansion (Abramowitz and Stegun 26.7.5), within 1 % from 3 batches on.
    """
    freedom = max(1, batches - 1)
    z = _NORMAL_QUANTILE
    quantile = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    return float(quantile / z * math.sqrt(batches / freedom))


def build_ledger(
    probe: TrainingProbe,
    validation: ValidationProbe,
    figure: str,
    seed: int = 0,
) -> Ledger | None:
    """Return the ledger of one quantity, or None when either side does not report it.

    Args:
        probe: probed training batches with at least one sample.
        validation: validation samples with at least one sample.
        figure: `loss` or `accuracy`.
        seed: of the bootstrap; the same inputs give the same intervals.
    """
    on_loss = figure == "loss"
    quantity = probe.loss if on_loss else probe.accuracy
    values = validation.loss if on_loss else validation.correct
    if quantity is None or values is None:
        return None
    batches = int(probe.batch[-1]) + 1
    multiplicity = _multiplicities(batches, seed)
    classes = class_weights(probe, validation)
    estimates = _estimate(probe, quantity, classes, multiplicity)
    weighting = validation.weighting if on_loss else validation.accuracy_weighting
    measured = _validation_figure(validation, values, weighting, seed + 1)
    offset = validation.offset if on_loss else 0.0
    reported = validation.reported_loss if on_loss else validation.reported_accuracy
    if reported is None:
        reported = measured.weighted + offset

    validation_weights = measured.plain - measured.weighted
    point = {
        Cause.IN_EPOCH_AVERAGING: float(estimates.in_epoch[0]),
        **{cause: float(estimates.toggles[0, i]) for i, cause in enumerate(TOGGLES)},
    }
    point[Cause.SAMPLE_WEIGHTS] += validation_weights
    point[Cause.MEASUREMENT] = measured.weighted + offset - reported
    gap = quantity.reported - reported
    point[Cause.WITHIN_CLASS] = gap - math.fsum(point.values())

    deviations = _deviations(estimates, batches, probe.epoch_batches, quantity)
    with np.errstate(invalid="ignore"):
        # A side measured on one batch has no known spread: infinite, or NaN for both.
        deviations[Cause.WITHIN_CLASS] = deviations[Cause.WITHIN_CLASS] - measured.deviation
    deviations[Cause.MEASUREMENT] = measured.deviation
    noise = _sampling_error(probe, quantity, validation, values)
    smallest = SMALLEST_LOSS_WORTH_NAMING if on_loss else SMALLEST_ACCURACY_WORTH_NAMING
    bounds = _intervals(point, deviations)
    verdicts = _verdicts(point, bounds, gap, noise, smallest)
    return Ledger(
        gap=gap,
        low=gap - noise,
        high=gap + noise,
        within_noise=bool(abs(gap) <= noise),
        terms=tuple(Term(cause, point[cause], *bounds[cause], verdicts[cause]) for cause in Cause),
    )


def _deviations(estimates: _Estimates, batches: int, epoch_batches: int, quantity: Quantity) -> dict[Cause, FloatArray]:
    """Return bootstrap deviations of each term, shape (resamples,), narrowed where most batches were probed.

    The finite-population factor √(1 − probed/all) is left out where training mode draws at random: a complete
    probe is then still one draw of the noise.
    """
    inflation = _small_sample_inflation(batches)
    finite = math.sqrt(max(0.0, 1.0 - batches / max(epoch_batches, 1)))
    random_mode = not np.array_equal(quantity.training, quantity.inference)
    drawn = 1.0 if random_mode else finite

    def spread(values: FloatArray, factor: float) -> FloatArray:
        if factor == 0.0:
            return np.zeros(values.size - 1)
        if batches < 2:
            return np.full(values.size - 1, np.inf)
        return np.asarray((values[1:] - values[0]) * factor * inflation, dtype=np.float64)

    result = {Cause.IN_EPOCH_AVERAGING: spread(estimates.in_epoch, drawn)}
    for index, cause in enumerate(TOGGLES):
        factor = drawn if cause is Cause.TRAIN_MODE_LAYERS else finite
        result[cause] = spread(estimates.toggles[:, index], factor)
    result[Cause.WITHIN_CLASS] = spread(estimates.end, finite)
    return result


def _intervals(point: dict[Cause, float], deviations: dict[Cause, FloatArray]) -> dict[Cause, Bounds]:
    """Return the 95 % percentile interval of each term; (None, None) where nothing finite is known."""
    spread = np.stack([deviations[cause] for cause in Cause])
    known = np.isfinite(spread).all(axis=1) & np.isfinite([point[cause] for cause in Cause])
    low, high = np.quantile(np.where(known[:, np.newaxis], spread, 0.0), [0.025, 0.975], axis=1)
    return {
        cause: (point[cause] + min(0.0, float(low[i])), point[cause] + max(0.0, float(high[i])))
        if known[i]
        else (None, None)
        for i, cause in enumerate(Cause)
    }


def _sampling_error(probe: TrainingProbe, quantity: Quantity, validation: ValidationProbe, values: FloatArray) -> float:
    """Return the half-width of the 95 % interval that drawing both sets at random leaves the gap.

    The training set's size is the epoch's, estimated from the probed batches.
    """
    weights = effective_weights(probe.weight, probe.batch, quantity.weighting)
    batches = int(probe.batch[-1]) + 1
    if probe.epoch_class_counts is not None:
        train_size = float(probe.epoch_class_counts.sum())
    else:
        train_size = probe.batch.size / batches * probe.epoch_batches
    if validation.class_counts is not None:
        validation_size = float(validation.class_counts.sum())
    else:
        validation_size = float(values.size)
    variance = np.var(weights * quantity.then) / max(train_size, 1.0)
    variance += np.var(values) / max(validation_size, 1.0)
    return _NORMAL_QUANTILE * math.sqrt(float(variance))


def _verdicts(
    point: dict[Cause, float],
    bounds: dict[Cause, Bounds],
    gap: float,
    noise: float,
    smallest: float,
) -> dict[Cause, Verdict]:
    """Return each term's verdict by the definition; chance alone never makes a cause.

    `within_class` holds chance by definition and `measurement` is no cause: the first must exceed the sampling
    error to be named, the second is never the main one.
    """
    negligible = max(smallest, RULED_OUT_SHARE_OF_GAP * abs(gap))
    verdicts: dict[Cause, Verdict] = {}
    for cause in Cause:
        low, high = bounds[cause]
        if low is None or high is None:
            verdicts[cause] = Verdict.CANNOT_TELL
        elif -negligible <= low and high <= negligible:
            verdicts[cause] = Verdict.RULED_OUT
        elif low <= 0 <= high or (cause is Cause.WITHIN_CLASS and abs(point[cause]) <= noise):
            verdicts[cause] = Verdict.CANNOT_TELL
        elif point[cause] * gap > 0:
            verdicts[cause] = Verdict.CONTRIBUTES
        else:
            verdicts[cause] = Verdict.OFFSETS
    candidates = [cause for cause in Cause if verdicts[cause] is Verdict.CONTRIBUTES and cause is not Cause.MEASUREMENT]
    if candidates:
        largest = max(candidates, key=lambda cause: abs(point[cause]))
        if abs(point[largest]) > noise or abs(gap) > noise:
            verdicts[largest] = Verdict.MAIN
    return verdicts


def has_classes(label: IntArray) -> bool:
    """Whether samples belong to classes, as opposed to regression targets."""
    return bool(label.size) and bool((label != NO_CLASS).all())
