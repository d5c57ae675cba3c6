"""Where runs are read: a folder of this machine, or the copy of one elsewhere."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.run_log.runs.folders import RUNS_VARIABLE, find_run, is_address, printable, runs_folder

if TYPE_CHECKING:
    from tui_monitor.run_log.runs.remote import RemoteRun
    from tui_monitor.run_log.runs.remote_runs import RemoteRuns


@dataclass(frozen=True)
class RunsPlace:
    """A runs folder that can be read here."""

    folder: Path
    """Of this machine."""
    remote: RemoteRuns | None = None
    """What the folder is a copy of; None where it is the runs themselves."""

    @property
    def title(self) -> str:
        """How it is called on screen."""
        return printable(self.remote.address if self.remote is not None else str(self.folder))

    def refresh(self) -> None:
        """Bring the copy up to date, as far as a list of runs needs it.

        Raises:
            RunNotFound: the folder elsewhere can't be read.
            FolderNotWritable: the copy can't be written.
        """
        if self.remote is not None:
            self.remote.fetch()

    def bring(self, name: str) -> Path:
        """Return the folder of a run, with all its files here. Errors as for `refresh`."""
        if self.remote is not None:
            self.remote.run(name).fetch()
        return self.folder / name


def place_of(option: str | None) -> RunsPlace:
    """Return where runs are read: the option, else `TUI_MONITOR_RUNS`, else `./runs`; nothing is read yet.

    Raises:
        DependencyMissing: the package that speaks to such an address is not installed.
        RunNotFound: there is no such kind of address.
    """
    named = option or os.environ.get(RUNS_VARIABLE) or ""
    if not is_address(named):
        return RunsPlace(runs_folder(option))
    from tui_monitor.run_log.runs.remote_runs import RemoteRuns  # noqa: PLC0415 - fsspec

    remote = RemoteRuns(named)
    return RunsPlace(remote.folder, remote)


def local_runs(option: str | None) -> Path:
    """Return the folder of this machine in which a list of runs can be read. Errors as for the place's methods."""
    place = place_of(option)
    place.refresh()
    return place.folder


def local_run(text: str, option: str | None) -> Path:
    """Return the folder of this machine that holds all of a run.

    Args:
        text: path, name or address of a run.
        option: the runs folder asked for, or an address of one.

    Raises:
        RunNotFound: no run of that name, path or address.
        DependencyMissing: the package that reads such an address is not installed.
        FolderNotWritable: a copy can't be written.
    """
    remote = remote_run(text, option)
    return remote.folder if remote is not None else find_run(text, runs_folder(option))


def remote_run(text: str, option: str | None) -> RemoteRun | None:
    """Return a run elsewhere, all of which is here by then; None for one of this machine. As `local_run` otherwise."""
    if is_address(text):
        from tui_monitor.run_log.runs.remote import RemoteRun  # noqa: PLC0415 - fsspec

        run = RemoteRun(text)
    else:
        place = place_of(option)
        if place.remote is None:
            return None
        place.refresh()
        run = place.remote.run(find_run(Path(text).name, place.folder).name)
    run.fetch()
    return run
