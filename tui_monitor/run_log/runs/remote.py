"""A run folder elsewhere, kept as a copy here that only ever reads what was added: byte ranges beyond what it has."""

import hashlib
import importlib.util
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tui_monitor.errors import DependencyMissing, FolderNotWritable, RunNotFound
from tui_monitor.run_log.format.error_text import in_a_line
from tui_monitor.run_log.format.layout import EVENTS_FILE, HEARTBEAT_FILE, OUTPUT_FILE, OUTPUT_INDEX_FILE, RUN_FILE
from tui_monitor.run_log.format.replace_file import replaced
from tui_monitor.run_log.format.ring_buffer import RING_BUFFER_SUFFIX
from tui_monitor.run_log.format.validation_samples import BEST_FILE, LAST_FILE
from tui_monitor.run_log.runs.folders import printable, safe_name
from tui_monitor.run_log.runs.origin import ORIGIN_FILE
from tui_monitor.run_log.runs.parameters import PARAMETERS_FILE
from tui_monitor.run_log.runs.tags import TAGS_FILE

SECONDS_BETWEEN_POLLS = 2.0
CACHE_VARIABLE = "XDG_CACHE_HOME"

_BATCHES = re.compile(r"batches[-0-9A-Za-z]{0,32}\.(bin|blocks)")
_SLOTS = re.compile(_BATCHES.pattern + re.escape(RING_BUFFER_SUFFIX))
_REPLACED = (RUN_FILE, TAGS_FILE, PARAMETERS_FILE, ORIGIN_FILE, LAST_FILE, BEST_FILE)
"""Files that are only ever written whole."""
_OF_A_TABLE = (TAGS_FILE, PARAMETERS_FILE, HEARTBEAT_FILE, RUN_FILE, EVENTS_FILE)
"""Files that a table of runs needs, in the order in which they are copied."""
_OVERLAP_BYTES = 32
"""Read again with what is new, to know that it continues what is here."""
_BYTES_AT_ONCE = 2**23


def cache_folder(address: str) -> Path:
    """Return where the copy of a remote run is kept."""
    root = Path(os.environ.get(CACHE_VARIABLE) or "~/.cache").expanduser()
    name = safe_name(address.rstrip("/").rpartition("/")[2]) or "run"
    return root / "tui-monitor" / hashlib.blake2b(address.encode(), digest_size=8).hexdigest() / name


@dataclass(frozen=True)
class RemoteEntry:
    """One file of the remote folder, as listed."""

    path: str
    size: int
    stamp: str
    """Differs once the file was written again, except by way of shared memory."""
    is_tagged: bool
    """Whether the stamp tells the content, too."""
    modified: float | None
    """Seconds since 1970, where the listing tells."""


class RemoteRun:
    """One run folder elsewhere and its copy here. Not safe across threads."""

    def __init__(self, address: str, folder: Path | None = None, connection: tuple[Any, str] | None = None) -> None:
        """Name both; nothing is read yet.

        Args:
            address: of the run folder, such as `s3://bucket/runs/first`, for fsspec.
            folder: of the copy; by default in the user's cache.
            connection: the file system and the path there, where they are known.

        Raises:
            DependencyMissing: the package that speaks to such an address is not installed.
            RunNotFound: there is no such kind of address.
        """
        self.address = address
        self.folder = folder or cache_folder(address)
        self._files, self._path = connection or connected(address)
        self.stamps: dict[str, str] = {}
        """Name of each file that is here to its stamp when it was copied."""

    def fetch(self) -> int:
        """Copy what was added since the last time; return the number of bytes read.

        Raises:
            RunNotFound: the folder can't be read, or holds no run.
            FolderNotWritable: the copy can't be written.
        """
        return self.fetch_listed(self._listed(), whole=True)

    def fetch_listed(self, entries: Mapping[str, RemoteEntry], *, whole: bool) -> int:
        """Copy what was added to files that were listed; return the number of bytes read.

        Args:
            entries: by name.
            whole: whether all of them are wanted, or only what a table of runs needs.

        Raises:
            RunNotFound: a file can't be read, or there is no run.
            FolderNotWritable: the copy can't be written.
        """
        if RUN_FILE not in entries:
            raise RunNotFound(f"No run at {printable(self.address)}: it holds no {RUN_FILE}.")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Events last: what they tell of is then here already.
            wanted = _in_order(entries) if whole else [name for name in _OF_A_TABLE if name in entries]
            read = sum(self._fetch_file(name, entries[name]) for name in wanted)
            return read + (self._fetch_slots(entries) if whole else 0)
        except _RemoteError as error:
            raise self._unreadable(error.reason) from error.reason
        except OSError as error:
            raise FolderNotWritable(f"Can't keep a copy of the run in {self.folder}: {error.strerror}.") from error

    def _listed(self) -> dict[str, RemoteEntry]:
        try:
            self._files.invalidate_cache()
            listing = self._files.ls(self._path, detail=True)
        except Exception as error:  # whatever the package raises for its own faults
            raise self._unreadable(error) from error
        entries = [remote_entry(found) for found in listing if found.get("type") == "file"]
        return {entry.path.rpartition("/")[2]: entry for entry in entries}

    def _unreadable(self, error: Exception) -> RunNotFound:
        return RunNotFound(
            f"Can't read {printable(self.address)}: {printable(in_a_line(error))}. "
            "Check the address, the line and your credentials."
        )

    def _fetch_file(self, name: str, entry: RemoteEntry) -> int:
        target = self.folder / name
        if self.stamps.get(name) == entry.stamp and target.is_file():
            return 0
        if name in _REPLACED:
            read = self._replace(target, entry)
        elif name == HEARTBEAT_FILE:
            read = self._replace(target, entry)
            if name not in self.stamps and entry.modified is not None:
                os.utime(target, (entry.modified, entry.modified))
        else:
            read = self._append(target, entry)
        self.stamps[name] = entry.stamp
        return read

    def _fetch_slots(self, entries: Mapping[str, RemoteEntry]) -> int:
        """Copy what the training has not appended yet, last: what has been by now is then not missed."""
        read = 0
        for name in filter(_SLOTS.fullmatch, entries):
            entry = entries[name]
            if not (entry.is_tagged and self.stamps.get(name) == entry.stamp):
                with suppress(_RemoteError):  # removed since it was listed
                    read += self._replace(self.folder / name, entry)
                    self.stamps[name] = entry.stamp
        for path in self.folder.iterdir():
            if _SLOTS.fullmatch(path.name) and path.name not in entries:
                path.unlink(missing_ok=True)
        return read

    def _append(self, target: Path, entry: RemoteEntry) -> int:
        """Add what is new; where the file does not go on from what is here, take it from its beginning."""
        have = target.stat().st_size if target.exists() else 0
        overlap = min(have, _OVERLAP_BYTES)
        if have > entry.size:
            return self._replace(target, entry)
        read = 0
        with target.open("ab+") as file:
            file.seek(have - overlap)
            known = file.read(overlap)
            for content in self._pieces(entry, have - overlap):
                read += len(content)
                if known and not content.startswith(known):
                    return read + self._replace(target, entry)
                file.write(content[len(known) :])
                known = b""
        return read

    def _replace(self, target: Path, entry: RemoteEntry) -> int:
        read = 0
        with replaced(target) as temporary, Path(temporary).open("wb") as file:
            for content in self._pieces(entry, 0):
                read += file.write(content)
        return read

    def _pieces(self, entry: RemoteEntry, start: int) -> Iterator[bytes]:
        """Yield the file from a position to its listed end."""
        while start < entry.size:
            end = min(start + _BYTES_AT_ONCE, entry.size)
            try:
                content = self._files.cat_file(entry.path, start=start, end=end)
            except Exception as error:  # whatever the package raises for its own faults
                raise _RemoteError(error) from error
            if not content:
                return
            yield bytes(content)
            start += len(content)


class _RemoteError(Exception):
    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


class RemoteFollower:
    """Fetches what is added, in a thread of its own, until stopped; a line that is down is tried again."""

    def __init__(self, run: RemoteRun, told: Callable[[str], object]) -> None:
        """Start at once.

        Args:
            run: fetched from here on by this thread alone.
            told: called with a sentence when fetching fails, and when it works again.
        """
        self._run, self._told = run, told
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="remote-run", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end."""
        self._stopped.set()

    def _follow(self) -> None:
        is_down = False
        while not self._stopped.wait(SECONDS_BETWEEN_POLLS):
            try:
                self._run.fetch()
            except (RunNotFound, FolderNotWritable) as error:
                if not is_down:
                    self._told(str(error))
                is_down = True
                # Nothing is known of the process while the line is down, so it is not to count as lost.
                with suppress(OSError):
                    os.utime(self._run.folder / HEARTBEAT_FILE)
            else:
                if is_down:
                    self._told(f"{self._run.address} can be read again.")
                is_down = False


def connected(address: str) -> tuple[Any, str]:
    """Return the file system that an address names, and the path there.

    Raises:
        DependencyMissing: the package that speaks to such an address is not installed.
        RunNotFound: there is no such kind of address.
    """
    if importlib.util.find_spec("fsspec") is None:
        raise DependencyMissing(_missing(address, "fsspec"))
    import fsspec  # noqa: PLC0415

    try:
        files, path = fsspec.core.url_to_fs(address)
    except ImportError as error:
        raise DependencyMissing(_missing(address, error.name or str(error))) from error
    except Exception as error:  # whatever the package raises for its own faults
        raise RunNotFound(f"Can't read {printable(address)}: {printable(in_a_line(error))}.") from error
    return files, str(path).rstrip("/")


def _missing(address: str, package: str) -> str:
    return (
        f"Reading {printable(address)} needs {package}, which is not installed. "
        "Install what remote runs need with: pip install 'tui-monitor[remote]'"
    )


def _in_order(entries: Mapping[str, RemoteEntry]) -> list[str]:
    batches = sorted(name for name in entries if _BATCHES.fullmatch(name))
    others = [OUTPUT_FILE, OUTPUT_INDEX_FILE, *_REPLACED[1:], HEARTBEAT_FILE, RUN_FILE, EVENTS_FILE]
    return [*batches, *(name for name in others if name in entries)]


def remote_entry(found: Mapping[str, Any]) -> RemoteEntry:
    """Return a file as fsspec lists it."""
    size = int(found.get("size") or 0)
    changed = next((found[name] for name in ("LastModified", "mtime", "updated", "last_modified") if name in found), "")
    return RemoteEntry(
        path=str(found["name"]).rstrip("/"),
        size=size,
        is_tagged=bool(found.get("ETag")),
        stamp=f"{size} {found.get('ETag', '')} {changed}",
        modified=_seconds(changed),
    )


def _seconds(changed: Any) -> float | None:
    if isinstance(changed, str):
        try:
            changed = datetime.fromisoformat(changed)
        except ValueError:
            return None
    if isinstance(changed, datetime):
        return changed.timestamp()
    return float(changed) if isinstance(changed, int | float) else None
