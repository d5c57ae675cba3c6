"""What a foreign log tells, in one vocabulary: every format becomes these records, in the order they happened."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from tui_monitor.explain.watch.alerts import AlertWatch, EpochLosses
from tui_monitor.metric_names import VALIDATION_PREFIX
from tui_monitor.run_log.events import progress as events
from tui_monitor.run_log.events.lines import Event
from tui_monitor.run_log.events.notifications import AlertRaised, NoteTaken
from tui_monitor.run_log.format.canonical_metrics import canonical_names
from tui_monitor.run_log.format.layout import State

MOST_REMARKS = 12
"""Sentences about a log that are said at once; its run holds all."""


@dataclass(frozen=True)
class FitBegan:
    """A call of `fit`."""

    metrics: tuple[str, ...] = ()
    """Names of the metrics of each `BatchEnded`, in its order; empty where a log holds no batches."""
    epochs: int | None = None
    """Last epoch planned, or None when the log does not say."""
    initial_epoch: int = 0
    """Epochs counted as done before."""


@dataclass(frozen=True)
class EpochBegan:
    """An epoch was announced."""

    epoch: int
    """From 1."""


@dataclass(frozen=True)
class BatchEnded:
    """One batch's values, as far as a log holds them."""

    epoch: int
    """From 1."""
    values: tuple[float, ...]
    """One for each metric of the fit; NaN where the log has none."""
    size: int = 0
    """Samples, or 0 when the log does not say."""
    at: float | None = None
    """Seconds since the run began, or None when the log does not say."""


@dataclass(frozen=True)
class EpochEnded:
    """One epoch's values."""

    epoch: int
    """From 1."""
    logs: Mapping[str, float]
    """Name as logged to the value exactly as written; may hold NaN and infinities."""
    seconds: float | None = None
    """The epoch's duration as logged."""
    batches: int = 0
    """Batches in the epoch, or 0 when the log does not say."""
    samples: int = 0
    """Samples that training's metrics are means over, or 0 when the log does not say."""
    validation_samples: int = 0
    """Likewise of validation."""
    learning_rate: float | None = None
    """Where the log has it beside the epoch's values."""
    at: float | None = None
    """Seconds since the run began, or None when the log does not say."""


@dataclass(frozen=True)
class Remark:
    """A sentence about the log itself."""

    text: str
    kind: str = "alert"
    """`alert` for damage, `note` for what a reader should know."""
    epoch: int | None = None


@dataclass(frozen=True)
class Ended:
    """How the run ended, as far as the log shows."""

    state: State = State.FINISHED
    detail: str = ""


Record = FitBegan | EpochBegan | BatchEnded | EpochEnded | Remark | Ended


class RunSink(Protocol):
    """The writing side of a run folder: `RunWriter` for a live run, `ImportedRun` for a file."""

    def begin_fit(self, columns_metrics: Sequence[str], *, epochs: int | None = None, initial_epoch: int = 0) -> object:
        """Begin the records of one `fit` call."""

    def batch(self, epoch: int, size: int, values: Sequence[float]) -> object:
        """Record the end of one batch."""

    def event(self, event: Event) -> None:
        """Append one event."""

    def status(self, state: State, detail: str = "") -> None:
        """Append the event that says what the run does from now on."""


@dataclass
class Recorder:
    """Writes records into a run folder."""

    sink: RunSink
    move_clock: Callable[[float | None, float], None] = field(default=lambda _at, _passed: None)
    """Called before a record with its run time, or None, and the seconds that passed since the record before."""
    alerts: AlertWatch = field(default_factory=AlertWatch)
    """Has seen the epochs of the fit under way that the run holds already."""
    epochs: int = 0
    """Epochs written."""
    said: dict[str, None] = field(default_factory=dict)
    """Sentences about the log that were written, once each, in their order."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """The first of the sentences about the log, and how many there are beyond."""
        first = tuple(self.said)[:MOST_REMARKS]
        more = len(self.said) - len(first)
        return (*first, f"And {more} more remarks, which the run's timeline holds.") if more else first

    def take(self, record: Record) -> None:
        """Write one record.

        Raises:
            OSError: the sink can't write, where it is one that says so.
        """
        match record:
            case EpochEnded():
                self._end_epoch(record)
            case FitBegan():
                self.alerts = AlertWatch()
                self.sink.begin_fit(record.metrics, epochs=record.epochs, initial_epoch=record.initial_epoch)
                self.sink.status(State.TRAINING)
            case EpochBegan():
                self.sink.event(events.EpochBegan(record.epoch))
            case BatchEnded():
                self.move_clock(record.at, 0.0)
                self.sink.batch(record.epoch, record.size, record.values)
            case Remark():
                self.said[record.text] = None
                self.sink.event((NoteTaken if record.kind == "note" else AlertRaised)(record.text, record.epoch))
            case Ended():
                self.sink.status(record.state, record.detail)

    def _end_epoch(self, record: EpochEnded) -> None:
        self.epochs += bool(record.logs)
        self.move_clock(record.at, record.seconds or 0.0)
        self.sink.event(
            events.EpochEnded(
                epoch=record.epoch,
                logs=record.logs,
                batches=record.batches,
                samples=record.samples,
                seconds=record.seconds,
                learning_rate=record.learning_rate if record.learning_rate is not None else _learning_rate(record.logs),
                validation_samples=record.validation_samples,
            )
        )
        loss, val_loss = _names_of_losses(tuple(record.logs))
        losses = EpochLosses(record.epoch, record.logs.get(loss), record.logs.get(val_loss))
        for alert in self.alerts.epoch(losses):
            self.sink.event(AlertRaised(alert.sentence, alert.epoch, alert.kind.value, alert.stage.value))


def epoch_losses(epoch: int, metrics: Mapping[str, float]) -> EpochLosses:
    """Return what alerts are derived from.

    Args:
        epoch: from 1.
        metrics: by canonical name.
    """
    return EpochLosses(epoch, metrics.get("loss"), metrics.get(VALIDATION_PREFIX + "loss"))


@lru_cache(maxsize=256)
def _names_of_losses(names: tuple[str, ...]) -> tuple[str, str]:
    """Return the names under which a record has the losses of training and validation."""
    spelt = {canonical: name for name, canonical in canonical_names(names).items()}
    return spelt.get("loss", "loss"), spelt.get(VALIDATION_PREFIX + "loss", VALIDATION_PREFIX + "loss")


def _learning_rate(logs: Mapping[str, float]) -> float | None:
    return next((logs[name] for name in ("learning_rate", "lr") if name in logs), None)
