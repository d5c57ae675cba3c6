"""Writes to a terminal that may go away at any time: what can't be written is dropped, and the program ends."""

from collections.abc import Callable
from typing import IO, Any

from textual.drivers.linux_driver import LinuxDriver


class _Line:
    """The file of the terminal. Writing to a line that broke off must neither block for ever nor raise."""

    def __init__(self, file: IO[str], broken: Callable[[], None]) -> None:
        self._file = file
        self._broken = broken
        self._is_broken = False

    def write(self, text: str) -> None:
        """Write, as long as there is a terminal."""
        self._try(lambda: self._file.write(text))

    def flush(self) -> None:
        """Send what was written, as long as there is a terminal."""
        self._try(self._file.flush)

    def fileno(self) -> int:
        """Return the descriptor of the terminal."""
        return self._file.fileno()

    def _try(self, action: Callable[[], object]) -> None:
        if self._is_broken:
            return
        # A hung-up terminal gives EIO at every write, also while Textual restores it on the way out.
        try:
            action()
        except OSError:
            self._is_broken = True
            self._broken()


class TerminalDriver(LinuxDriver):
    """Textual's driver on a line that may break off."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Before the driver starts its writer thread, which keeps the file that it finds here.
        self._file: Any = _Line(self._file, self._line_broke)

    def _line_broke(self) -> None:
        # Textual writes in a thread of its own; the app may be ended by its event loop alone.
        self._app.call_later(self._app.exit)
