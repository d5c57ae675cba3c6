"""One loop of the user's own, recorded: each call brings a batch or ends an epoch."""

import math
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from tui_monitor.explain.from_log import explain_from_log
from tui_monitor.explain.recorded_facts import RecordedFit
from tui_monitor.metric_names import canonical_metric
from tui_monitor.run_log.events.notifications import Explained, NoteTaken
from tui_monitor.run_log.events.progress import EpochBegan, EpochEnded
from tui_monitor.run_log.format.layout import State
from tui_monitor.training.guard import attempt, ignored
from tui_monitor.training.loops.epoch_means import EpochMeans
from tui_monitor.training.record.observations import Observations
from tui_monitor.training.record.session import Session

ONLY_SHOWN = "The loop is the script's own and only tells its values, so the gap can be shown, not split."

_KNOWN = RecordedFit(why_unmeasured="a loop of the script's own tells no samples")


@dataclass(frozen=True)
class Plan:
    """What `start_loop` says of a loop."""

    title: str = ""
    """What is trained; empty where nothing was said."""
    epochs: int | None = None
    steps_per_epoch: int | None = None


@dataclass(frozen=True)
class LoggedBatch:
    """One batch as logged so far."""

    values: Mapping[str, float]
    size: int | None
    """Samples; None where it was not said."""
    epoch: int | None
    """As the script counts them; None where it was not said."""
    step: int | None
    """As the script counts them: calls with one step are one batch."""

    def joined(self, other: "LoggedBatch") -> "LoggedBatch":
        """Return this batch with what another call brings of it."""
        return replace(
            self,
            values={**self.values, **other.values},
            size=other.size if other.size is not None else self.size,
        )


class OwnLoop:
    """Records one loop, as a `fit` is recorded: from its first batch or epoch on, until another one begins."""

    def __init__(self, session: Session, plan: Plan, say: Callable[[str], None]) -> None:
        """Prepare; the loop begins with what it logs first.

        Args:
            session: that records it.
            plan: what is known of it.
            say: takes what the script should know, once each.
        """
        self._session = session
        self._writer = session.writer
        self._plan = plan
        self._say = say
        self._around = ExitStack()
        self._observations = Observations(session.writer)
        self._fit: int | None = None
        """Number of this loop among the run's fits; None before it has begun."""
        self._metrics: tuple[str, ...] = ()
        self._shift = 0
        """Added to the script's epoch numbers, so that they count from 1."""
        self.epoch = 1
        self._is_begun = False
        """Whether the epoch under way has begun."""
        self._epoch_begun = time.monotonic()
        self._means = EpochMeans()
        self._pending: LoggedBatch | None = None
        self._has_noted_means = False

    @property
    def is_over(self) -> bool:
        """Whether something else is being recorded by now."""
        fits = self._writer.info.fits
        return self._fit is not None and (not fits or fits[-1].index != self._fit)

    @property
    def batches(self) -> int:
        """Batches of the epoch that are recorded."""
        return self._means.batches

    def batch(self, logged: LoggedBatch) -> float:
        """Take what a call says of a batch; return the run's time."""
        pending = self._pending
        if pending is not None and logged.step == pending.step and logged.epoch in (None, pending.epoch):
            self._pending = pending.joined(logged)
            return self._writer.seconds()
        self.flush()
        if logged.step is None:
            return self._write(logged)
        self._pending = logged
        return self._writer.seconds()

    def flush(self) -> None:
        """Write the batch that more calls might have belonged to."""
        pending, self._pending = self._pending, None
        if pending is not None:
            self._write(pending)

    def rest(self) -> None:
        """Write what waits, as the loop may be over."""
        self.flush()
        self._around.close()

    def epoch_ended(self, values: Mapping[str, float], epoch: int | None = None) -> None:
        """End the epoch under way, or one that logs no batches.

        Args:
            values: metric names to the epoch's values; those of batches that are not among them are means.
            epoch: as the script counts them.
        """
        self.flush()
        if epoch is not None:
            self._go_to(epoch)
        self._begin(tuple(values))
        self._begin_epoch()
        self._end_epoch(values)

    def _write(self, logged: LoggedBatch) -> float:
        if logged.epoch is not None:
            self._go_to(logged.epoch)
        self._begin(tuple(logged.values))
        self._begin_epoch()
        self._means.add(logged.values, logged.size)
        self._tell_of_names(logged.values)
        row = [logged.values.get(name, math.nan) for name in self._metrics]
        return self._writer.batch(self.epoch, logged.size or 0, row)

    def _go_to(self, epoch: int) -> None:
        """Go on with an epoch by the script's own number, the one before being over."""
        if self._fit is None and epoch == 0:
            self._shift = 1
        number = max(epoch + self._shift, 1)
        if number != self.epoch and self._is_begun:
            self._end_epoch({})
        self.epoch = number

    def _begin(self, metrics: tuple[str, ...]) -> None:
        if self._fit is not None:
            return
        self._metrics = metrics
        info = self._writer.begin_fit(
            metrics,
            epochs=self._plan.epochs,
            initial_epoch=self.epoch - 1,
            steps_per_epoch=self._plan.steps_per_epoch,
            model={"name": self._plan.title} if self._plan.title else {},
            fit={"own_loop": True},
        )
        self._fit = info.index
        attempt(ignored, self._around.enter_context, self._session.system.sampling(), otherwise=None)

    def _begin_epoch(self) -> None:
        if not self._is_begun:
            self._is_begun = True
            self._means = EpochMeans()
            self._writer.event(EpochBegan(epoch=self.epoch))
            self._writer.status(State.TRAINING)

    def _end_epoch(self, values: Mapping[str, float]) -> None:
        means = {name: value for name, value in self._means.means().items() if name not in values}
        if means:
            self._note_means()
        logs, now = {**means, **values}, time.monotonic()
        self._writer.event(
            EpochEnded(
                epoch=self.epoch,
                logs=logs,
                batches=self._means.batches,
                samples=self._means.samples,
                seconds=now - self._epoch_begun,
            )
        )
        named = {canonical_metric(name): value for name, value in logs.items()}
        explanation = explain_from_log(self._writer.info.name, self.epoch, named, recorded=_KNOWN)
        if explanation.loss is not None or explanation.accuracy is not None:
            self._writer.event(Explained.of(replace(explanation, limits=(ONLY_SHOWN,))))
        attempt(ignored, self._observations.epoch_ended, self.epoch, self._means.batches, logs, None, otherwise=None)
        self._epoch_begun, self._is_begun, self._means = now, False, EpochMeans()
        self.epoch += 1

    def _note_means(self) -> None:
        if not self._has_noted_means:
            self._has_noted_means = True
            text = "Values of an epoch that log_epoch was not given are means of those of its batches."
            self._writer.event(NoteTaken(text=text, epoch=self.epoch))

    def _tell_of_names(self, values: Mapping[str, Any]) -> None:
        unknown = [name for name in values if name not in self._metrics]
        if unknown:
            self._say(
                f"{', '.join(unknown)}: not among the metrics of the loop's first batch, so of later batches only the "
                "epoch's mean is recorded. Log every metric in the first batch, as NaN where it has no value yet."
            )
        missing = [name for name in self._metrics if name not in values]
        if missing:
            self._say(
                f"{', '.join(missing)}: not logged for every batch; recorded there as NaN. "
                "Calls of log_batch with the same step are one batch."
            )
