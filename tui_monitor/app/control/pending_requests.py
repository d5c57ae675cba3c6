"""Control requests that the screen sent and the run has not acknowledged yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.run_log.runs.control import Action, ControlRequest, send_request
from tui_monitor.run_log.runs.liveness import process_of
from tui_monitor.run_log.runs.process import kill_process
from tui_monitor.units import duration

if TYPE_CHECKING:
    from tui_monitor.history.snapshot import Snapshot

SENDER = "screen"
PATIENCE_SECONDS = 10.0
"""After which the header says that a request is not acknowledged."""
KILL_SECONDS = 3.0
"""Time a process gets to apply a kill request, before the system does it."""

_WORDS = {
    Action.PAUSE: "to pause",
    Action.RESUME: "to go on",
    Action.STOP_BATCH: "to stop after this batch",
    Action.STOP_EPOCH: "to stop after this epoch",
    Action.KILL: "to kill it",
    Action.LEARNING_RATE: "for another learning rate",
    Action.MEASURE: "to measure now",
    Action.NOTE: "to note",
}


@dataclass(frozen=True)
class _Sent:
    request: ControlRequest
    at: float
    """Seconds of the screen's clock."""


class PendingRequests:
    """Control requests sent and not yet acknowledged, oldest first."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        """Begin with none.

        Args:
            folder: of the run.
            clock: seconds that never fall.
        """
        self._folder = folder
        self._clock = clock
        self._sent: tuple[_Sent, ...] = ()

    def send(self, action: Action, value: str | float | None = None) -> None:
        """Create a control request and leave it in the run folder.

        Raises:
            ValueError: the value does not fit the action.
            RunNotFound: the run folder is gone.
            FolderNotWritable: the request can't be written.
        """
        request = send_request(self._folder, action, value, sender=SENDER)
        self._sent = (*self._sent, _Sent(request, self._clock()))

    def update(self, snapshot: Snapshot) -> None:
        """Drop the requests that the run has acknowledged; a run that ended acknowledges none any more."""
        if not self._sent:
            return
        acknowledged = {entry.acknowledges for entry in snapshot.timeline}
        pending = () if snapshot.state.ended else self._sent
        self._sent = tuple(sent for sent in pending if sent.request.id not in acknowledged)

    @property
    def sentence(self) -> str:
        """What is requested and not acknowledged, for the header; empty when nothing is."""
        if not self._sent:
            return ""
        oldest = self._sent[0]
        waited = self._clock() - oldest.at
        more = f" and {len(self._sent) - 1} more" if len(self._sent) > 1 else ""
        words = f"requested {_WORDS[oldest.request.action]}{more}"
        if waited < PATIENCE_SECONDS:
            return f"{words}…"
        return f"{words}: not acknowledged for {duration(waited)}; requests are read between batches"


def kill_training(folder: Path, snapshot: Snapshot) -> bool:
    """End the training's process at once if it certainly runs on this machine; return whether it did."""
    # With its start time, not by its number alone: the number may be that of another process by now.
    identity = process_of(folder, snapshot.run)
    return identity is not None and kill_process(identity)
