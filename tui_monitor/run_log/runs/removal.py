"""Renaming and deleting runs. A deleted run waits in a hidden folder until the session ends."""

import json
import os
import platform
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tui_monitor.errors import FolderNotWritable, UsageError
from tui_monitor.run_log.format.layout import RUN_FILE
from tui_monitor.run_log.format.replace_file import replace_file
from tui_monitor.run_log.format.strict_json import encode
from tui_monitor.run_log.runs.entry import RunEntry
from tui_monitor.run_log.runs.folders import printable, safe_name
from tui_monitor.run_log.runs.process import ProcessIdentity, ProcessState, observe_process
from tui_monitor.run_log.runs.read_entry import read_entry, with_state

_TRASH = ".deleted-"
"""Begins the name of a folder of deleted runs; the host and the process that deleted them follow."""

_OLD_SECONDS = 86_400
"""After which the deleted runs of a session that crashed are deleted for good."""


@dataclass
class Deleted:
    """The runs that one session has deleted, the last one last."""

    runs: Path
    """The runs folder."""
    names: list[str] = field(default_factory=list)

    @property
    def _trash(self) -> Path:
        return self.runs / f"{_TRASH}{safe_name(platform.node())}-{os.getpid()}"

    def delete(self, entry: RunEntry) -> None:
        """Take a run out of the runs folder.

        Args:
            entry: of the run, however long ago it was read: whether the run is live is found again.

        Raises:
            UsageError: the run is live, or not there any more.
            FolderNotWritable: it can't be moved; it is where it was.
        """
        if _as_it_is(self.runs, entry).is_live:
            raise UsageError(f"{printable(entry.name)} is still going: stop it before you delete it.")
        place = self._trash / f"{len(self.names)}"
        try:
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self.runs / entry.name).rename(place / entry.name)
        except OSError as error:
            with suppress(OSError):
                place.rmdir()
                self._trash.rmdir()
            raise FolderNotWritable(f"Can't delete {printable(entry.name)}: {error.strerror}.") from error
        self.names.append(entry.name)

    def undo(self) -> str:
        """Bring the run back that was deleted last, and return its name.

        Raises:
            UsageError: none was deleted, or its name is taken by now.
            FolderNotWritable: it can't be moved; it waits where it was.
        """
        if not self.names:
            raise UsageError("No run was deleted in this session.")
        name = self.names[-1]
        if (self.runs / name).exists():
            raise UsageError(f"There is another run called {printable(name)} by now: rename that one first.")
        place = self._trash / f"{len(self.names) - 1}"
        try:
            (place / name).rename(self.runs / name)
            place.rmdir()
        except OSError as error:
            raise FolderNotWritable(f"Can't bring {printable(name)} back: {error.strerror}.") from error
        self.names.pop()
        return name

    def forget(self) -> None:
        """Delete for good what was deleted in this session, and in sessions of this host whose process is gone."""
        shutil.rmtree(self._trash, ignore_errors=True)
        for path in self.runs.glob(f"{_TRASH}{safe_name(platform.node())}-*"):
            number = path.name.rpartition("-")[2]
            is_gone = number.isdecimal() and observe_process(ProcessIdentity(pid=int(number))) is ProcessState.GONE
            if is_gone and time.time() - path.stat().st_mtime > _OLD_SECONDS:
                shutil.rmtree(path, ignore_errors=True)


def _as_it_is(runs: Path, entry: RunEntry) -> RunEntry:
    """Return a run's entry as its folder says now: another screen, or its training, may have changed it meanwhile.

    Raises:
        UsageError: its folder is gone.
    """
    folder = runs / entry.name
    if not folder.is_dir():
        raise UsageError(f"{printable(entry.name)} is not there any more: it was deleted or renamed elsewhere.")
    return with_state(folder, read_entry(folder))


def rename_run(runs: Path, entry: RunEntry, name: str) -> str:
    """Give a run's folder another name and return that, as plain as a run's name must be.

    Raises:
        UsageError: the run is live or not there any more, or the name is taken.
        FolderNotWritable: the folder can't be renamed.
    """
    new = safe_name(name)
    if new == entry.name:
        return new
    if _as_it_is(runs, entry).is_live:
        raise UsageError(f"{printable(entry.name)} is still going: its folder can be renamed once it has ended.")
    if (runs / new).exists():
        raise UsageError(f"There is a run called {printable(new)} already.")
    try:
        (runs / entry.name).rename(runs / new)
    except OSError as error:
        raise FolderNotWritable(f"Can't rename {printable(entry.name)}: {error.strerror}.") from error
    _name_inside(runs / new, new)
    return new


def _name_inside(folder: Path, name: str) -> None:
    """Have the run call itself by its new name, too; one that can't be read keeps what it says."""
    with suppress(OSError, ValueError, RecursionError):
        content = json.loads((folder / RUN_FILE).read_bytes())
        if isinstance(content, dict):
            replace_file(folder / RUN_FILE, encode({**content, "name": name}) + b"\n")
