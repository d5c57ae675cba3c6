"""Records the epochs of one `fit`: their begin, what Keras reports at their end, and what follows from it."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from tui_monitor.metric_names import VALIDATION_PREFIX
from tui_monitor.run_log.events.progress import EpochBegan, EpochEnded
from tui_monitor.run_log.format.layout import State
from tui_monitor.training.control.steering import Steering
from tui_monitor.training.guard import attempt
from tui_monitor.training.record.batch_reports import told
from tui_monitor.training.record.batch_sink import BatchSink
from tui_monitor.training.record.epoch_totals import EpochTotals
from tui_monitor.training.record.failures import FitFailures
from tui_monitor.training.record.given_data import GivenSamples
from tui_monitor.training.record.measurement import Measurement
from tui_monitor.training.record.observations import Observations
from tui_monitor.training.record.session import Session


class EpochReporter:
    """Takes the course of a `fit` from whoever hears of it, and writes its events in their order."""

    def __init__(
        self,
        session: Session,
        failures: FitFailures,
        sink: BatchSink,
        measurement: Measurement,
        steering: Steering,
        observations: Observations,
        *,
        learning_rate: Callable[[], float | None],
    ) -> None:
        """Prepare; arguments are the parts of the fit's recorder, and what returns the optimizer's present rate."""
        self._learning_rate = learning_rate
        self._session = session
        self._writer = session.writer
        self._failures = failures
        self._sink = sink
        self._measurement = measurement
        self._steering = steering
        self._observations = observations
        self._begun = time.monotonic()
        self.given = GivenSamples()
        """What arrays given to `fit` hold."""

    def begin_epoch(self, epoch: int) -> None:
        """Begin an epoch, counted from 1."""
        self._failures.epoch = epoch
        self._sink.begin_epoch(epoch)
        self._begun = time.monotonic()
        self._measurement.begin_epoch()
        # In the first epoch the columns are not known yet: `FitRecorder._begin_fit` writes these with its first batch.
        if self._sink.metrics and not self._failures.batches_stopped:
            self._writer.event(EpochBegan(epoch=epoch))
            self._writer.status(State.TRAINING)
            self._failures.observe(self._observations.batches_begin, epoch, None)

    def begin_validation(self) -> None:
        """Note that validation begins."""
        self._observations.batches_rest()
        if not self._failures.batches_stopped:
            self._writer.status(State.VALIDATING)
        self._measurement.begin_validation()

    def end_validation(self) -> None:
        """Note that validation has ended."""
        self._measurement.end_validation()

    def end_epoch(self, logs: Mapping[str, Any], callbacks: Any) -> None:
        """Record what Keras reports for an epoch, then explain it; weights are still those that validation saw.

        Args:
            logs: of the epoch.
            callbacks: Keras' list of them, not told yet.
        """
        recorded = told(logs)
        values = {name: value for name, value in recorded.items() if isinstance(value, float)}
        epoch, sink, failures = self._sink.epoch, self._sink, self._failures
        totals = sink.totals or EpochTotals(len(sink.metrics))
        # Unless batches have begun it: a fit that could record none of them still has its epochs recorded.
        sink.begin_fit(tuple(values), running=tuple(values))
        self._observations.batches_rest()
        rate = attempt(failures.stop_observing, self._learning_rate, otherwise=None)
        samples = totals.samples or self._given_samples(totals.batches, callbacks)
        self._measurement.samples = samples, self._validation_samples(values)
        self._writer.event(
            EpochEnded(
                epoch=epoch,
                logs=recorded,
                batches=totals.batches,
                samples=samples,
                seconds=time.monotonic() - self._begun,
                learning_rate=rate,
                validation_samples=self._measurement.samples[1],
            )
        )
        if failures.batches_stopped:
            return
        if self._measurement.pace is not None:
            self._measurement.pace.write()
        # Before measuring: a request that came with the epoch's last batch must not wait for it.
        self._measurement.time.paused_seconds += self._steering.tick(epoch, totals.batches)
        self._steering.epoch_ended()
        measure = self._measurement.end_epoch
        explanation = attempt(failures.stop_measuring, measure, epoch, values, callbacks, otherwise=None)
        failures.observe(self._observations.epoch_ended, epoch, totals.batches, values, explanation)

    def _given_samples(self, batches: int, callbacks: Any) -> int:
        """Return the samples of an epoch whose batches don't tell theirs: those given, if it went through them all."""
        steps = (getattr(callbacks, "params", None) or {}).get("steps")
        return self.given.training if batches and batches == steps else 0

    def _validation_samples(self, values: Mapping[str, float]) -> int:
        if not any(name.startswith(VALIDATION_PREFIX) for name in values):
            return 0
        return self._measurement.validation_samples or self.given.validation

    def end_training(self) -> None:
        """Note that the fit's last epoch is over."""
        self._measurement.end_fit()
        if self._session.ends_with_fit:
            self._writer.status(State.FINISHED)
