"""The newest explanation of a phase as an object, made once however often it is drawn."""

from dataclasses import replace

from tui_monitor.errors import RunUnreadable
from tui_monitor.explain.from_log import explain_log
from tui_monitor.history.snapshot import EpochRow, ExplanationAt, PhaseSnapshot, Snapshot
from tui_monitor.run_log.events.explanation import Explanation, explanation_from_json
from tui_monitor.view.panels.gap.empty_state import MEASURING_IS_OFF, is_measuring_off

_LATEST: list[tuple[ExplanationAt | EpochRow, Explanation]] = []
_KEPT = 4


def newest_explanation(snapshot: Snapshot, phase: PhaseSnapshot | None) -> Explanation | None:
    """Return the newest explanation, or None while a first measurement is still to come.

    Where none will come (measuring is off, the run has ended, or it came from a log), it is what the logged figures
    of the last epoch prove.
    """
    if phase is None:
        return None
    if phase.explanations:
        newest = phase.explanations[-1]
        return _known(newest) or _measured(newest)
    is_over = snapshot.state.ended or snapshot.is_log or not phase.batches or is_measuring_off(phase)
    if not phase.epochs or not is_over:
        return None
    row = phase.epochs[-1]
    said = MEASURING_IS_OFF if is_measuring_off(phase) else ()
    return _known(row) or _logged(snapshot.run.name, row, said)


def newest_with_distributions(phase: PhaseSnapshot | None) -> tuple[ExplanationAt, Explanation] | None:
    """Return the newest explanation of a phase that holds what lies behind its figures, or None without one."""
    for held in reversed(phase.explanations if phase else ()):
        if held.content.get("distributions"):
            explanation = _known(held) or _measured(held)
            return (held, explanation) if explanation is not None else None
    return None


def _known(source: ExplanationAt | EpochRow) -> Explanation | None:
    return next((explanation for seen, explanation in _LATEST if seen is source), None)


def _measured(newest: ExplanationAt) -> Explanation | None:
    try:
        return _kept(newest, explanation_from_json(newest.content))
    except RunUnreadable:
        return None


def _logged(run: str, row: EpochRow, said: tuple[str, ...]) -> Explanation | None:
    explanation = explanation_from_json(explain_log(run, row.epoch, row.figures))
    has_gap = explanation.loss is not None or explanation.accuracy is not None
    return _kept(row, replace(explanation, limits=said)) if has_gap else None


def _kept(source: ExplanationAt | EpochRow, explanation: Explanation) -> Explanation:
    _LATEST.append((source, explanation))
    del _LATEST[:-_KEPT]
    return explanation
