"""How old what was measured is: in epochs, or by the run's own clock in steps coarse enough not to redraw often."""

from dataclasses import replace

from tui_monitor import units
from tui_monitor.history.snapshot import ExplanationAt, FitSnapshot, Snapshot
from tui_monitor.run_log.events.explanation import Explanation

_STEP_SECONDS = 5


def age_of(snapshot: Snapshot, fit: FitSnapshot | None, held: ExplanationAt | None = None) -> str:
    """Return how long ago it was measured, such as `15 s ago` or `2 epochs ago`; nothing once the run has ended.

    Args:
        snapshot: its run time is the present.
        fit: whose newest explanation it is.
        held: another explanation of the fit.
    """
    if fit is None or not fit.explanations or snapshot.state.ended:
        return ""
    explained = held or fit.explanations[-1]
    epochs = (fit.epochs[-1].epoch if fit.epochs else 0) - explained.epoch
    if epochs > 0:
        # Seconds would hide that the charts have gone on: an epoch may take less than one.
        return f"{units.count(epochs)} epoch{'s' if epochs > 1 else ''} ago"
    seconds = snapshot.seconds - explained.seconds
    if seconds < _STEP_SECONDS:
        return "just now"
    if seconds < 60:
        return f"{int(seconds) // _STEP_SECONDS * _STEP_SECONDS} s ago"
    return f"{units.duration(int(seconds) // 60 * 60).removesuffix(' 00 s')} ago"


def dated(explanation: Explanation, fit: FitSnapshot | None, *, ended: bool) -> Explanation:
    """Return an explanation whose verdict names its epoch where charts and header show newer ones beside it.

    Args:
        explanation: the newest of the fit.
        fit: what ran so far.
        ended: whether the run has ended. While it goes on, one epoch more may be waiting for its measurement, and a
            verdict that came to be dated in every epoch would move all rows below it twice.
    """
    behind = fit.epochs[-1].epoch - explanation.epoch if fit is not None and fit.epochs else 0
    if behind < (1 if ended else 2):
        return explanation
    return replace(explanation, verdict=f"Epoch {units.count(explanation.epoch)}: {explanation.verdict}")
