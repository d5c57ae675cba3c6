"""Verdict and why, written from the values: they name causes with direction and size, and never more than measured."""

import math
import textwrap
from collections.abc import Callable, Mapping, Sequence

from tui_monitor import units
from tui_monitor.explain.words.causes import CAUSE_WORDS
from tui_monitor.explain.words.causes_within import (
    OPENED_SUBJECTS,
    labels_apart,
    leading_part,
    opened_subject,
    train_mode_subject,
)
from tui_monitor.explain.words.facts import Facts, named_terms, term_of
from tui_monitor.metric_names import VALIDATION_PREFIX
from tui_monitor.run_log.events.explanation import Classes
from tui_monitor.run_log.events.ledger import LAG, Cause, Ledger, Term, Verdict

_LIKE_SIZE = 0.5
"""Fraction of a ledger's largest effect from which another counts as of like size; the headline names all of these."""
_USUAL_CLAUSES = 2
"""Causes that the headline names where smaller ones contribute too; the findings name every one."""
_LINES, _LINE_WIDTH = 3, 70
"""Room for the headline: lines on a screen of 80 columns, beside their label."""
_ROUNDING = 1e-9
"""A smaller effect comes from rounding, not from the run."""


def verdict_line(facts: Facts) -> str:
    """Return what the two gaps are, in one line."""
    loss, accuracy = facts.loss, facts.accuracy
    clauses = []
    if loss is not None:
        clauses.append("loss " + _gap_clause(loss, units.magnitude, not_finite(facts.reported, "loss")))
    if accuracy is not None:
        clauses.append("accuracy " + _gap_clause(accuracy, units.points, not_finite(facts.reported, "accuracy")))
    if not clauses:
        return "No gap to explain: there are no validation metrics yet."
    joint = ", yet " if is_paradox(facts.reported) and not _either_is_chance(loss, accuracy) else ", "
    return f"Validation {joint.join(clauses)}."


def is_paradox(reported: Mapping[str, float | None]) -> bool:
    """Whether `val_loss < loss` and `val_accuracy < accuracy`, as reported."""
    loss, val_loss = reported.get("loss"), reported.get("val_loss")
    accuracy, val_accuracy = reported.get("accuracy"), reported.get("val_accuracy")
    if loss is None or val_loss is None or accuracy is None or val_accuracy is None:
        return False
    return val_loss < loss and val_accuracy < accuracy


def _either_is_chance(loss: Ledger | None, accuracy: Ledger | None) -> bool:
    return any(ledger is None or ledger.within_noise for ledger in (loss, accuracy))


def _gap_clause(ledger: Ledger, amount: Callable[[float], str], bad: str) -> str:
    if not _is_number(ledger):
        return f"can't be compared ({bad or 'not a finite number'})"
    return beside_training(ledger.gap or 0.0, amount) + (" (within chance)" if ledger.within_noise else "")


def _is_number(ledger: Ledger) -> bool:
    """Whether a gap is one: both sides are finite."""
    return ledger.gap is not None and math.isfinite(ledger.gap)


def beside_training(gap: float, amount: Callable[[float], str]) -> str:
    """Return how validation's value lies to training's, such as `is 0.020 lower`, from training minus validation."""
    text = amount(gap)
    is_nothing = not any(digit in text for digit in "123456789")
    return "is the same" if is_nothing else f"is {text} {'lower' if gap > 0 else 'higher'}"


def not_finite(values: Mapping[str, float | None], name: str) -> str:
    """Return which sides of a metric are NaN or infinite, in words; empty where none is.

    Args:
        values: by canonical name, validation's with its prefix.
        name: of the metric in training.
    """
    sides = (("training", name), ("validation", VALIDATION_PREFIX + name))
    return ", ".join(
        f"the {side} side is {'NaN' if math.isnan(value) else 'infinite'} ({key})"
        for side, key in sides
        if (value := values.get(key)) is not None and not math.isfinite(value)
    )


def headline(facts: Facts) -> str:
    """Return why, in one sentence that names the main causes of both gaps, all others of like size, what is ruled out.

    It takes at most three lines of 70 characters: where whole clauses take more, the third cause and further ones give
    their amounts alone, and where that takes more too, all do.
    """
    causes = _causes_to_name(facts)
    if not causes:
        return _no_cause(facts)
    within = _within_chance(facts)
    clauses = [_clause(cause, _effect_worth_naming(facts.loss, cause), facts) for cause in causes]
    small = _small_ones(facts, causes)
    brief = [_brief(cause, facts) for cause in causes]
    for parts in (clauses, [*clauses[:2], *brief[2:]]):
        text = _sentence(within + "; ".join(parts))
        if _fits(text):
            longer = _sentence(within + "; ".join([*parts, small]))
            return longer if small and parts is clauses and _lines(longer) == _lines(text) else text
    return _listed(facts, within)


def _within_chance(facts: Facts) -> str:
    """Return the clause that begins a headline where no gap is more than chance, though parts of them are."""
    ledgers = [ledger for ledger in (facts.loss, facts.accuracy) if ledger is not None]
    if not all(ledger.within_noise for ledger in ledgers):
        return ""
    return "within chance as a whole; " if len(ledgers) == 1 else "both gaps are within chance; "


def _brief(cause: Cause, facts: Facts) -> str:
    """Return a cause's amounts alone, with the sign of training minus validation, as the ledgers have them."""
    loss, accuracy = _effect_worth_naming(facts.loss, cause), _effect_worth_naming(facts.accuracy, cause)
    return f"{_short_name(cause, facts)}: {_gap_amounts(loss, accuracy)}"


def _gap_amounts(loss: float | None, accuracy: float | None) -> str:
    amounts = [] if loss is None else [f"loss gap {units.NATS.amount(loss)}"]
    amounts += [] if accuracy is None else [f"accuracy gap {units.POINTS.amount_with_unit(accuracy)}"]
    return ", ".join(amounts)


def _fits(text: str) -> bool:
    return _lines(text) <= _LINES


def _lines(text: str) -> int:
    return len(textwrap.wrap(text, _LINE_WIDTH, break_on_hyphens=False))


def _causes_to_name(facts: Facts) -> list[Cause]:
    """Return causes in the order of what they are worth: the main ones, others of like size, then what contributes."""
    ledgers = (facts.loss, facts.accuracy)
    like = sorted((term for ledger in ledgers for term in _of_like_size(ledger)), key=_rank)
    causes = list(dict.fromkeys(term.cause for term in like))
    pulling = [term for ledger in ledgers for term in _told_terms(ledger)[:2] if term.verdict is not Verdict.OFFSETS]
    further = [term.cause for term in sorted(pulling, key=_rank) if term.cause not in causes]
    return [*causes, *dict.fromkeys(further)][: max(_USUAL_CLAUSES, len(causes))]


def _told_terms(ledger: Ledger | None) -> list[Term]:
    """Return the terms worth naming; none where nothing pulls as the gap does, nor in a chance gap without a main one.

    A cause that pulls against a gap is no reason for it.
    """
    named = named_terms(ledger)
    pulls = [term for term in named if term.verdict is not Verdict.OFFSETS]
    is_chance = ledger is not None and ledger.within_noise
    return [] if not pulls or (is_chance and named[0].verdict is not Verdict.MAIN) else named


def _rank(term: Term) -> int:
    return list(Verdict).index(term.verdict)


def _of_like_size(ledger: Ledger | None) -> list[Term]:
    """Return a ledger's main term and those whose effect is not much smaller than the largest, in either direction."""
    named = _told_terms(ledger)
    least = _LIKE_SIZE * max((abs(term.effect or 0.0) for term in named), default=0.0)
    return [term for term in named if term.verdict is Verdict.MAIN or abs(term.effect or 0.0) >= least]


def _listed(facts: Facts, within: str) -> str:
    """Return both ledgers' causes of like size as lists; as many as fit, with the number of those left out."""
    loss, accuracy = _of_like_size(facts.loss), _of_like_size(facts.accuracy)
    text = ""
    for most in range(max(len(loss), len(accuracy)), 0, -1):
        lists = []
        if loss:
            lists.append(f"loss gap: {_amounts(loss, most, facts, units.NATS.amount)}")
        if accuracy:
            amounts = _amounts(accuracy, most, facts, units.POINTS.amount)
            lists.append(f"accuracy gap: {amounts} points")
        text = _sentence(within + "; ".join(lists))
        if _fits(text):
            break
    return text


def _amounts(terms: Sequence[Term], most: int, facts: Facts, written: Callable[[float], str]) -> str:
    amounts = ", ".join(f"{_short_name(term.cause, facts)} {written(term.effect or 0.0)}" for term in terms[:most])
    return amounts if len(terms) <= most else f"{amounts} and {len(terms) - most} more"


def _short_name(cause: Cause, facts: Facts) -> str:
    if cause is Cause.SAMPLE_WEIGHTS:
        return "class weights" if facts.class_weights is not None else "sample weights"
    part = leading_part(facts) if cause is Cause.TRAIN_MODE_LAYERS else None
    return CAUSE_WORDS[cause].short if part is None else part.label


def _effect_worth_naming(ledger: Ledger | None, cause: Cause) -> float | None:
    return next((term.effect for term in _told_terms(ledger) if term.cause is cause), None)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _no_cause(facts: Facts) -> str:
    ledgers = [ledger for ledger in (facts.loss, facts.accuracy) if ledger is not None and _is_number(ledger)]
    if not ledgers:
        return "What is no number has no causes."
    if all(ledger.within_noise for ledger in ledgers):
        is_of_both = len(ledgers) == sum(ledger is not None for ledger in (facts.loss, facts.accuracy))
        what = "" if is_of_both else " in what can be compared"
        return f"Sets of these sizes differ this much by chance{what}; no cause stands out."
    if any(term.verdict is Verdict.CANNOT_TELL for ledger in ledgers for term in ledger.terms):
        return "Too little was measured to name a cause: the intervals include 0."
    return "No single cause is large enough to name."


def _small_ones(facts: Facts, mentioned: Sequence[Cause]) -> str:
    """Return one clause on the causes that most readers would guess, where these are negligible."""
    usual = {Cause.IN_EPOCH_AVERAGING: "averaging"}
    if facts.random_mode:
        usual = {Cause.TRAIN_MODE_LAYERS: _short_name(Cause.TRAIN_MODE_LAYERS, facts), **usual}
    small = [
        (name, term.effect)
        for cause, name in usual.items()
        if (term := term_of(facts.loss, cause)) is not None
        and term.effect is not None
        and cause not in mentioned
        and term.verdict is Verdict.RULED_OUT
    ]
    total = units.signed(abs(sum(effect for _, effect in small))).removeprefix("+")
    if float(total) == 0:
        return ""
    names = " and ".join(name for name, _ in small)
    return f"{names} {'is' if len(small) == 1 else 'are'} negligible ({total})"


def _clause(cause: Cause, on_loss: float | None, facts: Facts) -> str:
    """Return one cause's clause from its effects; only those worth naming are given."""
    on_accuracy = _effect_worth_naming(facts.accuracy, cause)
    fact = _fact_of_validation(cause, facts)
    if fact:
        return f"{fact} {_moves_validation(on_loss, on_accuracy)}"
    if cause is Cause.CLASS_MIX:
        return _class_mix_clause(on_loss, on_accuracy, facts.classes)
    if cause is Cause.WITHIN_CLASS:
        return _within_class_clause(on_loss, on_accuracy, is_by_class=facts.is_by_class)
    if cause is Cause.SAMPLE_WEIGHTS:
        return _weights_clause(on_loss, on_accuracy, facts)
    subject, plural = {
        Cause.IN_EPOCH_AVERAGING: ("the running average over the epoch", False),
        Cause.TRAIN_MODE_LAYERS: train_mode_subject(facts),
        Cause.BATCH_AVERAGING: ("the mean of batch means", False),
        Cause.MEMORISED: ("memorised samples", True),
        Cause.MEASUREMENT: ("an unexplained rest", False),
    }[cause]
    return f"{subject} {_moves(on_loss, on_accuracy, plural=plural)}"


def _fact_of_validation(cause: Cause, facts: Facts) -> str:
    """Return, as the subject of a clause, what a cause does on validation's side; empty where it acts on training's."""
    # Memorising makes training's samples easier, and validation's no harder.
    if cause in OPENED_SUBJECTS and (cause is not Cause.MEMORISED or labels_apart(facts)):
        return opened_subject(cause, facts)
    if cause is Cause.WITHIN_CLASS:
        labels = labels_apart(facts)
        return f"that {labels}" if labels else ""
    part = leading_part(facts) if cause is Cause.TRAIN_MODE_LAYERS else None
    return "the lag of batch norm's moving statistics" if part is not None and part.kind == LAG else ""


def _moves(loss: float | None, accuracy: float | None, *, plural: bool) -> str:
    """Return `raises the training loss (+0.010) and lowers the training accuracy by 1.2 points`."""
    parts = []
    if loss is not None:
        parts.append(f"{_verb(loss, plural)} the training loss ({units.NATS.amount(loss)})")
    if accuracy is not None:
        parts.append(f"{_verb(accuracy, plural)} the training accuracy by {units.points(accuracy)}")
    return " and ".join(parts)


def _moves_validation(loss: float | None, accuracy: float | None) -> str:
    """Return `costs 3.1 points of accuracy and raises val_loss by 0.210`, from effects on training minus validation."""
    parts = []
    if loss is not None:
        parts.append(f"{'lowers' if loss > 0 else 'raises'} val_loss by {units.magnitude(loss)}")
    if accuracy is not None:
        parts.append(f"{'lowers' if accuracy > 0 else 'raises'} val_accuracy by {units.points(accuracy)}")
    return " and ".join(parts)


def _verb(effect: float, plural: bool) -> str:
    return ("raise" if effect > 0 else "lower") + ("" if plural else "s")


def _weights_clause(loss: float | None, accuracy: float | None, facts: Facts) -> str:
    subject = "class weights" if facts.class_weights is not None else "sample weights"
    on_accuracy = term_of(facts.accuracy, Cause.SAMPLE_WEIGHTS)
    if facts.is_validation_weighted:
        return f"{subject} act otherwise on the two sides ({_gap_amounts(loss, accuracy)})"
    if loss is not None and on_accuracy is not None and abs(on_accuracy.effect or 0.0) < _ROUNDING:
        return f"{subject} {_verb(loss, True)} only the training loss ({units.NATS.amount(loss)})"
    return f"{subject} {_moves(loss, accuracy, plural=True)}"


def _within_class_clause(loss: float | None, accuracy: float | None, *, is_by_class: bool) -> str:
    parts = []
    if loss is not None:
        parts.append(f"loss {units.magnitude(loss)} {'lower' if loss > 0 else 'higher'}")
    if accuracy is not None:
        parts.append(f"accuracy {units.points(accuracy)} {'lower' if accuracy > 0 else 'higher'}")
    how = {True: "worse", False: "better"}
    worse = {effect < 0 for effect in (loss, None if accuracy is None else -accuracy) if effect is not None}
    fares = how[worse.pop()] if len(worse) == 1 else "differently"
    return f"{'class for class, ' if is_by_class else ''}the model does {fares} on validation ({', '.join(parts)})"


def _class_mix_clause(loss: float | None, accuracy: float | None, classes: Classes | None) -> str:
    parts = []
    if accuracy is not None:
        parts.append(f"{'costs' if accuracy > 0 else 'gives'} it {units.points(accuracy)} of accuracy")
    if loss is not None:
        parts.append(f"{'lowers' if loss > 0 else 'raises'} its loss by {units.magnitude(loss)}")
    return f"{_shares_clause(classes)}, which {' and '.join(parts)}"


def _shares_clause(classes: Classes | None) -> str:
    if classes is None:
        return "validation holds the classes in other fractions"
    index = max(
        range(len(classes.labels)),
        key=lambda i: (
            round(abs(classes.validation_share[i] - classes.train_share[i]), 9),
            classes.validation_share[i] - classes.train_share[i],
        ),
    )
    train, validation = classes.train_share[index], classes.validation_share[index]
    digits = 0 if abs(train - validation) >= 0.015 else 1
    more = "more" if validation > train else "less"
    return (
        f"validation holds {more} of class {classes.labels[index]} "
        f"({units.percentage(validation, digits)} against {units.percentage(train, digits)})"
    )
