"""The heartbeat beside the run's records: a file whose time of change stays young while the process lives."""

import os
import threading
from collections.abc import Callable

from tui_monitor.run_log.format.layout import HEARTBEAT_FILE
from tui_monitor.run_log.format.strict_json import encode
from tui_monitor.run_log.runs.process import ProcessIdentity

INTERVAL_SECONDS = 2.0
"""Time between two heartbeats."""


def touch_heartbeat(folder_descriptor: int, identity: ProcessIdentity) -> None:
    """Renew the heartbeat file by the file system's own clock, writing it where it is missing.

    Raises:
        OSError: the folder is gone or not writable.
    """
    try:
        # Without a time given, the server of a network file system stamps it, whose clock readers compare with.
        os.utime(HEARTBEAT_FILE, dir_fd=folder_descriptor)
    except FileNotFoundError:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        descriptor = os.open(HEARTBEAT_FILE, flags, 0o600, dir_fd=folder_descriptor)
        try:
            os.write(descriptor, encode(identity.to_json()) + b"\n")
        finally:
            os.close(descriptor)


class Heartbeat:
    """A daemon thread that does a small thing at regular times until stopped."""

    def __init__(self, beat: Callable[[], None], seconds: float = INTERVAL_SECONDS) -> None:
        """Start at once; the first beat comes after `seconds`."""
        self._beat = beat
        self._seconds = seconds
        self._stopped = threading.Event()
        # A daemon: a training that ends must not wait for its heartbeat.
        self._thread = threading.Thread(target=self._run, name="run-heartbeat", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        # An event and not a sleep, so that `stop` need not wait for the next beat.
        while not self._stopped.wait(self._seconds):
            self._beat()

    def stop(self) -> None:
        """End the thread; waits no longer than a second for a beat under way."""
        self._stopped.set()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=1.0)
