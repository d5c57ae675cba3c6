"""One run in a table of runs: how far it is, the best it reached, and what it was started with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tui_monitor.run_log.format.layout import State

TRACE_POINTS = 32
"""Values kept of the curve that a table draws small."""


@dataclass(frozen=True)
class Best:
    """The best value that a metric reached."""

    value: float
    epoch: int
    """From 1."""


@dataclass(frozen=True)
class Trace:
    """A metric over the epochs in few values: every `stride`-th one."""

    metric: str = ""
    values: tuple[float, ...] = ()
    stride: int = 1
    seen: int = 0
    """Epochs so far."""

    def added(self, metric: str, values: Sequence[float]) -> "Trace":
        """Return the trace with the values of further epochs; it begins anew where they are another metric's."""
        before = self if metric == self.metric else Trace()
        kept, stride, seen = list(before.values), before.stride, before.seen
        for value in values:
            if seen % stride == 0:
                kept.append(value)
            seen += 1
            if len(kept) > TRACE_POINTS:
                kept, stride = kept[::2], stride * 2
        return Trace(metric, tuple(kept), stride, seen)


@dataclass(frozen=True)
class Stamp:
    """By which a run's files are told from what they were when they were read."""

    folder: int = 0
    """When something was made or replaced in the folder, in nanoseconds."""
    events: tuple[int, int, int] = (0, 0, 0)
    """Inode of `events.jsonl`, its last change in nanoseconds, and its size; zeros where there is none."""


@dataclass(frozen=True)
class RunEntry:
    """What a table of runs knows of one."""

    name: str
    """The folder's name."""
    last_word: State = State.STARTING
    """The state that the run itself told last."""
    state: State = State.STARTING
    """The same, or lost."""
    detail: str = ""
    """One sentence beside the state."""
    fit: int = 0
    """Number of the call of `fit` that the values are of, from 1; 0 before the first epoch has ended."""
    fits: int = 0
    """Calls of `fit` begun."""
    epoch: int = 0
    """Epoch under way or last ended, from 1; 0 before the first."""
    epochs: int | None = None
    """Last epoch planned in the newest fit, or None when unknown."""
    values: Mapping[str, float] = field(default_factory=dict)
    """Canonical metric name to its value in the last epoch that ended."""
    best: Mapping[str, Best] = field(default_factory=dict)
    """Canonical metric name to its best value in that fit."""
    trace: Trace = Trace()
    """Of validation loss, or of the loss where there is no validation."""
    created: float = 0.0
    """Seconds since 1970-01-01 UTC at the run's time 0."""
    seconds: float = 0.0
    """Run time of its newest event."""
    pid: int = 0
    host: str = ""
    exit_code: int | None = None
    description: str = ""
    """What the run shows; empty for a user's own script."""
    script: str = ""
    """What it trains: a script's or module's name, or `demo`."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    problem: str = ""
    """Why the run can't be opened, in a sentence; empty when it can."""
    stamp: Stamp = Stamp()
    read: int = 0
    """Bytes of `events.jsonl` that were read."""

    is_read: bool = True
    """Whether its files were looked at; until then all that is known is its name, and roughly when it began."""

    @property
    def is_live(self) -> bool:
        """Whether it goes on, as far as is known."""
        return self.is_read and not self.state.ended
