"""When a script printed what: now and then, the run's time and how long `output.log` was by then."""

import bisect
import os
from collections.abc import Callable

from tui_monitor.run_log.format.layout import OUTPUT_FILE, OUTPUT_INDEX_FILE
from tui_monitor.run_log.format.output_index import MARK
from tui_monitor.run_log.write.append_file import AppendFile


class OutputIndex:
    """Appends an entry whenever the output has grown since the one before. Not safe across threads."""

    def __init__(self) -> None:
        self._file = AppendFile(OUTPUT_INDEX_FILE, piece=MARK.size)
        self._size = 0

    def mark(self, folder_descriptor: int, seconds: Callable[[], float], size: int | None = None) -> None:
        """Note how long the output is now.

        Args:
            folder_descriptor: of the run folder.
            seconds: tells the run's time; asked only where there is something to note.
            size: bytes that count as printed, or None for all that the file holds.

        Raises:
            OSError: the mark can't be written. A run that keeps no output gets none.
        """
        if size is None:
            try:
                size = os.stat(OUTPUT_FILE, dir_fd=folder_descriptor).st_size
            except FileNotFoundError:
                return
        if size == self._size:
            return
        if self._file.descriptor < 0:
            self._file.open(folder_descriptor)
        self._file.append(MARK.pack(seconds(), size))
        self._size = size

    def truncate(self, folder_descriptor: int, size: int) -> None:
        """Drop the marks of output beyond a size.

        Raises:
            OSError: the file can't be written.
        """
        self._file.open(folder_descriptor)
        held = os.fstat(self._file.descriptor).st_size // MARK.size
        content = os.pread(self._file.descriptor, held * MARK.size, 0)
        sizes = [printed for _, printed in MARK.iter_unpack(content)]
        kept = bisect.bisect_right(sizes, size)
        os.truncate(self._file.descriptor, kept * MARK.size)
        self._size = sizes[kept - 1] if kept else 0

    def invalidate(self) -> None:
        """Open the file anew for the next mark."""
        self._file.invalidate()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
