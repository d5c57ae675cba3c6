"""From what was measured of an epoch to its explanation, of the whole model and of each output.

What the parts don't reproduce is no cause: it is said in a sentence, and its ledger is left out.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from tui_monitor import units
from tui_monitor.explain.measure import Moment, explain_output, explain_probe
from tui_monitor.explain.samples.opened import Opened
from tui_monitor.explain.samples.probes import TrainingProbe, ValidationProbe
from tui_monitor.metric_names import VALIDATION_PREFIX
from tui_monitor.run_log.events.explanation import Explanation, OutputExplanation
from tui_monitor.run_log.events.ledger import Cause, Ledger
from tui_monitor.training.probe.both_sides import REPRODUCED, Measured
from tui_monitor.training.probe.ledger_sides import (
    output_training,
    output_validation,
    whole_training,
    whole_validation,
)

_ROUNDING = 1e-6


Open = Callable[[TrainingProbe, ValidationProbe], Opened | None]
"""Opens the within-class term of both sides; None where it stays whole."""


def explained(known: Measured, moment: Moment, open_within: Open | None = None) -> tuple[Explanation | None, str]:
    """Return the explanation of a moment; None with the reason, a clause, where its loss should be measured otherwise.

    Args:
        known: of the moment, on both sides.
        moment: copied into the explanation.
        open_within: opens the within-class term; None leaves it whole.
    """
    training, validation = whole_training(known), whole_validation(known)
    unknown = _not_reproduced(training) or _epoch_problem(known, training, "loss")
    opened = open_within(training, validation) if open_within is not None and validation is not None else None
    unit = known.plan.outputs[0].unit if len(known.plan.outputs) == 1 else "sample"
    moment = replace(moment, caveats=(*moment.caveats, *_caveats(known)))
    # In full, to see what its parts don't reproduce; below once more with that left out, where there is any.
    explanation = explain_probe(training, validation, moment, unit=unit, opened=opened)
    problems = {
        "loss": unknown or _validation_problem(known, explanation.loss, validation, "loss"),
        "accuracy": _accuracy_problem(known, explanation, training, validation),
    }
    has_accuracy = explanation.accuracy is not None and not problems["accuracy"]
    # A loss that was measured by batches already can't be measured otherwise; the accuracy is still explained.
    if problems["loss"] and not (known.plan.by_batch and has_accuracy):
        return None, problems["loss"]
    without = frozenset(name for name, problem in problems.items() if problem)
    if without:
        said = [f"The gap in {name} can only be shown: {problem}." for name, problem in problems.items() if problem]
        moment = replace(moment, caveats=(*moment.caveats, *said))
        explanation = explain_probe(training, validation, moment, without=without, unit=unit, opened=opened)
    if len(known.plan.outputs) > 1:
        outputs, problems_of = zip(
            *(_output(known, index, opened) for index in range(len(known.plan.outputs))), strict=True
        )
        limits = (*explanation.limits, *(problem for found in problems_of for problem in found))
        explanation = replace(explanation, outputs=outputs, limits=limits)
    return explanation, ""


def _output(known: Measured, index: int, opened: Opened | None) -> tuple[OutputExplanation, list[str]]:
    """Return the explanation of one of several outputs, and of each ledger that can't be trusted why it is left out."""
    metrics = known.plan.outputs[index]
    training, validation = output_training(known, index), output_validation(known, index)
    told = partial(explain_output, metrics.output, training, validation, metrics.unit, opened=opened)
    found = told()
    problems = {
        name: _validation_problem(known, ledger, validation, name)
        for name, ledger in (("loss", found.loss), ("accuracy", found.accuracy))
    }
    without = frozenset(name for name, problem in problems.items() if problem)
    said = [
        f"The gap in {name} of {metrics.output} can only be shown: {problem}."
        for name, problem in problems.items()
        if problem
    ]
    return (told(without=without) if without else found), said


def _not_reproduced(training: TrainingProbe) -> str:
    """Return that the recorded losses of batches are not what their samples give, where that is so."""
    loss = training.loss
    if loss.is_of_batches:
        if not math.isnan(loss.then.sum()) and math.isnan((loss.training + loss.inference).sum()):
            return "the loss of single batches can't be computed again"
        return ""
    # A penalty explains what samples' losses don't add up to, then as well as now.
    if loss.offset_now != 0.0 or loss.offset_then == 0.0:
        return ""
    return "the training loss can't be reproduced from the model's outputs"


def _epoch_problem(known: Measured, training: TrainingProbe, name: str) -> str:
    """Return that a reported training value is not the mean of its batches', where that is so."""
    metric = training.loss if name == "loss" else training.accuracy
    log = name if name == "loss" else _accuracy_name(known)
    place = known.position(log)
    if metric is None or place is None:
        return ""
    mean = known.totals.mean(place, metric.averaging)
    if not _differ(mean, metric.reported):
        return ""
    last = known.totals.last(place)
    of = "that of its last batch" if not _differ(last, metric.reported) else "not the mean of its batches"
    return f"the epoch's training {name} ({metric.reported:.4g}) is {of} (their mean is {mean:.4g})"


def _validation_problem(known: Measured, ledger: Ledger | None, side: ValidationProbe | None, name: str) -> str:
    """Return that a reported validation value is not reproduced by its parts, where that is so."""
    if ledger is None or side is None or not side.complete or not known.is_at_end:
        return ""
    reported = side.reported_loss if name == "loss" else side.reported_accuracy
    off = next(term.effect for term in ledger.terms if term.cause is Cause.MEASUREMENT)
    if reported is None or off is None or not _differ(reported + off, reported):
        return ""
    losses = known.validation.losses
    if name == "loss" and losses.size > 1 and not _differ(float(losses[-1]), reported):
        return (
            f"val_loss ({reported:.4g}) is that of validation's last batch alone (the mean of all is "
            f"{reported + off:.4g})"
        )
    return f"the reported val_{name} ({reported:.4g}) is not what its parts give ({reported + off:.4g})"


def _accuracy_problem(
    known: Measured, explanation: Explanation, training: TrainingProbe, validation: ValidationProbe | None
) -> str:
    return _epoch_problem(known, training, "accuracy") or _validation_problem(
        known, explanation.accuracy, validation, "accuracy"
    )


def _accuracy_name(known: Measured) -> str | None:
    return known.plan.outputs[0].accuracy_name if len(known.plan.outputs) == 1 else None


def _differ(value: float, reported: float) -> bool:
    return abs(value - reported) > REPRODUCED * abs(reported) + _ROUNDING


def _caveats(known: Measured) -> Iterator[str]:
    """Yield sentences on what this model's ledgers can't tell."""
    plan = known.plan
    if plan.by_batch:
        is_hidden = known.is_weighted and known.training.unweighted_loss is None
        what = "weights and class shares" if is_hidden else "class shares"
        yield (
            f"The loss is measured by whole batches, as {plan.by_batch}: what {what} do to it stays under "
            f"“{Cause.WITHIN_CLASS.label}”."
        )
    for index, metrics in enumerate(plan.outputs):
        counts, _ = known.counts(index)
        if known.is_meaningless(index) and known.position(metrics.accuracy_name) is not None:
            name = metrics.accuracy_name
            yield f"{name} and {VALIDATION_PREFIX}{name} mean nothing here: the targets are no classes but numbers."
        elif metrics.classes is not None and metrics.classes.is_classifying and not known.has_classes(index):
            yield "Some targets are no hard labels: classes are not counted."
        if metrics.classes is not None and metrics.classes.has_signs and _misses_signs(known, index):
            yield f"{metrics.accuracy_name} never counts a target of −1 as right: it compares targets with 0 and 1."
        if counts is not None and counts.left_out:
            yield (
                f"{metrics.accuracy_name or 'A metric'} counts {units.count(counts.left_out)} {metrics.unit}s of the "
                "epoch that the loss leaves out."
            )


def _misses_signs(known: Measured, index: int) -> bool:
    """Whether an accuracy counts as wrong what a hinge's targets of −1 make right."""
    metrics, rows = known.plan.outputs[index], known.training.outputs[index].inference
    right = (rows["label"] == 0) & (rows["predicted"] == 0)
    return known.position(metrics.accuracy_name) is not None and bool(right.any()) and not rows["correct"][right].any()
