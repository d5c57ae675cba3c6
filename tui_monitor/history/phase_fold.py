"""One `fit` call's records become its snapshot; the parts that did not change are shared with the one before."""

import copy
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from tui_monitor.history.batch_track import Batches, BatchTrack
from tui_monitor.history.pace import Remaining, batches_per_second, epoch_overhead, seconds_left
from tui_monitor.history.snapshot import EpochRow, ExplanationAt, PhaseSnapshot
from tui_monitor.run_log.blocks import Summaries
from tui_monitor.run_log.figures import canonical_figures
from tui_monitor.run_log.format import PhaseInfo
from tui_monitor.run_log.reader import Event
from tui_monitor.run_log.stored_records import Records, StoredRecords
from tui_monitor.run_log.strict_json import number, restore_numbers, whole

_OVERHEAD_EPOCHS = 5


class PhaseFold:
    """Grows the history of one phase; its description may come after its first events."""

    def __init__(self) -> None:
        self.info: PhaseInfo | None = None
        self.cut: Batches | None = None
        """The batches as of an earlier moment, shown in place of all that were added."""
        self._track = BatchTrack()
        self._begun: tuple[int, float] | None = None
        self._rows: list[EpochRow] = []
        self._explanations: list[ExplanationAt] = []
        self._shared: dict[str, tuple[Any, ...]] = {}

    def describe(self, info: PhaseInfo) -> None:
        """Take the phase's description, new or changed."""
        self.info = info
        self._track.describe(info)

    def begin_batches(self, summaries: Summaries) -> None:
        """Take the first batches without their records."""
        self._track.begin(summaries)

    def add_batches(self, records: Records) -> None:
        """Take the records of the batches that come next."""
        self._track.append(records)

    def let_go(self, stored: StoredRecords) -> None:
        """Keep no more values than are needed, of batches whose records can be read again."""
        self._track.let_go(stored)

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

    def begin_epoch(self, event: Event) -> None:
        """Take the word that an epoch began, which comes before its first batch."""
        epoch, seconds = whole(event.get("epoch")), number(event.get("time"))
        if epoch is not None and epoch > 0 and seconds is not None:
            self._begun = (epoch, seconds)

    def end_epoch(self, event: Event) -> None:
        """Take an epoch's figures."""
        epoch = whole(event.get("epoch"))
        if epoch is None:
            return
        self._rows.append(
            EpochRow(
                epoch=epoch,
                figures=canonical_figures(event.get("logs")),
                seconds=number(event.get("seconds")),
                batches=whole(event.get("batches")) or 0,
                samples=whole(event.get("samples")) or 0,
                validation_samples=whole(event.get("validation_samples")) or 0,
                learning_rate=number(event.get("learning_rate")),
                ended=number(event.get("time")) or 0.0,
            )
        )
        self._shared.pop("rows", None)

    def add_explanation(self, event: Event) -> None:
        """Take a measured explanation."""
        epoch, content = whole(event.get("epoch")), event.get("explanation")
        if epoch is None or not isinstance(content, Mapping):
            return
        self._explanations.append(
            ExplanationAt(
                epoch=epoch,
                batch=whole(event.get("batch")),
                seconds=number(event.get("time")) or 0.0,
                content=restore_numbers(content),
            )
        )
        self._shared.pop("explanations", None)

    def snapshot(self, *, is_complete: bool) -> PhaseSnapshot | None:
        """Return the phase as it stands, or None before it was described.

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
        return PhaseSnapshot(
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

    def seconds_left(self, phase: PhaseSnapshot, pace: float | None) -> float | None:
        """Return the expected time to the end of the phase; None where plan or pace is unknown."""
        steps, epochs = phase.steps_per_epoch, phase.info.epochs
        if steps is None or epochs is None:
            return None
        has_ended = bool(phase.epochs) and phase.epochs[-1].epoch == phase.epoch
        epoch = max(phase.epoch, phase.info.initial_epoch + 1)
        remaining = Remaining(
            batches=0 if has_ended else max(steps - phase.batch, 0),
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
        cost = self._explanations[0].content.get("cost") if self._explanations else None
        return (number(cost.get("tracing_seconds")) or 0.0) if isinstance(cost, Mapping) else 0.0

    def _share(self, name: str, grown: list[Any]) -> tuple[Any, ...]:
        if name not in self._shared:
            self._shared[name] = tuple(grown)
        return self._shared[name]
