"""The run that this process records: one writer, one probe budget, whatever number of `fit` calls."""

import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.events.notifications import AlertRaised
from tui_monitor.run_log.format.error_text import in_a_line
from tui_monitor.run_log.format.layout import WorkerInfo
from tui_monitor.run_log.runs.workers import run_of
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.guard import LAST_RESORT, attempt, ignored
from tui_monitor.training.probe.budget import ProbeBudget
from tui_monitor.training.usage.system_usage import SystemSampler

_IN_FORK = "A process forked from this one called fit. It is not recorded; training there goes on as ever."


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
    """Whether someone requested a stop: the run then ends as stopped, not finished."""
    explained: Callable[[Explanation], None] = lambda explanation: None
    """Told of each explanation."""
    ends_with_fit: bool = False
    """Whether the run counts as finished when a `fit` ends, as in a notebook, where the process goes on."""
    pid: int = field(default_factory=os.getpid)
    """Of the process that writes the run; one forked from it writes nothing."""
    records_all: bool = False
    """Whether every model of this process is recorded, or those alone that are watched."""
    _watched: list[weakref.ref[Any]] = field(default_factory=list)
    """Models whose every fit is recorded; compared by identity, as a model's class may say what equals it."""
    fits: int = 0
    """Calls of `fit` that have begun."""
    _failed_fit: int | None = None
    """Number of the newest of them when a sentence last said that recording had failed."""
    _unhandled_fit: int | None = None
    """Number of the newest of them when a sentence last said that a failure could not be handled."""
    before_fit: Callable[[], None] = lambda: None
    """Called before a `fit` is recorded: a loop of the user's own may have a batch that waits."""
    logs_loops: bool = False
    """Whether the script logs loops of its own."""
    unrecorded_batches: int = 0
    """Calls of `train_on_batch` outside of any `fit`, as far as they are counted."""
    _models: list[weakref.ref[Any]] = field(default_factory=list)
    _has_told: bool = False
    system: SystemSampler = field(init=False)
    """Writes what the process uses while a `fit` runs."""

    def __post_init__(self) -> None:
        self.system = SystemSampler(self.writer)

    def number_of(self, model: Any) -> int:
        """Return the number of a model among those that were fit, from 1: two fits of one model share a number."""
        for number, known in enumerate(self._models, start=1):
            if known() is model:
                return number
        # Weakly: a model that the user drops must be freed, as without us.
        self._models.append(weakref.ref(model))
        return len(self._models)

    def records(self, model: Any) -> bool:
        """Return whether every fit of a model is recorded."""
        return self.records_all or any(watched() is model for watched in self._watched)

    def watch(self, model: Any) -> None:
        """Have every fit of a model recorded from now on."""
        if not self.records(model):
            self._watched.append(weakref.ref(model))

    def unwatch(self, model: Any) -> None:
        """Take `watch` back."""
        self._watched = [watched for watched in self._watched if watched() is not model]

    def is_here(self) -> bool:
        """Return whether this process writes the run; in a forked one, say once that its fits are not recorded."""
        if os.getpid() == self.pid:
            return True
        if not self._has_told:
            self._has_told = True
            self.writer.event_of_fork(AlertRaised(_IN_FORK))
        return False

    def failed(self, error: Exception) -> None:
        """Say, once for each fit, that it goes on unrecorded: one failure causes others in further places."""
        if self._failed_fit == self.fits:
            return
        self._failed_fit = self.fits
        text = f"A fit is not recorded, as recording failed ({in_a_line(error)}). Training goes on."
        self.writer.event(AlertRaised(text=text))

    def not_handled(self, error: Exception) -> None:
        """Say, once for each fit, that what a failure has cost is not known."""
        if self._unhandled_fit == self.fits:
            return
        self._unhandled_fit = self.fits
        text = f"A failure of the recording could not be handled ({in_a_line(error)}): batches, epochs or"
        self.writer.event(AlertRaised(text=f"{text} measurements may be missing from here on. Training goes on."))

    @property
    def worker(self) -> WorkerInfo | None:
        """Which of several workers this process is; None where it trains alone."""
        return self.writer.info.worker

    @property
    def run(self) -> Path:
        """The run folder, where requests arrive: the same for every worker."""
        return run_of(self.folder)


@dataclass
class _Active:
    """What this process records into."""

    session: Session | None = None


ACTIVE: Final = _Active()
"""An object and no function, so that whoever tells of a failure can't fail at finding whom to tell."""


def activate(session: Session | None) -> None:
    """Make a session the one that this process records into."""
    ACTIVE.session = session
    LAST_RESORT.told = ignored if session is None else session.not_handled
    if session is not None:
        for action in _waiting:
            action(session)
        _waiting.clear()


_waiting: list[Callable[[Session], None]] = []


def told_of_sessions(action: Callable[[Session], None]) -> None:
    """Have something done once this process records into a run.

    Args:
        action: called with the session, once; raises nothing.
    """
    if action not in _waiting:
        _waiting.append(action)


class EndUnknown(Exception):
    """Stands for what ended a fit where nobody has seen it."""


@dataclass(frozen=True)
class _Here:
    """What is recorded in a thread."""

    recorder: Any
    outer: "_Here | None"
    """What was recorded there before, and will be again."""
    goes_on: Callable[[], bool]
    leave: Callable[[BaseException | None], None]


# By thread: two models may be fit in two threads, and each hook must find the fit of its own.
_recording = threading.local()
_recorders: list[Any] = []
"""Those of all threads."""


def current_recorder() -> Any:
    """Return the recorder of the `fit` that this thread is in, or None."""
    here: _Here | None = getattr(_recording, "here", None)
    while here is not None and not attempt(ignored, here.goes_on, otherwise=True):
        # Set first: leaving may ask for the recorder, and may fail.
        _recording.here = here.outer
        attempt(ignored, here.leave, EndUnknown("The fit has ended, most likely by an error."), otherwise=None)
        here = getattr(_recording, "here", None)
    return None if here is None else here.recorder


def is_recording() -> bool:
    """Whether a `fit` of this thread is being recorded: one inside it is part of it, not a run of its own."""
    return current_recorder() is not None


def is_any_fit_recorded() -> bool:
    """Whether a `fit` of any thread is being recorded."""
    return bool(_recorders)


def leave(error: BaseException | None) -> None:
    """Leave what this thread records, if the `fit` that has just ended began it and does not know how to end it.

    Args:
        error: that the fit has raised, or None.
    """
    here: _Here | None = getattr(_recording, "here", None)
    if here is not None:
        here.leave(error)


def _always() -> bool:
    return True


@contextlib.contextmanager
def recording_here(
    recorder: Any,
    goes_on: Callable[[], bool] = _always,
    leave: Callable[[BaseException | None], None] = lambda error: None,
) -> Iterator[None]:
    """Have a recorder record what this thread trains, inside the block.

    Args:
        recorder: of the fit.
        goes_on: whether the fit still runs, for a block whose end may never be reached.
        leave: ends such a block, with the error that ended the fit.
    """
    outer: _Here | None = getattr(_recording, "here", None)
    _recording.here = _Here(recorder, outer, goes_on, leave)
    _recorders.append(recorder)
    try:
        yield
    finally:
        _recorders.remove(recorder)
        _recording.here = outer
