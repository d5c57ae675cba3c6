"""Reads a run of several workers as one: each batch record is the whole batch, put together from every worker's part.

A run of one process passes through unchanged. What can't be put together is shown as the chief's part alone.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tui_monitor.errors import RunUnreadable
from tui_monitor.run_log.events.lines import RecordedEvent
from tui_monitor.run_log.events.progress import EpochEnded, StatusChanged
from tui_monitor.run_log.format.batch_records import Records
from tui_monitor.run_log.format.layout import BASE_COLUMNS, RunInfo
from tui_monitor.run_log.read.fit_records import READ_WHOLE
from tui_monitor.run_log.read.reader import Arrival, RunReader
from tui_monitor.run_log.runs.workers import rank_folders

PATIENCE_SECONDS = 60.0
"""How long a batch that the chief recorded waits for the parts of the others: a shared disk may show them late."""
SHORT_PATIENCE_SECONDS = 5.0
"""How long it waits once the run has ended, or for a worker without a folder here, which may write elsewhere."""
_EVENT_PATIENCE_SECONDS = 1.0

_CHIEF = 0


class ClusterReader:
    """Follows one run folder and those of its ranks, with `RunReader`'s promises. Not safe across threads."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE_SECONDS,
        read_whole: float = READ_WHOLE,
    ) -> None:
        """Name the folder; it need not be there yet.

        Args:
            folder: of the run.
            clock: seconds that never go backwards.
            patience: seconds that a part may come late; 0 to take what is there now.
            read_whole: as for `RunReader`, where one process trains alone.
        """
        self._folder = folder
        self._read_whole = read_whole
        self._clock = clock
        self._patience = patience
        self._forget()

    def _forget(self) -> None:
        self._readers = {_CHIEF: RunReader(self._folder, read_whole=self._read_whole)}
        self._joiner = _Joiner()
        self._events: list[RecordedEvent] = []
        self._has_ended = False
        self._waits_since: float | None = None

    def poll(self, max_seconds: float = 0.02, max_records: int = 250_000) -> Arrival:
        """Return what arrived since the last call; see `RunReader.poll`.

        Raises:
            RunUnreadable: the run's own `run.json` is damaged or of a newer format.
        """
        ranks = rank_folders(self._folder)
        come = ranks.keys() - self._readers.keys()
        if come and self._joiner.has_given:
            # What was given as the chief's part alone comes again, whole.
            self._forget()
            again = True
        else:
            again = False
        for rank in sorted(come):
            self._readers[rank] = RunReader(ranks[rank])
        arrivals = {rank: self._poll(rank, max_seconds, max_records) for rank in self._readers}
        if any(arrival.restarted for arrival in arrivals.values()):
            self._forget()
            return Arrival(restarted=True, complete=False)
        chief = arrivals[_CHIEF]
        if not ranks and not self._joiner.awaits_others(chief.info):
            return replace(chief, restarted=chief.restarted or again)
        return replace(self._together(arrivals), restarted=again)

    def _poll(self, rank: int, max_seconds: float, max_records: int) -> Arrival:
        try:
            return self._readers[rank].poll(max_seconds, max_records)
        except RunUnreadable:
            if rank == _CHIEF:
                raise
            # Another worker's damaged run.json must not take the chief's records off the screen.
            return Arrival(missing=True)

    def _together(self, arrivals: Mapping[int, Arrival]) -> Arrival:
        chief = arrivals[_CHIEF]
        for rank, arrival in arrivals.items():
            self._joiner.add(rank, arrival)
        self._events += chief.events
        self._has_ended = self._has_ended or any(map(_ends_run, chief.events))
        batches = self._joiner.joined()
        complete = all(arrival.complete for arrival in arrivals.values())
        waited = self._seconds_waited(progressed=bool(batches))
        if complete and self._joiner.waiting and waited >= self._longest_wait():
            batches += self._joiner.chief_alone()
        return replace(
            chief,
            batches=tuple(batches),
            # No file holds the joined records: they can't be read again when they are evicted.
            stored=(),
            events=tuple(self._released_events(waited)),
            complete=complete,
            workers=tuple(arrivals.items()),
            covered=self._joiner.covered,
        )

    def _released_events(self, waited: float) -> list[RecordedEvent]:
        """Return the events that are due: the end of an epoch waits for its last batch, others for a second at most."""
        held, self._events = self._events, []
        if not self._joiner.waiting:
            return [self._joiner.with_all_samples(recorded) for recorded in held]
        if not self._has_ended and waited < _EVENT_PATIENCE_SECONDS:
            self._events = held
            return []
        self._events = [recorded for recorded in held if isinstance(recorded.event, EpochEnded)]
        return [recorded for recorded in held if not isinstance(recorded.event, EpochEnded)]

    def _seconds_waited(self, *, progressed: bool) -> float:
        now = self._clock()
        if self._waits_since is None or progressed or not self._joiner.waiting:
            self._waits_since = now
        return now - self._waits_since

    def _longest_wait(self) -> float:
        is_short = self._has_ended or len(self._readers) < self._joiner.workers
        return min(self._patience, SHORT_PATIENCE_SECONDS) if is_short else self._patience


def _ends_run(recorded: RecordedEvent) -> bool:
    return isinstance(recorded.event, StatusChanged) and recorded.event.state.ended


class _Joiner:
    """The parts that wait for their counterparts, fit by fit."""

    def __init__(self) -> None:
        self.has_given = False
        """Whether any batch was emitted."""
        self.workers = 1
        """How many train together, as far as is known."""
        self._given_up = False
        self._fits: dict[tuple[int, int], np.dtype[Any]] = {}
        self._parts: dict[tuple[int, int], deque[Records]] = {}
        self._order: deque[tuple[int, int]] = deque()
        self._samples: dict[tuple[int, int], int] = {}

    def awaits_others(self, info: RunInfo | None) -> bool:
        """Whether the run is one of several workers, as far as is known."""
        if info is not None and info.worker is not None:
            self.workers = info.worker.workers
        return self.workers > 1

    @property
    def covered(self) -> int:
        """Number of workers whose samples are in the newest batches."""
        return 1 if self._given_up else self.workers

    @property
    def waiting(self) -> bool:
        """Whether the chief has recorded batches that were not emitted."""
        return bool(self._order)

    def add(self, rank: int, arrival: Arrival) -> None:
        """Take in a rank's records."""
        self.awaits_others(arrival.info)
        for fit in arrival.info.fits if arrival.info is not None else ():
            self._fits[rank, fit.index] = fit.dtype
        for index, records in arrival.batches:
            self._parts.setdefault((rank, index), deque()).append(records)
            if rank == _CHIEF:
                self._order.append((index, len(records)))

    def joined(self) -> list[tuple[int, Records]]:
        """Return the batches of which every part is there, in order."""
        out: list[tuple[int, Records]] = []
        while self._order and not self._given_up:
            fit = self._order[0][0]
            ready = min(self._ready(rank, fit) for rank in range(self.workers))
            if not ready:
                break
            parts = [self._take(rank, fit, ready) for rank in range(self.workers)]
            same = np.logical_and.reduce([part["epoch"] == parts[0]["epoch"] for part in parts])
            fitting = ready if same.all() else int(same.argmin())
            out.append((fit, _sum_of([part[:fitting] for part in parts])))
            if fitting < ready:
                # A worker lost records: from here on nothing tells which parts belong together.
                self._given_up = True
                out.append((fit, parts[_CHIEF][fitting:]))
        return self._given(out) + (self.chief_alone() if self._given_up else [])

    def chief_alone(self) -> list[tuple[int, Records]]:
        """Return what waits as the chief's part alone, and wait no more."""
        self._given_up = True
        out = []
        while self._order:
            fit = self._order[0][0]
            out.append((fit, self._take(_CHIEF, fit, self._ready(_CHIEF, fit))))
        return self._given(out)

    def with_all_samples(self, recorded: RecordedEvent) -> RecordedEvent:
        """Return an epoch's event with the samples of every worker counted; any other as it is."""
        match recorded:
            case RecordedEvent(event=EpochEnded() as ended, fit=int(fit)):
                samples = self._samples.get((fit, ended.epoch), ended.samples)
                return replace(recorded, event=replace(ended, samples=samples))
        return recorded

    def _ready(self, rank: int, fit: int) -> int:
        # Records of another layout can't be added up: such a worker never has any ready.
        same = self._fits.get((rank, fit)) == self._fits.get((_CHIEF, fit))
        return sum(map(len, self._parts.get((rank, fit), ()))) if same else 0

    def _take(self, rank: int, fit: int, count: int) -> Records:
        parts, taken, missing = self._parts[rank, fit], [], count
        while missing:
            part = parts.popleft()
            if len(part) > missing:
                parts.appendleft(part[missing:])
            taken.append(part[:missing])
            missing -= len(taken[-1])
        if rank == _CHIEF:
            self._drop_from_order(count)
        return np.concatenate(taken)

    def _drop_from_order(self, count: int) -> None:
        while count:
            fit, waiting = self._order.popleft()
            if waiting > count:
                self._order.appendleft((fit, waiting - count))
            count -= min(waiting, count)

    def _given(self, out: list[tuple[int, Records]]) -> list[tuple[int, Records]]:
        for fit, records in out:
            self.has_given = True
            for epoch in np.unique(records["epoch"]).tolist():
                samples = int(records["size"][records["epoch"] == epoch].sum())
                self._samples[fit, epoch] = self._samples.get((fit, epoch), 0) + samples
        return out


def _sum_of(parts: list[Records]) -> Records:
    """Return whole batches from the parts that each worker trained on: values are means over samples."""
    whole = parts[0].copy()
    sizes = np.stack([part["size"] for part in parts]).astype(np.float64)
    total = sizes.sum(axis=0)
    whole["size"] = total
    for name in (whole.dtype.names or ())[len(BASE_COLUMNS) :]:
        values = np.stack([part[name] for part in parts]).astype(np.float64)
        # A part without samples has no mean; it must not spoil that of the others.
        summed = np.where(sizes > 0, values * sizes, 0.0).sum(axis=0)
        whole[name] = np.divide(summed, total, out=np.full_like(total, np.nan), where=total > 0)
    return whole
