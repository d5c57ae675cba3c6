"""One run in one line, from the ends of its files: listing ten thousand runs reads none of them whole."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_monitor.errors import MonitorError, RunNotFound
from tui_monitor.run_log.events.progress import EpochBegan, EpochEnded, StatusChanged
from tui_monitor.run_log.format.canonical_metrics import canonical_values
from tui_monitor.run_log.format.layout import EVENTS_FILE, RUN_FILE, RunInfo, State
from tui_monitor.run_log.format.run_json import read_run_info
from tui_monitor.run_log.runs.liveness import LOST_DETAIL, concluded_state, observe_run

if TYPE_CHECKING:
    from tui_monitor.run_log.runs.entry import RunEntry

_FIRST_TAIL_BYTES = 2**14
_LONGEST_TAIL_BYTES = 2**20


@dataclass(frozen=True)
class RunSummary:
    """What a list of runs shows of one."""

    folder: Path
    name: str
    """The folder's name."""
    state: State
    detail: str = ""
    """One sentence beside the state, as in a snapshot."""
    fit: int = 0
    """Fits begun."""
    epoch: int = 0
    """Epoch under way or last ended, from 1; 0 before the first."""
    epochs: int | None = None
    """Last epoch planned in the newest fit, or None when unknown."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Canonical metric name to its value in the last epoch that ended; empty before that."""
    created: float = 0.0
    """Seconds since 1970-01-01 UTC at the run's time 0."""
    pid: int = 0
    host: str = ""
    exit_code: int | None = None
    description: str = ""
    """What the run shows; empty for a user's own script."""
    problem: str = ""
    """Why the run can't be opened, in a sentence; empty when it can."""


def summarise(folder: Path, now: float | None = None) -> RunSummary:
    """Return a run's summary; a damaged run gets one that names the `problem`.

    Args:
        folder: the run folder.
        now: the file system's present in seconds since 1970; found when left out.
    """
    try:
        info = read_run_info(folder)
    except RunNotFound:
        info = RunInfo(name=folder.name, created=_created(folder))
    except MonitorError as error:
        created = _created(folder)
        return RunSummary(folder, folder.name, State.FAILED, str(error), created=created, problem=str(error))
    last = _last_events(folder / EVENTS_FILE)
    state = last.state
    if not state.ended and concluded_state(state, liveness := observe_run(folder, info, now)) is State.LOST:
        # Read again: its last word may have been written just before it went.
        last = _last_events(folder / EVENTS_FILE)
        state = concluded_state(last.state, liveness)
    return _summary(folder, info, last, state)


def summary_of(runs: Path, entry: "RunEntry") -> RunSummary:
    """Return a run's summary by what a table knows of it: nothing is read.

    Args:
        runs: the runs folder.
        entry: of the run.
    """
    return RunSummary(
        folder=runs / entry.name,
        name=entry.name,
        state=entry.state,
        detail=entry.detail,
        fit=entry.fits,
        epoch=entry.epoch,
        epochs=entry.epochs,
        metrics=entry.values,
        created=entry.created,
        pid=entry.pid,
        host=entry.host,
        exit_code=entry.exit_code,
        description=entry.description,
        problem=entry.problem,
    )


@dataclass(frozen=True)
class _LastEvents:
    """The last event of each kind that a summary needs, as far as they were found."""

    status: StatusChanged | None = None
    ended: EpochEnded | None = None
    begun: EpochBegan | None = None
    """The last one after `ended`: an epoch begun before that says nothing any more."""

    @property
    def state(self) -> State:
        """The run's own last word."""
        return self.status.state if self.status is not None else State.STARTING

    @property
    def epoch(self) -> int:
        """Epoch under way or last ended; 0 before the first."""
        newest = self.begun or self.ended
        return newest.epoch if newest is not None else 0


def _summary(folder: Path, info: RunInfo, last: _LastEvents, state: State) -> RunSummary:
    status = last.status
    return RunSummary(
        folder=folder,
        name=folder.name,
        state=state,
        detail=LOST_DETAIL if state is State.LOST else status.detail if status else "",
        fit=len(info.fits),
        epoch=last.epoch,
        epochs=info.fits[-1].epochs if info.fits else None,
        metrics=canonical_values(last.ended.logs) if last.ended else {},
        created=info.created,
        pid=info.pid,
        host=info.host,
        exit_code=status.exit_code if status else None,
        description=info.description,
    )


def _last_events(path: Path) -> _LastEvents:
    """Return the last event of each kind a summary needs, looking no further back than it must."""
    length = _FIRST_TAIL_BYTES
    while True:
        content, is_whole = _tail(path, length)
        last = _newest(content)
        if is_whole or length >= _LONGEST_TAIL_BYTES or (last.status and last.ended):
            return last
        length *= 8


def _newest(content: bytes) -> _LastEvents:
    status, ended, begun = None, None, None
    for line in reversed(content.split(b"\n")):
        match _event(line):
            case StatusChanged() as event if status is None:
                status = event
            case EpochBegan() as event if begun is None and ended is None:
                begun = event
            case EpochEnded() as event if ended is None:
                ended = event
        if status is not None and ended is not None:
            break
    return _LastEvents(status, ended, begun)


def _event(line: bytes) -> StatusChanged | EpochBegan | EpochEnded | None:
    """Return the event of a line where it is of a kind that a summary needs; the others are not even parsed."""
    if b'"epoch' not in line and b'"status"' not in line:
        return None
    try:
        content: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    kind = content.get("kind") if isinstance(content, dict) else None
    wanted = next((event for event in (StatusChanged, EpochBegan, EpochEnded) if event.kind == kind), None)
    return wanted.read(content) if wanted is not None else None


def _tail(path: Path, length: int) -> tuple[bytes, bool]:
    """Return complete lines at a file's end, and whether that is all of it."""
    try:
        with path.open("rb") as file:
            start = max(os.fstat(file.fileno()).st_size - length, 0)
            file.seek(start)
            content = file.read(length)
    except OSError:
        return b"", True
    head = content.find(b"\n") + 1 if start else 0
    return content[head : content.rfind(b"\n") + 1], start == 0


def _created(folder: Path) -> float:
    for path in (folder / RUN_FILE, folder):
        try:
            return path.stat().st_mtime
        except OSError:
            continue
    return 0.0
