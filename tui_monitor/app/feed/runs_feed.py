"""The way of the runs from a reader thread to the table: looked at every second, prepared there."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Mapping

from tui_monitor.run_log.runs.catalogue import Catalogue
from tui_monitor.run_log.runs.entry import RunEntry
from tui_monitor.view.runs.prepared import PreparedRuns, prepare
from tui_monitor.view.runs.table_state import TableState

PAUSE_SECONDS = 1.0
"""Between two looks at the live runs."""
_WHOLE_SECONDS = 2.0
"""Between two looks at the whole folder, at least."""
_LEAST_SHARE = 50
"""A look at the whole folder may take one part in so many of the time: thousands of runs are looked at less often."""

_MANY = 1000
"""Runs from which their objects are left out of garbage collection: they stay for as long as the table."""

Arrived = Callable[[Mapping[str, RunEntry], PreparedRuns], object]


class RunsFeed:
    """Runs the reader thread's loop, and is spoken to from the event loop."""

    def __init__(self, catalogue: Catalogue, state: Callable[[], TableState]) -> None:
        """Prepare; nothing is read yet.

        Args:
            catalogue: of the runs; the reader thread's alone while it runs.
            state: returns what the table shows, from any thread.
        """
        self._catalogue = catalogue
        self._state = state
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._prepared: PreparedRuns | None = None
        self._entries: Mapping[str, RunEntry] = {}

    def run(self, arrived: Arrived) -> None:
        """Look at the runs until `stop`. Called in the reader thread; so is the callback.

        Args:
            arrived: called with all runs, by name and prepared, when anything in the table may look otherwise.
        """
        while not self._stopping.is_set():
            began = time.monotonic()
            entries = self._catalogue.refresh(lambda some: self._tell(some, arrived))
            self._tell(entries, arrived)
            if len(entries) > _MANY:
                # A collection that walks over all runs would make a key wait for a tenth of a second.
                gc.freeze()
            took = time.monotonic() - began
            until = time.monotonic() + max(_WHOLE_SECONDS, took * _LEAST_SHARE)
            while time.monotonic() < until and not self._wait(PAUSE_SECONDS):
                if any(entry.is_live for entry in self._entries.values()):
                    self._tell(self._catalogue.refresh_live(), arrived)

    def refresh_now(self) -> None:
        """Have the whole folder looked at at once."""
        self._wanted.set()

    def stop(self) -> None:
        """Let the reader thread end."""
        self._stopping.set()
        self._wanted.set()

    def _wait(self, seconds: float) -> bool:
        """Wait, and return whether somebody wants a look at once."""
        is_wanted = self._wanted.wait(seconds)
        if not self._stopping.is_set():
            self._wanted.clear()
        return is_wanted

    def _tell(self, entries: Mapping[str, RunEntry], arrived: Arrived) -> None:
        if self._stopping.is_set():
            return
        is_same = len(entries) == len(self._entries) and all(
            self._entries.get(name) is entry for name, entry in entries.items()
        )
        is_moving = any(entry.is_live for entry in entries.values())
        if is_same and not is_moving and self._prepared is not None:
            return
        self._entries = entries
        self._prepared = prepare(entries, self._state(), time.time(), self._prepared)
        arrived(entries, self._prepared)
