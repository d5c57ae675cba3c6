"""Each worker's own records become one line about it: how far it is, how fast, and how long it waits for the others."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tui_monitor.history.snapshot import StepTimes, WorkerSnapshot
from tui_monitor.history.state.pace import batches_per_second
from tui_monitor.run_log.events.progress import StatusChanged
from tui_monitor.run_log.events.usage import StepsTimed, UsageSampled
from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.format.pyramid_level import Float64Array
from tui_monitor.run_log.read.reader import Arrival
from tui_monitor.run_log.runs.liveness import LOST_DETAIL, concluded_state
from tui_monitor.run_log.runs.workers import WorkerLiveness

_PACE_BATCHES = 256
_NEWEST_EVENTS = 5


@dataclass(frozen=True)
class HoldUp:
    """The worker that the others wait for."""

    rank: int
    seconds: float
    """By how much longer the others wait in each batch than it does, on average."""
    fetching: float
    """Seconds a batch it takes longer than the others to get its data, callbacks included; may be negative."""
    computing: float
    """Seconds a batch it takes longer than the others to compute; may be negative."""


def hold_up(workers: tuple[WorkerSnapshot, ...], *, least_fraction: float = 0.05) -> HoldUp | None:
    """Return which worker holds up the others; None when none does, or fewer than two can tell.

    Args:
        workers: of one run.
        least_fraction: part of a batch's time below which waiting is not worth naming.
    """
    known = [(worker.rank, worker.step_times) for worker in workers if worker.step_times is not None]
    if len(known) < 2:
        return None
    rank, slowest = min(known, key=lambda entry: entry[1].waiting)
    others = [step_times for other, step_times in known if other != rank]
    seconds = float(np.mean([step_times.waiting for step_times in others])) - slowest.waiting
    batch = slowest.fetching + slowest.computing + slowest.waiting
    if seconds < least_fraction * batch or seconds <= 0:
        return None
    return HoldUp(
        rank=rank,
        seconds=seconds,
        fetching=slowest.fetching - float(np.mean([step_times.fetching for step_times in others])),
        computing=slowest.computing - float(np.mean([step_times.computing for step_times in others])),
    )


@dataclass(frozen=True)
class WorkerFold:
    """What is known of one worker; never changes, as the history may be forked."""

    snapshot: WorkerSnapshot
    times: Float64Array
    """Ends of its newest batches in seconds, oldest first, shape (batches,)."""
    paces: tuple[StepsTimed, ...] = ()
    """Its newest events about where its time goes."""
    sign: WorkerLiveness | None = None

    @classmethod
    def of(cls, rank: int) -> "WorkerFold":
        """Return what is known of a worker before its first record."""
        return cls(WorkerSnapshot(rank), np.zeros(0))

    def folded(self, arrival: Arrival) -> "WorkerFold":
        """Return what is known with what came in of the worker's folder."""
        times = np.concatenate([self.times, *(records["time"] for _, records in arrival.batches)])[-_PACE_BATCHES:]
        known, paces = self.snapshot, self.paces
        if arrival.info is not None:
            known = replace(known, host=arrival.info.host)
        for recorded in arrival.events:
            match recorded.event:
                case StatusChanged(state=state, detail=detail):
                    known = replace(known, state=state, detail=detail)
                case UsageSampled(usage=usage):
                    known = replace(known, system=usage)
                case StepsTimed() as pace:
                    paces = (*paces, pace)[-_NEWEST_EVENTS:]
        known = replace(
            known,
            batches=known.batches + sum(len(records) for _, records in arrival.batches),
            batches_per_second=batches_per_second(times),
            step_times=_step_times(paces),
        )
        return replace(self, snapshot=known, times=times, paces=paces)

    def seen(self, sign: WorkerLiveness) -> "WorkerFold":
        """Return what is known with a check of the worker's process."""
        return replace(self, sign=sign)

    def concluded(self) -> WorkerSnapshot:
        """Return the worker as it stands: lost where its process can't speak any more."""
        known, sign = self.snapshot, self.sign
        if known.state.ended or sign is None:
            return known
        if concluded_state(known.state, sign.liveness) is State.LOST:
            known = replace(known, state=State.LOST, detail=LOST_DETAIL)
        return replace(known, heartbeat_age=sign.heartbeat_age)


class WorkerFolds:
    """All workers of one run."""

    def __init__(self) -> None:
        """Begin with none."""
        self._folds: dict[int, WorkerFold] = {}
        self.covered = 1
        """Workers whose samples the newest batch values hold."""

    def fold(self, arrival: Arrival) -> None:
        """Take in what came in of every worker's folder."""
        for rank, own in arrival.workers:
            self._folds[rank] = self._fold(rank).folded(own) if own else self._fold(rank)
            self.covered = arrival.covered

    def mark(self, signs: Mapping[int, WorkerLiveness]) -> bool:
        """Check the processes, by rank; return whether anything changed."""
        before = self.snapshots()
        for rank, sign in signs.items():
            self._folds[rank] = self._fold(rank).seen(sign)
        return self.snapshots() != before

    def snapshots(self) -> tuple[WorkerSnapshot, ...]:
        """Return every worker as it stands, lowest rank first."""
        return tuple(self._folds[rank].concluded() for rank in sorted(self._folds))

    def fork(self) -> "WorkerFolds":
        """Return a copy that goes its own way."""
        other = WorkerFolds()
        other._folds, other.covered = self._folds.copy(), self.covered
        return other

    def _fold(self, rank: int) -> WorkerFold:
        return self._folds.get(rank) or WorkerFold.of(rank)


def _step_times(paces: tuple[StepsTimed, ...]) -> StepTimes | None:
    batches = sum(pace.batches for pace in paces)
    if batches <= 0:
        return None
    return StepTimes(
        fetching=sum(pace.fetching for pace in paces) / batches,
        computing=sum(pace.computing for pace in paces) / batches,
        waiting=sum(pace.waiting for pace in paces) / batches,
    )
