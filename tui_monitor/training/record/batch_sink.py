"""Where every batch of a `fit` ends up, whichever path brought it: its record, the epoch's sums, its kept outputs."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.probe.reservoir import Reservoir
from tui_monitor.training.record.epoch_totals import EpochTotals

if TYPE_CHECKING:
    from tui_monitor.training.probe.batches import LazyBatch

BeginFit = Callable[[Sequence[str], Sequence[str]], None]
"""Begins the records of a fit; gets the names of its metrics, then of those that are running means."""


class BatchSink:
    """Takes batches one by one; they belong to the thread that trains."""

    def __init__(
        self,
        writer: RunWriter,
        *,
        seed: int,
        begin_fit: BeginFit,
        tick: Callable[[float], None],
        epoch_counts: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare for a fit whose metrics are not known yet.

        Args:
            writer: of the run.
            seed: of the choice of batches that are kept.
            begin_fit: called before the first batch.
            tick: called with the run's time when that has reached `next_tick`, which it moves on.
            epoch_counts: called before an epoch's first batch, once its sums have begun.
        """
        self._writer = writer
        self._begin_fit = begin_fit
        self._epoch_counts = epoch_counts
        self.tick = tick
        self.next_tick = 0.0
        """In the run's time."""
        self.pauses_at: int | None = None
        """Batches of the epoch after which `pause` is called next; None for never."""
        self.pause: Callable[[], None] = lambda: None
        """Does between two steps what is due after `pauses_at` batches, and moves that on."""
        self.epoch = 1
        self.metrics: tuple[str, ...] = ()
        """Names of what is recorded of each batch; empty before the first."""
        self.knows_losses = False
        """Whether the first metric is the loss of each batch alone."""
        self.totals: EpochTotals | None = None
        """Of the epoch under way; None before its first batch."""
        self.kept: Reservoir[LazyBatch] = Reservoir(seed=seed)
        """Batches of the epoch that may be measured."""

    @property
    def batches(self) -> int:
        """Batches of the epoch so far."""
        return self.totals.batches if self.totals is not None else 0

    def begin_epoch(self, epoch: int) -> None:
        """Begin sums and kept batches anew; the epoch counts from 1."""
        self.epoch = epoch
        # None until the first batch, which alone tells how many metrics there are.
        self.totals = self.pauses_at = None
        self.kept.clear()

    def begin_fit(self, metrics: Sequence[str], *, running: Sequence[str]) -> None:
        """Learn what is recorded of each batch, unless that is known.

        Args:
            metrics: names in the order of each row, `loss` first where there is one.
            running: those that are running means since the epoch's begin.
        """
        # Once for a fit: all records in its file have the same columns.
        if not self.metrics:
            self.metrics = tuple(metrics)
            self.knows_losses = self.metrics[:1] == ("loss",) and "loss" not in running
            self._begin_fit(self.metrics, running)

    def begin_batches(
        self, metrics: Sequence[str], *, running: Sequence[str], units: Mapping[int, Sequence[int]] | None = None
    ) -> EpochTotals:
        """Begin the sums of the epoch with its first batch, and return them.

        Arguments as for `begin_fit` and `EpochTotals`.
        """
        self.begin_fit(metrics, running=running)
        self.totals = EpochTotals(len(self.metrics), units)
        self._epoch_counts()
        return self.totals

    def put(self, totals: EpochTotals, row: Sequence[float]) -> float:
        """Record a batch and return the run's time.

        Args:
            totals: of the epoch, which `begin_batches` has begun.
            row: samples, then a value for each metric, then samples of each class.
        """
        # The record before the sums: a process killed in between loses nothing that a reader could show.
        seconds = self._writer.batch(self.epoch, row[0], row[1 : 1 + totals.metrics])
        totals.add(row)
        return seconds
