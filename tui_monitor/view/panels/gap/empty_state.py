"""What the gap panel says, in words, while there is nothing measured to show."""

from tui_monitor.history.snapshot import FitSnapshot, Snapshot
from tui_monitor.metric_names import VALIDATION_PREFIX
from tui_monitor.units import count
from tui_monitor.view.explanations import MEASURING_IS_OFF, is_measuring_off, is_own_loop

_NO_VALIDATION = (
    "This fit has no validation data, so there is no gap to explain.",
    "Pass validation_data or validation_split to fit to see one.",
)
_HOW_TO_MEASURE = "To have each cause measured, train with: tui-monitor run train.py"


def empty_state_sentences(snapshot: Snapshot, fit: FitSnapshot | None) -> tuple[str, ...]:
    """Return sentences that say what an explanation waits for, or why none will come."""
    return _of_log(snapshot, fit) if snapshot.is_log else _of_training(snapshot, fit)


def _of_training(snapshot: Snapshot, fit: FitSnapshot | None) -> tuple[str, ...]:
    if fit is None:
        if snapshot.state.ended:
            return ("The run ended before training began.", "Its output says why (o).")
        return (
            "The script is starting: loading TensorFlow takes 5 to 20 seconds, and building its first step some more.",
            "Charts begin with the first batches. The first measurement of the gap comes at the end of epoch 1.",
            "Whatever the script prints is shown here, too; o shows it over the whole screen.",
        )
    if is_measuring_off(fit):
        return MEASURING_IS_OFF
    if _lacks_validation(fit):
        return _NO_VALIDATION
    if is_own_loop(fit) or snapshot.state.ended:
        own = "The loop is the script's own and only tells its values, so a gap can be shown, not split."
        return (own if is_own_loop(fit) else "The run ended before anything of this fit was measured.",)
    return (
        f"Nothing is measured yet: the first measurement comes with the end of epoch {max(fit.epoch, 1)}.",
        *_progress(fit),
        "It will name each cause of the gap between training and validation, with its amount and interval.",
    )


def _of_log(snapshot: Snapshot, fit: FitSnapshot | None) -> tuple[str, ...]:
    """Return the same for a run that is read from a log, where no measurement can come."""
    has_ended = snapshot.state.ended
    if fit is None or not fit.epochs:
        if has_ended:
            return ("No epoch ends in this log, so there is no gap to explain.",)
        epoch = max(fit.epoch, 1) if fit else 1
        return (
            f"This run is read from a log. With the end of epoch {epoch}, what its values prove will stand here.",
            _HOW_TO_MEASURE,
        )
    if _lacks_validation(fit):
        return _NO_VALIDATION
    return ("This run is read from a log, so no sample was measured: this can't be shown.", _HOW_TO_MEASURE)


def _lacks_validation(fit: FitSnapshot) -> bool:
    epochs = fit.epochs
    return bool(epochs) and not any(name.startswith(VALIDATION_PREFIX) for name in epochs[-1].metrics)


def _progress(fit: FitSnapshot) -> tuple[str, ...]:
    steps = fit.steps_per_epoch
    if not fit.batch:
        return ()
    if steps:
        return (f"{count(fit.batch)} of {count(steps)} batches are done.",)
    return (f"{count(fit.batch)} batches are done.",)
