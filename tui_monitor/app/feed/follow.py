"""The reader thread's loop: at most one snapshot waits for the screen, and a newer one replaces it."""

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


class Mailbox:
    """Room for one snapshot, between the reader thread and the event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: Snapshot | None = None

    def put(self, snapshot: Snapshot) -> bool:
        """Leave a snapshot, and return whether the box was empty: only then the event loop must be woken."""
        with self._lock:
            was_empty = self._waiting is None
            self._waiting = snapshot
            return was_empty

    def take(self) -> Snapshot | None:
        """Take out the newest snapshot."""
        with self._lock:
            snapshot, self._waiting = self._waiting, None
            return snapshot


def follow(
    source: SnapshotSource,
    mailbox: Mailbox,
    stopping: threading.Event,
    *,
    wanted: threading.Event,
    is_busy: Callable[[], bool] = lambda: False,
    pause_seconds: float = PAUSE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    arrived: Callable[[], object],
    failed: Callable[[MonitorError], object],
) -> None:
    """Poll until told to stop.

    Args:
        source: closed on return.
        mailbox: where snapshots are left.
        stopping: set to end the loop.
        pause_seconds: from one poll to the next, and so between two frames.
        clock: seconds that never fall.
        wanted: set to have the source polled at once.
        is_busy: whether no frame can be shown now. The source is then not polled, so that the next frame shows what is
            true when it is drawn. Called again whenever `wanted` is set, and after each pause.
        arrived: called when the mailbox was empty and holds a snapshot now.
        failed: called once, with what to tell the user, when the run can't be read.
    """
    try:
        while not stopping.is_set():
            polled_at = clock()
            snapshot = source.poll()
            if snapshot is not None and mailbox.put(snapshot):
                arrived()
            wanted.wait(max(0.0, polled_at + pause_seconds - clock()))
            wanted.clear()
            while is_busy() and not stopping.is_set():
                wanted.wait(pause_seconds)
                wanted.clear()
    except MonitorError as error:
        failed(error)
    finally:
        source.close()
