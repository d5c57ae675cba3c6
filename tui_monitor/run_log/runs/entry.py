"""One run in a table of runs: how far it is, the best it reached, and what it was started with.

An entry is a fold over the run's events, so that a run that has grown is read on from where its entry ends.
"""

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from tui_monitor.errors import MonitorError, RunNotFound
from tui_monitor.metric_names import VALIDATION_PREFIX, is_better
from tui_monitor.run_log.events.progress import EpochBegan, EpochEnded, StatusChanged
from tui_monitor.run_log.format.canonical_metrics import canonical_values
from tui_monitor.run_log.format.layout import EVENTS_FILE, RunInfo, State
from tui_monitor.run_log.format.run_json import read_run_info
from tui_monitor.run_log.format.strict_json import number, whole
from tui_monitor.run_log.runs.arguments import arguments_of, script_of
from tui_monitor.run_log.runs.liveness import LOST_DETAIL, concluded_state, observe_run
from tui_monitor.run_log.runs.parameters import read_parameters
from tui_monitor.run_log.runs.tags import read_tags

TRACE_POINTS = 32
"""Values kept of the curve that a table draws small."""

_FIRST_OF_LINE = 64
"""Bytes within which a line of `events.jsonl` names its kind."""
_MOST_METRICS = 24
_LONGEST_LINE = 2**20


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

    def added(self, metric: str, value: float) -> "Trace":
        """Return the trace with the next epoch's value; it begins anew where it is another metric's."""
        if metric != self.metric:
            return Trace(metric, (value,), 1, 1)
        values, stride, seen = self.values, self.stride, self.seen + 1
        if self.seen % stride == 0:
            values = (*values, value)
        if len(values) > TRACE_POINTS:
            values, stride = values[::2], stride * 2
        return Trace(metric, values, stride, seen)


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


def stamp_of(folder: str, changed: int) -> Stamp:
    """Return the stamp of a run folder.

    Args:
        folder: its path, as text: a table makes thousands of them.
        changed: when the folder itself changed, in nanoseconds.
    """
    try:
        events = os.stat(f"{folder}/{EVENTS_FILE}")  # noqa: PTH116 - ten thousand times
    except OSError:
        return Stamp(changed)
    return Stamp(changed, (events.st_ino, events.st_mtime_ns, events.st_size))


def read_entry(folder: Path, *, before: RunEntry | None = None, stamp: Stamp | None = None) -> RunEntry:
    """Return a run's entry; a damaged run gets one that names the `problem`.

    Args:
        folder: the run folder.
        before: its entry from an earlier time; what it has read is not read again.
        stamp: of the folder's files, taken before they are read; taken here when left out.
    """
    if stamp is None:
        stamp = stamp_of(str(folder), _changed(folder))
    entry = before
    if entry is None or entry.stamp.folder != stamp.folder or entry.problem:
        entry = _identified(folder, stamp, entry)
    if entry.problem:
        return entry
    if entry.stamp.events[0] not in (0, stamp.events[0]) or entry.read > stamp.events[2]:
        entry = replace(_identified(folder, stamp, None), read=0)
    return _read_on(folder, replace(entry, stamp=stamp))


def with_state(folder: Path, entry: RunEntry, now: float | None = None) -> RunEntry:
    """Return an entry with the state that the run is in, which may be lost without a word of its own.

    Args:
        folder: the run folder.
        entry: as read.
        now: the file system's present in seconds since 1970; found when left out.
    """
    if entry.problem or entry.last_word.ended:
        return entry
    info = RunInfo(name=entry.name, host=entry.host, pid=entry.pid, created=entry.created)
    state = concluded_state(entry.last_word, observe_run(folder, info, now))
    if state is not State.LOST:
        return replace(entry, state=state)
    # Read again: its last word may have been written just before it went.
    entry = read_entry(folder, before=entry)
    if entry.last_word.ended:
        return entry
    return replace(entry, state=state, detail=LOST_DETAIL)


def _identified(folder: Path, stamp: Stamp, before: RunEntry | None) -> RunEntry:
    """Return the entry with what `run.json` and the tags say."""
    tags = read_tags(folder)
    try:
        info = read_run_info(folder)
    except RunNotFound:
        info = RunInfo(name=folder.name, created=stamp.folder / 1e9)
    except MonitorError as error:
        created = stamp.folder / 1e9
        problem = str(error)
        return RunEntry(
            folder.name, State.FAILED, State.FAILED, problem, created=created, problem=problem, tags=tags, stamp=stamp
        )
    known = before if before is not None and not before.problem else RunEntry(folder.name)
    return replace(
        known,
        name=folder.name,
        fits=len(info.fits),
        epochs=info.fits[-1].epochs if info.fits else None,
        created=info.created,
        pid=info.pid,
        host=info.host,
        description=info.description,
        script=script_of(info.command),
        arguments={**read_parameters(folder), **arguments_of(info)},
        tags=tags,
    )


def _read_on(folder: Path, entry: RunEntry) -> RunEntry:
    """Return the entry with all that its events say since it was read."""
    if entry.stamp.events[2] <= entry.read:
        return entry
    try:
        with open(f"{folder}/{EVENTS_FILE}", "rb") as file:  # noqa: PTH123 - ten thousand times
            file.seek(entry.read)
            content = file.read(entry.stamp.events[2] - entry.read)
    except OSError:
        return entry
    end = content.rfind(b"\n") + 1
    lines = content[:end].split(b"\n")
    folded = _Fold(entry)
    for recorded in _recorded(lines):
        folded.add(recorded)
    return replace(folded.entry(), read=entry.read + end, seconds=_newest_time(lines, entry.seconds))


def _recorded(lines: Sequence[bytes]) -> Iterator[Mapping[str, Any]]:
    """Yield the events that an entry is made of; the others are not even parsed."""
    for line in lines:
        head = line[:_FIRST_OF_LINE]
        if b'"epoch' not in head and b'"status"' not in head:
            continue
        if (content := _parsed(line)) is not None:
            yield content


def _parsed(line: bytes) -> Mapping[str, Any] | None:
    if len(line) > _LONGEST_LINE:
        return None
    try:
        content: Any = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # Stricter, and five times as fast: what it refuses may still be read.
        content = _leniently(line)
    return content if isinstance(content, dict) else None


def _leniently(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _newest_time(lines: Sequence[bytes], before: float) -> float:
    for line in reversed(lines[-4:]):
        content = _parsed(line) if line else None
        seconds = number(content.get("time")) if content is not None else None
        if seconds is not None and math.isfinite(seconds):
            return max(before, seconds)
    return before


class _Fold:
    """An entry while events are added to it."""

    def __init__(self, entry: RunEntry) -> None:
        self._entry = entry
        self._status: StatusChanged | None = None
        self._fit, self._epoch = entry.fit, entry.epoch
        self._values, self._best, self._trace = entry.values, dict(entry.best), entry.trace

    def add(self, content: Mapping[str, Any]) -> None:
        """Add an event."""
        match content.get("kind"):
            case StatusChanged.kind:
                self._status = StatusChanged.read(content) or self._status
            case EpochBegan.kind:
                begun = EpochBegan.read(content)
                self._epoch = begun.epoch if begun is not None else self._epoch
            case EpochEnded.kind:
                ended = EpochEnded.read(content)
                if ended is not None:
                    self._ended(whole(content.get("phase")) or self._fit, ended)

    def _ended(self, fit: int, ended: EpochEnded) -> None:
        if fit != self._fit:
            # Values of another model, or on other data: they can't be compared.
            self._fit, self._best, self._trace = fit, {}, Trace()
        self._epoch, self._values = ended.epoch, canonical_values(ended.logs)
        for name, value in self._values.items():
            known = self._best.get(name)
            has_room = known is not None or len(self._best) < _MOST_METRICS
            if has_room and math.isfinite(value) and (known is None or is_better(name, value, known.value)):
                self._best[name] = Best(value, ended.epoch)
        for name in (VALIDATION_PREFIX + "loss", "loss"):
            if name in self._values:
                self._trace = self._trace.added(name, self._values[name])
                break

    def entry(self) -> RunEntry:
        """Return the entry as it stands."""
        status = self._status
        entry = replace(
            self._entry,
            fit=self._fit,
            epoch=self._epoch,
            values=self._values,
            best=self._best,
            trace=self._trace,
        )
        if status is None:
            return entry
        return replace(
            entry, last_word=status.state, state=status.state, detail=status.detail, exit_code=status.exit_code
        )


def _changed(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0
