"""A gap as named terms that add up to it exactly, each with an interval and a verdict."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tui_monitor.explain.ledger.estimates import (
    TOGGLES,
    Estimates,
    ValidationValue,
    class_weights,
    estimate,
    multiplicities,
    one_class,
    validation_value,
)
from tui_monitor.explain.ledger.intervals import Bounds, deviations, intervals, sampling, unseen
from tui_monitor.explain.ledger.new_classes import new_classes
from tui_monitor.explain.ledger.parts import Whole
from tui_monitor.explain.ledger.train_mode import train_mode_parts
from tui_monitor.explain.ledger.within import Within, open_within
from tui_monitor.explain.samples.counted import training_counted, validation_counted
from tui_monitor.explain.samples.opened import Opened
from tui_monitor.explain.samples.probes import (
    IN_ACCURACY,
    IN_LOSS,
    NO_CLASS,
    FloatArray,
    IntArray,
    PerSampleMetric,
    TrainingProbe,
    ValidationProbe,
)
from tui_monitor.run_log.events.ledger import Cause, Ledger, Term, Verdict

SMALLEST_LOSS_WORTH_NAMING = 0.005
"""Nats."""
SMALLEST_ACCURACY_WORTH_NAMING = 0.0025
"""Fraction of samples."""
SMALLEST_SHARE_WORTH_NAMING = 0.01
"""Of a loss that is not in nats."""
RULED_OUT_SHARE_OF_GAP = 0.10


def build_ledger(
    probe: TrainingProbe,
    validation: ValidationProbe,
    metric: str,
    seed: int = 0,
    opened: Opened | None = None,
) -> Ledger | None:
    """Return the ledger of one metric, or None when either side does not report it.

    Args:
        probe: probed training batches with at least one sample.
        validation: validation samples with at least one sample.
        metric: `loss` or `accuracy`.
        seed: of the bootstrap; the same inputs give the same intervals.
        opened: what was measured of the within-class term; None where nothing was.
    """
    on_loss = metric == "loss"
    what = IN_LOSS if on_loss else IN_ACCURACY
    size = validation.loss.size
    probe, validation = training_counted(probe, what), validation_counted(validation, what)
    # What was opened is of all samples, so it does not fit where only some of them count.
    opened = opened if validation.loss.size == size else None
    per_sample = probe.loss if on_loss else probe.accuracy
    values = validation.loss if on_loss else validation.correct
    if per_sample is None or values is None or not probe.batch.size or not values.size:
        return None
    batches = probe.batches
    multiplicity = multiplicities(batches, seed)
    classes = one_class(probe) if per_sample.is_of_batches else class_weights(probe, validation)
    estimates = estimate(probe, per_sample, classes, multiplicity)
    measured = _of_validation(validation, values, per_sample, seed + 1, on_loss=on_loss)
    offset = validation.offset if on_loss else 0.0
    reported = validation.reported_loss if on_loss else validation.reported_accuracy
    if reported is None:
        reported = measured.as_reported + offset

    gap = per_sample.reported - reported
    point = _points(estimates, measured, gap, measured.as_reported + offset - reported)
    spread = deviations(estimates, batches, probe.epoch_batches, per_sample)
    with np.errstate(invalid="ignore"):
        # A side measured on one batch has no known spread: infinite, or NaN for both.
        spread[Cause.WITHIN_CLASS] = spread[Cause.WITHIN_CLASS] - measured.deviation
    spread[Cause.MEASUREMENT] = measured.deviation
    new = None if per_sample.is_of_batches else new_classes(probe, validation, values, seed + 1)
    if new is not None:
        new.move(point, spread, measured)
    drawn = sampling(probe, per_sample, validation, values)
    noise = drawn.half_width
    beyond_chance = drawn.beyond_chance
    whole = Whole(point[Cause.WITHIN_CLASS], spread[Cause.WITHIN_CLASS], beyond_chance)
    within = (new and new.unopened) or open_within(whole, validation, metric, opened)
    least = {} if on_loss else unseen(probe, classes)
    bounds = _opened_intervals(point, spread, least, within)
    chance = {Cause.WITHIN_CLASS: beyond_chance, **{cause: part.chance for cause, part in within.parts.items()}}
    smallest = _smallest(per_sample, reported) if on_loss else SMALLEST_ACCURACY_WORTH_NAMING
    verdicts = _verdicts(point, bounds, gap, chance, smallest)
    terms = {cause: Term(cause, point[cause], *bounds[cause], verdicts[cause]) for cause in point}
    layers = train_mode_parts(probe, per_sample, classes, multiplicity, opened, metric)
    terms[Cause.TRAIN_MODE_LAYERS] = replace(terms[Cause.TRAIN_MODE_LAYERS], parts=layers)
    is_known = math.isfinite(noise) or not math.isfinite(gap)
    return Ledger(
        gap=gap,
        low=gap - noise if is_known else None,
        high=gap + noise if is_known else None,
        within_noise=bool(abs(gap) <= noise) if is_known else None,
        terms=tuple(
            Term(cause, None, None, None, Verdict.CANNOT_TELL, within.reasons.get(cause, ""))
            if cause in per_sample.unsplit or cause not in terms
            else terms[cause]
            for cause in Cause
        ),
        samples_to_settle=drawn.validation_samples_to_settle(gap),
        by_class=per_sample.is_of_batches or has_classes(probe.label),
    )


def _points(estimates: Estimates, measured: ValidationValue, gap: float, unexplained: float) -> dict[Cause, float]:
    """Return the amount of each term, all of them adding up to the gap."""
    point = {
        Cause.IN_EPOCH_AVERAGING: float(estimates.in_epoch[0]),
        **{cause: float(estimates.toggles[0, i]) for i, cause in enumerate(TOGGLES)},
    }
    point[Cause.SAMPLE_WEIGHTS] += measured.plain - measured.weighted
    point[Cause.BATCH_AVERAGING] += measured.weighted - measured.as_reported
    point[Cause.MEASUREMENT] = unexplained
    point[Cause.WITHIN_CLASS] = gap - math.fsum(point.values())
    return point


def _opened_intervals(
    point: dict[Cause, float], spread: dict[Cause, FloatArray], least: dict[Cause, float], within: Within
) -> dict[Cause, Bounds]:
    """Return the intervals of all terms that were measured, those of the within-class term's parts included.

    Args:
        point: of each term; changed in place, as what the parts take is no longer within class.
        spread: deviations of each term; likewise.
        least: standard errors that terms keep, see `unseen`; likewise.
        within: the parts.
    """
    for cause, part in within.parts.items():
        point[cause], spread[cause] = part.point, part.deviations
        with np.errstate(invalid="ignore"):
            spread[Cause.WITHIN_CLASS] = spread[Cause.WITHIN_CLASS] - part.deviations
    point[Cause.WITHIN_CLASS] -= math.fsum(part.point for part in within.parts.values())
    if Cause.MEMORISED in within.parts:
        # The parts leave no rest, so the error that counting leaves unseen goes to the memorised part.
        point[Cause.WITHIN_CLASS], spread[Cause.WITHIN_CLASS] = 0.0, np.zeros_like(spread[Cause.WITHIN_CLASS])
        if Cause.WITHIN_CLASS in least:
            least[Cause.MEMORISED] = least.pop(Cause.WITHIN_CLASS)
    known = {cause: part.bounds for cause, part in within.parts.items() if part.bounds is not None}
    return {**intervals(point, spread, least), **known}


def _of_validation(
    validation: ValidationProbe, values: FloatArray, per_sample: PerSampleMetric, seed: int, *, on_loss: bool
) -> ValidationValue:
    weighting = validation.weighting if on_loss else validation.accuracy_weighting
    averaging = validation.averaging if on_loss else validation.accuracy_averaging
    if per_sample.is_of_batches:
        # All samples of a batch share its loss, so nothing can be weighted or counted by class within it.
        validation = replace(validation, class_counts=None, weight=np.ones_like(validation.weight))
    return validation_value(validation, values, weighting, averaging, seed)


def _smallest(per_sample: PerSampleMetric, reported: float) -> float:
    """Return the smallest difference of losses worth naming; where their unit is unknown, a hundredth of the larger."""
    if per_sample.in_nats:
        return SMALLEST_LOSS_WORTH_NAMING
    both = [abs(value) for value in (per_sample.reported, reported) if math.isfinite(value)]
    return SMALLEST_SHARE_WORTH_NAMING * max(both, default=0.0)


def _verdicts(
    point: dict[Cause, float],
    bounds: dict[Cause, Bounds],
    gap: float,
    chance: Mapping[Cause, float],
    smallest: float,
) -> dict[Cause, Verdict]:
    """Return each term's verdict by the definition; chance alone never makes a cause.

    `within_class` contains chance by definition, so it and its parts are named only where they exceed what chance
    gives. `measurement` is no cause, so it is never the main one. A gap whose largest part can't be told has no main
    cause.
    """
    negligible = max(smallest, RULED_OUT_SHARE_OF_GAP * abs(gap))
    beyond_chance = chance[Cause.WITHIN_CLASS]
    verdicts: dict[Cause, Verdict] = {}
    for cause, effect in point.items():
        low, high = bounds[cause]
        if low is None or high is None:
            verdicts[cause] = Verdict.CANNOT_TELL
        elif -negligible <= low and high <= negligible:
            verdicts[cause] = Verdict.RULED_OUT
        elif low <= 0 <= high or abs(effect) <= chance.get(cause, 0.0):
            verdicts[cause] = Verdict.CANNOT_TELL
        elif effect * gap > 0:
            verdicts[cause] = Verdict.CONTRIBUTES
        else:
            verdicts[cause] = Verdict.OFFSETS
    pulling = [cause for cause, effect in point.items() if effect * gap > 0 and cause is not Cause.MEASUREMENT]
    if pulling:
        largest = max(pulling, key=lambda cause: abs(point[cause]))
        tells = verdicts[largest] is Verdict.CONTRIBUTES
        if tells and max(abs(point[largest]), abs(gap)) > beyond_chance:
            verdicts[largest] = Verdict.MAIN
    return verdicts


def has_classes(label: IntArray) -> bool:
    """Whether samples belong to classes, as opposed to regression targets."""
    return bool(label.size) and bool((label != NO_CLASS).all())
