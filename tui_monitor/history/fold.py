"""The only place where records become state: what arrived goes in, frozen snapshots come out."""

import copy
from collections import deque
from collections.abc import Callable, Mapping
from typing import Self

from tui_monitor.history.batch_track import Batches
from tui_monitor.history.output import OutputLines
from tui_monitor.history.phase_fold import PhaseFold
from tui_monitor.history.snapshot import Damage, PhaseSnapshot, Snapshot, TimelineEntry
from tui_monitor.history.system_figures import SystemFigures, system_figures
from tui_monitor.history.workers import WorkerFolds
from tui_monitor.run_log.format import RunInfo, State
from tui_monitor.run_log.presence import LOST_DETAIL
from tui_monitor.run_log.reader import Arrival, Event
from tui_monitor.run_log.strict_json import number, whole
from tui_monitor.run_log.workers import SignOfLife

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
        self._phases: dict[int, PhaseFold] = {}
        self._event_seconds = 0.0
        self._timeline: deque[TimelineEntry] = deque(maxlen=MOST_ENTRIES)
        self._output = OutputLines()
        self._events_skipped = 0
        self._batches_skipped = 0
        self._batches_lost = 0
        self._torn_bytes = 0
        self._is_complete = True
        self._missing = False
        self._system: SystemFigures | None = None
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
            self._phase(index).begin_batches(summaries)
        for index, records in arrival.batches:
            self._phase(index).add_batches(records)
        for index, stored in arrival.stored:
            self._phase(index).let_go(stored)
        for event in arrival.events:
            self._add_event(event)
        self._events_skipped += arrival.events_skipped
        self._batches_skipped += arrival.batches_skipped
        self._output.skip(arrival.output_lines_skipped)
        self._output.feed(arrival.output)
        self._revision += has_changed
        return has_changed

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

    def mark_workers(self, signs: Mapping[int, SignOfLife]) -> bool:
        """Take a look at the processes of several workers, by rank; return whether anything changed."""
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
        other._phases = {index: phase.fork() for index, phase in self._phases.items()}
        return other

    def cut_batches(self, cuts: Mapping[int, Batches]) -> None:
        """Show the batches of each phase as given, in place of those that were folded."""
        for index, batches in cuts.items():
            self._phase(index).cut = batches
        self._revision += 1

    def snapshot(self) -> Snapshot:
        """Return the run as it stands; the same object until something changes."""
        if self._snapshot is None or self._snapshot.revision != self._revision:
            self._snapshot = self._take_snapshot()
        return self._snapshot

    def _identify(self, info: RunInfo) -> None:
        self._run = info
        for phase in info.phases:
            self._phase(phase.index).describe(phase)

    def _phase(self, index: int) -> PhaseFold:
        return self._phases.setdefault(index, PhaseFold())

    def _add_event(self, event: Event) -> None:
        seconds = number(event.get("time"))
        if seconds is not None and 0 <= seconds < float("inf"):
            self._event_seconds = max(self._event_seconds, seconds)
        kind = event.get("kind")
        take = _RUN_EVENTS.get(kind) if isinstance(kind, str) else None
        if take is not None:
            take(self, event)
        take_in_phase = _PHASE_EVENTS.get(kind) if isinstance(kind, str) else None
        index = whole(event.get("phase"))
        if take_in_phase is not None and index is not None and index >= 1:
            take_in_phase(self._phase(index), event)

    def _add_status(self, event: Event) -> None:
        try:
            state = State(str(event.get("state")))
        except ValueError:
            return
        was_routine = self._state in _ROUTINE
        self._state = state
        self._detail = _text(event.get("detail"))
        self._exit_code = whole(event.get("exit_code"))
        if state not in _ROUTINE or not was_routine:
            self._note(event, f"{state}: {self._detail}" if self._detail else str(state))

    def _add_lost(self, event: Event) -> None:
        self._batches_lost += max(whole(event.get("batches")) or 0, 0)

    def _add_text(self, event: Event) -> None:
        self._note(event, _text(event.get("text")))

    def _add_control(self, event: Event) -> None:
        text = _text(event.get("text"))
        self._note(event, text or f"{_text(event.get('request'))}: {_text(event.get('outcome'))}")

    def _add_system(self, event: Event) -> None:
        self._system = system_figures(event)

    def _note(self, event: Event, text: str) -> None:
        entry = TimelineEntry(
            seconds=number(event.get("time")) or 0.0,
            kind=str(event["kind"]),
            text=text,
            epoch=whole(event.get("epoch")),
            batch=whole(event.get("batch")),
            answers=_text(event.get("id")),
            alert=_text(event.get("alert")),
        )
        self._timeline.append(entry)

    def _take_snapshot(self) -> Snapshot:
        folds = [self._phases[index] for index in sorted(self._phases)]
        phases: list[PhaseSnapshot] = []
        newest: PhaseFold | None = None
        for fold in folds:
            phase = fold.snapshot(is_complete=self._is_complete)
            if phase is not None:
                phases.append(phase)
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
            phases=tuple(phases),
            seconds=max([self._event_seconds, *(fold.seconds for fold in folds)]),
            batches_per_second=pace,
            seconds_left=newest.seconds_left(phases[-1], pace) if newest and is_running else None,
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
            system=self._system,
        )


_RUN_EVENTS: Mapping[str, Callable[[History, Event], None]] = {
    "status": History._add_status,
    "lost": History._add_lost,
    "alert": History._add_text,
    "change": History._add_text,
    "note": History._add_text,
    "control": History._add_control,
    "system": History._add_system,
}
_PHASE_EVENTS: Mapping[str, Callable[[PhaseFold, Event], None]] = {
    "epoch_begin": PhaseFold.begin_epoch,
    "epoch": PhaseFold.end_epoch,
    "explanation": PhaseFold.add_explanation,
}


def _text(value: object) -> str:
    return "" if value is None else str(value)
