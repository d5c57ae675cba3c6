"""The within-class term opened into causes that add up to it: leak, input scale, different data, memorised samples.

Notation: W is training's mean minus validation's at the weights of now, in inference mode, at validation's class
shares. Each cause is the change of validation's mean without it; the fresh-batch test gives the part of W that
contains no memorising (Nakkiran et al., The deep bootstrap, 2021, compare the same two worlds).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tui_monitor.explain.ledger.estimates import RESAMPLES
from tui_monitor.explain.quantiles import QUANTILE_WORTH_A_CAUSE, small_sample_inflation
from tui_monitor.explain.samples.opened import NOT_COMPARED, Fresh, Leak, Opened, Rescaled
from tui_monitor.explain.samples.probes import FloatArray, IntArray, ValidationProbe
from tui_monitor.run_log.events.explanation import Cause

OPENED_CAUSES = (Cause.LEAKED, Cause.INPUT_SCALE, Cause.UNFAMILIAR, Cause.MEMORISED)
_FEWEST_UNMATCHED = 5
"""Samples of a class that must be left when its copies are taken out."""
_MOST_STRATA = 32
_MOST_PARTS, _FEWEST_IN_PART = 10, 20
"""Most parts into which a class's validation samples are sorted by their loss at the fresh test; fewest in one."""
ALL_LEAKED = "Every validation sample that was compared stands in training: nothing is left to compare with."
NOT_TOLD_APART = (
    "The fresh-batch test of epoch 1 is too imprecise here to tell different data from memorised samples: "
    "both stay within class."
)
NOT_MEASURED = "It is measured at the end of an epoch alone."


@dataclass(frozen=True)
class Part:
    """One cause's part of W."""

    point: float
    deviations: FloatArray
    """Of its resamples from the point, shape (resamples,)."""
    chance: float = 0.0
    """Size up to which drawing other samples would give it."""
    bounds: tuple[float, float] | None = None
    """Its interval, where that does not follow from the deviations."""


@dataclass(frozen=True)
class Within:
    """W opened: the parts that were measured, why others were not, and what is left."""

    parts: Mapping[Cause, Part] = field(default_factory=dict)
    reasons: Mapping[Cause, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Whole:
    """W itself."""

    point: float
    deviations: FloatArray
    """Shape (resamples,)."""
    chance: float
    """Size up to which drawing both sets anew would give it."""


def open_within(whole: Whole, validation: ValidationProbe, metric: str, opened: Opened | None) -> Within:
    """Return the parts of W that were measured; what they leave of it is the rest.

    Args:
        whole: what is opened.
        validation: all of validation's samples.
        metric: `loss` or `accuracy`.
        opened: what was measured; None where nothing was.
    """
    if opened is None:
        return Within({}, dict.fromkeys(OPENED_CAUSES, NOT_MEASURED))
    values = validation.loss if metric == "loss" else validation.correct
    assert values is not None
    parts: dict[Cause, Part] = {}
    reasons = {cause: opened.reasons.get(cause, NOT_MEASURED) for cause in OPENED_CAUSES}
    strata = _Strata.of(validation)
    if opened.leak is not None:
        leaked = _leaked(opened.leak, values, strata, metric)
        parts.update({Cause.LEAKED: leaked} if leaked else {})
        reasons[Cause.LEAKED] = "" if leaked else _why_no_leak(opened.leak)
    scale = _scale(opened, values, strata, metric)
    if scale is not None:
        parts[Cause.INPUT_SCALE] = scale
    if opened.fresh is not None:
        found = _fresh_parts(whole, list(parts.values()), opened, values, strata, metric)
        parts.update(found)
        if not found:
            reasons[Cause.UNFAMILIAR] = reasons[Cause.MEMORISED] = NOT_TOLD_APART
    return Within(parts, {cause: reason for cause, reason in reasons.items() if cause not in parts})


def _why_no_leak(leak: Leak) -> str:
    if leak.is_beyond_chance:
        return ALL_LEAKED
    if leak.found.copies and leak.found.repeats_within:
        return (
            f"{leak.found.copies} validation samples stand in training, but inputs repeat as often within each set "
            "alone: copies can't be told from values that are common."
        )
    return (
        "No copy was found among the samples compared, but training's samples are not known to come back unchanged "
        "(that shows in the second epoch that is measured, unless they are augmented or streamed)."
    )


@dataclass(frozen=True)
class _Strata:
    """Weights of validation samples under which class shares stay those of all of validation."""

    label: IntArray
    share: FloatArray
    """Of each class; shape (classes,)."""

    @staticmethod
    def of(validation: ValidationProbe) -> "_Strata":
        counts = validation.class_counts
        if counts is None or counts.size > _MOST_STRATA or not counts.sum() or (validation.label < 0).any():
            return _Strata(np.zeros(validation.label.size, dtype=np.int64), np.ones(1))
        size = max(counts.size, int(validation.label.max(initial=0)) + 1)
        return _Strata(validation.label, np.pad(counts, (0, size - counts.size)) / counts.sum())

    def weights(self, label: IntArray) -> FloatArray:
        """Return weights under which some samples have these class shares, shape (n,), sum 1 if every class is there.

        Args:
            label: of the samples; classes as here.
        """
        label = label if self.share.size > 1 else np.zeros_like(label)
        known = label[label < self.share.size]
        counts = np.bincount(known, minlength=self.share.size)
        held = np.where(counts > 0, self.share, 0.0)
        each = np.divide(held / max(held.sum(), 1e-12), counts, out=np.zeros(self.share.size), where=counts > 0)
        return np.where(label < self.share.size, each[np.minimum(label, self.share.size - 1)], 0.0)


def _leaked(leak: Leak, values: FloatArray, strata: _Strata, metric: str) -> Part | None:
    """Return by how much validation's mean would change without its copies of training samples; None where unknown.

    Only a fraction of all copies was found: with p the fraction of copies, U = (L − p·M) / (1 − p) is the mean
    without them, from the mean L of all and M of the copies found.
    """
    compared = leak.matched != NOT_COMPARED
    matched = leak.matched == 1
    if not leak.is_beyond_chance:
        return _no_leak(leak, values, metric) if leak.repeats and not leak.found.copies else None
    label = strata.label
    left = np.bincount(label[compared & ~matched], minlength=strata.share.size)
    held = np.bincount(label[matched], minlength=strata.share.size)
    if ((held > 0) & (left < _FEWEST_UNMATCHED)).any():
        label, share = np.zeros_like(label), np.ones(1)
        if (compared & ~matched).sum() < _FEWEST_UNMATCHED:
            return None
    else:
        share = strata.share
    point, deviations, chance = 0.0, np.zeros(RESAMPLES), 0.0
    generator = np.random.default_rng(5)
    fraction = generator.normal(size=RESAMPLES) * leak.training_fraction_error / leak.training_fraction
    for index, part in enumerate(share):
        of_class = label == index
        copies, others = values[of_class & matched], values[of_class & compared & ~matched]
        if not copies.size:
            continue
        term, spread, noise = _leak_of_class(copies, others, leak.training_fraction, fraction, generator)
        point, deviations, chance = point + part * term, deviations + part * spread, math.hypot(chance, part * noise)
    return Part(float(point), deviations, QUANTILE_WORTH_A_CAUSE * chance)


def _leak_of_class(
    copies: FloatArray, others: FloatArray, covered: float, fraction: FloatArray, generator: np.random.Generator
) -> tuple[float, FloatArray, float]:
    """Return one class's effect, deviations of it, and the standard error that drawing other samples gives it."""
    count = copies.size + others.size
    mean = (copies.sum() + others.sum()) / count
    most = 1.0 - _FEWEST_UNMATCHED / (count + _FEWEST_UNMATCHED)
    share = min(copies.size / (count * covered), most)
    found = math.sqrt(max(0.0, 1.0 - covered) / copies.size)
    shares = np.clip(share * (1.0 + found * generator.normal(size=RESAMPLES) - fraction), 0.0, most)
    means = copies.mean() + float(np.std(copies)) * found * generator.normal(size=RESAMPLES)
    term = share * (mean - copies.mean()) / (1.0 - share)
    noise = share * math.sqrt(float(np.var(copies)) / copies.size + float(np.var(others)) / max(others.size, 1))
    return float(term), shares * (mean - means) / (1.0 - shares) - term, noise


def _no_leak(leak: Leak, values: FloatArray, metric: str) -> Part:
    """Return the part where no copy was found: 0, bounded by what the most copies that may be hidden would do."""
    hidden = leak.found.fraction_high
    mean = float(values.mean())
    most = hidden / (1.0 - min(hidden, 0.5)) * (mean if metric == "loss" else 1.0 - mean)
    bounds = (0.0, most) if metric == "loss" else (-most, 0.0)
    return Part(0.0, np.zeros(RESAMPLES), math.inf, bounds)


def _scale(opened: Opened, values: FloatArray, strata: _Strata, metric: str) -> Part | None:
    """Return what mapping inputs to training's scale adds to validation's mean; 0 if the loss does not fall."""
    if opened.same_scale:
        return Part(0.0, np.zeros(RESAMPLES), math.inf, (0.0, 0.0))
    rescaled = opened.rescaled
    if rescaled is None:
        return None
    if not is_scale_confirmed(rescaled):
        return Part(0.0, np.zeros(RESAMPLES), math.inf, (0.0, 0.0))
    mapped = rescaled.loss if metric == "loss" else rescaled.correct
    if mapped is None:
        return None
    changes = mapped - values[rescaled.sample]
    weights = strata.weights(strata.label[rescaled.sample])
    point = float(weights @ changes)
    error = _error_of_mean(changes, weights)
    of_mapping = rescaled.loss_error if metric == "loss" else rescaled.correct_error
    unmeasured = math.sqrt(max(0.0, 1.0 - changes.size / values.size))
    draws = np.random.default_rng(6).normal(size=RESAMPLES) * math.hypot(error * unmeasured, of_mapping)
    return Part(point, draws, QUANTILE_WORTH_A_CAUSE * error)


def is_scale_confirmed(rescaled: Rescaled) -> bool:
    """Whether validation's loss falls, beyond chance, once its inputs are mapped to training's scale."""
    changes = rescaled.loss - rescaled.loss_as_fed
    if changes.size < 2 or not np.isfinite(changes).all():
        return False
    return float(changes.mean()) < -QUANTILE_WORTH_A_CAUSE * float(np.std(changes)) / math.sqrt(changes.size)


def _error_of_mean(values: FloatArray, weights: FloatArray) -> float:
    return float(np.std(values)) * math.sqrt(float((weights**2).sum()))


def _fresh_parts(
    whole: Whole, before: list[Part], opened: Opened, values: FloatArray, strata: _Strata, metric: str
) -> dict[Cause, Part]:
    """Return different data and memorised samples, or nothing where the fresh-batch test does not tell them apart."""
    fresh = opened.fresh
    assert fresh is not None
    unfamiliar = _unfamiliar(fresh, opened, values, strata, metric)
    if unfamiliar is None:
        return {}
    left = whole.point - math.fsum(part.point for part in before)
    spent = whole.deviations - np.sum([np.zeros(RESAMPLES), *(part.deviations for part in before)], axis=0)
    chance = math.hypot(whole.chance, unfamiliar.chance)
    memorised = Part(left - unfamiliar.point, spent - unfamiliar.deviations, chance)
    # Memorising makes samples easier: an effect that makes them harder comes from the data.
    if memorised.point * (1.0 if metric == "loss" else -1.0) > chance:
        unfamiliar, memorised = Part(left, spent, chance), Part(0.0, np.zeros(RESAMPLES), math.inf)
    if all(abs(part.point) <= part.chance for part in (unfamiliar, memorised)):
        return {}
    return {Cause.UNFAMILIAR: unfamiliar, Cause.MEMORISED: memorised}


def _unfamiliar(fresh: Fresh, opened: Opened, values: FloatArray, strata: _Strata, metric: str) -> Part | None:
    """Return training minus validation as it would be now, had no sample been trained on, at validation's class shares.

    The change of validation's samples since the fresh test, by their loss then, stands for the change that training's
    samples would have had: as a model gets surer, the same difference of the data costs more.

    Args:
        fresh: the test.
        opened: what else was measured.
        values: validation's values of now, shape (n,).
        strata: of validation.
        metric: `loss` or `accuracy`.
    """
    train, other = (
        (fresh.loss, fresh.validation_loss) if metric == "loss" else (fresh.correct, fresh.validation_correct)
    )
    if train is None or other is None or not train.size or not other.size:
        return None
    kept = np.ones(other.size, dtype=bool)
    if opened.leak is not None and opened.leak.is_beyond_chance:
        kept = opened.leak.matched[fresh.validation_sample] != 1
    if kept.sum() < _FEWEST_UNMATCHED:
        return None
    label, then, other = fresh.validation_label[kept], fresh.validation_loss[kept], other[kept]
    changes = values[fresh.validation_sample[kept]] - other
    if metric != "loss" or (opened.rescaled is not None and is_scale_confirmed(opened.rescaled)):
        # A right answer can't get more right; and where the test mapped inputs, values of inputs as fed don't compare.
        changes = np.zeros_like(changes)
    grown, growth_error = _grown(fresh, label, then, changes, strata)
    train = train + grown
    weights, other_weights = strata.weights(fresh.label), strata.weights(label)
    other = other + changes
    point = float(weights @ train) - float(other_weights @ other)
    validation_error = _error_of_mean(_within(other, label, strata), other_weights)
    unmeasured = math.sqrt(max(0.0, 1.0 - kept.size / strata.label.size))
    train_deviations = _by_batch(_within(train, fresh.label, strata), weights, fresh.batch)
    error = math.hypot(float(np.std(train_deviations)), growth_error)
    draws = np.random.default_rng(8).normal(size=RESAMPLES) * math.hypot(validation_error * unmeasured, growth_error)
    chance = QUANTILE_WORTH_A_CAUSE * math.hypot(error, validation_error)
    return Part(point, train_deviations + draws, chance)


def _grown(
    fresh: Fresh, label: IntArray, then: FloatArray, changes: FloatArray, strata: _Strata
) -> tuple[FloatArray, float]:
    """Return by how much each fresh training sample would have changed, by its class and its loss at the test.

    Args:
        fresh: the test.
        label: class of each validation sample, shape (m,).
        then: its loss at the test.
        changes: of its value since.
        strata: of validation.

    Returns:
        The changes, shape (k,), and the standard error that estimating them gives their mean.
    """
    grown, variance = np.zeros(fresh.loss.size), 0.0
    classes = np.unique(label) if strata.share.size > 1 else [None]
    for index in classes:
        here = slice(None) if index is None else label == index
        there = slice(None) if index is None else fresh.label == index
        share = 1.0 if index is None or index >= strata.share.size else float(strata.share[index])
        losses, moved, wanted = then[here], changes[here], fresh.loss[there]
        if not wanted.size:
            continue
        parts = np.array_split(np.argsort(losses), max(1, min(_MOST_PARTS, losses.size // _FEWEST_IN_PART)))
        means = np.array([losses[part].mean() for part in parts])
        grown[there] = np.interp(wanted, means, [moved[part].mean() for part in parts])
        edges = (means[1:] + means[:-1]) / 2
        held = np.bincount(np.searchsorted(edges, wanted), minlength=len(parts)) / wanted.size
        usual = np.array([part.size for part in parts]) / losses.size
        errors = [float(np.var(moved[part])) / max(part.size - 1, 1) for part in parts]
        variance += share**2 * float(((held - usual) ** 2) @ errors)
    return grown, math.sqrt(variance)


def _within(values: FloatArray, label: IntArray, strata: _Strata) -> FloatArray:
    """Return values less the mean of their class: what is left once class shares are fixed."""
    if strata.share.size == 1:
        return np.asarray(values - values.mean(), dtype=np.float64)
    place = np.maximum(label, 0)
    counts = np.bincount(place)
    means = np.bincount(place, weights=values) / np.maximum(counts, 1)
    return np.asarray(values - means[place], dtype=np.float64)


def _by_batch(residuals: FloatArray, weights: FloatArray, batch: IntArray) -> FloatArray:
    """Return deviations of a weighted mean when its batches are drawn anew, shape (resamples,)."""
    batches = int(batch[-1]) + 1
    sums = np.bincount(batch, weights=residuals * weights, minlength=batches)
    if batches < 2:
        return np.full(RESAMPLES, np.inf)
    drawn = np.random.default_rng(7).integers(batches, size=(RESAMPLES, batches))
    return np.asarray(sums[drawn].sum(axis=1) * small_sample_inflation(batches, 1), dtype=np.float64)
