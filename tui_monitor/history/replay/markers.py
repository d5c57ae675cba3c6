"""Where things happened in a run, found as its events are read, by their index in the order of writing."""

import numpy as np
from numpy.typing import NDArray

from tui_monitor.history.playback import Markers
from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.events.ledger import Cause, Ledger, Verdict
from tui_monitor.run_log.events.lines import RecordedEvent
from tui_monitor.run_log.events.notifications import (
    AlertRaised,
    CauseChanged,
    Explained,
    NoteTaken,
    RequestAcknowledged,
)
from tui_monitor.run_log.events.progress import EpochBegan, EpochEnded, FitBegan


class MarkerFinder:
    """Collects the events that a replay can be moved to."""

    def __init__(self) -> None:
        self.epochs: list[int] = []
        """Which events ended an epoch, by index."""
        self._ends: list[int] = []
        """Of each epoch, the last event that tells of its end: what is measured after an epoch belongs to it."""
        self._numbers: list[int] = []
        self._is_between = False
        self._alerts: list[int] = []
        self._happened: list[int] = []
        self._said_changes: list[int] = []
        self._found_changes: list[int] = []
        self._main: tuple[Cause | None, ...] | None = None
        self._first_of_fit: dict[int, int] = {}

    def add(self, index: int, recorded: RecordedEvent) -> None:
        """Take the next event, the one at `index`."""
        if recorded.fit is not None:
            self._first_of_fit.setdefault(recorded.fit, index)
        match recorded.event:
            case EpochBegan() | FitBegan():
                self._is_between = False
            case EpochEnded(epoch=epoch):
                self.epochs.append(index)
                self._ends.append(index)
                self._numbers.append(epoch)
                self._is_between = True
            case AlertRaised(epoch=epoch, stage=""):
                self._alerts.append(index)
                self._happen(index, epoch)
            case CauseChanged(epoch=epoch):
                self._said_changes.append(index)
                self._happen(index, epoch)
            case Explained(epoch=epoch) as explained:
                self._compare(index, explained)
                self._happen(index, epoch)
            case NoteTaken() | RequestAcknowledged():
                self._happened.append(index)

    def _happen(self, index: int, epoch: int | None) -> None:
        """Keep what may belong to the end of the epoch before it."""
        self._happened.append(index)
        if self._is_between and epoch == self._numbers[-1]:
            self._ends[-1] = index

    def first_of_fit(self, fit: int) -> int | None:
        """Return the index of a fit's first event, or None where it has none."""
        return self._first_of_fit.get(fit)

    def epochs_before(self, count: int) -> NDArray[np.float64]:
        """Return how many epochs had ended with each of the first `count` events, shape (count,)."""
        ended = np.zeros(count)
        ended[self.epochs] = 1.0
        return np.cumsum(ended)

    def markers(self, positions: NDArray[np.float64]) -> Markers:
        """Return the markers at the positions of their events, shape (events,)."""
        changes = self._said_changes or self._found_changes
        return Markers(
            epochs=tuple(positions[self._ends].tolist()) if self._ends else (),
            numbers=tuple(self._numbers),
            alerts=tuple(positions[self._alerts].tolist()) if self._alerts else (),
            changes=tuple(positions[changes].tolist()) if changes else (),
            events=tuple(positions[self._happened].tolist()) if self._happened else (),
        )

    def _compare(self, index: int, explained: Explained) -> None:
        """Keep an epoch's explanation that names other main causes than the one before."""
        if explained.batch is not None:
            return
        main = main_causes(explained.explanation.explanation)
        if self._main is not None and main != self._main:
            self._found_changes.append(index)
        self._main = main


def main_causes(explanation: Explanation | None) -> tuple[Cause | None, ...]:
    """Return the main cause that an explanation names for the loss, and for accuracy."""
    ledgers = (explanation.loss, explanation.accuracy) if explanation is not None else ()
    return tuple(_main_of(ledger) for ledger in ledgers)


def _main_of(ledger: Ledger | None) -> Cause | None:
    terms = ledger.terms if ledger is not None else ()
    return next((term.cause for term in terms if term.verdict is Verdict.MAIN), None)
