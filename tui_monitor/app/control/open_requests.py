"""What the screen asks of the training process, through the run folder, until the run's timeline answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.run_log.runs.control import Action, Request, send_request
from tui_monitor.run_log.runs.liveness import process_of
from tui_monitor.run_log.runs.process import kill_process
from tui_monitor.units import duration

if TYPE_CHECKING:
    from tui_monitor.history.snapshot import Snapshot

SENDER = "screen"
PATIENCE_SECONDS = 10.0
"""After which a request that was not answered is said to be."""
KILL_SECONDS = 3.0
"""Time a process gets to obey a request to kill it, before the system does it."""

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
class _Asked:
    request: Request
    at: float
    """Seconds of the screen's clock."""


class OpenRequests:
    """Requests sent and not yet answered, oldest first."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        """Begin with none.

        Args:
            folder: of the run.
            clock: seconds that never fall.
        """
        self._folder = folder
        self._clock = clock
        self._asked: tuple[_Asked, ...] = ()

    def ask(self, action: Action, value: str | float | None = None) -> None:
        """Ask the training for something.

        Raises:
            ValueError: the value does not fit the action.
            RunNotFound: the run folder is gone.
            FolderNotWritable: the request can't be written.
        """
        request = send_request(self._folder, action, value, sender=SENDER)
        self._asked = (*self._asked, _Asked(request, self._clock()))

    def settle(self, snapshot: Snapshot) -> None:
        """Take out what the run has answered; a run that ended answers nothing any more."""
        if not self._asked:
            return
        answered = {entry.answers for entry in snapshot.timeline}
        open_ones = () if snapshot.state.ended else self._asked
        self._asked = tuple(asked for asked in open_ones if asked.request.id not in answered)

    def awaits(self, action: Action) -> bool:
        """Return whether such a request is unanswered."""
        return any(asked.request.action is action for asked in self._asked)

    @property
    def sentence(self) -> str:
        """What is asked and not answered, for the header; empty when there is nothing."""
        if not self._asked:
            return ""
        oldest = self._asked[0]
        waited = self._clock() - oldest.at
        more = f" and {len(self._asked) - 1} more" if len(self._asked) > 1 else ""
        words = f"asked {_WORDS[oldest.request.action]}{more}"
        if waited < PATIENCE_SECONDS:
            return f"{words}…"
        return f"{words}: no answer for {duration(waited)}, it looks between batches"


def kill_training(folder: Path, snapshot: Snapshot) -> bool:
    """End the training's process at once if it certainly runs on this machine; return whether it did."""
    identity = process_of(folder, snapshot.run)
    return identity is not None and kill_process(identity)
