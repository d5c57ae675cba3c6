"""When the explanation changes: a cause takes over or steps back, the paradox appears or ends; noise alone never does.

A change is reported at once where its intervals leave no doubt, else when two epochs in a row agree on it.
"""

from dataclasses import dataclass, field

from tui_monitor import units
from tui_monitor.explain.words.causes import CAUSE_WORDS
from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.events.ledger import Ledger, Term, Verdict

_ENOUGH_EPOCHS = 2
"""Epochs in a row that make a change of what one alone leaves in doubt."""
_CLEAR = 2.0
"""Times the noise of the gap that a cause must exceed to be told at once."""
_STAYS = 0.5
"""Times the noise below which a cause no longer counts as standing out."""
_TAKES_OVER = 1.2
"""Times the cause told last that another must have to take its place."""


@dataclass(frozen=True)
class Change:
    """One change of the explanation."""

    subject: str
    """`loss`, `accuracy` or `paradox`."""
    sentence: str
    epoch: int
    """From 1."""


@dataclass
class _Opinion:
    """What was last told of one subject, and what may follow it."""

    told: object = None
    proposed: object = None
    epochs: int = 0

    def hear(self, now: object, *, is_clear: bool) -> bool:
        """Take the explanation of one epoch; return whether it is a change worth telling."""
        if now == self.told:
            self.epochs = 0
            return False
        self.epochs = self.epochs + 1 if now == self.proposed else 1
        self.proposed = now
        if not is_clear and self.epochs < _ENOUGH_EPOCHS:
            return False
        self.told, self.epochs = now, 0
        return True


@dataclass
class CauseWatch:
    """Compares the explanations at the ends of one `fit` call's epochs."""

    _main: dict[str, _Opinion] = field(default_factory=lambda: {"loss": _Opinion(), "accuracy": _Opinion()})
    _paradox: _Opinion = field(default_factory=lambda: _Opinion(told=False))

    def take(self, explanation: Explanation) -> tuple[Change, ...]:
        """Take the next epoch's explanation and return what has changed with it."""
        changes = []
        for subject, ledger in (("loss", explanation.loss), ("accuracy", explanation.accuracy)):
            if ledger is not None and ledger.gap is not None:
                sentence = self._main_change(subject, ledger)
                if sentence:
                    changes.append(Change(subject, sentence, explanation.epoch))
        sentence = self._paradox_change(explanation)
        if sentence:
            changes.append(Change("paradox", sentence, explanation.epoch))
        return tuple(changes)

    def _main_change(self, subject: str, ledger: Ledger) -> str:
        opinion = self._main[subject]
        main = next((term for term in ledger.terms if term.verdict is Verdict.MAIN), None)
        before = next((term for term in ledger.terms if term.cause is opinion.told), None)
        is_first = opinion.told is None
        if before is not None and _still_holds(before, main, ledger):
            main = before
        is_clear = main is not None and _stands_out(main, before, ledger)
        if not opinion.hear(main.cause if main else None, is_clear=is_clear):
            return ""
        if main is None:
            return f"No cause of the {subject} gap stands out any more."
        now = "" if is_first else "now "
        return f"{CAUSE_WORDS[main.cause].subject} {now}the main cause of the {subject} gap ({_amount(subject, main)})."

    def _paradox_change(self, explanation: Explanation) -> str:
        ledgers = [ledger for ledger in (explanation.loss, explanation.accuracy) if ledger is not None]
        if len(ledgers) < 2:
            return ""
        if explanation.paradox:
            is_clear = all(ledger.low is not None and ledger.low > 0 for ledger in ledgers)
        else:
            is_clear = any(ledger.high is not None and ledger.high < 0 for ledger in ledgers)
        # Two gaps within chance make no paradox worth a marker, however often they show.
        is_real = explanation.paradox and not any(ledger.within_noise for ledger in ledgers)
        if not self._paradox.hear(is_real, is_clear=is_clear):
            return ""
        if is_real:
            return "Validation loss and validation accuracy are now both lower than in training."
        return "Validation loss and validation accuracy are no longer both lower than in training."


def _stands_out(main: Term, before: Term | None, ledger: Ledger) -> bool:
    """Whether a new main cause is beyond doubt: beyond the noise of the gap, and beyond the one before."""
    if main.low is None or main.high is None or ledger.low is None or ledger.high is None or ledger.within_noise:
        return False
    least = min(abs(main.low), abs(main.high))
    if least < _CLEAR * _noise(ledger):
        return False
    if before is None or before.effect is None:
        return True
    in_the_gaps_direction = before.effect * (main.effect or 0.0) > 0
    most = max(abs(before.low or before.effect), abs(before.high or before.effect))
    return not in_the_gaps_direction or least > most


def _still_holds(before: Term, main: Term | None, ledger: Ledger) -> bool:
    """Whether the cause told last is about as large as it was: near a threshold the explanation stays as it is."""
    effect = (before.effect or 0.0) * (1 if (ledger.gap or 0.0) >= 0 else -1)
    if main is None:
        return effect > _STAYS * _noise(ledger)
    return main.cause is not before.cause and _TAKES_OVER * effect > abs(main.effect or 0.0)


def _noise(ledger: Ledger) -> float:
    return 0.0 if ledger.low is None or ledger.high is None else (ledger.high - ledger.low) / 2


def _amount(subject: str, term: Term) -> str:
    effect = term.effect or 0.0
    return units.signed(effect, 2) if subject == "loss" else units.POINTS.amount_with_unit(effect)
