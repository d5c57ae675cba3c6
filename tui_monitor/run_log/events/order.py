"""In which order a training writes its events. Readers take any order; what they show relies on this one.

* A fit begins with `FitBegan`, and fits are numbered from 1.
* `EpochBegan` follows the fit's begin; `EpochEnded` follows the begin of the same epoch. Epochs may repeat or fall
  back, and one that was interrupted never ends.
* `Explained` within an epoch (with a `batch`) comes between that epoch's begin and end; the one at its end comes after
  it, in the same fit. Several workers measure together, so theirs may come while a later epoch runs.
* `CauseChanged` follows the explanation that it speaks of.
* Run time never falls, but for events of other threads: `UsageSampled`, `StepsTimed` and `BatchesLost` come when they
  come, and so does everything else that is not named here.
* After a status that ends the run only a new fit brings epochs again.

A log that is imported says less: it may leave out the begin of its epochs.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tui_monitor.run_log.events.lines import RecordedEvent
from tui_monitor.run_log.events.notifications import CauseChanged, Explained
from tui_monitor.run_log.events.progress import BatchesLost, EpochBegan, EpochEnded, FitBegan, StatusChanged
from tui_monitor.run_log.events.usage import StepsTimed, UsageSampled


@dataclass(frozen=True)
class Breach:
    """An event that came out of order."""

    index: int
    """Of the event, from 0."""
    reason: str


@dataclass(frozen=True)
class _Position:
    """How far a run has come, as far as the order needs it."""

    fits: int = 0
    begun: int | None = None
    """The epoch under way."""
    ended: frozenset[int] = frozenset()
    """Epochs of the fit that have ended."""
    explained: frozenset[int] = frozenset()
    """Epochs of the fit that were explained at their end."""
    is_over: bool = False
    seconds: float = 0.0


def breaches(events: Iterable[RecordedEvent]) -> Iterator[Breach]:
    """Yield the events that no training writes at their place; none for a run that keeps the order."""
    position = _Position()
    for index, recorded in enumerate(events):
        reason = _breach(position, recorded)
        if reason:
            yield Breach(index, reason)
        position = _after(position, recorded)


def _breach(position: _Position, recorded: RecordedEvent) -> str:
    """Return why an event can't come at a place; empty where it can."""
    reason = ""
    match recorded.event:
        case UsageSampled() | StepsTimed() | BatchesLost():
            return ""
        case FitBegan() if recorded.fit != position.fits + 1:
            reason = f"fit {recorded.fit} begins after fit {position.fits}"
        case EpochBegan() | EpochEnded() | Explained() if not position.fits:
            reason = "no fit has begun"
        case EpochBegan() | EpochEnded() if position.is_over:
            reason = "the run has ended"
        case EpochEnded(epoch=epoch) if position.begun not in (None, epoch):
            reason = f"epoch {epoch} ends while epoch {position.begun} is under way"
        case Explained(epoch=epoch, batch=int()) if position.begun != epoch:
            reason = f"epoch {epoch} is not under way"
        case Explained(epoch=epoch, batch=None) if epoch not in position.ended:
            reason = f"epoch {epoch} has not ended"
        case CauseChanged(epoch=int(epoch)) if epoch not in position.explained:
            reason = f"epoch {epoch} was not explained"
        case _ if recorded.seconds is None or recorded.seconds < position.seconds:
            reason = f"written at {recorded.seconds} s, after {position.seconds} s"
    return reason


def _after(position: _Position, recorded: RecordedEvent) -> _Position:
    match recorded.event:
        case UsageSampled() | StepsTimed() | BatchesLost():
            return position
        case FitBegan():
            position = _Position(fits=position.fits + 1, seconds=position.seconds)
        case EpochBegan(epoch=epoch):
            position = replace(position, begun=epoch)
        case EpochEnded(epoch=epoch):
            position = replace(position, begun=None, ended=position.ended | {epoch})
        case Explained(epoch=epoch, batch=None):
            position = replace(position, explained=position.explained | {epoch})
        case StatusChanged(state=state) if state.ended:
            position = replace(position, is_over=True)
    return replace(position, seconds=max(position.seconds, recorded.reached or 0.0))
