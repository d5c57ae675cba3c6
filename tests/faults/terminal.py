"""A terminal in memory with a program in a real pty: its line can be slow, stall, or break off."""

import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import pyte

from tests.faults.training import wait_until


class _Answering(pyte.Screen):
    """A screen that answers what it is asked, as terminals do."""

    def __init__(self, columns: int, lines: int) -> None:
        super().__init__(columns, lines)
        self.answers: list[str] = []

    def write_process_input(self, data: str) -> None:
        self.answers.append(data)

    def report_device_attributes(self, *args: Any, **options: Any) -> None:
        """Say nothing: the program must not wait for it."""


class Terminal:
    """Runs a program; use it as a context manager, which ends the program as a closed window does."""

    def __init__(
        self,
        command: Sequence[str],
        size: tuple[int, int],
        environment: Mapping[str, str],
        *,
        bytes_a_second: float | None = None,
        delay: float = 0.0,
    ) -> None:
        """Start a program.

        Args:
            command: and its arguments.
            size: columns and lines.
            environment: added to this process's.
            bytes_a_second: the line's speed towards the terminal; None for no limit.
            delay: seconds from either end of the line to the other.
        """
        self.screen = _Answering(*size)
        self._stream = pyte.ByteStream(self.screen)
        self._rate, self._delay = bytes_a_second, delay
        self.received = b""
        """All that the program has sent, as far as it has arrived."""
        self.stalled = False
        """Set to take nothing from the line."""
        self._lock = threading.Lock()
        self._master, slave = os.openpty()
        _set_size(slave, size)
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm-256color", **environment},
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 - it calls nothing that takes a lock
        )
        os.close(slave)
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    @property
    def display(self) -> list[str]:
        """What the terminal shows, a string a line."""
        with self._lock:
            return list(self.screen.display)

    @property
    def text(self) -> str:
        """What the terminal shows."""
        return "\n".join(line.rstrip() for line in self.display)

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Return once the terminal shows a text."""
        try:
            wait_until(lambda: text in self.text, seconds)
        except AssertionError:
            raise AssertionError(f"no {text!r} in:\n{self.text}") from None

    def press(self, keys: str) -> None:
        """Send keys as a keyboard would."""
        os.write(self._master, keys.encode())

    def resize(self, size: tuple[int, int]) -> None:
        """Change the size of the window."""
        with self._lock:
            self.screen.resize(size[1], size[0])
            _set_size(self._master, size)

    def hang_up(self) -> None:
        """Let the line break off: the kernel tells the program with SIGHUP."""
        master, self._master = self._master, -1
        if master >= 0:
            self._thread.join(5)
            with suppress(OSError):
                os.close(master)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(10)

    def _carry(self) -> None:
        """Carry bytes to the terminal and its answers back, no faster than the line is."""
        under_way: deque[tuple[float, bytes]] = deque()
        back: deque[tuple[float, bytes]] = deque()
        free_at = time.monotonic()
        while (master := self._master) >= 0:
            now = time.monotonic()
            if not self.stalled and now >= free_at and select.select([master], [], [], 0.005)[0]:
                try:
                    content = os.read(master, 256 if self._rate else 65_536)
                except OSError:
                    return
                free_at = max(free_at, now - 0.02) + (len(content) / self._rate if self._rate else 0.0)
                under_way.append((time.monotonic() + self._delay, content))
            else:
                time.sleep(0.002)
            while under_way and under_way[0][0] <= time.monotonic():
                self._show(under_way.popleft()[1])
            with self._lock:
                answers, self.screen.answers = self.screen.answers, []
            back.extend((time.monotonic() + self._delay, answer.encode()) for answer in answers)
            while back and back[0][0] <= time.monotonic():
                with suppress(OSError):
                    os.write(master, back.popleft()[1])

    def _show(self, content: bytes) -> None:
        with self._lock:
            self.received += content
            self._stream.feed(content)


def monitor(*arguments: str) -> list[str]:
    """Return the command line of `tui-monitor` in this Python."""
    return [sys.executable, "-m", "tui_monitor", *arguments]


def _set_size(descriptor: int, size: tuple[int, int]) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))


def _take_terminal() -> None:
    """Make the pty the session's own terminal, so that its end is told to the program."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
