"""The batches of one fit as they arrive, and as they stood after any number of them: both are the same values."""

from bisect import bisect_left
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from tui_monitor.history.batches.batch_ends import BatchEnds, Times
from tui_monitor.history.batches.series import BatchSeries, SeriesBuilder
from tui_monitor.run_log.format.batch_records import Records
from tui_monitor.run_log.format.block_summaries import BLOCK
from tui_monitor.run_log.format.canonical_metrics import canonical_names
from tui_monitor.run_log.format.layout import FitInfo
from tui_monitor.run_log.read.block_reader import Summaries
from tui_monitor.run_log.read.stored_records import StoredRecords

PACE_BATCHES = 1024
"""Newest batches whose times tell the pace."""
KEPT = 2**18
"""Newest batches whose values stay in memory at least; those of twice as many at most, where the others are stored."""


@dataclass(frozen=True)
class Batches:
    """The batches of a fit up to one moment."""

    series: Mapping[str, BatchSeries] = field(default_factory=dict)
    """Canonical metric name to its value in every batch."""
    starts: tuple[int, ...] = ()
    """Index of the first batch of each epoch begun."""
    numbers: tuple[int, ...] = ()
    """Number of each of those epochs."""
    begun: tuple[float, ...] = ()
    """Run time at which the first batch of each of those epochs had ended, in seconds."""
    count: int = 0
    seconds: float = 0.0
    """Run time of the newest batch; 0 before the first."""
    recent: Times = field(default_factory=lambda: np.empty(0))
    """Ends of the newest batches in seconds, `PACE_BATCHES` at most."""


class BatchTrack:
    """Grows the batches of one fit; `now` shares all that did not change since it was last called."""

    def __init__(self, kept: int = KEPT) -> None:
        """Begin with nothing.

        Args:
            kept: newest batches whose values stay in memory.
        """
        self._builders: dict[str, tuple[str, SeriesBuilder]] = {}
        self._kept = kept
        self._kept_from = 0
        self._count = 0
        self._seconds = 0.0
        self._starts: list[int] = []
        self._numbers: list[int] = []
        self._recent: deque[Times] = deque()
        self._recent_count = 0
        self._begun: list[float] = []
        self._shared: tuple[tuple[int, ...], tuple[int, ...], tuple[float, ...]] | None = None

    def describe(self, info: FitInfo) -> None:
        """Take the fit's columns; only the first description counts."""
        if not self._builders:
            names = canonical_names(info.metrics)
            self._builders = {column: (names[column], SeriesBuilder()) for column in info.metrics}

    def begin(self, summaries: Summaries) -> None:
        """Take the first batches without their records."""
        for metric, (column, (_, builder)) in enumerate(self._builders.items()):
            builder.begin(summaries.level(metric), partial(summaries.stored.column, column))
        self._starts, self._numbers, self._begun = (part.tolist() for part in summaries.epochs())
        self._shared = None
        self._count = self._kept_from = summaries.batches
        self._seconds = max(0.0, float(summaries.seconds.max()))

    def evict(self, stored: StoredRecords) -> None:
        """Keep no more values than are needed, of batches whose records can be read again."""
        before = (min(self._count, stored.count) - self._kept) // BLOCK * BLOCK
        if before - self._kept_from >= max(self._kept, BLOCK):
            self._evict(before, stored)

    def _evict(self, before: int, stored: StoredRecords) -> None:
        for column, (_, builder) in self._builders.items():
            builder.evict(before, partial(stored.column, column))
        self._kept_from = before

    def append(self, records: Records) -> None:
        """Take the records of the batches that come next."""
        if not len(records):
            return
        for column, (_, builder) in self._builders.items():
            builder.append(records[column])
        times = records["time"].astype(np.float64)
        self._add_epochs(records["epoch"], times)
        self._count += len(records)
        self._seconds = max(self._seconds, float(times.max()))
        self._keep_times(times)

    def now(self) -> Batches:
        """Return the batches so far."""
        if self._shared is None:
            self._shared = (tuple(self._starts), tuple(self._numbers), tuple(self._begun))
        return Batches(
            series={name: builder.view() for name, builder in self._builders.values()},
            starts=self._shared[0],
            numbers=self._shared[1],
            begun=self._shared[2],
            count=self._count,
            seconds=self._seconds,
            recent=np.concatenate((np.empty(0), *self._recent))[-PACE_BATCHES:],
        )

    def _keep_times(self, times: Times) -> None:
        newest = times[-PACE_BATCHES:]
        self._recent.append(newest)
        self._recent_count += len(newest)
        while self._recent_count - len(self._recent[0]) >= PACE_BATCHES:
            self._recent_count -= len(self._recent.popleft())

    def _add_epochs(self, epochs: Any, times: Times) -> None:
        last = self._numbers[-1] if self._numbers else -1
        before = np.concatenate(([last], epochs[:-1].astype(np.int64)))
        for index in np.flatnonzero(epochs != before).tolist():
            self._starts.append(self._count + index)
            self._numbers.append(int(epochs[index]))
            self._begun.append(float(times[index]))
            self._shared = None


class RecordedBatches(BatchTrack):
    """A track that can be looked at as it was after any number of its batches."""

    def __init__(self, kept: int = KEPT) -> None:
        super().__init__(kept)
        self.ends = BatchEnds()
        """When each batch had ended."""

    def __len__(self) -> int:
        return self._count

    @property
    def starts(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Index of the first batch of each epoch begun, and the epoch's number."""
        return tuple(self._starts), tuple(self._numbers)

    def begin(self, summaries: Summaries) -> None:
        """Take the first batches without their records."""
        super().begin(summaries)
        self.ends.begin(summaries.seconds, partial(summaries.stored.column, "time"))

    def after(self, count: int) -> Batches:
        """Return the first `count` batches as `now` returned them then; costs the same at any length."""
        count = min(max(count, 0), self._count)
        epochs = bisect_left(self._starts, count)
        return Batches(
            series={name: builder.view().prefix(count) for name, builder in self._builders.values()},
            starts=tuple(self._starts[:epochs]),
            numbers=tuple(self._numbers[:epochs]),
            begun=tuple(self._begun[:epochs]),
            count=count,
            seconds=self.ends[count - 1] if count else 0.0,
            recent=self.ends.times(max(count - PACE_BATCHES, 0), count),
        )

    def _evict(self, before: int, stored: StoredRecords) -> None:
        super()._evict(before, stored)
        self.ends.evict(before, partial(stored.column, "time"))

    def _keep_times(self, times: Times) -> None:
        self.ends.append(times)
