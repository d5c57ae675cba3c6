"""How far a run is: fits, epochs and states. What a list of runs shows is among these."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.format.strict_json import number, text, whole


@dataclass(frozen=True)
class FitBegan:
    """A call of `fit` began; `run.json` describes it from now on."""

    kind: ClassVar[str] = "phase"

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self | None:
        """Return the event; its stamp says which fit it is."""
        return cls()


@dataclass(frozen=True)
class StatusChanged:
    """What the run does from now on."""

    kind: ClassVar[str] = "status"
    state: State
    detail: str = ""
    """One sentence beside the state, often empty."""
    exit_code: int | None = None
    """Of the training process, where it is about to end."""

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self | None:
        """Return the event, or None where it names no state that this version knows."""
        try:
            state = State(str(fields.get("state")))
        except ValueError:
            return None
        return cls(state, text(fields.get("detail")), whole(fields.get("exit_code")))


@dataclass(frozen=True)
class EpochBegan:
    """An epoch began; its first batch comes later."""

    kind: ClassVar[str] = "epoch_begin"
    epoch: int
    """From 1."""

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self | None:
        """Return the event, or None where it does not say which epoch."""
        epoch = whole(fields.get("epoch"))
        return None if epoch is None else cls(epoch)


@dataclass(frozen=True)
class EpochEnded:
    """An epoch ended, validation included; what is measured of it comes later."""

    kind: ClassVar[str] = "epoch"
    epoch: int
    """From 1."""
    logs: Mapping[str, Any] = field(default_factory=dict)
    """Keras' name of each metric to its value, or to a list of them; may hold NaN and the infinities."""
    batches: int = 0
    """Batches of the epoch; 0 where a log does not say."""
    samples: int = 0
    """Training samples of the epoch; 0 where a log does not say."""
    seconds: float | None = None
    """Wall time from the epoch's begin to its end, validation included."""
    learning_rate: float | None = None
    validation_samples: int = 0
    """Samples that validation's values are means over; 0 where that is not known, and left out of the line then."""

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self | None:
        """Return the event, or None where it does not say which epoch."""
        epoch, logs = whole(fields.get("epoch")), fields.get("logs")
        if epoch is None:
            return None
        return cls(
            epoch=epoch,
            logs=logs if isinstance(logs, Mapping) else {},
            batches=whole(fields.get("batches")) or 0,
            samples=whole(fields.get("samples")) or 0,
            seconds=number(fields.get("seconds")),
            learning_rate=number(fields.get("learning_rate")),
            validation_samples=whole(fields.get("validation_samples")) or 0,
        )


@dataclass(frozen=True)
class BatchesLost:
    """Batch records that could not be written since the last such event."""

    kind: ClassVar[str] = "lost"
    batches: int
    reason: str = ""

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self | None:
        """Return the event; a number that makes no sense counts as 0."""
        return cls(max(whole(fields.get("batches")) or 0, 0), text(fields.get("reason")))
