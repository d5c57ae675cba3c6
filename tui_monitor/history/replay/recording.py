"""A whole run on its time axis: its snapshot at any moment is the one that a live screen showed then."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tui_monitor.history.batches.batch_ends import Positions
from tui_monitor.history.batches.batch_track import RecordedBatches
from tui_monitor.history.playback import Markers
from tui_monitor.history.replay.markers import MarkerFinder
from tui_monitor.history.snapshot import Damage, Snapshot
from tui_monitor.history.state.fold import History
from tui_monitor.history.state.workers import WorkerFolds
from tui_monitor.run_log.events.lines import RecordedEvent
from tui_monitor.run_log.format.layout import RunInfo, State
from tui_monitor.run_log.read.reader import Arrival
from tui_monitor.run_log.runs.workers import WorkerLiveness

_MOST_CHECKPOINTS = 64
_FIRST_INTERVAL = 64

EventPositions = NDArray[np.float64]


class Recording:
    """Everything that was read of a run. A moment costs the same wherever it lies. Not safe across threads."""

    def __init__(self, name: str = "") -> None:
        """Begin with nothing.

        Args:
            name: what to call the run until its identity has arrived.
        """
        self._name = name
        self._forget()

    def _forget(self) -> None:
        self._info: RunInfo | None = None
        self._tracks: dict[int, RecordedBatches] = {}
        self._events: list[RecordedEvent] = []
        self._reached: list[float] = []
        self._finder = MarkerFinder()
        self._damage = Damage()
        self._is_missing = False
        self._is_lost = False
        self._head = History(self._name)
        self._workers = WorkerFolds()
        self._interval = _FIRST_INTERVAL
        self._checkpoints: dict[int, History] = {0: self._head.fork()}
        self._cursor = (0, self._head.fork())
        self._axis: tuple[EventPositions, dict[int, Positions]] | None = None

    def fold(self, arrival: Arrival) -> bool:
        """Take in what a reader returned; its output is left out. Return whether anything changed."""
        if arrival.restarted:
            self._forget()
        has_changed = bool(arrival) or arrival.missing != self._is_missing
        self._is_missing = arrival.missing
        if arrival.missing:
            return has_changed
        if arrival.info is not None:
            self._info = arrival.info
            for fit in arrival.info.fits:
                self._track(fit.index).describe(fit)
        self._workers.fold(arrival)
        for index, summaries in arrival.summaries:
            self._track(index).begin(summaries)
        for index, records in arrival.batches:
            self._track(index).append(records)
        for index, stored in arrival.stored:
            self._track(index).evict(stored)
        for recorded in arrival.events:
            self._add(recorded)
        torn = arrival.torn_bytes if self._head.snapshot().state.ended else 0
        self._damage = Damage(
            events_skipped=self._damage.events_skipped + arrival.events_skipped,
            batches_skipped=self._damage.batches_skipped + arrival.batches_skipped,
            torn_bytes=torn,
        )
        if has_changed:
            self._axis = None
            self._is_lost = False
        return has_changed

    def conclude(self, state: State) -> bool:
        """Take a reader's conclusion about the process, shown at the end; return whether anything changed."""
        is_lost = state is State.LOST and not self.state.ended
        has_changed = is_lost != self._is_lost
        self._is_lost = is_lost
        return has_changed

    def mark_workers(self, signs: Mapping[int, WorkerLiveness]) -> bool:
        """Check the processes of several workers, by rank; return whether anything changed."""
        return self._workers.mark(signs)

    @property
    def info(self) -> RunInfo | None:
        """The run's identity as it is by now, or None before it has arrived."""
        return self._info

    @property
    def state(self) -> State:
        """The run's own last word."""
        return self._head.snapshot().state

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to come."""
        return self._is_lost or self._is_missing or self.state.ended

    @property
    def in_epochs(self) -> bool:
        """Whether the records hold no times, so that positions count epochs."""
        return self._last_second() == 0 and bool(self._finder.epochs)

    @property
    def end(self) -> float:
        """Position of the newest record; 0 before any."""
        events, batches = self._positions()
        return float(
            max([0.0, *(positions[len(positions) - 1] for positions in (events, *batches.values()) if len(positions))])
        )

    @property
    def markers(self) -> Markers:
        """Where things happened."""
        return self._finder.markers(self._positions()[0])

    def batch_after(self, position: float) -> float | None:
        """Return where the next batch ended, or None after the last."""
        following = [
            float(positions[after])
            for positions in self._positions()[1].values()
            if (after := int(positions.searchsorted(position, side="right"))) < len(positions)
        ]
        return min(following) if following else None

    def batch_before(self, position: float) -> float | None:
        """Return where the batch before the one last ended had ended; None where there is none."""
        newest = self._last_end(position, "right")
        if newest is None:
            return None
        earlier = self._last_end(newest, "left")
        return 0.0 if earlier is None else earlier

    def _last_end(self, position: float, side: Literal["left", "right"]) -> float | None:
        """Return where the last batch before a position (left), or at it (right), had ended."""
        ended = [
            float(positions[before - 1])
            for positions in self._positions()[1].values()
            if (before := int(positions.searchsorted(position, side=side)))
        ]
        return max(ended) if ended else None

    @property
    def has_batches(self) -> bool:
        """Whether any batch was recorded."""
        return any(len(track) for track in self._tracks.values())

    def at(self, position: float) -> Snapshot:
        """Return the run as it stood; its output is left to `RecordedOutput`, and its revision says nothing.

        Several workers are shown as they stand at the end of what was read.
        """
        event_positions, batch_positions = self._positions()
        events = int(np.searchsorted(event_positions, position, side="right"))
        history = self._history_after(events)
        info = self._info_at(position, event_positions, batch_positions)
        if info is not None:
            history.fold(Arrival(info=info))
        is_end = position >= self.end
        history.mark(State.LOST if self._is_lost and is_end else State.STARTING)
        history.cut_batches(
            {
                index: track.after(int(batch_positions[index].searchsorted(position, side="right")))
                for index, track in self._tracks.items()
            }
        )
        snapshot = history.snapshot()
        damage = replace(self._damage, batches_lost=snapshot.damage.batches_lost)
        return replace(
            snapshot,
            damage=damage,
            missing=self._is_missing,
            workers=self._workers.snapshots(),
            covered=self._workers.covered,
        )

    def _track(self, index: int) -> RecordedBatches:
        return self._tracks.setdefault(index, RecordedBatches())

    def _add(self, recorded: RecordedEvent) -> None:
        before = self._reached[-1] if self._reached else 0.0
        self._reached.append(max(before, recorded.reached or 0.0))
        self._finder.add(len(self._events), recorded)
        self._events.append(recorded)
        self._head.fold(Arrival(events=(recorded,)))
        if len(self._events) % self._interval == 0:
            self._checkpoints[len(self._events)] = self._head.fork()
            if len(self._checkpoints) > _MOST_CHECKPOINTS:
                self._interval *= 2
                self._checkpoints = {at: kept for at, kept in self._checkpoints.items() if at % self._interval == 0}

    def _history_after(self, events: int) -> History:
        """Return the state after that many events, from the nearest one kept before it."""
        at, history = self._cursor
        nearest = max(kept for kept in self._checkpoints if kept <= events)
        if not nearest <= at <= events:
            at, history = nearest, self._checkpoints[nearest].fork()
        if at < events:
            history.fold(Arrival(events=tuple(self._events[at:events])))
        self._cursor = (events, history)
        return history

    def _info_at(self, position: float, events: EventPositions, batches: dict[int, Positions]) -> RunInfo | None:
        """Return the identity with the fits begun by then."""
        if self._info is None or not self._info.fits:
            return self._info
        begun = 0
        for fit in self._info.fits:
            first = self._finder.first_of_fit(fit.index)
            positions = [*events[first : first + 1].tolist()] if first is not None else []
            positions += [batches[fit.index][0]] if len(batches.get(fit.index, ())) else []
            if positions and min(positions) > position:
                break
            begun += 1
        return replace(self._info, fits=self._info.fits[:begun])

    def _last_second(self) -> float:
        batches = [track.ends[len(track) - 1] for track in self._tracks.values() if len(track)]
        return max([0.0, *self._reached[-1:], *batches])

    def _positions(self) -> tuple[EventPositions, dict[int, Positions]]:
        """Return the positions of all events, and of each fit's batches."""
        if self._axis is None:
            batches: dict[int, Positions]
            if self.in_epochs:
                events = self._finder.epochs_before(len(self._events))
                batches = {index: self._epoch_positions(index, track) for index, track in self._tracks.items()}
            else:
                events = np.array(self._reached)
                batches = {index: track.ends for index, track in self._tracks.items()}
            self._axis = (events, batches)
        return self._axis

    def _epoch_positions(self, index: int, track: RecordedBatches) -> EventPositions:
        """Return positions in epochs: each batch a fraction of the epoch it belongs to."""
        first = self._finder.first_of_fit(index) or 0
        begun = bisect_right(self._finder.epochs, first)
        return begun + _epoch_fractions(track.starts[0], len(track))


def _epoch_fractions(starts: Sequence[int], count: int) -> EventPositions:
    edges = np.append(np.array(starts, np.float64), count)
    return np.interp(np.arange(1, count + 1), edges, np.arange(len(edges), dtype=np.float64))
