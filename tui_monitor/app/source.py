"""Where snapshots come from: a live folder now, a clock over a finished one just as well."""

from pathlib import Path
from typing import Protocol

from tui_monitor.history.snapshot import Snapshot


class SnapshotSource(Protocol):
    """Hands out the newest picture of a run. Called from one thread, never the screen's."""

    def poll(self) -> Snapshot | None:
        """Read what is new, for some milliseconds at most.

        Returns:
            The newest snapshot, or None when nothing changed since the last call.

        Raises:
            MonitorError: the run can't be read; told to the user.
        """

    def close(self) -> None:
        """Let go of files. Called once, last, from the same thread."""


class LiveSource:
    """Follows a run folder that may still be growing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def poll(self) -> Snapshot | None:
        """Read what is new, for some milliseconds at most."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of files."""
