"""The frozen state of a run at one moment: all that a screen, a table or a report draws from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tui_monitor.history.playback import Playback
from tui_monitor.run_log.format.layout import FitInfo, RunInfo, State

if TYPE_CHECKING:
    # These need NumPy or take milliseconds to import: the first paint does not wait for them.
    from tui_monitor.history.batches.series import BatchSeries
    from tui_monitor.run_log.events.explanation import Explanation, RecordedExplanation
    from tui_monitor.run_log.events.usage import ResourceUsage


@dataclass(frozen=True)
class EpochRow:
    """One epoch that ended, as Keras logged it."""

    epoch: int
    """From 1."""
    metrics: Mapping[str, float]
    """Canonical metric name (`loss`, `accuracy`, `val_loss`, ...) to the value Keras reported; may hold NaN."""
    seconds: float | None = None
    """Wall time from the epoch's begin to its end, validation and measuring included."""
    batches: int = 0
    samples: int = 0
    learning_rate: float | None = None
    ended: float = 0.0
    """Run time of its end, in seconds."""
    validation_samples: int = 0
    """Samples that validation's metrics are means over; 0 where nothing says."""


@dataclass(frozen=True)
class ExplanationAt:
    """The gap explanation as it stood at one moment."""

    epoch: int
    """From 1."""
    batch: int | None
    """Batches of the epoch done when it was measured; None at the epoch's end."""
    seconds: float
    """Run time of the measurement."""
    recorded: "RecordedExplanation"

    @property
    def explanation(self) -> "Explanation | None":
        """The explanation, or None where it can't be read, being damaged or of a newer version."""
        return self.recorded.explanation

    @property
    def content(self) -> Mapping[str, Any]:
        """The JSON object as it was recorded, NaN and the infinities as numbers."""
        return self.recorded.content


@dataclass(frozen=True)
class TimelineEntry:
    """Something worth a marker on the time axis: an alert, a note, a request, a change of state or cause."""

    seconds: float
    kind: str
    """The event's kind: `alert`, `change`, `note`, `control`, `status`."""
    text: str
    epoch: int | None = None
    """From 1."""
    batch: int | None = None
    """Batches of the epoch done by then, where the event says so."""
    acknowledges: str = ""
    """Id of the request that it acknowledges; empty for anything else."""
    fit: int | None = None
    """The fit it belongs to, from 1; None before the first."""
    alert: str = ""
    """What an alert on the values is about, such as `overfitting`; empty for all else, such as a failed recording."""
    is_over: bool = False
    """Whether it is an alert that no longer holds."""


@dataclass(frozen=True)
class FitSnapshot:
    """One `fit` call: its batches, epochs and explanations so far."""

    info: FitInfo
    series: "Mapping[str, BatchSeries]" = field(default_factory=dict)
    """Canonical metric name to its true value in every batch, in order."""
    epoch_starts: tuple[int, ...] = ()
    """Index in the series of the first batch of each epoch begun, oldest first."""
    first_epoch: int = 1
    """Number of the first epoch begun, from 1."""
    epoch_numbers: tuple[int, ...] = ()
    """Number of each epoch begun, beside `epoch_starts`; they repeat or fall where a training was set back.
    Empty where they simply count up from `first_epoch`."""
    epochs: tuple[EpochRow, ...] = ()
    """Epochs that ended, oldest first."""
    explanations: tuple[ExplanationAt, ...] = ()
    """Explanations so far, oldest first; the last one of an epoch is its final one."""
    batches: int = 0
    """Batches recorded so far."""

    @property
    def epoch(self) -> int:
        """The number of the epoch under way, or the last one; 0 before the first."""
        if self.epoch_numbers:
            return self.epoch_numbers[-1]
        return self.first_epoch + len(self.epoch_starts) - 1 if self.epoch_starts else 0

    @property
    def batch(self) -> int:
        """Batches done in the epoch under way."""
        return self.batches - self.epoch_starts[-1] if self.epoch_starts else 0

    @property
    def steps_per_epoch(self) -> int | None:
        """Batches in one epoch: as planned, else as the last full epoch had; None before either is known."""
        if self.info.steps_per_epoch is not None:
            return self.info.steps_per_epoch
        if len(self.epoch_starts) > 1:
            return self.epoch_starts[-1] - self.epoch_starts[-2]
        return (self.epochs[-1].batches or None) if self.epochs else None


@dataclass(frozen=True)
class StepTimes:
    """Where a worker's time goes, in seconds a batch over the last seconds."""

    fetching: float
    """From the end of one exchange of gradients until it has the next data: callbacks and the input pipeline."""
    computing: float
    """From the data to the gradients."""
    waiting: float
    """Until the other workers are as far."""


@dataclass(frozen=True)
class WorkerSnapshot:
    """One worker at one moment."""

    rank: int
    host: str = ""
    state: State = State.STARTING
    detail: str = ""
    batches: int = 0
    """Batches recorded in all fits."""
    batches_per_second: float | None = None
    heartbeat_age: float | None = None
    """Seconds since its last heartbeat; None when it has ended or never had one."""
    step_times: StepTimes | None = None
    """None where its steps can't tell."""
    system: "ResourceUsage | None" = None
    """What its process used when it last said so."""


@dataclass(frozen=True)
class Damage:
    """What of the run folder could not be read. All zero when it is whole."""

    events_skipped: int = 0
    """Complete lines of `events.jsonl` that are not a JSON object."""
    batches_lost: int = 0
    """Batch records that the training process says it could not write."""
    batches_skipped: int = 0
    """Batch records that no training can have written: zeroed by a crash or overwritten."""
    torn_bytes: int = 0
    """Bytes after the last complete record of a run that has ended."""

    def __bool__(self) -> bool:
        return bool(self.events_skipped or self.batches_lost or self.batches_skipped or self.torn_bytes)


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment. Never changes; the next moment is another snapshot with a higher revision."""

    revision: int
    """Rises whenever anything below differs from the snapshot before."""
    run: RunInfo
    state: State
    detail: str = ""
    """One sentence beside the state: why it failed, what it waits for; often empty."""
    exit_code: int | None = None
    """The training process's exit code once it has ended and said so."""
    fits: tuple[FitSnapshot, ...] = ()
    seconds: float = 0.0
    """Run time of the newest record folded in."""
    batches_per_second: float | None = None
    """Training pace over the last seconds, or None before it is known."""
    seconds_left: float | None = None
    """Expected time to the end of the fit under way, or None when the plan or the pace is unknown."""
    timeline: tuple[TimelineEntry, ...] = ()
    output: tuple[str, ...] = ()
    """The newest lines of the script's own output, made safe to show, oldest first."""
    output_lines: int = 0
    """Lines of output seen in all."""
    damage: Damage = Damage()
    missing: bool = False
    """Whether the run folder is not there (any more)."""
    playback: Playback | None = None
    """Where the replay stands that shows this moment; None for a run as it is now."""
    workers: tuple[WorkerSnapshot, ...] = ()
    """Those of several that record in this folder, the chief first; empty where one process trains alone."""
    covered: int = 1
    """Workers whose samples the newest batch values hold."""
    unknown_events: int = 0
    """Events that this version can't read: their kinds are those of a newer one. They are no damage."""
    system: "ResourceUsage | None" = None
    """What the training process used when it last said so; None where it never did."""

    @property
    def fit(self) -> FitSnapshot | None:
        """The newest fit, or None before the first `fit`."""
        return self.fits[-1] if self.fits else None

    @property
    def is_log(self) -> bool:
        """Whether it is read from a log, imported or piped in: no process records it, so nothing is measured."""
        return self.run.pid <= 0 and bool(self.run.command or self.fits)
