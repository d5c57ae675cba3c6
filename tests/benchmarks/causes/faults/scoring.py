"""What was said of one run, against what is true."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.benchmarks.causes.faults.store import METRICS, Plan, Store
from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.events.ledger import Term, Verdict

NEW_TERMS = ("leaked", "input_scale", "unfamiliar", "memorised")
ROUNDING = 2e-5
"""Of values computed twice in float32."""


@dataclass(frozen=True)
class Effect:
    """One cause's effect as measured, with its interval and the truth."""

    cause: str
    metric: str
    value: float
    low: float
    high: float
    truth: float

    @property
    def is_inside(self) -> bool:
        """Whether the interval holds the truth."""
        return self.low - ROUNDING <= self.truth <= self.high + ROUNDING

    @property
    def is_estimated(self) -> bool:
        """Whether it may be off: no exact amount, and no leak of which nothing was found, with a bound on what is."""
        is_bound = self.cause == "leaked" and self.value == 0.0
        return not is_bound and self.high - self.low > 2 * ROUNDING


@dataclass(frozen=True)
class Scored:
    """One run."""

    plan: Plan
    mains: Mapping[str, str | None]
    """The main cause of each gap."""
    raised: tuple[str, ...]
    """Findings of checks."""
    lead: str
    """Kind of layer that most of the train-mode term is of; empty where it was not opened."""
    effects: tuple[Effect, ...]
    """Of all causes that were measured and have a truth."""
    reason: str
    """Why the planted cause has no amount; empty where it has."""

    @property
    def is_named(self) -> bool:
        """Whether the planted fault is a gap's main cause, or its finding was raised."""
        fault = self.plan.fault
        if fault.finding and fault.finding in self.raised:
            return True
        if not fault.term or fault.term not in self.mains.values():
            return False
        return not fault.part or self.lead == fault.part

    @property
    def is_false_alarm(self) -> bool:
        """Whether a run with nothing planted has a finding or one of the causes that open the within-class term."""
        return bool(self.raised) or any(main in NEW_TERMS for main in self.mains.values())

    @property
    def planted(self) -> tuple[Effect, ...]:
        """The effects of the cause that was planted."""
        return tuple(effect for effect in self.effects if effect.cause == self.plan.fault.term)


def score(planned: list[Plan], store: Store) -> list[Scored]:
    """Return the runs that the cache holds, scored by today's arithmetic."""
    return [_scored(plan, store) for plan in planned if plan in store]


def _scored(plan: Plan, store: Store) -> Scored:
    outcome = store.get(plan)
    explanation = outcome.measured.explanation()
    ledgers = {metric: getattr(explanation, metric) for metric in METRICS}
    mains = {
        metric: next((str(term.cause) for term in ledger.terms if term.verdict is Verdict.MAIN), None)
        for metric, ledger in ledgers.items()
        if ledger is not None
    }
    train_mode = next(term for term in ledgers["loss"].terms if term.cause == "train_mode_layers")
    lead = max(train_mode.parts, key=lambda part: abs(part.effect)).kind if train_mode.parts else ""
    checks = tuple(finding.cause for finding in explanation.findings if finding.verdict == "known")
    reasons = [term.reason for term in ledgers["loss"].terms if term.cause == plan.fault.term and term.reason]
    return Scored(
        plan=plan,
        mains=mains,
        raised=tuple(cause for cause in checks if cause != "baseline"),
        lead=lead,
        effects=tuple(_effects(explanation, outcome.truth)),
        reason=next(iter(reasons), ""),
    )


def _effects(explanation: Explanation, truth: Mapping[str, Mapping[str, float]]) -> Iterator[Effect]:
    for metric, causes in truth.items():
        ledger = getattr(explanation, metric)
        terms: dict[str, Term] = {str(term.cause): term for term in ledger.terms} if ledger is not None else {}
        for cause, true in causes.items():
            term = terms.get(cause)
            if term is not None and term.effect is not None and term.low is not None and term.high is not None:
                yield Effect(cause, metric, term.effect, term.low, term.high, true)
