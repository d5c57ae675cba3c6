"""The way of a snapshot from the reader thread to the event loop: at most one waits, and a newer one replaces it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from tui_monitor.errors import MonitorError

if TYPE_CHECKING:
    from tui_monitor.history.snapshot import Snapshot

PAUSE_SECONDS = 0.2
"""From one poll to the next: five frames a second look live and leave the cores to training."""


class SnapshotSource(Protocol):
    """Gives the newest snapshot of a run. Called from the reader thread alone, so it needs no lock."""

    def poll(self) -> Snapshot | None:
        """Read what is new, for some milliseconds at most.

        Returns:
            The newest snapshot, or None when nothing changed since the last call.

        Raises:
            MonitorError: the run can't be read; told to the user.
        """

    def close(self) -> None:
        """Close files. Called once, last, from the same thread."""


class Feed:
    """Runs the reader thread's loop; the event loop calls all other methods."""

    def __init__(
        self,
        *,
        pause_seconds: float = PAUSE_SECONDS,
        is_terminal_busy: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is read before `run`.

        Args:
            pause_seconds: from one poll to the next, and so between two frames.
            is_terminal_busy: whether the terminal has not shown the last frame yet; called in the reader thread.
            clock: seconds that never fall.
        """
        self._pause_seconds = pause_seconds
        self._is_terminal_busy = is_terminal_busy
        self._clock = clock
        self._lock = threading.Lock()
        self._newest: Snapshot | None = None
        self._stopping = threading.Event()
        self._wanted = threading.Event()
        self._is_held_back = False

    def run(
        self, source: SnapshotSource, *, arrived: Callable[[], object], failed: Callable[[MonitorError], object]
    ) -> None:
        """Poll a source until `stop`. Called in the reader thread; so are both callbacks.

        Args:
            source: closed on return.
            arrived: called when a snapshot waits and none did before: only then the event loop must be woken.
            failed: called once, with what to tell the user, when the run can't be read.
        """
        try:
            while not self._stopping.is_set():
                polled_at = self._clock()
                # The pause counts from the begin of a poll, so a slow poll does not make frames rarer.
                snapshot = source.poll()
                if snapshot is not None and self._put(snapshot):
                    arrived()
                self._wait(polled_at + self._pause_seconds - self._clock())
                # Not polled while no frame can be shown, so that the next frame shows what is true when it is drawn.
                while self._holds_back() and not self._stopping.is_set():
                    self._wait(self._pause_seconds)
        # Any other exception is a bug: it ends the worker, and Textual shows it and leaves the app.
        except MonitorError as error:
            failed(error)
        finally:
            source.close()

    def take(self) -> Snapshot | None:
        """Return the newest snapshot that was not taken yet, or None."""
        with self._lock:
            snapshot, self._newest = self._newest, None
            return snapshot

    def poll_now(self) -> None:
        """Have the source polled at once rather than after the pause."""
        self._wanted.set()

    def terminal_answered(self) -> None:
        """Go on at once where reading waited for the terminal: its answer may come just after a pause began."""
        if self._is_held_back:
            self._is_held_back = False
            self._wanted.set()

    def stop(self) -> None:
        """Let the reader thread end, at once even in the middle of a pause: the program can't exit before it has."""
        # In this order: a reader that wakes must find out why, or it would begin another pause.
        self._stopping.set()
        self._wanted.set()

    def _put(self, snapshot: Snapshot) -> bool:
        # One step, though each assignment is atomic: a `take` between them would see `was_empty` too late, and nobody
        # would wake the event loop.
        with self._lock:
            was_empty = self._newest is None
            self._newest = snapshot
            return was_empty

    def _wait(self, seconds: float) -> None:
        self._wanted.wait(max(0.0, seconds))
        # Cleared after the wait, never before: `poll_now` during a poll then ends this pause at once.
        self._wanted.clear()

    def _holds_back(self) -> bool:
        # Set here and cleared in the event loop without a lock: an answer that falls between costs one pause, no more.
        self._is_held_back = self._is_terminal_busy()
        return self._is_held_back
