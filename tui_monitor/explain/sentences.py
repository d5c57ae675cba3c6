"""Sentences written from the figures: they name causes with direction and size, and never more than was measured."""

from collections.abc import Mapping
from dataclasses import dataclass

from tui_monitor import units
from tui_monitor.explain.explanation import Cause, Classes, Finding, Ledger, Term, Verdict

_NAMED = (Verdict.MAIN, Verdict.CONTRIBUTES, Verdict.OFFSETS)


@dataclass(frozen=True)
class Facts:
    """What the sentences may draw on."""

    reported: Mapping[str, float | None]
    loss: Ledger | None
    accuracy: Ledger | None
    classes: Classes | None
    weights_by_class: bool
    """Whether each class has one weight: class weights rather than sample weights."""
    weights_used: bool
    """Whether any training sample has a weight other than 1."""
    random_mode: bool
    """Whether training mode gives other outputs than inference mode."""


def verdict_line(facts: Facts) -> str:
    """Return what the two gaps are, in one line."""
    clauses = []
    if facts.loss is not None:
        clauses.append("loss " + _gap_clause(facts.loss, _loss_amount))
    if facts.accuracy is not None:
        clauses.append("accuracy " + _gap_clause(facts.accuracy, units.points))
    if not clauses:
        return "No gap to explain: there are no validation figures yet."
    joint = ", yet " if is_paradox(facts.reported) and len(clauses) > 1 else ", "
    return f"Validation {joint.join(clauses)}."


def is_paradox(reported: Mapping[str, float | None]) -> bool:
    """Whether `val_loss < loss` and `val_accuracy < accuracy`, as reported."""
    loss, val_loss = reported.get("loss"), reported.get("val_loss")
    accuracy, val_accuracy = reported.get("accuracy"), reported.get("val_accuracy")
    if loss is None or val_loss is None or accuracy is None or val_accuracy is None:
        return False
    return val_loss < loss and val_accuracy < accuracy


def _loss_amount(value: float) -> str:
    return f"{abs(value):.3f}"


def _gap_clause(ledger: Ledger, amount: object) -> str:
    assert callable(amount)
    if ledger.gap is None:
        return "can't be compared (not a finite number)"
    if ledger.within_noise:
        return f"differs by {amount(ledger.gap)}, which chance alone would give"
    return f"is {amount(ledger.gap)} {'lower' if ledger.gap > 0 else 'higher'}"


def headline(facts: Facts) -> str:
    """Return why, in one sentence that names the causes of both gaps and what was ruled out."""
    loss_terms, accuracy_terms = _named_terms(facts.loss), _named_terms(facts.accuracy)
    clauses: list[str] = []
    mentioned: set[Cause] = set()
    for own, other, on_loss in ((loss_terms, accuracy_terms, True), (accuracy_terms, loss_terms, False)):
        for term in own[:2]:
            if term.cause in mentioned or term.verdict is Verdict.OFFSETS:
                continue
            twin = _find(other, term.cause)
            clauses.append(_clause(term, twin, on_loss, facts))
            mentioned.add(term.cause)
    if not clauses:
        return _no_cause(facts)
    ruled_out = _ruled_out(facts, mentioned)
    return _sentence("; ".join(clauses) + (f"; {ruled_out}" if ruled_out else ""))


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _named_terms(ledger: Ledger | None) -> list[Term]:
    """Return terms worth naming, the main one first, then by size."""
    if ledger is None:
        return []
    named = [term for term in ledger.terms if term.verdict in _NAMED and term.effect is not None]
    return sorted(named, key=lambda term: (term.verdict is not Verdict.MAIN, -abs(term.effect or 0.0)))


def _find(terms: list[Term], cause: Cause) -> Term | None:
    return next((term for term in terms if term.cause is cause), None)


def _no_cause(facts: Facts) -> str:
    ledgers = [ledger for ledger in (facts.loss, facts.accuracy) if ledger is not None]
    if ledgers and all(ledger.within_noise for ledger in ledgers):
        return "Sets of these sizes differ this much by chance; no cause stands out."
    if any(term.verdict is Verdict.CANNOT_TELL for ledger in ledgers for term in ledger.terms):
        return "What was measured is too little to name a cause; the intervals still hold 0."
    return "No single cause is large enough to name."


def _ruled_out(facts: Facts, mentioned: set[Cause]) -> str:
    """Return the largest size that the small causes have, as one clause, or nothing."""
    if facts.loss is None:
        return ""
    usual = {
        Cause.TRAIN_MODE_LAYERS: "dropout",
        Cause.IN_EPOCH_AVERAGING: "averaging",
    }
    small = [
        term
        for term in facts.loss.terms
        if term.cause in usual and term.cause not in mentioned and term.verdict is Verdict.RULED_OUT
    ]
    if not small:
        return ""
    names = " and ".join(usual[term.cause] for term in small)
    total = sum(abs(term.effect or 0.0) for term in small)
    return f"{names} explain{'s' if len(small) == 1 else ''} {total:.3f} of the loss gap"


def _clause(term: Term, twin: Term | None, on_loss: bool, facts: Facts) -> str:
    """Return one cause's clause; `twin` is the same cause in the other ledger, where it is worth naming."""
    loss_effect = (term if on_loss else twin).effect if (on_loss or twin) else None  # type: ignore[union-attr]
    accuracy_effect = (twin if on_loss else term).effect if (not on_loss or twin) else None  # type: ignore[union-attr]
    match term.cause:
        case Cause.CLASS_MIX:
            return _class_mix_clause(loss_effect, accuracy_effect, facts.classes)
        case Cause.SAMPLE_WEIGHTS:
            return _weights_clause(loss_effect, accuracy_effect, facts)
        case Cause.WITHIN_CLASS:
            return _within_class_clause(loss_effect, accuracy_effect)
        case _:
            return _training_side_clause(term.cause, loss_effect, accuracy_effect)


def _training_side_clause(cause: Cause, loss: float | None, accuracy: float | None) -> str:
    subject = {
        Cause.IN_EPOCH_AVERAGING: "averaging over the epoch while the model was learning",
        Cause.TRAIN_MODE_LAYERS: "dropout and other layers that act in training alone",
        Cause.BATCH_AVERAGING: "counting every batch the same, whatever its size,",
        Cause.MEASUREMENT: "what the probe did not cover",
    }[cause]
    verb_plural = cause is Cause.TRAIN_MODE_LAYERS
    return f"{subject} {_moves('training', loss, accuracy, plural=verb_plural)}"


def _moves(side: str, loss: float | None, accuracy: float | None, *, plural: bool) -> str:
    """Return `raises the training loss (+0.010) and lowers the training accuracy (1.2 points)`."""
    parts = []
    if loss is not None:
        parts.append(f"{_verb(loss > 0, plural)} the {side} loss ({units.signed(loss)})")
    if accuracy is not None:
        parts.append(f"{_verb(accuracy > 0, plural)} the {side} accuracy by {units.points(accuracy)}")
    return " and ".join(parts)


def _verb(up: bool, plural: bool) -> str:
    return ("raise" if up else "lower") + ("" if plural else "s")


def _weights_clause(loss: float | None, accuracy: float | None, facts: Facts) -> str:
    subject = "class weights" if facts.weights_by_class else "sample weights"
    if loss is not None and accuracy is None:
        return f"{subject} {_verb(loss > 0, True)} the training loss alone ({units.signed(loss)})"
    return f"{subject} {_moves('training', loss, accuracy, plural=True)}"


def _within_class_clause(loss: float | None, accuracy: float | None) -> str:
    worse = (loss is not None and loss < 0) or (loss is None and accuracy is not None and accuracy > 0)
    parts = []
    if loss is not None:
        parts.append(f"loss {units.signed(loss)}")
    if accuracy is not None:
        parts.append(f"accuracy {units.points(accuracy)} {'lower' if accuracy > 0 else 'higher'}")
    kind = "harder" if worse else "easier"
    return f"validation samples are {kind} than training samples of their class ({', '.join(parts)})"


def _class_mix_clause(loss: float | None, accuracy: float | None, classes: Classes | None) -> str:
    parts = []
    if accuracy is not None:
        parts.append(f"{'costs' if accuracy > 0 else 'gives'} it {units.points(accuracy)} of accuracy")
    if loss is not None:
        parts.append(f"{'lowers' if loss > 0 else 'raises'} its loss by {abs(loss):.3f}")
    return f"{_shares_clause(classes)}, which {' and '.join(parts)}"


def _shares_clause(classes: Classes | None) -> str:
    if classes is None:
        return "validation holds other class shares"
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
        f"({units.share(validation, digits)} against {units.share(train, digits)})"
    )


_ADVICE = {
    Cause.IN_EPOCH_AVERAGING: (
        "Compare validation with `model.evaluate` on training data; the gap closes as learning slows."
    ),
    Cause.TRAIN_MODE_LAYERS: "Compare both sides in inference mode: `model.evaluate` on training data.",
    Cause.SAMPLE_WEIGHTS: (
        "Report the unweighted loss beside the weighted one: add the loss to `metrics=` in `compile`."
    ),
    Cause.BATCH_AVERAGING: "Weight each batch by its size, or train with equal batches.",
    Cause.CLASS_MIX: ("Split with `stratify=labels`, and judge by recall per class instead of accuracy."),
    Cause.WITHIN_CLASS: (
        "If validation is harder: regularise or add data. If it is easier: look for leakage or augmentation."
    ),
    Cause.MEASUREMENT: "Raise the probe budget to measure more of validation.",
}


def next_step(facts: Facts) -> str:
    """Return the advice for the main cause of the loss gap, then of the accuracy gap, without repeating itself."""
    causes: list[Cause] = []
    for ledger in (facts.loss, facts.accuracy):
        for term in _named_terms(ledger)[:1]:
            if term.verdict is Verdict.MAIN and term.cause not in causes:
                causes.append(term.cause)
    return " ".join(_ADVICE[cause] for cause in causes)


def findings(facts: Facts) -> tuple[Finding, ...]:
    """Return one finding per cause, named ones first; advice only where a cause matters."""
    result = []
    for cause in Cause:
        loss, accuracy = _term(facts.loss, cause), _term(facts.accuracy, cause)
        terms = [term for term in (loss, accuracy) if term is not None and term.effect is not None]
        if not terms:
            continue
        verdict = min((term.verdict for term in terms), key=list(Verdict).index)
        advice = _ADVICE[cause] if verdict in (Verdict.MAIN, Verdict.CONTRIBUTES) else ""
        result.append(Finding(cause, verdict, _finding_sentence(cause, loss, accuracy, facts), advice))
    order = list(Verdict)
    return tuple(sorted(result, key=lambda finding: order.index(Verdict(finding.verdict))))


def _term(ledger: Ledger | None, cause: Cause) -> Term | None:
    return next((term for term in ledger.terms if term.cause is cause), None) if ledger else None


def _finding_sentence(cause: Cause, loss: Term | None, accuracy: Term | None, facts: Facts) -> str:
    absent = _absent(cause, facts)
    if absent:
        return absent
    amounts = []
    if loss is not None and loss.effect is not None:
        amounts.append(f"loss {units.signed(loss.effect)}{_range(loss, 3)} {loss.verdict}")
    if accuracy is not None and accuracy.effect is not None:
        amounts.append(
            f"accuracy {units.signed(100 * accuracy.effect, 1)} points{_range(accuracy, 1, 100)} {accuracy.verdict}"
        )
    return f"{cause.label}: {'; '.join(amounts)}."


def _range(term: Term, digits: int, scale: float = 1.0) -> str:
    if term.low is None or term.high is None:
        return ","
    return f" [{units.signed(term.low * scale, digits)}, {units.signed(term.high * scale, digits)}],"


def _absent(cause: Cause, facts: Facts) -> str:
    """Return the plain statement that a cause is not there at all, where that is known exactly."""
    if cause is Cause.SAMPLE_WEIGHTS and not facts.weights_used:
        term = _term(facts.loss, cause)
        if term is not None and term.effect == 0:
            return "No class or sample weights are in use: ruled out."
    if cause is Cause.TRAIN_MODE_LAYERS and not facts.random_mode:
        return "No layer acts differently in training (dropout, batch norm, noise): ruled out."
    if cause is Cause.CLASS_MIX and facts.classes and facts.classes.p_value is not None:
        same = facts.classes.p_value > 0.05
        term_loss = _term(facts.loss, cause)
        if same and term_loss is not None and term_loss.verdict is Verdict.RULED_OUT:
            return (
                f"Class shares are equal within chance (p = {facts.classes.p_value:.2f}); "
                f"their effect on loss is {units.signed(term_loss.effect or 0.0)}: ruled out."
            )
    return ""
