"""Events to and from the lines of `events.jsonl`: the one place that knows all kinds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tui_monitor.run_log.events.notifications import (
    AlertRaised,
    CauseChanged,
    Explained,
    NoteTaken,
    RequestAcknowledged,
)
from tui_monitor.run_log.events.progress import BatchesLost, EpochBegan, EpochEnded, FitBegan, StatusChanged
from tui_monitor.run_log.events.usage import StepsTimed, UsageSampled
from tui_monitor.run_log.format.strict_json import encode, number, whole


@dataclass(frozen=True)
class UnknownEvent:
    """What this version can't read: a kind of a newer one, or an event without what its kind needs."""

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    """As recorded."""


KnownEvent = (
    FitBegan
    | StatusChanged
    | EpochBegan
    | EpochEnded
    | BatchesLost
    | AlertRaised
    | CauseChanged
    | NoteTaken
    | RequestAcknowledged
    | Explained
    | UsageSampled
    | StepsTimed
)
Event = KnownEvent | UnknownEvent

KINDS: Mapping[str, type[KnownEvent]] = {
    event.kind: event
    for event in (
        FitBegan,
        StatusChanged,
        EpochBegan,
        EpochEnded,
        BatchesLost,
        AlertRaised,
        CauseChanged,
        NoteTaken,
        RequestAcknowledged,
        Explained,
        UsageSampled,
        StepsTimed,
    )
}
"""Each kind by its name in the file."""
_STAMP = ("kind", "time", "phase")


@dataclass(frozen=True)
class RecordedEvent:
    """An event with its stamp."""

    event: Event
    seconds: float | None = None
    """Run time of its writing; may be infinite or below 0 where it is damaged, None where it is missing."""
    fit: int | None = None
    """The call of `fit` under way, from 1; None before the first."""

    @property
    def reached(self) -> float | None:
        """Run time of its writing where that makes sense, else None."""
        return self.seconds if self.seconds is not None and 0 <= self.seconds < float("inf") else None


def event_line(recorded: RecordedEvent) -> bytes:
    r"""Return an event as one line of JSON with its end. Never raises; see `encode` for what JSON has no type for."""
    return encode({**_stamp(recorded), **fields_of(recorded.event)}) + b"\n"


def parse_event_line(line: bytes) -> RecordedEvent | None:
    """Return the event that a line holds, or None where it is no JSON object."""
    try:
        content: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return recorded_event(content) if isinstance(content, dict) else None


def recorded_event(content: Mapping[str, Any]) -> RecordedEvent:
    """Return the event that a JSON object holds, whatever it is."""
    return RecordedEvent(_event(content), number(content.get("time")), whole(content.get("phase")))


def fields_of(event: Event) -> dict[str, Any]:
    """Return what an event's line holds beside its stamp; a sparse field is left out where it says nothing."""
    match event:
        case UnknownEvent():
            return {name: value for name, value in event.fields.items() if name not in _STAMP}
        case UsageSampled():
            return event.fields()
        case Explained(explanation=explanation):
            return {**vars(event), "explanation": explanation.recorded}
        case AlertRaised() | NoteTaken() | RequestAcknowledged():
            sparse = event.sparse
            return {name: value for name, value in vars(event).items() if not (name in sparse and value in (None, ""))}
        case EpochEnded():
            fields = dict(vars(event))
            if not event.validation_samples:
                del fields["validation_samples"]
            return fields
        case _:
            return dict(vars(event))


def _stamp(recorded: RecordedEvent) -> dict[str, Any]:
    return {"kind": str(recorded.event.kind), "time": recorded.seconds, "phase": recorded.fit}


def _event(content: Mapping[str, Any]) -> Event:
    kind = content.get("kind")
    known = KINDS.get(kind) if isinstance(kind, str) else None
    event = known.read(content) if known is not None else None
    if event is not None:
        return event
    return UnknownEvent(
        kind if isinstance(kind, str) else "", {name: value for name, value in content.items() if name not in _STAMP}
    )
