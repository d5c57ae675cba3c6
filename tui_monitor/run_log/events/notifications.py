"""What is said about a run beside its progress: alerts, changes, notes, acknowledged requests, explanations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from tui_monitor.run_log.events.explanation import Explanation, RecordedExplanation, explanation_to_json
from tui_monitor.run_log.format.strict_json import text, whole


@dataclass(frozen=True)
class AlertRaised:
    """Something needs attention."""

    kind: ClassVar[str] = "alert"
    sparse: ClassVar[frozenset[str]] = frozenset({"epoch", "alert", "stage"})
    text: str
    epoch: int | None = None
    """From 1."""
    alert: str = ""
    """What an alert on the metrics is about, such as `overfitting`; empty for all else, such as a failed recording."""
    stage: str = ""
    """`updated` or `ended` where it tells more of an alert of that kind that was raised before; empty for a new one."""

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self | None:
        """Return the event."""
        return cls(
            text(fields.get("text")), whole(fields.get("epoch")), text(fields.get("alert")), text(fields.get("stage"))
        )


@dataclass(frozen=True)
class CauseChanged:
    """The explanation says something else than before: another main cause, or the paradox began or ended."""

    kind: ClassVar[str] = "change"
    epoch: int | None
    """From 1."""
    subject: str
    """`loss`, `accuracy` or `paradox`."""
    text: str

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self | None:
        """Return the event."""
        return cls(whole(fields.get("epoch")), text(fields.get("subject")), text(fields.get("text")))


@dataclass(frozen=True)
class NoteTaken:
    """A sentence that a person, or a log, leaves in the run."""

    kind: ClassVar[str] = "note"
    sparse: ClassVar[frozenset[str]] = frozenset({"id", "epoch", "batch"})
    text: str
    epoch: int | None = None
    """From 1."""
    batch: int | None = None
    """Batches of the epoch done by then."""
    id: str = ""
    """Of the control request that brought it."""

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self | None:
        """Return the event."""
        return cls(
            text(fields.get("text")), whole(fields.get("epoch")), whole(fields.get("batch")), text(fields.get("id"))
        )


@dataclass(frozen=True)
class RequestAcknowledged:
    """The training applied a control request, or refused it."""

    kind: ClassVar[str] = "control"
    sparse: ClassVar[frozenset[str]] = frozenset({"id", "request", "epoch", "batch"})
    outcome: str
    """`done` or `refused`."""
    text: str
    id: str = ""
    """Of the request; empty where it could not be read."""
    request: str = ""
    """Its action."""
    epoch: int | None = None
    """From 1."""
    batch: int | None = None
    """Batches of the epoch done by then."""

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self | None:
        """Return the event."""
        return cls(
            outcome=text(fields.get("outcome")),
            text=text(fields.get("text")),
            id=text(fields.get("id")),
            request=text(fields.get("request")),
            epoch=whole(fields.get("epoch")),
            batch=whole(fields.get("batch")),
        )


@dataclass(frozen=True)
class Explained:
    """The gap between training and validation was explained."""

    kind: ClassVar[str] = "explanation"
    epoch: int
    """From 1."""
    batch: int | None
    """Batches of the epoch done when it was measured; None at the epoch's end."""
    explanation: RecordedExplanation

    @classmethod
    def of(cls, explanation: Explanation) -> Self:
        """Return the event that records an explanation."""
        return cls(explanation.epoch, explanation.batch, RecordedExplanation(explanation_to_json(explanation)))

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self | None:
        """Return the event, or None where it does not say which epoch, or holds no object."""
        epoch, explanation = whole(fields.get("epoch")), fields.get("explanation")
        if epoch is None or not isinstance(explanation, Mapping):
            return None
        return cls(epoch, whole(fields.get("batch")), RecordedExplanation(explanation))
