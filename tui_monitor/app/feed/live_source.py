"""A run folder as a source of snapshots, whether its run still goes on or has ended."""

import time
from collections.abc import Callable
from pathlib import Path

from tui_monitor.history.snapshot import Snapshot
from tui_monitor.history.state.fold import History
from tui_monitor.run_log.read.cluster_reader import ClusterReader
from tui_monitor.run_log.runs.liveness import Liveness, concluded_state, observe_run
from tui_monitor.run_log.runs.workers import workers_liveness

_READ_SECONDS = 0.08
_LIVENESS_SECONDS = 2.0


class LiveSource:
    """Follows a run folder that may still be growing."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Name the folder; nothing is read yet.

        Args:
            folder: of the run.
            clock: seconds that never fall; paces the checks of the process.
        """
        self._folder = folder
        self._clock = clock
        self._reader = ClusterReader(folder)
        self._history = History(folder.name)
        self._revision: int | None = None
        self._checked_at = self._workers_checked_at = -_LIVENESS_SECONDS

    def poll(self) -> Snapshot | None:
        """Read what is new, for some milliseconds at most.

        Raises:
            RunUnreadable: `run.json` is damaged or of a newer format.
        """
        # Checked before reading: what a process wrote before it ended is then read before the run is called lost.
        liveness = self._liveness()
        arrival = self._reader.poll(max_seconds=_READ_SECONDS)
        self._history.fold(arrival)
        if arrival.workers:
            self._check_workers()
        # A long log takes several polls; before its end is read, its last word may still be among what waits.
        if liveness is not None and arrival.complete:
            self._history.mark(concluded_state(self._history.recorded_state, liveness))
        if self._history.revision == self._revision:
            return None
        self._revision = self._history.revision
        return self._history.snapshot()

    def _liveness(self) -> Liveness | None:
        """Return whether the process lives, every two seconds while the run has not said how it ended; else None."""
        now = self._clock()
        if now - self._checked_at < _LIVENESS_SECONDS:
            return None
        self._checked_at = now
        if self._revision is None:
            return observe_run(self._folder)
        ended = self._history.recorded_state.ended
        return None if ended else observe_run(self._folder, self._history.snapshot().run)

    def _check_workers(self) -> None:
        now = self._clock()
        if now - self._workers_checked_at >= _LIVENESS_SECONDS:
            self._workers_checked_at = now
            if not all(worker.state.ended for worker in self._history.snapshot().workers):
                self._history.mark_workers(workers_liveness(self._folder))

    def close(self) -> None:
        """Do nothing: no file stays open between polls."""
