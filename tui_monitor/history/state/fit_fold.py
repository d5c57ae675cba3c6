"""One `fit` call's records become its snapshot; the parts that did not change are shared with the one before."""

import copy
from typing import Any, Self

import numpy as np

from tui_monitor.history.batches.batch_track import Batches, BatchTrack
from tui_monitor.history.snapshot import EpochRow, ExplanationAt, FitSnapshot
from tui_monitor.history.state.fit_events import epoch_row, explanation_at
from tui_monitor.history.state.pace import Remaining, batches_per_second, epoch_overhead, seconds_left
from tui_monitor.run_log.events.lines import RecordedEvent
from tui_monitor.run_log.events.notifications import Explained
from tui_monitor.run_log.events.progress import EpochBegan, EpochEnded
from tui_monitor.run_log.format.batch_records import Records
from tui_monitor.run_log.format.layout import FitInfo
from tui_monitor.run_log.read.block_reader import Summaries
from tui_monitor.run_log.read.stored_records import StoredRecords

_OVERHEAD_EPOCHS = 5


class FitFold:
    """Grows the history of one fit; its description may come after its first events."""

    def __init__(self) -> None:
        self.info: FitInfo | None = None
        self.cut: Batches | None = None
        """The batches as of an earlier moment, shown in place of all that were added."""
        self._track = BatchTrack()
        self._begun: tuple[int, float] | None = None
        self._rows: list[EpochRow] = []
        self._explanations: list[ExplanationAt] = []
        self._shared: dict[str, tuple[Any, ...]] = {}

    def describe(self, info: FitInfo) -> None:
        """Take the fit's description, new or changed."""
        self.info = info
        self._track.describe(info)

    def begin_batches(self, summaries: Summaries) -> None:
        """Take the first batches without their records."""
        self._track.begin(summaries)

    def add_batches(self, records: Records) -> None:
        """Take the records of the batches that come next."""
        self._track.append(records)

    def evict(self, stored: StoredRecords) -> None:
        """Keep no more values than are needed, of batches whose records can be read again."""
        self._track.evict(stored)

    @property
    def seconds(self) -> float:
        """Run time of the newest batch."""
        return self._batches().seconds

    def fork(self) -> Self:
        """Return a copy that goes its own way from here, but for the batches, which both share."""
        other = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, list | dict):
                setattr(other, name, value.copy())
        return other

    def _batches(self) -> Batches:
        return self.cut or self._track.now()

    def add_event(self, recorded: RecordedEvent) -> None:
        """Take an event of the fit; one of another kind than an epoch's or an explanation changes nothing."""
        match recorded.event:
            case EpochBegan(epoch=epoch) if epoch > 0 and recorded.seconds is not None:
                # Comes before the epoch's first batch.
                self._begun = (epoch, recorded.seconds)
            case EpochEnded() as ended:
                self._rows.append(epoch_row(ended, recorded.seconds or 0.0))
                self._shared.pop("rows", None)
            case Explained() as explained:
                self._explanations.append(explanation_at(explained, recorded.seconds or 0.0))
                self._shared.pop("explanations", None)

    def snapshot(self, *, is_complete: bool) -> FitSnapshot | None:
        """Return the fit as it stands, or None before it was described.

        Args:
            is_complete: nothing more waits to be read, so that an epoch begun after the newest batch is known
                to hold none yet.
        """
        if self.info is None:
            return None
        batches = self._batches()
        starts, numbers = batches.starts, batches.numbers
        if is_complete and self._begun is not None:
            epoch, seconds = self._begun
            if seconds >= batches.seconds and epoch != (numbers[-1] if numbers else None):
                starts, numbers = (*starts, batches.count), (*numbers, epoch)
        return FitSnapshot(
            info=self.info,
            series=batches.series,
            epoch_starts=starts,
            first_epoch=numbers[0] if numbers else self.info.initial_epoch + 1,
            epoch_numbers=numbers,
            epochs=self._share("rows", self._rows),
            explanations=self._share("explanations", self._explanations),
            batches=batches.count,
        )

    def pace(self) -> float | None:
        """Return the newest batches a second, or None before that is known."""
        return batches_per_second(self._batches().recent)

    def seconds_left(self, fit: FitSnapshot, pace: float | None) -> float | None:
        """Return the expected time to the end of the fit; None where plan or pace is unknown."""
        steps, epochs = fit.steps_per_epoch, fit.info.epochs
        if steps is None or epochs is None:
            return None
        has_ended = bool(fit.epochs) and fit.epochs[-1].epoch == fit.epoch
        epoch = max(fit.epoch, fit.info.initial_epoch + 1)
        remaining = Remaining(
            batches=0 if has_ended else max(steps - fit.batch, 0),
            epochs=max(epochs - epoch, 0),
            steps_per_epoch=steps,
        )
        return seconds_left(remaining, pace, self._overhead(pace))

    def _overhead(self, pace: float | None) -> float:
        """Return the usual seconds beside an epoch's batches, from its first batch to the next epoch's first.

        What comes before the first batch of all, such as tracing the step, and tracing the probes come once.
        """
        batches = self._batches()
        seconds = np.diff(batches.begun)
        seconds[:1] -= self._tracing_seconds()
        newest = slice(-_OVERHEAD_EPOCHS, None)
        return epoch_overhead(seconds[newest], np.diff(batches.starts)[newest], pace)

    def _tracing_seconds(self) -> float:
        """Return what building the first epoch's probes took, as the first explanation says; 0 where none does."""
        first = self._explanations[0].explanation if self._explanations else None
        return first.cost.tracing_seconds if first is not None and first.cost is not None else 0.0

    def _share(self, name: str, grown: list[Any]) -> tuple[Any, ...]:
        if name not in self._shared:
            self._shared[name] = tuple(grown)
        return self._shared[name]
