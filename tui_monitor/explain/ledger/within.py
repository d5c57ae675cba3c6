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
from tui_monitor.explain.ledger.parts import Part, Strata, Whole, error_of_mean
from tui_monitor.explain.ledger.unfamiliar import split
from tui_monitor.explain.quantiles import QUANTILE_WORTH_A_CAUSE
from tui_monitor.explain.samples.opened import NOT_COMPARED, Leak, Opened, Rescaled
from tui_monitor.explain.samples.probes import FloatArray, ValidationProbe
from tui_monitor.run_log.events.ledger import Cause

OPENED_CAUSES = (Cause.LEAKED, Cause.INPUT_SCALE, Cause.UNFAMILIAR, Cause.MEMORISED)
_FEWEST_UNMATCHED = 5
"""Samples of a class that must be left when its copies are taken out."""
_LEAST_MENDED = 0.05
"""Fraction of validation's loss that a mapping which fits no usual pattern must mend."""
ALL_LEAKED = "Every validation sample that was compared stands in training: nothing is left to compare with."
NO_NUMBERS = "Some values of validation are NaN or infinite."
NOT_MEASURED = "It is measured at the end of an epoch alone."


@dataclass(frozen=True)
class Within:
    """W opened: the parts that were measured, why others were not, and what is left."""

    parts: Mapping[Cause, Part] = field(default_factory=dict)
    reasons: Mapping[Cause, str] = field(default_factory=dict)


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
    if not np.isfinite(values).all():
        return Within({}, dict.fromkeys(OPENED_CAUSES, NO_NUMBERS))
    parts: dict[Cause, Part] = {}
    reasons = {cause: opened.reasons.get(cause, NOT_MEASURED) for cause in OPENED_CAUSES}
    strata = Strata.of(validation)
    if opened.leak is not None:
        leaked = _leaked(opened.leak, values, strata, metric)
        parts.update({Cause.LEAKED: leaked} if leaked else {})
        reasons[Cause.LEAKED] = "" if leaked else _why_no_leak(opened.leak)
    scale = _scale(opened, values, strata, metric)
    if scale is not None:
        parts[Cause.INPUT_SCALE] = scale
    if opened.fresh is not None:
        is_scaled = opened.rescaled is not None and is_scale_confirmed(opened.rescaled)
        found = split(whole, list(parts.values()), opened, values, strata, metric, is_scaled=is_scaled)
        parts.update(found.parts)
        reasons[Cause.UNFAMILIAR] = reasons[Cause.MEMORISED] = found.reason
    return Within(parts, {cause: reason for cause, reason in reasons.items() if cause not in parts})


def _why_no_leak(leak: Leak) -> str:
    if leak.is_beyond_chance:
        return ALL_LEAKED
    if leak.found.copies and leak.found.repeats_within:
        return (
            f"{leak.found.copies} validation samples stand in training, but inputs repeat as often within each set "
            "alone: copies can't be told from values that are common."
        )
    if leak.repeats and not leak.found.copies:
        return (
            "No exact copy was found, but there was no time yet to look through all of training for copies with small "
            "changes."
        )
    return (
        "No copy was found among the samples compared, but training's samples are not known to come back unchanged "
        "(that shows in the second epoch that is measured, unless they are augmented or streamed)."
    )


def _leaked(leak: Leak, values: FloatArray, strata: Strata, metric: str) -> Part | None:
    """Return what validation's mean would change by without its copies of training samples; None where unknown.

    Only a fraction of all copies was found: with p the fraction of copies, U = (L − p·M) / (1 − p) is the mean
    without them, from the mean L of all and M of the copies found.
    """
    compared = leak.matched != NOT_COMPARED
    matched = leak.matched == 1
    if not leak.is_beyond_chance:
        is_none = leak.repeats and not leak.found.copies and not leak.misses_near
        return _no_leak(leak, values, metric) if is_none else None
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
        wrong = leak.doubtful * copies.size / max(int(matched.sum()), 1)
        spread = spread + _misplaced(copies, others, wrong) * generator.normal(size=RESAMPLES)
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


def _misplaced(copies: FloatArray, others: FloatArray, count: float) -> float:
    """Return the standard error that some samples of a class give its effect which are counted on the wrong side."""
    both = np.concatenate([copies, others])
    return float(np.std(both)) * math.sqrt(count) / max(others.size, 1)


def _no_leak(leak: Leak, values: FloatArray, metric: str) -> Part:
    """Return the part where no copy was found: 0, bounded by what the most copies that may be hidden would do."""
    hidden = leak.found.fraction_high
    mean = float(values.mean())
    most = hidden / (1.0 - min(hidden, 0.5)) * (mean if metric == "loss" else 1.0 - mean)
    bounds = (0.0, most) if metric == "loss" else (-most, 0.0)
    return Part(0.0, np.zeros(RESAMPLES), math.inf, bounds)


def _scale(opened: Opened, values: FloatArray, strata: Strata, metric: str) -> Part | None:
    """Return what mapping validation's inputs to training's scale changes its mean by; 0 if the loss does not fall."""
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
    error = error_of_mean(changes, weights)
    of_mapping = rescaled.loss_error if metric == "loss" else rescaled.correct_error
    unmeasured = math.sqrt(max(0.0, 1.0 - changes.size / values.size))
    draws = np.random.default_rng(6).normal(size=RESAMPLES) * math.hypot(error * unmeasured, of_mapping)
    return Part(point, draws, QUANTILE_WORTH_A_CAUSE * error)


def is_scale_confirmed(rescaled: Rescaled) -> bool:
    """Whether validation's loss falls, beyond chance, once its inputs are mapped to training's scale.

    A mapping that fits no usual pattern must mend a good part of the loss: other moments alone, as augmentation of
    one side gives them, are no other scale.
    """
    changes = rescaled.loss - rescaled.loss_as_fed
    if changes.size < 2 or not np.isfinite(changes).all():
        return False
    least = QUANTILE_WORTH_A_CAUSE * float(np.std(changes)) / math.sqrt(changes.size)
    if not rescaled.scale.pattern:
        least = max(least, _LEAST_MENDED * float(rescaled.loss_as_fed.mean()))
    return float(changes.mean()) < -least
