"""How far each term may be off: intervals from a bootstrap over batches, and what drawing both sets anew would do."""

import math
from dataclasses import dataclass

import numpy as np

from tui_monitor.explain.ledger.estimates import TOGGLES, ClassWeights, Estimates
from tui_monitor.explain.quantiles import (
    NORMAL_QUANTILE,
    POWER_QUANTILE,
    QUANTILE_WORTH_A_CAUSE,
    small_sample_inflation,
    student_quantile,
)
from tui_monitor.explain.samples.probes import (
    FloatArray,
    IntArray,
    PerSampleMetric,
    TrainingProbe,
    ValidationProbe,
    effective_weights,
)
from tui_monitor.run_log.events.ledger import Cause

Bounds = tuple[float | None, float | None]
"""Lower and upper end of an interval; None where it is unknown."""


def deviations(
    estimates: Estimates, batches: int, epoch_batches: int, metric: PerSampleMetric
) -> dict[Cause, FloatArray]:
    """Return bootstrap deviations of each term, shape (resamples,), narrowed where most batches were probed.

    The finite-population factor 1 − probed/all does not apply to the variance that training mode's random draws give:
    even a probe of all batches is only one draw of that noise.
    """
    inflation = small_sample_inflation(batches, estimates.fitted)
    unprobed = max(0.0, 1.0 - batches / max(epoch_batches, 1))
    random_mode = not np.array_equal(metric.training, metric.inference)

    def spread(values: FloatArray, draw_variance: float = 0.0) -> FloatArray:
        """Return the deviations of one term, infinite where a single batch tells nothing of them."""
        variance = float(np.var(values[1:]))
        if batches < 2 and (unprobed or draw_variance or random_mode):
            return np.full(values.size - 1, np.inf)
        drawn = min(1.0, draw_variance / variance) if variance > 0 else 0.0
        factor = math.sqrt(unprobed * (1.0 - drawn) + drawn + estimates.leverage)
        return np.asarray((values[1:] - values[0]) * factor * inflation, dtype=np.float64)

    draws = estimates.draw_variance if random_mode else 0.0
    result = {Cause.IN_EPOCH_AVERAGING: spread(estimates.in_epoch, draws)}
    for index, cause in enumerate(TOGGLES):
        result[cause] = spread(estimates.toggles[:, index], draws if cause is Cause.TRAIN_MODE_LAYERS else 0.0)
    result[Cause.WITHIN_CLASS] = spread(estimates.end)
    return result


def unseen(probe: TrainingProbe, classes: ClassWeights) -> dict[Cause, float]:
    """Return the least standard error of each accuracy term: even where no probed sample turns right or wrong.

    A share of 0 or 1 among few samples is not known exactly: half a sample is added to each cell of the table, as
    Agresti and Min do for matched proportions (Statistics in Medicine 24, 2005), which leaves 1/n.
    """
    finite = math.sqrt(max(0.0, 1.0 - probe.batches / max(probe.epoch_batches, 1)))
    one = 1.0 / (probe.batch.size if probe.sample is None else np.unique(probe.sample).size)
    random_mode = not np.array_equal(probe.loss.training, probe.loss.inference)
    shift = classes.train_share * (classes.ratio - 1.0)
    by_class = np.divide(shift, classes.counts, out=np.zeros_like(shift), where=classes.counts > 0)
    return {
        Cause.IN_EPOCH_AVERAGING: one * (1.0 if random_mode else finite),
        Cause.TRAIN_MODE_LAYERS: one if random_mode else 0.0,
        Cause.CLASS_MIX: finite * math.sqrt(float(by_class @ by_class)),
        Cause.WITHIN_CLASS: one * finite,
    }


def intervals(
    point: dict[Cause, float], deviations: dict[Cause, FloatArray], unseen: dict[Cause, float]
) -> dict[Cause, Bounds]:
    """Return the 95 % percentile interval of each term; (None, None) where nothing finite is known."""
    spread = np.stack([deviations[cause] for cause in point])
    known = np.isfinite(spread).all(axis=1) & np.isfinite(list(point.values()))
    low, high = np.quantile(np.where(known[:, np.newaxis], spread, 0.0), [0.025, 0.975], axis=1)
    least = NORMAL_QUANTILE * np.array([unseen.get(cause, 0.0) for cause in point])
    low, high = np.hypot(np.minimum(low, 0.0), least), np.hypot(np.maximum(high, 0.0), least)
    return {
        cause: (point[cause] - float(low[i]), point[cause] + float(high[i])) if known[i] else (None, None)
        for i, cause in enumerate(point)
    }


@dataclass(frozen=True)
class Sampling:
    """How much of a gap the random choice of both sets may explain."""

    training_variance: float
    """Of the mean over the training set."""
    validation_variance: float
    """Of one validation sample."""
    validation_size: float
    freedoms: tuple[float, float] = (math.inf, math.inf)
    """Degrees of freedom of both variances, training's first: few where few batches are drawn as wholes."""

    @property
    def half_width(self) -> float:
        """Half of the 95 % interval around the gap."""
        return self._quantile(NORMAL_QUANTILE) * self._error

    @property
    def beyond_chance(self) -> float:
        """What an effect must exceed to be told from chance, see `QUANTILE_WORTH_A_CAUSE`."""
        return self._quantile(QUANTILE_WORTH_A_CAUSE) * self._error

    @property
    def _variances(self) -> tuple[float, float]:
        return self.training_variance, self.validation_variance / max(self.validation_size, 1.0)

    @property
    def _error(self) -> float:
        return math.sqrt(sum(self._variances))

    def _quantile(self, normal: float) -> float:
        """Return Student's quantile; degrees of freedom as Welch and Satterthwaite put two variances together."""
        variances = self._variances
        parts = sum(part**2 / freedom for part, freedom in zip(variances, self.freedoms, strict=True))
        if not math.isfinite(sum(variances)) or not parts:
            return normal
        return student_quantile(normal, sum(variances) ** 2 / parts)

    def validation_samples_to_settle(self, gap: float) -> int | None:
        """Return how many validation samples would find a true gap of this size beyond chance four times in five.

        That takes 1.96 + 0.84 standard errors (Cohen, Statistical power analysis, 1988). None where the training set
        alone leaves more, where no more samples than there are would do as batches are few, or the gap is not finite
        or 0.
        """
        allowed = (gap / (NORMAL_QUANTILE + POWER_QUANTILE)) ** 2 - self.training_variance
        if not math.isfinite(allowed + self.validation_variance) or allowed <= 0:
            return None
        needed = math.ceil(self.validation_variance / allowed)
        is_few = min(self.freedoms) < math.inf and needed <= self.validation_size
        return None if is_few else needed


def sampling(
    probe: TrainingProbe, metric: PerSampleMetric, validation: ValidationProbe, values: FloatArray
) -> Sampling:
    """Return the sampling variances of both sides; the training set's size is the epoch's, estimated where unknown."""
    weights = effective_weights(probe.weight, probe.batch, metric.weighting)
    batches = probe.batches
    if probe.epoch_class_counts is not None:
        train_size = float(probe.epoch_class_counts.sum())
    else:
        train_size = probe.batch.size / batches * probe.epoch_batches
    if validation.class_counts is not None:
        validation_size = float(validation.class_counts.sum())
    else:
        validation_size = float(values.size)
    of = (probe.batch, validation.batch) if metric.is_of_batches else (probe.sample, validation.sample)
    training_variance = _variance(weights * metric.then, of[0]) / max(train_size, 1.0)
    freedoms = (_freedom(of[0]), _freedom(of[1]))
    return Sampling(training_variance, _variance(values, of[1]), validation_size, freedoms)


def _freedom(group: IntArray | None) -> float:
    return math.inf if group is None else max(np.unique(group).size - 1.0, 1.0)


def _variance(values: FloatArray, group: IntArray | None) -> float:
    """Return n times the variance of a mean over n units.

    Where units belong to groups that are drawn as wholes, it is that of a ratio of two means over groups (Cochran,
    Sampling Techniques, 1977, section 2.11); infinite where a single group tells nothing of it.

    Args:
        values: of each unit, shape (n,).
        group: of each unit, shape (n,), or None where each is drawn for itself.
    """
    if group is None:
        return float(np.var(values))
    _, place = np.unique(group, return_inverse=True)
    sums = np.bincount(place, weights=values - values.mean())
    if sums.size < 2:
        return math.inf
    return float(sums @ sums) / values.size * sums.size / (sums.size - 1)
