"""How old what was measured is, by the run's own clock, in steps coarse enough not to redraw every second."""

from tui_monitor.history.snapshot import ExplanationAt, FitSnapshot, Snapshot
from tui_monitor.units import duration

_STEP_SECONDS = 5


def age_of(snapshot: Snapshot, fit: FitSnapshot | None, held: ExplanationAt | None = None) -> str:
    """Return how long ago it was measured, such as `15 s ago`; nothing once the run has ended.

    Args:
        snapshot: its run time is the present.
        fit: whose newest explanation it is.
        held: another explanation of the fit.
    """
    if fit is None or not fit.explanations or snapshot.state.ended:
        return ""
    seconds = snapshot.seconds - (held or fit.explanations[-1]).seconds
    if seconds < _STEP_SECONDS:
        return "just now"
    if seconds < 60:
        return f"{int(seconds) // _STEP_SECONDS * _STEP_SECONDS} s ago"
    return f"{duration(int(seconds) // 60 * 60).removesuffix(' 00 s')} ago"
