"""Reading a run's entry: whole the first time, later only what its events say since then."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from tui_monitor.errors import MonitorError, RunNotFound
from tui_monitor.run_log.format.layout import EVENTS_FILE, RunInfo, State
from tui_monitor.run_log.format.read_file import read_file
from tui_monitor.run_log.format.run_json import read_run_info
from tui_monitor.run_log.runs.arguments import script_and_arguments
from tui_monitor.run_log.runs.entry import RunEntry, Stamp
from tui_monitor.run_log.runs.entry_events import changes
from tui_monitor.run_log.runs.liveness import LOST_DETAIL, concluded_state, observe_run
from tui_monitor.run_log.runs.parameters import read_parameters
from tui_monitor.run_log.runs.tags import read_tags


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
    is_known = before is not None and not before.problem
    entry = before if before is not None and is_known else RunEntry(folder.name)
    changed: dict[str, Any] = {"stamp": stamp}
    try:
        if not is_known or entry.stamp.folder != stamp.folder:
            changed |= _identity(folder, stamp)
        if entry.stamp.events[0] not in (0, stamp.events[0]) or entry.read > stamp.events[2]:
            # Another file: all that was read is of one that is gone.
            entry = RunEntry(folder.name)
            changed |= _identity(folder, stamp)
    except MonitorError as error:
        return _damaged(folder, stamp, str(error))
    if stamp.events[2] > entry.read:
        changed |= _news(folder, entry, stamp.events[2])
    return replace(entry, **changed)


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


def _identity(folder: Path, stamp: Stamp) -> dict[str, Any]:
    """Return the fields that `run.json`, the tags and what the script noted say.

    Raises:
        RunUnreadable: `run.json` is damaged, unreadable, or of a newer format.
    """
    where = str(folder)
    try:
        info = read_run_info(folder)
    except RunNotFound:
        info = RunInfo(name=folder.name, created=stamp.folder / 1e9)
    script, arguments = script_and_arguments(info)
    return {
        "name": folder.name,
        "fits": len(info.fits),
        "epochs": info.fits[-1].epochs if info.fits else None,
        "created": info.created,
        "pid": info.pid,
        "host": info.host,
        "description": info.description,
        "script": script,
        "arguments": {**read_parameters(where), **arguments},
        "tags": read_tags(where),
    }


def _damaged(folder: Path, stamp: Stamp, problem: str) -> RunEntry:
    return RunEntry(
        folder.name,
        State.FAILED,
        State.FAILED,
        problem,
        created=stamp.folder / 1e9,
        problem=problem,
        tags=read_tags(folder),
        stamp=stamp,
    )


def _news(folder: Path, entry: RunEntry, size: int) -> dict[str, Any]:
    """Return the fields that events change which were written since the entry was read."""
    try:
        content = read_file(f"{folder}/{EVENTS_FILE}", size - entry.read, entry.read)
    except OSError:
        return {}
    end = content.rfind(b"\n") + 1
    return {**changes(entry, content[:end]), "read": entry.read + end}


def _changed(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0
