"""Different data and memorised samples: what validation would show with training's data, and what is left of W.

U, what samples of training's source that nobody has trained on would show now, is estimated in two ways that fail
differently: from validation's samples weighted to be like training's (`reweighting`), and from the fresh batches of
epoch 1, each given what has become of validation's samples of its loss then. The first is the estimate. Neither knows
what its features don't show: how far they are apart stands for that error, beside the one of drawing samples. The
cause of one has nothing to do with the other's, so they add up as squares.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tui_monitor import units
from tui_monitor.explain.ledger.estimates import RESAMPLES
from tui_monitor.explain.ledger.parts import Part, Strata, Whole, error_of_mean
from tui_monitor.explain.ledger.reweighting import FEWEST_OF_CLASS, unseen_difference
from tui_monitor.explain.quantiles import NORMAL_QUANTILE, QUANTILE_WORTH_A_CAUSE
from tui_monitor.explain.samples.opened import Fresh, Opened
from tui_monitor.explain.samples.probes import FloatArray, IntArray
from tui_monitor.run_log.events.ledger import Cause

_MOST_PARTS, _FEWEST_IN_PART = 10, 20
"""Parts that a class's validation samples are sorted into by their loss at the fresh test, and samples in one."""
_ALL_COPIES = 0.9
"""Fraction of training from which all copies of its samples count as known."""
SCALED = "Inputs are scaled differently: different data and memorised samples can't be told apart until that is mended."
COPIES_LEFT = "Not all copies of training samples are known yet: what is left of them would count as different data."
TOO_FEW = "Too few samples of some classes were compared to tell different data from memorised samples."


@dataclass(frozen=True)
class Split:
    """The two parts, or why there are none."""

    unfamiliar: Part | None = None
    memorised: Part | None = None
    reason: str = ""

    @property
    def parts(self) -> dict[Cause, Part]:
        """Both by their cause; empty where there are none."""
        if self.unfamiliar is None or self.memorised is None:
            return {}
        return {Cause.UNFAMILIAR: self.unfamiliar, Cause.MEMORISED: self.memorised}


@dataclass(frozen=True)
class _Estimate:
    """U minus validation's mean, with the ends of its 95 % interval."""

    point: float
    low: float
    high: float
    error: float
    """Standard error of U, of drawing samples alone."""
    by_chance: float
    """Standard deviation of the point where both sides' samples are of one source, the sets drawn anew each time."""


def split(
    whole: Whole,
    before: Sequence[Part],
    opened: Opened,
    values: FloatArray,
    strata: Strata,
    metric: str,
    *,
    is_scaled: bool,
) -> Split:
    """Return what different data and memorised samples make up of what the other parts leave of W.

    Args:
        whole: W.
        before: its other parts.
        opened: what was measured; its fresh-batch test is there.
        values: validation's values of now, shape (n,).
        strata: of validation.
        metric: `loss` or `accuracy`.
        is_scaled: whether both sides' inputs are on different scales.
    """
    fresh, leak = opened.fresh, opened.leak
    assert fresh is not None
    kept = np.ones(fresh.validation_sample.size, dtype=bool)
    if leak is not None and leak.is_beyond_chance:
        kept = leak.matched[fresh.validation_sample] != 1
        if leak.training_fraction < _ALL_COPIES:
            return Split(reason=COPIES_LEFT)
    if is_scaled:
        return Split(reason=SCALED)
    found = _estimated(fresh, values, kept, strata, metric) if kept.sum() >= FEWEST_OF_CLASS else None
    if found is None:
        return Split(reason=TOO_FEW)
    left = whole.point - math.fsum(part.point for part in before)
    spent = whole.deviations - np.sum([np.zeros(RESAMPLES), *(part.deviations for part in before)], axis=0)
    if not np.isfinite(spent).all():
        return Split(reason=TOO_FEW)
    mine = values[fresh.validation_sample[kept]]
    of_validation = error_of_mean(mine, np.full(mine.size, 1.0 / mine.size))
    of_training = math.sqrt(max(0.0, (whole.chance / QUANTILE_WORTH_A_CAUSE) ** 2 - of_validation**2))
    found = _no_harder(found, left, math.hypot(of_training, float(np.std(spent))), 1.0 if metric == "loss" else -1.0)
    different = max(whole.chance, QUANTILE_WORTH_A_CAUSE * found.by_chance)
    # Validation's mean is in W and in U's difference from it, so that it is no part of what chance does to their own.
    memorised = QUANTILE_WORTH_A_CAUSE * math.hypot(of_training, found.error)
    return _told_apart(found, left, spent, (whole.chance, different, memorised), metric)


def _told_apart(
    found: _Estimate, left: float, spent: FloatArray, chances: tuple[float, float, float], metric: str
) -> Split:
    """Return both parts where at least one of them is surely there, else what can be said of them together.

    Args:
        found: U's difference from validation.
        left: the part of W that both make up.
        spent: its deviations.
        chances: sizes up to which chance would give both together, different data and memorised samples.
        metric: `loss` or `accuracy`.
    """
    error = NORMAL_QUANTILE * float(np.std(spent))
    memorised = left - found.point
    low = memorised - math.hypot(found.high - found.point, error)
    high = memorised + math.hypot(found.point - found.low, error)
    both = ((found.point, found.low, found.high), (memorised, low, high))
    if all(low <= 0.0 <= high for _, low, high in both) and abs(left) > chances[0]:
        unit = units.NATS if metric == "loss" else units.POINTS
        ends = f"{unit.amount(found.low)} to {unit.amount_with_unit(found.high)}"
        return Split(
            reason=f"Different data make up {ends} of what is left within class, memorised samples the rest: "
            "they can't be told apart more precisely here."
        )
    # Drawn for the resamples of what is left, which must be none.
    draws = np.random.default_rng(8).normal(size=RESAMPLES) * found.error
    return Split(
        Part(found.point, draws, chances[1], (found.low, found.high)),
        Part(memorised, spent - draws, chances[2], (low, high)),
    )


def _no_harder(found: _Estimate, left: float, error: float, sign: float) -> _Estimate:
    """Return an estimate that leaves no memorised samples that are harder than unseen ones: learning makes none so.

    Args:
        found: the estimate.
        left: the part of W that it is of.
        error: standard error of training's side of it.
        sign: 1 where less is easier, -1 where more is.
    """
    edge, slack = sign * left, 2.0 * error
    ends = sorted((sign * found.low, sign * found.high))
    low, high = max(ends[0], edge - slack), max(ends[1], edge + slack)
    low, high = sorted((sign * low, sign * high))
    point = sign * max(sign * found.point, edge)
    return replace(found, point=point, low=min(low, point), high=max(high, point))


def _estimated(
    fresh: Fresh, values: FloatArray, kept: NDArray[np.bool_], strata: Strata, metric: str
) -> _Estimate | None:
    now = values[fresh.validation_sample]
    by_weight = unseen_difference(fresh.features, now, kept, strata.share)
    by_loss = _grown_difference(fresh, now, kept, strata, metric)
    if by_weight is None or by_loss is None:
        return None
    point, error, by_chance = by_weight
    half = math.hypot(NORMAL_QUANTILE * error, point - by_loss)
    return _Estimate(point, point - half, point + half, error, by_chance)


def _grown_difference(
    fresh: Fresh, now: FloatArray, kept: NDArray[np.bool_], strata: Strata, metric: str
) -> float | None:
    """Return U minus validation's mean if training's samples had changed as validation's of the same loss then have.

    Args:
        fresh: the test.
        now: values of its validation samples now, shape (m,).
        kept: which of them count, shape (m,).
        strata: of validation.
        metric: `loss` or `accuracy`.
    """
    train, other = (
        (fresh.loss, fresh.validation_loss) if metric == "loss" else (fresh.correct, fresh.validation_correct)
    )
    if train is None or other is None:
        return None
    label, then = fresh.validation_label[kept], fresh.validation_loss[kept]
    grown = _grown(fresh, label, then, now[kept] - other[kept], strata)
    weights, other_weights = strata.weights(fresh.label), strata.weights(label)
    return float(weights @ (train + grown)) - float(other_weights @ now[kept])


def _grown(fresh: Fresh, label: IntArray, then: FloatArray, changes: FloatArray, strata: Strata) -> FloatArray:
    """Return what would have become of each fresh training sample, by its class and its loss at the test.

    Args:
        fresh: the test.
        label: class of each validation sample, shape (m,).
        then: its loss at the test.
        changes: of its value since.
        strata: of validation.

    Returns:
        The changes, shape (k,).
    """
    grown = np.zeros(fresh.loss.size)
    classes = np.unique(label) if strata.share.size > 1 else [None]
    for index in classes:
        here = slice(None) if index is None else label == index
        there = slice(None) if index is None else fresh.label == index
        losses, moved, wanted = then[here], changes[here], fresh.loss[there]
        if not wanted.size:
            continue
        parts = np.array_split(np.argsort(losses), max(1, min(_MOST_PARTS, losses.size // _FEWEST_IN_PART)))
        means = np.array([losses[part].mean() for part in parts])
        grown[there] = np.interp(wanted, means, [moved[part].mean() for part in parts])
    return grown
