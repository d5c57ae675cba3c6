"""Which explanation answers a question about a run, and why none does: decided here for screen, reports and commands.

A question is about one fit: its newest explanation, or that of one epoch. What was measured answers before what the
logged values prove; an epoch's end before a moment within it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tui_monitor.errors import UsageError
from tui_monitor.explain.from_log import explain_from_log, has_both_sides
from tui_monitor.explain.recorded_facts import RecordedFit
from tui_monitor.history.snapshot import ExplanationAt, FitSnapshot, Snapshot
from tui_monitor.run_log.events.explanation import Explanation, explanation_to_json

MEASURING_IS_OFF = (
    "Measuring is off (probe budget 0), so no cause gets an amount.",
    "Start the run with a probe budget above 0 to see the causes of the gap.",
)


@dataclass(frozen=True)
class Answer:
    """What explains an epoch, or why nothing does."""

    explanation: Explanation | None = None
    held: ExplanationAt | None = None
    """Where it was measured; None for what logged values prove."""
    why_none: str = ""
    """In a sentence, where there is no explanation; empty while one is still to come."""

    @property
    def content(self) -> Mapping[str, Any] | None:
        """The explanation as JSON: as it was recorded, where it was."""
        if self.held is not None:
            return self.held.content
        return None if self.explanation is None else explanation_to_json(self.explanation)


def fit_to_explain(snapshot: Snapshot, fit: int | None = None) -> FitSnapshot | None:
    """Return the newest fit that has something to explain: an explanation, or an epoch that ended.

    Args:
        snapshot: of the run.
        fit: the one asked for, from 1; None for the newest.

    Raises:
        UsageError: the run has no such fit.
    """
    if fit is not None:
        count = len(snapshot.fits)
        if fit > count:
            raise UsageError(f"--fit {fit}: the run has {count} {'call' if count == 1 else 'calls'} of fit.")
        return snapshot.fits[fit - 1]
    return next((one for one in reversed(snapshot.fits) if one.epochs or one.explanations), None)


def answer(
    snapshot: Snapshot,
    fit: FitSnapshot | None,
    epoch: int | None = None,
    class_shares: Sequence[float] | None = None,
) -> Answer:
    """Return the explanation of one epoch of a fit, or of its newest.

    Args:
        snapshot: of the run.
        fit: one of its fits; None where it has none.
        epoch: from 1; None for the newest that was measured, else the last that ended.
        class_shares: of all classes, for an epoch that was logged but not measured.
    """
    if epoch is not None:
        held = measured_epochs(fit).get(epoch)
    else:
        held = fit.explanations[-1] if fit is not None and fit.explanations else None
    if held is not None:
        found = held.explanation
        # Successive fits shown as one count their epochs on, and so does what explains them.
        shown = found if found is None or found.epoch == held.epoch else replace(found, epoch=held.epoch)
        return Answer(shown, held, held.recorded.problem)
    return logged_answer(snapshot, fit, epoch, class_shares)


_EPOCHS_BEFORE = 100
"""Epochs before the one explained that are looked at for what its values follow on."""


def logged_answer(
    snapshot: Snapshot,
    fit: FitSnapshot | None,
    epoch: int | None = None,
    class_shares: Sequence[float] | None = None,
) -> Answer:
    """Return what the logged values of one epoch prove, or of the last with both sides; arguments as for `answer`."""
    rows = [row for row in fit.epochs if epoch in (None, row.epoch)] if fit is not None else []
    if not rows:
        return Answer(why_none=_nothing_logged(snapshot, epoch))
    row = next((row for row in reversed(rows) if has_both_sides(row.metrics)), rows[-1])
    nearest = min(measured_epochs(fit), key=lambda other: abs(other - row.epoch), default=None)
    samples = (row.samples, row.validation_samples)
    return Answer(
        explain_from_log(
            snapshot.run.name,
            row.epoch,
            row.metrics,
            class_shares,
            measured_epoch=nearest,
            samples=samples,
            recorded=None if snapshot.is_log else _recorded(snapshot, fit),
            before=[earlier.metrics for earlier in fit.epochs if earlier.epoch < row.epoch][-_EPOCHS_BEFORE:]
            if fit is not None
            else (),
        )
    )


def _recorded(snapshot: Snapshot, fit: FitSnapshot | None) -> RecordedFit:
    """Return what the run knows of a fit that was not measured at some epoch."""
    if fit is None:
        return RecordedFit()
    number = fit.info.index if len(snapshot.fits) > 1 else None
    why, advice = "this fit was not measured", ""
    if is_measuring_off(fit):
        why, advice = "measuring is off in this run", MEASURING_IS_OFF[1]
    return RecordedFit.of(fit.info.model, fit.info.fit, why, advice, number)


def newest_answer(snapshot: Snapshot, fit: FitSnapshot | None) -> Answer:
    """Return what a screen or a report shows of a fit: nothing while a first measurement is still to come.

    Where none will come (measuring is off, the run has ended, or it came from a log), it is what the logged values
    of the last epoch prove.
    """
    if fit is None:
        return Answer()
    is_off = is_measuring_off(fit)
    is_over = snapshot.state.ended or snapshot.is_log or not fit.batches or is_off
    if not fit.explanations and not is_over:
        return Answer()
    found = answer(snapshot, fit)
    if found.held is not None or found.explanation is None:
        return found
    if found.explanation.loss is None and found.explanation.accuracy is None:
        return Answer()
    return replace(found, explanation=replace(found.explanation, limits=MEASURING_IS_OFF if is_off else ()))


def outputs_of(fit: FitSnapshot | None) -> int:
    """Return how many outputs the newest explanation of a fit tells apart; 0 where it is of one loss alone."""
    explanation = fit.explanations[-1].explanation if fit is not None and fit.explanations else None
    return len(explanation.outputs) if explanation is not None else 0


def newest_with_distributions(fit: FitSnapshot | None) -> ExplanationAt | None:
    """Return the newest explanation of a fit that holds what lies behind its averages, or None without one."""
    explanations = reversed(fit.explanations if fit is not None else ())
    held = next((held for held in explanations if held.recorded.has_distributions), None)
    return held if held is not None and held.explanation is not None else None


def measured_epochs(fit: FitSnapshot | None) -> dict[int, ExplanationAt]:
    """Return the last explanation of each epoch, the one at its end where there is one."""
    newest: dict[int, ExplanationAt] = {}
    for held in fit.explanations if fit is not None else ():
        before = newest.get(held.epoch)
        if held.batch is None or before is None or before.batch is not None:
            newest[held.epoch] = held
    return newest


def is_measuring_off(fit: FitSnapshot) -> bool:
    """Whether the run was started with a probe budget of 0."""
    budget = fit.info.fit.get("probe_budget")
    return isinstance(budget, int | float) and budget <= 0


def is_own_loop(fit: FitSnapshot) -> bool:
    """Whether it is a loop of the script's own, which logs what it trains."""
    return bool(fit.info.fit.get("own_loop"))


def _nothing_logged(snapshot: Snapshot, epoch: int | None) -> str:
    if snapshot.state.ended and not snapshot.fits:
        return f"{snapshot.run.name} has ended without a call of `fit`: there is nothing to explain."
    which = f"epoch {epoch}" if epoch is not None else "any epoch"
    return f"{snapshot.run.name} holds no values of {which} to explain" + ("." if snapshot.state.ended else " yet.")
