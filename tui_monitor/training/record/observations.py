"""What a fit's values say beyond themselves: alerts and changes of the explanation, each written into the run once."""

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping

from tui_monitor.explain.samples.probes import Averaging
from tui_monitor.explain.watch.alerts import AlertWatch, EpochLosses
from tui_monitor.explain.watch.changes import CauseWatch
from tui_monitor.explain.watch.episodes import Alert, AlertKind
from tui_monitor.metric_names import VALIDATION_PREFIX
from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.events.notifications import AlertRaised, CauseChanged
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.record.epoch_totals import EpochTotals
from tui_monitor.training.record.stalls import StallWatch


class Observations:
    """Takes what the recorder sees; its events follow from the same data and cost nothing per batch."""

    def __init__(self, writer: RunWriter, goes_on: Callable[[], bool] = lambda: True) -> None:
        """Observe nothing yet.

        Args:
            writer: of the run.
            goes_on: whether the fit still runs; asked from another thread.
        """
        self._writer = writer
        self._goes_on = goes_on
        self._alerts = AlertWatch()
        self._causes = CauseWatch()
        self._totals: EpochTotals | None = None
        self._is_awaiting = False
        self._epoch = 1
        self._batches_before = 0

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Raise an alert inside the block when no batch comes for unusually long."""
        with StallWatch(self._batches_awaited, self._stalled).watching():
            yield

    def batches_begin(self, epoch: int, totals: EpochTotals | None) -> None:
        """Wait for the epoch's next batch: from its begin, and when a pause or a measurement is over.

        Args:
            epoch: from 1.
            totals: of the epoch so far, read while it grows; None before its first batch.
        """
        self._epoch, self._totals, self._is_awaiting = epoch, totals, True

    def batches_rest(self) -> None:
        """Wait for no batch: in a pause, a measurement or a validation, and between epochs."""
        self._is_awaiting = False

    def tick(self, epoch: int, totals: EpochTotals) -> None:
        """Take the epoch so far, several times a second at most."""
        self._write(self._alerts.batches(epoch, totals.batches, totals.mean(0, Averaging.BATCHES)))

    def epoch_ended(
        self, epoch: int, batches: int, metrics: Mapping[str, float], explanation: Explanation | None
    ) -> None:
        """Take an epoch's values and what was measured at its end.

        Args:
            epoch: from 1.
            batches: in the epoch.
            metrics: as Keras reports them.
            explanation: None where nothing was measured.
        """
        self.batches_rest()
        self._totals = None
        self._batches_before += batches
        loss, val_loss = metrics.get("loss"), metrics.get(VALIDATION_PREFIX + "loss")
        self._write(self._alerts.epoch(EpochLosses(epoch, loss, val_loss, _validation_error(explanation))))
        if explanation is None:
            return
        self._write(self._alerts.explanation(explanation))
        for change in self._causes.take(explanation):
            self._writer.event(CauseChanged(epoch=change.epoch, subject=change.subject, text=change.sentence))

    def _batches_awaited(self) -> int | None:
        # In the stall watch's thread: read once, as the training thread may put another in its place meanwhile.
        totals = self._totals
        is_awaiting = self._is_awaiting and self._goes_on()
        return self._batches_before + (totals.batches if totals else 0) if is_awaiting else None

    def _stalled(self, sentence: str) -> None:
        # From the stall watch's thread, which `RunWriter.event` allows.
        self._write((Alert(AlertKind.STALL, sentence, self._epoch),))

    def _write(self, alerts: tuple[Alert, ...]) -> None:
        for alert in alerts:
            self._writer.event(
                AlertRaised(alert=alert.kind.value, epoch=alert.epoch, text=alert.sentence, stage=alert.stage.value)
            )


def _validation_error(explanation: Explanation | None) -> float | None:
    """Return the standard error of the validation loss from its samples."""
    held = explanation.distributions if explanation else None
    spread = held.losses.validation if held and held.losses else None
    return spread.deviation / math.sqrt(spread.samples) if spread and spread.samples else None
