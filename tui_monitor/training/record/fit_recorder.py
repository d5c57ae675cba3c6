"""Puts together the parts that record one `fit`; training never waits for a reader.

Three things are recorded one beside the other, so that what fails in one ends that one alone, with a sentence: batches
(`batch_sources` to `batch_sink`), epochs (`callback_adapter` to `epoch_reporter`), and measurements (`measurement`).
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from tui_monitor.explain.samples.observed import WholeValidation
from tui_monitor.run_log.events.progress import EpochBegan
from tui_monitor.run_log.format.layout import State
from tui_monitor.training.backends.backend import backend_of, is_watched
from tui_monitor.training.control.steering import Steering
from tui_monitor.training.guard import attempt
from tui_monitor.training.record.batch_sink import BatchSink
from tui_monitor.training.record.batch_sources import BatchSources
from tui_monitor.training.record.callback_adapter import CallbackAdapter
from tui_monitor.training.record.epoch_reporter import EpochReporter
from tui_monitor.training.record.failures import FitFailures
from tui_monitor.training.record.given_data import GivenSamples
from tui_monitor.training.record.measurement import Measurement
from tui_monitor.training.record.model_summary import model_summary
from tui_monitor.training.record.observations import Observations
from tui_monitor.training.record.session import Session

if TYPE_CHECKING:
    from tui_monitor.training.step.instrument import Instrument, Receiver

_TICK_SECONDS = 0.25
"""Time between ticks, which look for control requests."""


class FitRecorder:
    """What the hooks in Keras call while one `fit` is recorded."""

    def __init__(self, model: Any, session: Session, *, fit: Mapping[str, Any], goes_on: Callable[[], bool]) -> None:
        """Prepare to record.

        Args:
            model: that is about to be fit.
            session: where the run is written.
            fit: arguments of `fit` in a printable form.
            goes_on: whether the fit still runs; any thread may ask.
        """
        self._model = model
        self._session = session
        budget = {"probe_budget": session.budget.fraction, "probe_seconds": session.budget.seconds}
        self._arguments = {**fit, **budget}
        self._backend = backend_of(model)
        self._is_watched = is_watched(self._backend)
        self._failures = FitFailures(session.writer)
        self._steering = Steering(model, session)
        self._observations = Observations(session.writer, goes_on)
        self._sink = BatchSink(
            session.writer,
            seed=session.sampling_seed,
            begin_fit=self._begin_fit,
            tick=self._tick,
            epoch_counts=self._await_batches,
        )
        self._measurement = Measurement(model, session, self._failures, self._sink, is_watched=self._is_watched)
        self._sink.pause = self._measurement.copy_weights
        self._sources = BatchSources(
            self._sink,
            self._failures,
            steps_ended=self._worker_steps_ended if self._measurement.is_shared else None,
        )
        self._epochs = EpochReporter(
            session,
            self._failures,
            self._sink,
            self._measurement,
            self._steering,
            self._observations,
            learning_rate=functools.partial(self._backend.learning_rate, model),
        )
        self._callbacks = CallbackAdapter(model, self._epochs, began=self._began, epoch_began=self._epoch_began)
        self._failures.when_batches_stop(
            self._observations.batches_rest, self._steering.give_up, self._sources.take_slow_path
        )

    @property
    def probes(self) -> bool:
        """Whether batches may be measured."""
        return self._measurement.is_possible

    def begin(self, given: WholeValidation, samples: GivenSamples) -> None:
        """Take the word how much data the fit is given: all of validation's, and what each epoch goes through."""
        self._measurement.begin_fit(given)
        self._epochs.given = samples

    def records(self, model: Any) -> bool:
        """Return whether a model is the one whose `fit` this is."""
        return model is self._model

    def around(self) -> Iterator[AbstractContextManager[Any]]:
        """Yield the blocks inside which the fit is to be called."""
        yield self._steering.listening()
        yield self._observations.watching()
        yield self._session.system.sampling()

    def returned(self) -> None:
        """Note that `fit` has returned, and say so where nothing of it could be recorded."""
        if not self._sink.metrics and not self._failures.batches_stopped:
            text = f"A fit of {self._model.name} called no training step that Keras tells of: it is not recorded."
            self._failures.say(text)

    def end(self) -> None:
        """Leave the model's functions and the callbacks as they were."""
        self._sources.stop()

    def give_up(self, error: Exception) -> None:
        """Stop recording batches and say why, once; training goes on, and epochs are recorded on."""
        self._failures.stop_batches(error)

    def falls_back(self, error: Exception) -> None:
        """Record batches from callbacks, as a step of the model emits nothing."""
        self._sources.falls_back(error)

    def callbacks_called(self, callbacks: Any, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Take a call of a list of callbacks. Arguments as for `CallbackAdapter.called`."""
        self._callbacks.called(callbacks, name, args, kwargs)

    def claim(self, instrument: "Instrument") -> "Receiver | None":
        """Take what a function of the model returns from now on, until the fit ends; None where that is not wanted."""
        from tui_monitor.training.step.instrument import Kind

        if self._failures.batches_stopped:
            # Nobody claims it then, so the instrument itself takes the payload off and drops it.
            return None
        self._measurement.watch(instrument)
        if instrument.kind is Kind.TRAINING:
            return self._sources.claim(instrument)
        receive = functools.partial(self._measurement.validation_step_ended, instrument)
        return self._sources.claim(instrument, receive)

    def _began(self, callbacks: Any) -> None:
        self._steering.warn_of(callbacks.callbacks)
        self._sources.hear(callbacks)

    def _epoch_began(self) -> None:
        """Record from callbacks where the function that trains has no instrument in it."""
        # The fast path holds the sums of the epoch that has ended.
        self._sources.take_slow_path()
        if not self._sources.is_step:
            return
        if not self._sink.metrics:
            self._measurement.begin_first_epoch(self._callbacks.plan.get("steps"))
        # The list of callbacks is known by now, and no batch of the epoch has been told of yet.
        if not self._is_watched:
            self._sources.use_reports(self._backend.reason.removesuffix(" alone") + " alone")
        elif self._has_function_of_others():
            self._sources.use_reports("the model's training function was made before recording began, or by other code")
        else:
            self._sources.use_reports()

    def _has_function_of_others(self) -> bool:
        from tui_monitor.training.step.instrument import instrument_of

        function = getattr(self._model, "train_function", None)
        return function is not None and instrument_of(function) is None

    def _summary_of_model(self) -> dict[str, Any]:
        return {**model_summary(self._model), "instance": self._session.number_of(self._model)}

    def _begin_fit(self, metrics: Sequence[str], running: Sequence[str]) -> None:
        writer, epoch, plan = self._session.writer, self._sink.epoch, self._callbacks.plan
        writer.begin_fit(
            metrics,
            epochs=plan.get("epochs"),
            initial_epoch=epoch - 1,
            steps_per_epoch=plan.get("steps"),
            model=attempt(self._failures.stop_observing, self._summary_of_model, otherwise={}),
            fit=self._arguments,
            running_means=running,
        )
        writer.event(EpochBegan(epoch=epoch))
        writer.status(State.TRAINING)

    def _await_batches(self) -> None:
        self._failures.observe(self._observations.batches_begin, self._sink.epoch, self._sink.totals)

    def _worker_steps_ended(self, instrument: "Instrument", steps: int) -> None:
        self._measurement.pace.batch_ended(instrument.channel.clock)
        self._steering.batches_ended(steps)

    def _tick(self, seconds: float) -> None:
        """Apply control requests, measure and observe: what is done a few times a second.

        Args:
            seconds: the run's time.
        """
        sink, failures = self._sink, self._failures
        # First, so that a tick that fails is not tried again after every batch.
        sink.next_tick = seconds + _TICK_SECONDS
        self._observations.batches_rest()
        # Rows wait to be added up at once; here they may not grow without bound in a long epoch.
        if sink.totals is not None:
            sink.totals.add_up()
        self._measurement.time.paused_seconds += self._steering.tick(sink.epoch, sink.batches)
        attempt(failures.stop_measuring, self._measure_within_epoch, otherwise=None)
        if sink.totals is not None and sink.knows_losses:
            failures.observe(self._observations.tick, sink.epoch, sink.totals)
        self._await_batches()

    def _measure_within_epoch(self) -> None:
        if self._measurement.within_epoch(requested=self._steering.measure_now):
            self._steering.measure_now = False
