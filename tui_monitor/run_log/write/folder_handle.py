"""A run folder held open: it can be renamed under a running training and nothing is lost."""

import os
from contextlib import suppress
from pathlib import Path

from tui_monitor.run_log.format.file_id import NO_FILE, file_id, open_file_id
from tui_monitor.run_log.runs.folders import absolute


class FolderHandle:
    """The folder that a run is written to, found again by its path once it was removed."""

    def __init__(self, path: Path) -> None:
        """Create the folder if it is not there, and hold it open as far as that works."""
        self.path = absolute(path)
        """Absolute, so that a script may change its working folder."""
        self._descriptor = -1
        self._file_id = NO_FILE
        with suppress(OSError):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def descriptor(self) -> tuple[int, bool]:
        """Return a descriptor for `dir_fd=`, and whether the folder was opened anew.

        Raises:
            OSError: the folder is gone.
        """
        found = self._found()
        # A folder that was removed stays open without links: no file can be created in it any more.
        if found is not None and found.st_nlink > 0:
            return self._descriptor, False
        self.close()
        self._descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        self._file_id = open_file_id(self._descriptor)
        return self._descriptor, True

    def close(self) -> None:
        """Close the folder."""
        is_ours = self._found() is not None
        descriptor, self._descriptor = self._descriptor, -1
        if is_ours:
            with suppress(OSError):
                os.close(descriptor)

    def _found(self) -> os.stat_result | None:
        """Return what the folder's descriptor tells, or None where it is closed, or a script's by now."""
        if self._descriptor >= 0:
            with suppress(OSError):
                found = os.fstat(self._descriptor)
                if file_id(found) == self._file_id:
                    return found
        return None
