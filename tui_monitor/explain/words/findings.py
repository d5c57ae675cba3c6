"""All that can be said of a measurement, one at a time: causes, ruled-out causes, chance, majority-class baseline."""

from tui_monitor import units
from tui_monitor.explain.evidence.check_results import Check, LogitThreshold, OtherAccuracy, PaddingCounted
from tui_monitor.explain.words.advice import advice, samples_to_settle
from tui_monitor.explain.words.checked import checked
from tui_monitor.explain.words.facts import Facts, term_of
from tui_monitor.run_log.events.explanation import Finding
from tui_monitor.run_log.events.ledger import Cause, Ledger, Term, Verdict

_SAME_SHARES = 0.05
"""Least p-value at which class shares count as equal within chance."""
_NEAR_GUESS = 0.03
"""Fraction of samples that a model may be ahead of the majority-class baseline and still be worth a warning."""
_POOR_RECALL = 0.5


def findings(facts: Facts) -> tuple[Finding, ...]:
    """Return what the checks found, one finding per cause, named ones first, then what else matters.

    Advice stands only where a cause matters.
    """
    causes = [finding for cause in Cause if (finding := _of_cause(cause, facts)) is not None]
    order = list(Verdict)
    causes.sort(key=lambda finding: order.index(Verdict(finding.verdict)))
    others = (_chance(facts), _majority_baseline(facts))
    return (*map(checked, facts.checks), *causes, *(finding for finding in others if finding is not None))


def _of_cause(cause: Cause, facts: Facts) -> Finding | None:
    loss, accuracy = term_of(facts.loss, cause), term_of(facts.accuracy, cause)
    terms = [term for term in (loss, accuracy) if term is not None and term.effect is not None]
    if not terms:
        return None
    verdict = min((term.verdict for term in terms), key=list(Verdict).index)
    sentence = _absent(cause, facts) or _amounts(cause, loss, accuracy) + _shares_by_chance(cause, facts)
    if verdict not in (Verdict.MAIN, Verdict.CONTRIBUTES):
        return Finding(cause, verdict, sentence, "")
    step = advice(cause, facts)
    return Finding(cause, verdict, sentence, step.sentence, step.code)


def _amounts(cause: Cause, loss: Term | None, accuracy: Term | None) -> str:
    amounts = []
    if loss is not None and loss.effect is not None:
        amounts.append(f"loss {units.NATS.amount(loss.effect)}{_range(loss, units.NATS)} {loss.word}")
    if accuracy is not None and accuracy.effect is not None:
        amount = units.POINTS.amount_with_unit(accuracy.effect)
        amounts.append(f"accuracy {amount}{_range(accuracy, units.POINTS)} {accuracy.word}")
    return f"{cause.label}: {'; '.join(amounts)}."


def _shares_by_chance(cause: Cause, facts: Facts) -> str:
    """Say where class shares have an effect though they differ by no more than chance gives."""
    p_value = facts.classes.p_value if facts.classes is not None else None
    if cause is not Cause.CLASS_MIX or p_value is None or p_value <= _SAME_SHARES:
        return ""
    return f" Drawing both sets from one source gives shares this different (p = {p_value:.2f})."


def _range(term: Term, unit: units.AmountUnit) -> str:
    if term.low is None or term.high is None:
        return ","
    return f" [{unit.amount(term.low)}, {unit.amount(term.high)}],"


def _absent(cause: Cause, facts: Facts) -> str:
    """Return the plain statement that a cause is not there at all, where that is known."""
    loss, accuracy = term_of(facts.loss, cause), term_of(facts.accuracy, cause)
    if not all(term is None or term.verdict is Verdict.RULED_OUT for term in (loss, accuracy)):
        return ""
    if cause is Cause.SAMPLE_WEIGHTS and not facts.weights_used:
        return "No class or sample weights are in use: ruled out."
    if cause is Cause.TRAIN_MODE_LAYERS and not facts.random_mode:
        return "No layer acts differently in training (dropout, batch norm, noise): ruled out."
    p_value = facts.classes.p_value if facts.classes is not None else None
    if cause is Cause.CLASS_MIX and loss is not None and p_value is not None and p_value > _SAME_SHARES:
        return (
            f"Class shares are equal within chance (p = {p_value:.2f}); "
            f"their effect on loss is {units.NATS.amount(loss.effect or 0.0)}: ruled out."
        )
    return ""


def _chance(facts: Facts) -> Finding | None:
    """Say which gap chance alone would give, and how many samples would settle it."""
    within = {
        name: _half_width(name, ledger)
        for name, ledger in (("loss", facts.loss), ("accuracy", facts.accuracy))
        if ledger is not None and ledger.within_noise
    }
    if not within:
        return None
    gaps = " and the ".join(f"{name} gap by {half_width}" for name, half_width in within.items())
    sentence = f"Other samples in sets of these sizes would move the {gaps} either way: within chance."
    needed = samples_to_settle(facts)
    step = f"About {units.count(needed)} validation samples would tell gaps of this size from chance." if needed else ""
    return Finding("chance", Verdict.CANNOT_TELL, sentence, step)


def _half_width(name: str, ledger: Ledger) -> str:
    half = ((ledger.high or 0.0) - (ledger.low or 0.0)) / 2
    return units.magnitude(half) if name == "loss" else units.points(half)


def _majority_baseline(facts: Facts) -> Finding | None:
    """Warn where accuracy says little: near the majority-class baseline, with a class that is mostly missed."""
    baseline, classes, accuracy = facts.baseline, facts.classes, facts.reported.get("val_accuracy")
    if baseline is None or classes is None or accuracy is None:
        return None
    if any(map(_counts_something_else, facts.checks)):
        return None
    recalls = [(recall, label) for recall, label in zip(classes.validation_recall, classes.labels, strict=True)]
    missed = [(recall, label) for recall, label in recalls if recall is not None and recall < _POOR_RECALL]
    if accuracy > baseline.validation_accuracy + _NEAR_GUESS or not missed:
        return None
    recall, label = min(missed)
    return Finding(
        "baseline",
        "known",
        f"The majority-class baseline scores {baseline.validation_accuracy:.3f} on validation, the model "
        f"{accuracy:.3f}: it finds {units.percentage(recall)} of class {label}.",
        f"Watch precision and recall of class {label} instead of accuracy; move the threshold if they matter more.",
        f"metrics=[keras.metrics.Recall(class_id={label}), keras.metrics.Precision(class_id={label})]",
    )


def _counts_something_else(check: Check) -> bool:
    """Whether the reported accuracy is no share of units with a class, so that it can't be compared with one."""
    is_of_padding = isinstance(check, PaddingCounted) and check.is_accuracy and not check.in_loss
    return is_of_padding or isinstance(check, OtherAccuracy | LogitThreshold)
