"""The events of a run as they are written: in order, each at once, or kept until the file can be written again."""

from collections import deque
from collections.abc import Callable
from threading import RLock

from tui_monitor.run_log.format.layout import EVENTS_FILE
from tui_monitor.run_log.write.append_file import AppendFile

_WAITING_LINES = 1000


class EventFile:
    """Appends lines, the oldest first; where too many wait for the file, the oldest are dropped.

    May be used from any thread and from signal handlers.
    """

    def __init__(self, folder: Callable[[], int], lock: RLock) -> None:
        """Open nothing before the first line.

        Args:
            folder: returns the run folder's descriptor, or raises OSError.
            lock: held while the file is written.
        """
        self._file = AppendFile(EVENTS_FILE)
        self._waiting: deque[bytes] = deque(maxlen=_WAITING_LINES)
        self._folder, self._lock = folder, lock

    @property
    def waits(self) -> bool:
        """Whether lines wait for a file that could not be written."""
        return bool(self._waiting)

    def append(self, line: bytes) -> None:
        """Write a line after those that wait.

        Raises:
            OSError: the file can't be written; the line waits for the next call.
        """
        with self._lock:
            self._waiting.append(line)
            self.flush()

    def flush(self) -> None:
        """Write the lines that wait, and open the file where it is closed.

        Raises:
            OSError: the file can't be written.
        """
        with self._lock:
            if self._file.descriptor < 0:
                self._file.open(self._folder())
            while self._waiting:
                # Taken out first: a signal handler's own event must not send this line again.
                line = self._waiting.popleft()
                try:
                    self._file.append(line)
                except OSError:
                    self._waiting.appendleft(line)
                    raise

    def leave_if_replaced(self) -> None:
        """Have a file that was removed or replaced opened anew before the next line."""
        self._file.leave_if_replaced()

    def close(self) -> None:
        """Close the file if it is open and still ours."""
        self._file.close()
