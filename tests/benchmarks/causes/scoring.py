"""What an answer is worth: compared with brute force over all data, wherever an effect is clearly there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from tests.benchmarks.causes.store import Plan, Store, Stored
from tui_monitor.explain.measure import Moment, explain_probe
from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.events.ledger import Cause, Ledger, Verdict

METRICS = ("loss", "accuracy")
_BEYOND_CHANCE = 2.81
"""Standard errors, 0.5 % two-sided: below it a gap or an effect may be chance, and no cause is right."""
_ROUNDING = 2e-6
"""Of values computed twice in float32."""


@dataclass(frozen=True)
class Scored:
    """One run with its explanation by today's arithmetic."""

    plan: Plan
    stored: Stored
    explanation: Explanation

    def ledger(self, metric: str) -> Ledger:
        """Return one metric's ledger."""
        found: Ledger = getattr(self.explanation, metric)
        return found

    def right_answer(self, metric: str) -> str | None:
        """Return the largest true term in the gap's direction, or None where chance would give as much."""
        largest = self.largest(metric)
        truth = self.stored.truth[metric]
        clear = largest is not None and abs(truth[largest]) > _BEYOND_CHANCE * self.stored.noise[metric]
        return largest if clear else None

    def largest(self, metric: str) -> str | None:
        """Return the largest true term in the gap's direction, however small; None where all pull the other way."""
        truth = self.stored.truth[metric]
        gap = self.gap(metric)
        pulling = {
            cause: abs(effect) for cause, effect in truth.items() if effect * gap > 0 and cause != Cause.MEASUREMENT
        }
        return max(pulling, key=pulling.__getitem__) if pulling else None

    def planted(self, metric: str) -> str | None:
        """Return the cause that the recipe plants in a metric's gap."""
        return self.plan.recipe.loss_cause if metric == "loss" else self.plan.recipe.accuracy_cause

    def gap(self, metric: str) -> float:
        """Return the gap as Keras reported it."""
        history = self.stored.history
        return history[metric][-1] - history[f"val_{metric}"][-1]

    def answers(self, metric: str) -> list[str]:
        """Return the causes named in the gap's direction, the main one first; empty where none is called main."""
        named = [term for term in self.ledger(metric).terms if term.verdict in (Verdict.MAIN, Verdict.CONTRIBUTES)]
        named.sort(key=lambda term: (term.verdict is not Verdict.MAIN, -abs(term.effect or 0.0)))
        return [term.cause for term in named] if named and named[0].verdict is Verdict.MAIN else []

    @property
    def claims_paradox(self) -> bool:
        """Whether the verdict states lower loss and lower accuracy as a fact beyond chance."""
        return ", yet " in self.explanation.verdict


def score(plans: Iterable[Plan], store: Store) -> list[Scored]:
    """Explain every run that the cache holds."""
    scored = []
    for plan in plans:
        if plan in store:
            stored = store.get(plan)
            moment = Moment(plan.key, len(stored.history["loss"]), None, None)
            scored.append(Scored(plan, stored, explain_probe(stored.probe, stored.validation, moment)))
    return scored


@dataclass(frozen=True)
class Named:
    """How often the right cause was named, over ledgers that have one."""

    asked: int
    first: int
    among_two: int
    abstained: int


def naming(runs: Iterable[tuple[str | None, list[str]]]) -> Named:
    """Count answers, each a right cause and the causes named; ledgers without a right cause are left out."""
    asked = [(right, answers) for right, answers in runs if right is not None]
    return Named(
        len(asked),
        sum(answers[:1] == [right] for right, answers in asked),
        sum(right in answers[:2] for right, answers in asked),
        sum(not answers for _, answers in asked),
    )


@dataclass(frozen=True)
class Measured:
    """How near one term comes to the truth, over the runs in which it is not exactly 0 by construction."""

    runs: int
    error: float
    """Mean absolute error, in nats or as a fraction of samples."""
    with_interval: int
    covered: int
    """Intervals that hold the truth."""
    width: float
    """Median half-width."""


def measured(scored: Iterable[Scored], metric: str, cause: Cause) -> Measured:
    """Return one term's error and coverage."""
    errors, held, widths = [], [], []
    for run in scored:
        # What opens the within-class term is planted and measured by the other benchmark, `faults`.
        if cause not in run.stored.truth[metric]:
            continue
        term = next(term for term in run.ledger(metric).terms if term.cause is cause)
        truth = run.stored.truth[metric][cause]
        if abs(truth) < _ROUNDING and abs(term.effect or 0.0) < _ROUNDING:
            continue
        errors.append(abs((term.effect or 0.0) - truth))
        if term.low is not None and term.high is not None:
            held.append(term.low - _ROUNDING <= truth <= term.high + _ROUNDING)
            widths.append((term.high - term.low) / 2)
    return Measured(
        len(errors),
        float(np.mean(errors)) if errors else 0.0,
        len(held),
        sum(held),
        float(np.median(widths)) if widths else 0.0,
    )


def largest_remainder(scored: Iterable[Scored]) -> float:
    """Return the largest difference between a reported gap and the sum of its terms."""
    return max(
        (
            abs(run.gap(metric) - sum(term.effect or 0.0 for term in run.ledger(metric).terms))
            for run in scored
            for metric in METRICS
        ),
        default=0.0,
    )


def agreement(scored: Iterable[Scored]) -> Mapping[str, tuple[int, int]]:
    """Return for each recipe how many ledgers with a planted cause show it as the true one, and how many there are."""
    counts: dict[str, tuple[int, int]] = {}
    for run in scored:
        for metric in METRICS:
            if run.planted(metric) is not None:
                there, of = counts.get(run.plan.name, (0, 0))
                counts[run.plan.name] = (there + (run.right_answer(metric) == run.planted(metric)), of + 1)
    return counts
