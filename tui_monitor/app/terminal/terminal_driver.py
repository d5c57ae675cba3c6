"""Writes to a terminal that may go away at any time: what can't be written is dropped, and the program ends."""

import os
import select
from codecs import getincrementaldecoder
from collections.abc import Callable
from threading import Event
from typing import IO, Any

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

_TICK_SECONDS = 0.1
"""After which the parser is asked whether an Escape stands alone."""
_MOST_READ = 4096


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


class _WakingEvent(Event):
    """An event that also ends a `select` on its pipe, so that nobody waits until that times out."""

    def __init__(self) -> None:
        super().__init__()
        self._pipe: tuple[int, int] | None = None

    @property
    def reader(self) -> int:
        """The end of the pipe to select on; opened when it is first asked for."""
        if self._pipe is None:
            self._pipe = os.pipe()
        return self._pipe[0]

    def set(self) -> None:
        """Set the event, and wake who selects."""
        super().set()
        if self._pipe is not None:
            os.write(self._pipe[1], b"x")

    def clear(self) -> None:
        """Clear the event, and the pipe: nobody selects on it by then."""
        self.close()
        super().clear()

    def close(self) -> None:
        """Close the pipe; a later `reader` opens another."""
        pipe, self._pipe = self._pipe, None
        for end in pipe or ():
            os.close(end)


class TerminalDriver(LinuxDriver):
    """Textual's driver on a line that may break off. Its input ends at once: one screen follows another without pause.

    Textual's own waits for its input thread, which looks five to ten times a second whether it is to end, and then
    once more: a tenth to two tenths of a second between two screens.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Before the driver starts its writer thread, which keeps the file that it finds here.
        self._file: Any = _Line(self._file, self._line_broke)
        self.exit_event: _WakingEvent = _WakingEvent()

    def run_input_thread(self) -> None:
        """Dispatch what is typed until the input is disabled."""
        parser = XTermParser()
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        watched = [self.fileno, self.exit_event.reader]
        while not self.exit_event.is_set():
            ready = select.select(watched, [], [], _TICK_SECONDS)[0]
            if self.fileno in ready:
                content = self._typed()
                if not content:
                    # At its end, or hung up, for good: reading again would take a whole core.
                    watched = [self.exit_event.reader]
                for event in parser.feed(decode(content)) if content else ():
                    self.process_message(event)
            for event in parser.tick():
                self.process_message(event)

    def _typed(self) -> bytes:
        try:
            return os.read(self.fileno, _MOST_READ)
        except OSError:
            return b""

    def close(self) -> None:
        """Let the writer thread end, and close what is open; the screen may come back from the background."""
        super().close()
        self.exit_event.close()

    def _line_broke(self) -> None:
        # Textual writes in a thread of its own; the app may be ended by its event loop alone.
        self._app.call_later(self._app.exit)
