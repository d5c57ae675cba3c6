"""The run that this process records: one writer, one probe budget, whatever number of `fit` calls."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.format.layout import WorkerInfo
from tui_monitor.run_log.runs.workers import run_of
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.budget import ProbeBudget
from tui_monitor.training.system_figures import SystemSampler


@dataclass
class Session:
    """What the recorders of one process share."""

    writer: RunWriter
    folder: Path
    """The folder that this process writes."""
    budget: ProbeBudget = field(default_factory=ProbeBudget)
    sampling_seed: int = 1
    """Of the choice of batches that probes measure; the training's own random numbers are never touched."""
    training_seconds: float = 0.0
    """Time spent in earlier `fit` calls, measuring left out."""
    stop_requested: bool = False
    """Whether someone asked to stop: the run then ends as stopped, not finished."""
    explained: Callable[[Explanation], None] = lambda explanation: None
    """Told of each explanation."""
    ends_with_fit: bool = False
    """Whether the run counts as finished when a `fit` ends, as in a notebook, where the process goes on."""
    system: SystemSampler = field(init=False)
    """Writes what the process uses while a `fit` runs."""

    def __post_init__(self) -> None:
        self.system = SystemSampler(self.writer)

    @property
    def worker(self) -> WorkerInfo | None:
        """Which of several workers this process is; None where it trains alone."""
        return self.writer.info.worker

    @property
    def run(self) -> Path:
        """The run folder, where requests arrive: the same for every worker."""
        return run_of(self.folder)


_active: Session | None = None


def activate(session: Session | None) -> None:
    """Make a session the one that this process records into."""
    global _active  # noqa: PLW0603 - one process, one run
    _active = session


def active_session() -> Session | None:
    """Return the session that this process records into, or None."""
    return _active


_recording = threading.local()


def is_recording() -> bool:
    """Whether a `fit` of this thread is being recorded: one inside it is part of it, not a run of its own."""
    return bool(getattr(_recording, "depth", 0))


@contextlib.contextmanager
def recording_here() -> Iterator[None]:
    """Mark this thread as recording a `fit`, inside the block."""
    _recording.depth = getattr(_recording, "depth", 0) + 1
    try:
        yield
    finally:
        _recording.depth -= 1
