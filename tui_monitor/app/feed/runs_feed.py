"""The way of the runs from a reader thread to the table: the thread reads them every second and prepares their rows."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Mapping

from tui_monitor.errors import MonitorError
from tui_monitor.run_log.runs.catalogue import Catalogue
from tui_monitor.run_log.runs.entry import RunEntry
from tui_monitor.run_log.runs.place import RunsPlace
from tui_monitor.view.runs.prepared import PreparedRuns, prepare
from tui_monitor.view.runs.table_state import TableState

PAUSE_SECONDS = 1.0
"""Between two readings of the live runs."""
_WHOLE_SECONDS = 2.0
"""Between two readings of the whole folder, at least."""
_LEAST_SHARE = 50
"""Reading the whole folder may take one part in so many of the time: thousands of runs are read less often."""

_FETCH_SECONDS = 3.0
"""Between two looks at a runs folder elsewhere, at least; a look may take half of the time."""
_MANY = 1000
"""Runs from which their objects are left out of garbage collection: they stay for as long as the table."""

_WORTH_SAVING = 100
"""Runs that were read anew from which the catalogue is written at once."""

Arrived = Callable[[Mapping[str, RunEntry], PreparedRuns], object]


class RunsFeed:
    """Runs the reader thread's loop; the event loop calls all other methods."""

    def __init__(
        self,
        catalogue: Catalogue,
        state: Callable[[], TableState],
        place: RunsPlace,
        failed: Callable[[str], object] = lambda sentence: None,
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            catalogue: of the runs; the reader thread's alone while it runs.
            state: returns what the table shows, from any thread.
            place: where the runs are; one elsewhere is read beside, in a thread of its own.
            failed: called, in that thread, with a sentence when it can't be read, and when it can again.
        """
        self._catalogue = catalogue
        self._state = state
        self._place = place
        self._failed = failed
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._prepared: PreparedRuns | None = None
        self._entries: Mapping[str, RunEntry] = {}

    def run(self, arrived: Arrived) -> None:
        """Read the runs until `stop`. Called in the reader thread; so is the callback.

        Args:
            arrived: called with all runs, by name and prepared, when anything in the table may look different.
        """
        if self._place.remote is not None:
            threading.Thread(target=self._fetch, name="remote-runs", daemon=True).start()
        while not self._stopping.is_set():
            began = time.monotonic()
            # The first look at thousands of runs takes seconds: those read so far are shown meanwhile.
            entries = self._catalogue.refresh(lambda some: self._tell(some, arrived))
            self._tell(entries, arrived)
            if self._catalogue.unsaved >= _WORTH_SAVING:
                # Not at the end alone: a line that drops would have the next session read them all again.
                self._catalogue.save()
            if len(entries) > _MANY:
                # A collection that walks over all runs would make a key wait for a tenth of a second.
                gc.freeze()
            took = time.monotonic() - began
            until = time.monotonic() + max(_WHOLE_SECONDS, took * _LEAST_SHARE)
            while time.monotonic() < until and not self._stopping.is_set() and not self._wait(PAUSE_SECONDS):
                if any(entry.is_live for entry in self._entries.values()):
                    self._tell(self._catalogue.refresh_live(), arrived)

    def _fetch(self) -> None:
        """Keep the copy of a folder elsewhere up to date; a line that is down is tried again."""
        is_down = False
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._place.refresh()
            except MonitorError as error:
                if not is_down:
                    self._failed(str(error))
                is_down = True
            else:
                if is_down:
                    self._failed(f"{self._place.title} can be read again.")
                is_down = False
                self.refresh_now()
            self._stopping.wait(max(_FETCH_SECONDS, time.monotonic() - began))

    def refresh_now(self) -> None:
        """Have the whole folder read at once."""
        self._wanted.set()

    def stop(self) -> None:
        """Let the reader thread end."""
        self._stopping.set()
        self._wanted.set()

    def _wait(self, seconds: float) -> bool:
        """Wait, and return whether the wait was cut short because the runs are to be read at once."""
        is_wanted = self._wanted.wait(seconds)
        if not self._stopping.is_set():
            self._wanted.clear()
        return is_wanted

    def _tell(self, entries: Mapping[str, RunEntry], arrived: Arrived) -> None:
        if self._stopping.is_set():
            return
        # By identity: the catalogue returns the very same entry as long as nothing of its run changed.
        is_same = len(entries) == len(self._entries) and all(
            self._entries.get(name) is entry for name, entry in entries.items()
        )
        # What a live run shows moves on by itself, such as its age, though its entry is the same.
        is_moving = any(entry.is_live for entry in entries.values())
        if is_same and not is_moving and self._prepared is not None:
            return
        self._entries = entries
        self._prepared = prepare(entries, self._state(), time.time(), self._prepared)
        arrived(entries, self._prepared)
