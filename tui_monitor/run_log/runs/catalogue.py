"""All runs of a folder as entries: those that did not change since the last time are taken from one file.

The file is a copy of what the run folders say and never the only place of anything: damaged, missing or of another
version, it is made anew.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tui_monitor.run_log.format.layout import CONTROL_FOLDER, RUN_FILE
from tui_monitor.run_log.format.replace_file import replace_file
from tui_monitor.run_log.runs.entry import RunEntry
from tui_monitor.run_log.runs.liveness import file_system_time
from tui_monitor.run_log.runs.read_entry import read_entry, stamp_of, with_state

CATALOGUE_FILE = ".catalogue.msgpack"
"""In the runs folder; its name begins with a dot, as no run's does."""

_VERSION = 2
_LARGEST = 2**28


class _Stored(msgspec.Struct):
    """What the file holds."""

    version: int
    entries: list[RunEntry]


@dataclass(frozen=True)
class _Seen:
    """A folder that may hold a run."""

    name: str
    changed: int
    """In nanoseconds."""


class Catalogue:
    """Entries of all runs under a runs folder. Not safe across threads; the mappings that it returns are."""

    def __init__(self, runs: Path) -> None:
        """Name the folder; nothing is read yet.

        Args:
            runs: the runs folder; it need not be there.
        """
        self._runs = runs
        self._entries: dict[str, RunEntry] = {}
        self._is_loaded = False
        self._unsaved = 0

    def refresh(
        self, told: Callable[[Mapping[str, RunEntry]], object] | None = None, every: int = 500
    ) -> Mapping[str, RunEntry]:
        """Read what changed and return the entries by name, in no order.

        Args:
            told: called with the entries so far where many runs must be read: at once, those in no other way than
                `is_read` says, and whenever twice as many as before were read.
            every: after how many runs first.
        """
        if not self._is_loaded:
            self._is_loaded = True
            self._entries = _stored(self._runs / CATALOGUE_FILE)
        now = file_system_time(self._runs)
        known, entries, read = self._entries, {}, 0
        changed: list[tuple[_Seen, RunEntry | None]] = []
        where = str(self._runs)
        for seen in _folders(self._runs):
            entry = known.get(seen.name)
            if entry is not None and entry.stamp == stamp_of(f"{where}/{seen.name}", seen.changed):
                entries[seen.name] = self._alive(entry, now)
            else:
                changed.append((seen, entry))
        # Newest first: they are looked at first.
        changed.sort(key=lambda pair: -pair[0].changed)
        unread: dict[str, RunEntry] = {}
        if told is not None and len(changed) > every:
            unread = {seen.name: entry or _unread(seen) for seen, entry in changed if entry or self._holds_run(seen)}
            told({**entries, **unread})
        for seen, entry in changed:
            fresh = self._read(seen, entry, now)
            unread.pop(seen.name, None)
            if fresh is None:
                continue
            entries[seen.name] = fresh
            self._unsaved += fresh.last_word.ended
            read += 1
            if told is not None and unread and read == every:
                every *= 2
                told({**entries, **unread})
        self._unsaved += len(known.keys() - entries.keys())
        self._entries = entries
        return dict(entries)

    def refresh_live(self) -> Mapping[str, RunEntry]:
        """Read on in the runs that may go on, and return all entries: no other run is looked at."""
        now = file_system_time(self._runs)
        for name, entry in list(self._entries.items()):
            if entry.is_live:
                self._entries[name] = with_state(self._runs / name, read_entry(self._runs / name, before=entry), now)
                self._unsaved += self._entries[name].last_word.ended
        return dict(self._entries)

    @property
    def unsaved(self) -> int:
        """Ended runs that the file does not know, or knows otherwise."""
        return self._unsaved

    def save(self) -> None:
        """Write what is known for the next time, unless that is in the file; a folder that can't be written stays."""
        if not self._unsaved:
            return
        # A folder whose name is not UTF-8 can't be named in the file: it is read anew each time.
        entries = [entry for entry in self._entries.values() if _is_unicode(entry.name)]
        content = msgspec.msgpack.encode(_Stored(_VERSION, entries))
        with suppress(OSError):
            replace_file(self._runs / CATALOGUE_FILE, content)
            self._unsaved = 0

    def _holds_run(self, seen: _Seen) -> bool:
        return _is_run(f"{self._runs}/{seen.name}")

    def _alive(self, entry: RunEntry, now: float) -> RunEntry:
        return entry if entry.last_word.ended else with_state(self._runs / entry.name, entry, now)

    def _read(self, seen: _Seen, before: RunEntry | None, now: float) -> RunEntry | None:
        """Return a run's entry, or None where the folder holds none."""
        folder = self._runs / seen.name
        if before is None and not self._holds_run(seen):
            return None
        stamp = stamp_of(str(folder), seen.changed)
        return with_state(folder, read_entry(folder, before=before, stamp=stamp), now)


def _folders(runs: Path) -> list[_Seen]:
    try:
        with os.scandir(runs) as entries:
            return [seen for entry in entries if (seen := _seen(entry)) is not None]
    except OSError:
        return []


def _seen(entry: "os.DirEntry[str]") -> _Seen | None:
    try:
        if entry.name.startswith(".") or not entry.is_dir():
            return None
        return _Seen(entry.name, entry.stat().st_mtime_ns)
    except OSError:
        return None


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unread(seen: _Seen) -> RunEntry:
    return RunEntry(seen.name, created=seen.changed / 1e9, is_read=False)


def _is_run(folder: str) -> bool:
    return os.path.isfile(f"{folder}/{RUN_FILE}") or os.path.isdir(f"{folder}/{CONTROL_FOLDER}")  # noqa: PTH112, PTH113


def _stored(path: Path) -> dict[str, RunEntry]:
    """Return the entries that the file holds; none where it can't be read."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST)
        stored = msgspec.msgpack.decode(content, type=_Stored)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    if stored.version != _VERSION:
        return {}
    return {entry.name: entry for entry in stored.entries}
