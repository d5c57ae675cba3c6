"""What the events of a fit say of it: a row for each epoch that ended, and its explanations. Needs no NumPy."""

from collections.abc import MutableSequence
from dataclasses import replace

from tui_monitor.history.snapshot import EpochRow, ExplanationAt, TimelineEntry
from tui_monitor.run_log.events.notifications import AlertRaised, Explained, NoteTaken
from tui_monitor.run_log.events.progress import EpochEnded
from tui_monitor.run_log.format.canonical_metrics import canonical_values


def epoch_row(ended: EpochEnded, seconds: float) -> EpochRow:
    """Return the row of an epoch that ended.

    Args:
        ended: the event.
        seconds: run time of its writing.
    """
    return EpochRow(
        epoch=ended.epoch,
        metrics=canonical_values(ended.logs),
        seconds=ended.seconds,
        batches=ended.batches,
        samples=ended.samples,
        validation_samples=ended.validation_samples,
        learning_rate=ended.learning_rate,
        ended=seconds,
    )


def explanation_at(explained: Explained, seconds: float) -> ExplanationAt:
    """Return the explanation that an event holds.

    Args:
        explained: the event.
        seconds: run time of its writing.
    """
    return ExplanationAt(
        epoch=explained.epoch,
        batch=explained.batch,
        seconds=seconds,
        recorded=explained.explanation,
    )


def timeline_entry(event: AlertRaised | NoteTaken, seconds: float, fit: int | None) -> TimelineEntry:
    """Return an alert or a note of a fit as the timeline shows it; other arguments as for `epoch_row`."""
    alert = event.alert if isinstance(event, AlertRaised) else ""
    return TimelineEntry(seconds=seconds, kind=event.kind, text=event.text, epoch=event.epoch, alert=alert, fit=fit)


def add_alert(timeline: MutableSequence[TimelineEntry], entry: TimelineEntry, stage: str) -> None:
    """Add an alert to a timeline: a new one as an entry, what follows of it to the entry that it has.

    Args:
        timeline: oldest first.
        entry: the alert as it stands now.
        stage: from `AlertRaised`.
    """
    held = range(len(timeline) - 1, -1, -1) if stage and entry.alert else ()
    at = next((i for i in held if _is_one_alert(timeline[i], entry)), None)
    if at is None:
        timeline.append(entry)
    elif stage == "ended":
        timeline[at] = replace(timeline[at], text=f"{timeline[at].text} {entry.text}", is_over=True)
    else:
        timeline[at] = replace(timeline[at], text=entry.text)


def _is_one_alert(held: TimelineEntry, entry: TimelineEntry) -> bool:
    return held.alert == entry.alert and held.fit == entry.fit and not held.is_over
