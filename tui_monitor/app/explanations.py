"""The newest explanation of a phase as an object, parsed once however often it is drawn."""

from tui_monitor.errors import RunUnreadable
from tui_monitor.explain.explanation import Explanation, explanation_from_json
from tui_monitor.history.snapshot import ExplanationAt, PhaseSnapshot

_LATEST: list[tuple[ExplanationAt, Explanation]] = []
_KEPT = 4


def newest_explanation(phase: PhaseSnapshot | None) -> Explanation | None:
    """Return the newest explanation, or None before the first measurement."""
    if phase is None or not phase.explanations:
        return None
    newest = phase.explanations[-1]
    for measured, explanation in _LATEST:
        if measured is newest:
            return explanation
    try:
        explanation = explanation_from_json(newest.content)
    except RunUnreadable:
        return None
    _LATEST.append((newest, explanation))
    del _LATEST[:-_KEPT]
    return explanation
