"""How the reasons for the gap between training and validation differ between two runs, term by term."""

import math
from dataclasses import dataclass

from tui_monitor.explain.ledger.build import SMALLEST_ACCURACY_WORTH_NAMING, SMALLEST_LOSS_WORTH_NAMING
from tui_monitor.explain.quantiles import NORMAL_QUANTILE, QUANTILE_WORTH_A_CAUSE
from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.events.ledger import Cause, Ledger, Term


@dataclass(frozen=True)
class TermDifference:
    """One cause in both runs. Amounts are of training minus validation: nats, or fractions for accuracy."""

    cause: Cause
    first: float
    second: float
    value: float
    """Second minus first."""
    smallest: float
    """Amount below which a difference is not worth naming, however sure it is."""
    low: float | None
    """Lower end of the 95 % interval, the two runs' own errors taken as independent; None where one has none."""
    high: float | None

    @property
    def is_worth_naming(self) -> bool:
        """Whether chance would hardly give so much."""
        if self.low is None or self.high is None:
            return False
        error = (self.high - self.low) / 2 / NORMAL_QUANTILE
        return abs(self.value) > max(self.smallest, QUANTILE_WORTH_A_CAUSE * error)


@dataclass(frozen=True)
class LedgerDifference:
    """A gap in both runs, and its terms."""

    first: float
    second: float
    terms: tuple[TermDifference, ...]
    epochs: tuple[int, int]
    """In which the two were measured."""


def ledger_difference(first: Explanation | None, second: Explanation | None, metric: str) -> LedgerDifference | None:
    """Return the difference of two ledgers; None where one of the runs has none.

    Args:
        first: of the first run.
        second: of the second run.
        metric: `loss` or `accuracy`.
    """
    if first is None or second is None:
        return None
    ledgers: list[Ledger | None] = [getattr(explanation, metric) for explanation in (first, second)]
    one, other = ledgers
    if one is None or other is None or one.gap is None or other.gap is None:
        return None
    terms = {term.cause: term for term in one.terms}
    smallest = SMALLEST_LOSS_WORTH_NAMING if metric == "loss" else SMALLEST_ACCURACY_WORTH_NAMING
    pairs = [_term(terms.get(term.cause), term, smallest) for term in other.terms]
    differences = [difference for difference in pairs if difference is not None]
    return LedgerDifference(one.gap, other.gap, tuple(differences), (first.epoch, second.epoch))


def _term(one: Term | None, other: Term, smallest: float) -> TermDifference | None:
    if one is None or one.effect is None or other.effect is None:
        return None
    value = other.effect - one.effect
    ends = (one.low, one.high, other.low, other.high)
    if None in ends:
        return TermDifference(one.cause, one.effect, other.effect, value, smallest, None, None)
    assert one.low is not None
    assert one.high is not None
    assert other.low is not None
    assert other.high is not None
    low = value - math.hypot(other.effect - other.low, one.high - one.effect)
    high = value + math.hypot(other.high - other.effect, one.effect - one.low)
    return TermDifference(one.cause, one.effect, other.effect, value, smallest, low, high)
