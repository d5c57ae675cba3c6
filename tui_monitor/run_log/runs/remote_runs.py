"""A runs folder elsewhere, kept as a copy here: of every run what a table needs, and all of those that are opened."""

import json
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from tui_monitor.errors import FolderNotWritable, RunNotFound
from tui_monitor.run_log.format.error_text import in_a_line
from tui_monitor.run_log.format.layout import RUN_FILE
from tui_monitor.run_log.format.replace_file import replace_file
from tui_monitor.run_log.format.strict_json import encode
from tui_monitor.run_log.runs.folders import printable
from tui_monitor.run_log.runs.remote import RemoteEntry, RemoteRun, cache_folder, connected, remote_entry

_STAMPS_FILE = ".stamps.json"
"""In the copy: by which files elsewhere are known to be what they were when they were copied."""
_THREADS = 8
"""Runs that are read at once: most of the time goes into waiting for the line."""
_LONGEST_NAME = 255


class RemoteRuns:
    """One runs folder elsewhere and its copy here. Not safe across threads."""

    def __init__(self, address: str, folder: Path | None = None) -> None:
        """Name both; nothing is read yet.

        Args:
            address: of the runs folder, such as `s3://bucket/runs`, for fsspec.
            folder: of the copy; by default in the user's cache.

        Raises:
            DependencyMissing: the package that speaks to such an address is not installed.
            RunNotFound: there is no such kind of address.
        """
        self.address = address.rstrip("/")
        self.folder = folder or cache_folder(address)
        self._files, self._path = connected(address)
        self._runs: dict[str, RemoteRun] = {}
        self._kept = _stamps(self.folder)

    def fetch(self) -> None:
        """Bring the copy up to date, as far as a table needs it: no batches and no output.

        A run that can't be read stays as it was copied last.

        Raises:
            RunNotFound: the folder can't be read.
            FolderNotWritable: the copy can't be written.
        """
        found = self._listed()
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise FolderNotWritable(f"Can't keep a copy of the runs in {self.folder}: {error.strerror}.") from error
        with ThreadPoolExecutor(_THREADS) as pool:
            jobs = [pool.submit(self.run(name).fetch_listed, entries, whole=False) for name, entries in found.items()]
        for problem in (job.exception() for job in jobs):
            if isinstance(problem, FolderNotWritable):
                raise problem
        if found:
            self._forget_others(found)
        self._keep_stamps(found)

    def run(self, name: str) -> RemoteRun:
        """Return one of the runs, whose `fetch` brings all of it here."""
        if name not in self._runs:
            run = RemoteRun(f"{self.address}/{name}", self.folder / name, (self._files, f"{self._path}/{name}"))
            run.stamps.update(self._kept.get(name, {}))
            self._runs[name] = run
        return self._runs[name]

    def _listed(self) -> dict[str, dict[str, RemoteEntry]]:
        """Return the files of each run, by name."""
        try:
            self._files.invalidate_cache()
            listing: Mapping[str, Any] = self._files.find(self._path, detail=True)
        except Exception as error:  # whatever the package raises for its own faults
            raise RunNotFound(
                f"Can't read {printable(self.address)}: {printable(in_a_line(error))}. "
                "Check the address, the line and your credentials."
            ) from error
        found: dict[str, dict[str, RemoteEntry]] = {}
        for path, described in listing.items():
            parts = path.removeprefix(self._path).strip("/").split("/")
            if len(parts) == 2 and _is_name(parts[0]):
                found.setdefault(parts[0], {})[parts[1]] = remote_entry(described)
        return {name: entries for name, entries in found.items() if RUN_FILE in entries}

    def _forget_others(self, found: Mapping[str, Any]) -> None:
        """Remove the copies of runs that are not there any more."""
        for path in self.folder.iterdir():
            if path.name not in found and (path / RUN_FILE).is_file():
                shutil.rmtree(path, ignore_errors=True)
                self._runs.pop(path.name, None)

    def _keep_stamps(self, found: Mapping[str, Any]) -> None:
        stamps = {name: dict(self.run(name).stamps) for name in found}
        if stamps != self._kept:
            self._kept = stamps
            with suppress(OSError):
                replace_file(self.folder / _STAMPS_FILE, encode(stamps))


def _is_name(text: str) -> bool:
    return bool(text) and not text.startswith(".") and "\0" not in text and len(text.encode()) <= _LONGEST_NAME


def _stamps(folder: Path) -> dict[str, dict[str, str]]:
    try:
        content: Any = json.loads((folder / _STAMPS_FILE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {
        str(name): {str(file): str(stamp) for file, stamp in held.items()}
        for name, held in content.items()
        if isinstance(held, dict)
    }
