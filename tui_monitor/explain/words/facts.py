"""What the sentences may draw on: values that were measured or counted, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass

from tui_monitor.explain.evidence.check_results import Check
from tui_monitor.run_log.events.explanation import Baseline, Classes, Stratified
from tui_monitor.run_log.events.ledger import Cause, Ledger, Term, Verdict
from tui_monitor.run_log.events.opened import OpenedEvidence


@dataclass(frozen=True)
class Facts:
    """One moment's values, as the sentences need them."""

    reported: Mapping[str, float | None]
    loss: Ledger | None
    accuracy: Ledger | None
    classes: Classes | None
    baseline: Baseline | None
    stratified: Stratified | None
    class_weights: Mapping[int, float] | None
    """The one weight of each class that was probed, or None where samples of a class differ in weight."""
    weights_used: bool
    """Whether any training sample has a weight other than 1."""
    is_by_class: bool
    """Whether what is within class shares has been told apart from them."""
    random_mode: bool
    """Whether training mode gives other outputs than inference mode."""
    is_validation_weighted: bool = False
    """Whether any validation sample has a weight other than 1."""
    opened: OpenedEvidence | None = None
    """What lies behind the terms that open others."""
    checks: tuple[Check, ...] = ()
    """What the checks found that are no terms."""


def named_terms(ledger: Ledger | None) -> list[Term]:
    """Return terms worth naming, the main one first, then by size."""
    if ledger is None:
        return []
    named = [term for term in ledger.terms if term.verdict.is_named and term.effect is not None]
    return sorted(named, key=lambda term: (term.verdict is not Verdict.MAIN, -abs(term.effect or 0.0)))


def main_term(ledger: Ledger | None) -> Term | None:
    """Return the main cause's term, or None where there is none."""
    return next((term for term in named_terms(ledger) if term.verdict is Verdict.MAIN), None)


def term_of(ledger: Ledger | None, cause: Cause) -> Term | None:
    """Return a cause's term, or None where the ledger is missing or does not have it."""
    return next((term for term in ledger.terms if term.cause is cause), None) if ledger else None
