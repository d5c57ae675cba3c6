"""The way of a snapshot from the reader thread to the event loop: at most one waits, and a newer one replaces it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui_monitor.app.feed.follow import Mailbox, SnapshotSource, follow
from tui_monitor.errors import MonitorError

if TYPE_CHECKING:
    from tui_monitor.history.snapshot import Snapshot


class Feed:
    """Runs the reader thread's loop, and is spoken to from the event loop."""

    def __init__(self, *, pause_seconds: float, is_terminal_busy: Callable[[], bool]) -> None:
        """Prepare; nothing is read before `run`.

        Args:
            pause_seconds: from one poll to the next, and so between two frames.
            is_terminal_busy: whether the terminal has not shown the last frame yet; asked in the reader thread.
        """
        self._pause_seconds = pause_seconds
        self._is_terminal_busy = is_terminal_busy
        self._mailbox = Mailbox()
        self._stopping = threading.Event()
        self._wanted = threading.Event()
        self._is_held_back = False

    def run(
        self, source: SnapshotSource, *, arrived: Callable[[], object], failed: Callable[[MonitorError], object]
    ) -> None:
        """Poll a source until `stop`. Called in the reader thread; so are both callbacks.

        Args:
            source: closed on return.
            arrived: called when a snapshot waits and none did before.
            failed: called once when the run can't be read.
        """
        follow(
            source,
            self._mailbox,
            self._stopping,
            wanted=self._wanted,
            is_busy=self._holds_back,
            pause_seconds=self._pause_seconds,
            arrived=arrived,
            failed=failed,
        )

    def take(self) -> Snapshot | None:
        """Return the newest snapshot that was not taken yet, or None."""
        return self._mailbox.take()

    def poll_now(self) -> None:
        """Have the source polled at once rather than after the pause."""
        self._wanted.set()

    def terminal_answered(self) -> None:
        """Go on at once where reading waited for the terminal: its answer may come just after a pause began."""
        if self._is_held_back:
            self._is_held_back = False
            self._wanted.set()

    def stop(self) -> None:
        """Let the reader thread end. A thread that waits for the pause to pass would delay the exit by it."""
        self._stopping.set()
        self._wanted.set()

    def _holds_back(self) -> bool:
        self._is_held_back = self._is_terminal_busy()
        return self._is_held_back
