"""The reader thread's loop: at most one snapshot waits for the screen, and a newer one replaces it."""

import threading
from collections.abc import Callable

from tui_monitor.app.source import SnapshotSource
from tui_monitor.errors import MonitorError
from tui_monitor.history.snapshot import Snapshot

PAUSE_SECONDS = 0.2
"""Between two looks at the folder: five pictures a second, which read as live and leave the cores to training."""


class Mailbox:
    """Room for one snapshot, between the reader thread and the event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: Snapshot | None = None

    def put(self, snapshot: Snapshot) -> bool:
        """Leave a snapshot, and return whether the box was empty: only then the screen needs a call."""
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
    arrived: Callable[[], object],
    failed: Callable[[MonitorError], object],
) -> None:
    """Poll until told to stop.

    Args:
        source: closed on return.
        mailbox: where snapshots are left.
        stopping: set to end the loop.
        pause_seconds: between two looks, and so between two pictures.
        wanted: set to have the source polled at once.
        is_busy: whether no picture can be shown now: the source is then left alone, so that the next picture shows
            what is true when it is drawn. Asked again whenever `wanted` is set, and once a pause.
        arrived: called when the mailbox was empty and holds a snapshot now.
        failed: called once, with what to tell the user, when the run can't be read.
    """
    try:
        while not stopping.is_set():
            snapshot = source.poll()
            if snapshot is not None and mailbox.put(snapshot):
                arrived()
            wanted.wait(pause_seconds)
            wanted.clear()
            while is_busy() and not stopping.is_set():
                wanted.wait(pause_seconds)
                wanted.clear()
    except MonitorError as error:
        failed(error)
    finally:
        source.close()
