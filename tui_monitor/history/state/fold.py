"""The only place where records become state: what arrived goes in, frozen snapshots come out."""

import copy
from collections import deque
from collections.abc import Mapping
from typing import Self

from tui_monitor.history.batches.batch_track import Batches
from tui_monitor.history.snapshot import Damage, FitSnapshot, Snapshot, TimelineEntry
from tui_monitor.history.state.fit_events import add_alert
from tui_monitor.history.state.fit_fold import FitFold
from tui_monitor.history.state.output import OutputLines
from tui_monitor.history.state.workers import WorkerFolds
from tui_monitor.run_log.events.lines import RecordedEvent, UnknownEvent
from tui_monitor.run_log.events.notifications import (
    AlertRaised,
    CauseChanged,
    Explained,
    NoteTaken,
    RequestAcknowledged,
)
from tui_monitor.run_log.events.progress import BatchesLost, EpochBegan, EpochEnded, StatusChanged
from tui_monitor.run_log.events.usage import ResourceUsage, UsageSampled
from tui_monitor.run_log.format.layout import RunInfo, State
from tui_monitor.run_log.read.reader import Arrival
from tui_monitor.run_log.runs.liveness import LOST_DETAIL
from tui_monitor.run_log.runs.workers import WorkerLiveness

MOST_ENTRIES = 1000
"""Newest timeline entries kept."""

_ROUTINE = (State.STARTING, State.TRAINING, State.VALIDATING, State.MEASURING)


class History:
    """A run as far as its records were read. Not safe across threads; its snapshots are."""

    def __init__(self, name: str = "") -> None:
        """Begin with nothing.

        Args:
            name: what to call the run until its identity has arrived.
        """
        self._name = name
        self._revision = 0
        self._snapshot: Snapshot | None = None
        self._forget()

    def _forget(self) -> None:
        self._run = RunInfo(name=self._name)
        self._state = State.STARTING
        self._is_lost = False
        self._detail = ""
        self._exit_code: int | None = None
        self._fits: dict[int, FitFold] = {}
        self._event_seconds = 0.0
        self._timeline: deque[TimelineEntry] = deque(maxlen=MOST_ENTRIES)
        self._output = OutputLines()
        self._events_skipped = 0
        self._batches_skipped = 0
        self._batches_lost = 0
        self._torn_bytes = 0
        self._is_complete = True
        self._missing = False
        self._system: ResourceUsage | None = None
        self._events_unknown = 0
        self._workers = WorkerFolds()

    @property
    def revision(self) -> int:
        """Rises whenever a snapshot would differ from the one before."""
        return self._revision

    def fold(self, arrival: Arrival) -> bool:
        """Take in what a reader returned; return whether anything changed."""
        if arrival.restarted:
            self._forget()
        before = (self._missing, self._torn_bytes, self._is_complete)
        self._missing = arrival.missing
        if not arrival.missing:
            self._torn_bytes, self._is_complete = arrival.torn_bytes, arrival.complete
        has_changed = bool(arrival) or before != (self._missing, self._torn_bytes, self._is_complete)
        if arrival:
            self._is_lost = False
        if arrival.info is not None:
            self._identify(arrival.info)
        self._workers.fold(arrival)
        for index, summaries in arrival.summaries:
            self._fit(index).begin_batches(summaries)
        for index, records in arrival.batches:
            self._fit(index).add_batches(records)
        for index, stored in arrival.stored:
            self._fit(index).evict(stored)
        for recorded in arrival.events:
            self._add_event(recorded)
        self._events_skipped += arrival.events_skipped
        self._batches_skipped += arrival.batches_skipped
        self._output.skip(arrival.output_lines_skipped)
        self._output.feed(arrival.output)
        self._revision += has_changed
        return has_changed

    @property
    def recorded_state(self) -> State:
        """The run's own last word on its state, whatever a reader has concluded of its process."""
        return self._state

    def mark(self, state: State) -> bool:
        """Take a reader's conclusion about the process; return whether anything changed.

        `LOST` stays until something new arrives or another state is marked, and never overrides an end
        that the run itself recorded. Any other state leaves the run's own word as it is.
        """
        is_lost = state is State.LOST
        has_changed = is_lost != self._is_lost and not self._state.ended
        self._is_lost = is_lost
        self._revision += has_changed
        return has_changed

    def mark_workers(self, signs: Mapping[int, WorkerLiveness]) -> bool:
        """Check the processes of several workers, by rank; return whether anything changed."""
        has_changed = self._workers.mark(signs)
        self._revision += has_changed
        return has_changed

    def fork(self) -> Self:
        """Return a copy that takes further events by itself; batches and output stay shared."""
        other = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, list | dict | set | deque):
                setattr(other, name, value.copy())
        other._workers = self._workers.fork()
        other._fits = {index: fit.fork() for index, fit in self._fits.items()}
        return other

    def cut_batches(self, cuts: Mapping[int, Batches]) -> None:
        """Show the batches of each fit as given, in place of those that were folded."""
        for index, batches in cuts.items():
            self._fit(index).cut = batches
        self._revision += 1

    def snapshot(self) -> Snapshot:
        """Return the run as it stands; the same object until something changes."""
        if self._snapshot is None or self._snapshot.revision != self._revision:
            self._snapshot = self._take_snapshot()
        return self._snapshot

    def _identify(self, info: RunInfo) -> None:
        self._run = info
        for fit in info.fits:
            self._fit(fit.index).describe(fit)

    def _fit(self, index: int) -> FitFold:
        return self._fits.setdefault(index, FitFold())

    def _add_event(self, recorded: RecordedEvent) -> None:
        self._event_seconds = max(self._event_seconds, recorded.reached or 0.0)
        match recorded.event:
            case StatusChanged() as status:
                self._change_state(recorded, status)
            case BatchesLost(batches=batches):
                self._batches_lost += batches
            case AlertRaised(text=text, stage=stage):
                add_alert(self._timeline, timeline_entry(recorded, text), stage)
            case CauseChanged(text=text) | NoteTaken(text=text):
                self._note(recorded, text)
            case RequestAcknowledged() as acknowledged:
                self._note(recorded, acknowledged.text or f"{acknowledged.request}: {acknowledged.outcome}")
            case UsageSampled(usage=usage):
                self._system = usage
            case EpochBegan() | EpochEnded() | Explained() if recorded.fit is not None and recorded.fit >= 1:
                self._fit(recorded.fit).add_event(recorded)
            case UnknownEvent():
                self._events_unknown += 1

    def _change_state(self, recorded: RecordedEvent, status: StatusChanged) -> None:
        was_routine = self._state in _ROUTINE
        self._state, self._detail, self._exit_code = status.state, status.detail, status.exit_code
        if status.state not in _ROUTINE or not was_routine:
            self._note(recorded, f"{status.state}: {status.detail}" if status.detail else str(status.state))

    def _note(self, recorded: RecordedEvent, text: str) -> None:
        self._timeline.append(timeline_entry(recorded, text))

    def _take_snapshot(self) -> Snapshot:
        folds = [self._fits[index] for index in sorted(self._fits)]
        fits: list[FitSnapshot] = []
        newest: FitFold | None = None
        for fold in folds:
            fit = fold.snapshot(is_complete=self._is_complete)
            if fit is not None:
                fits.append(fit)
                newest = fold
        state = State.LOST if self._is_lost and not self._state.ended else self._state
        pace = newest.pace() if newest is not None else None
        is_running = newest is not None and not state.ended
        return Snapshot(
            revision=self._revision,
            run=self._run,
            state=state,
            detail=LOST_DETAIL if state is State.LOST else self._detail,
            exit_code=self._exit_code,
            fits=tuple(fits),
            seconds=max([self._event_seconds, *(fold.seconds for fold in folds)]),
            batches_per_second=pace,
            seconds_left=newest.seconds_left(fits[-1], pace) if newest and is_running else None,
            timeline=tuple(self._timeline),
            output=self._output.lines(),
            output_lines=self._output.total,
            damage=Damage(
                events_skipped=self._events_skipped,
                batches_lost=self._batches_lost,
                batches_skipped=self._batches_skipped,
                torn_bytes=self._torn_bytes if state.ended else 0,
            ),
            missing=self._missing,
            workers=self._workers.snapshots(),
            covered=self._workers.covered,
            unknown_events=self._events_unknown,
            system=self._system,
        )


def timeline_entry(recorded: RecordedEvent, text: str) -> TimelineEntry:
    """Return an event's mark on the time axis."""
    event = recorded.event
    return TimelineEntry(
        seconds=recorded.seconds or 0.0,
        kind=event.kind,
        text=text,
        epoch=getattr(event, "epoch", None),
        batch=getattr(event, "batch", None),
        acknowledges=getattr(event, "id", ""),
        fit=recorded.fit,
        alert=getattr(event, "alert", ""),
    )
