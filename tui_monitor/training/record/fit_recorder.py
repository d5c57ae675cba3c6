"""Records one `fit` call: every batch as it ends, every epoch, and the explanation; training never waits for a reader.

Three things are recorded one beside the other, so that what fails in one ends that one alone, with a sentence: batches,
from what the steps emit or else from what Keras tells its callbacks; epochs, from the callbacks; measurements.
"""

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tui_monitor.explain.from_log import explain_from_log
from tui_monitor.metric_names import VALIDATION_PREFIX, canonical_metric
from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.events.notifications import AlertRaised, Explained
from tui_monitor.run_log.events.progress import EpochBegan, EpochEnded
from tui_monitor.run_log.format.layout import State
from tui_monitor.training.backends.backend import backend_of, is_watched
from tui_monitor.training.control.steering import Steering
from tui_monitor.training.guard import attempt, ignored, raise_what_is_the_users, tell
from tui_monitor.training.probe.budget import ProbeBudget
from tui_monitor.training.probe.reservoir import Reservoir
from tui_monitor.training.record.batch_reports import BatchReports, told
from tui_monitor.training.record.epoch_totals import EpochTotals
from tui_monitor.training.record.model_summary import model_summary
from tui_monitor.training.record.observations import Observations
from tui_monitor.training.record.session import Session

if TYPE_CHECKING:
    from tui_monitor.training.probe.explainer import Explainer
    from tui_monitor.training.probe.passes import LazyBatch
    from tui_monitor.training.step.instrument import Instrument, Receiver
    from tui_monitor.training.step.packing import Rows, StepOutput

_TICK_SECONDS = 0.25
"""Time between ticks, which look for control requests."""
_WITHIN_EPOCH_SECONDS = 4.0
"""Time between explanations inside an epoch, at least."""


class FitRecorder:
    """Takes what the steps of a `fit` emit, and what Keras tells the callbacks of that `fit`."""

    def __init__(self, model: Any, session: Session, *, fit: Mapping[str, Any]) -> None:
        """Prepare to record.

        Args:
            model: that is about to be fit.
            session: where the run is written.
            fit: arguments of `fit` in a printable form.
        """
        self._backend = backend_of(model)
        self._is_watched = is_watched(self._backend)
        self._model = model
        self._session = session
        self._writer = session.writer
        self._fit_arguments = {**fit, "probe_budget": session.budget.fraction}
        self._budget: ProbeBudget = session.budget
        self.broken = self._has_failed = False
        self._callbacks: Any = None
        """The list of callbacks that Keras calls in this fit."""
        self._reports: BatchReports | None = None
        """Where batches come from if no step emits them."""
        self._why_reports = self._why_nothing_is_measured = ""
        self._training_function: Instrument | None = None
        self._claimed: list[Instrument] = []
        self._shares, self._pace, self._explainer, self._validation = self._measuring()
        self._measures = self.probes
        self._observes = True
        self._training: Reservoir[LazyBatch] = Reservoir(seed=session.sampling_seed)
        self._collecting = False
        self._totals: EpochTotals | None = None
        self._metrics: tuple[str, ...] = ()
        self._knows_losses = False
        """Whether the first metric is the loss of each batch alone."""
        self._epoch = 1
        self._begun = self._epoch_begun = time.monotonic()
        self._measuring_seconds = self._paused_seconds = 0.0
        self._steering = Steering(model, session)
        self._observations = Observations(session.writer)
        self._next_tick = 0.0
        """The run's time of the next tick."""
        self._explained_at = self._begun

    def _measuring(self) -> tuple[Any, Any, "Explainer | None", Any]:
        """Return what measures; nothing of it is imported where Keras runs without TensorFlow."""
        if not self._is_watched:
            return None, None, None, None
        from tui_monitor.training.probe.explainer import Explainer
        from tui_monitor.training.probe.validation_record import ValidationRecord
        from tui_monitor.training.workers.clock import WorkerPace
        from tui_monitor.training.workers.shares import WorkerShares

        worker, writer = self._session.worker, self._writer
        shares = WorkerShares(writer, worker) if worker is not None else None
        explainer = Explainer(self._model, writer.info.name, self._budget, shares)
        return shares, WorkerPace(writer), explainer, ValidationRecord()

    @property
    def probes(self) -> bool:
        """Whether batches may be measured."""
        return self._budget.enabled and self._is_watched

    def records(self, model: Any) -> bool:
        """Return whether a model is the one whose `fit` this is."""
        return model is self._model

    def around(self) -> Iterator[AbstractContextManager[Any]]:
        """Yield the blocks inside which the fit is to be called."""
        yield self._steering.listening()
        yield self._observations.watching()
        yield self._session.system.sampling()

    def returned(self) -> None:
        """Take the word that `fit` has returned; say so where no batch of it could be recorded."""
        if not self._metrics and not self.broken:
            text = f"A fit of {self._model.name} called no training step that Keras tells of: it is not recorded."
            self._writer.event(AlertRaised(text=text))

    def end(self) -> None:
        """Leave the model's functions and the callbacks as they were."""
        for instrument in self._claimed:
            instrument.release()
        if self._reports is not None:
            self._reports.stop()

    # What goes wrong

    def give_up(self, error: Exception) -> None:
        """Stop recording batches and say why, once; training goes on, and epochs are recorded on."""
        if self.broken:
            return
        self.broken = True
        text = f"Recording of batches stopped: {type(error).__name__}: {error}. Training goes on."
        self._say_failure(text)
        attempt(ignored, self._observations.batches_rest, otherwise=None)
        attempt(ignored, self._steering.give_up, otherwise=None)
        self._lead(self.step_ended)

    def _say_failure(self, text: str) -> None:
        """Say what failed, unless something of this fit has failed before: what follows from that is no news."""
        if not self._has_failed:
            self._has_failed = True
            self._writer.event(AlertRaised(text=text, epoch=self._epoch))

    def failed(self, error: Exception) -> None:
        """Stop recording batches, unless the error is that of a signal handler of the user's, which passes."""
        tell(self.give_up, error)

    def falls_back(self, error: Exception) -> None:
        """Record batches from callbacks, as a step of the model emits nothing."""
        self._listen(f"its steps can't be watched ({type(error).__name__}: {error})")

    def _listen(self, why: str) -> None:
        """Record from now on what Keras tells callbacks after each batch.

        Args:
            why: nothing better is to be had, as the end of a sentence after "because".
        """
        self._why_reports = self._why_reports or why
        self._measures = False
        self._why_nothing_is_measured = f"The gap can only be shown, because {self._why_reports}."
        self._say_failure(
            f"Batch values are running means, if Keras tells its callbacks any, because {self._why_reports}."
        )
        if self._callbacks is not None and self._reports is None:
            self._reports = BatchReports(self._callbacks, self._reported, self.give_up)

    def _measuring_failed(self, error: Exception) -> None:
        """Measure no more in this fit."""
        if self._measures:
            self._measures = False
            text = f"Nothing is measured from epoch {self._epoch} on, as it failed ({type(error).__name__}: {error})."
            self._why_nothing_is_measured = text
            self._say_failure(f"{text} Recording goes on.")

    def _observing_failed(self, error: Exception) -> None:
        """Raise no more alerts in this fit."""
        if self._observes:
            self._observes = False
            text = (
                f"No alerts are raised from epoch {self._epoch} on, as that failed ({type(error).__name__}: {error})."
            )
            self._say_failure(f"{text} Recording goes on.")

    def _observe(self, action: Callable[..., Any], *args: Any) -> None:
        if self._observes:
            attempt(self._observing_failed, action, *args, otherwise=None)

    # What Keras tells the callbacks

    def callbacks_called(self, callbacks: Any, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Take a call of a list of callbacks, before the callbacks get it; those of other fits pass by.

        Args:
            callbacks: the list.
            name: of its method.
            args: that the method gets.
            kwargs: likewise.
        """
        if self._callbacks is None and name == "on_train_begin" and _belongs(callbacks, self._model):
            self._callbacks = callbacks
            self._steering.warn_of(callbacks.callbacks)
        if callbacks is self._callbacks and name in _HEARD:
            _HEARD[name](self, *args, **kwargs)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Begin the sums of an epoch."""
        self._epoch = epoch + 1
        self._totals = None
        self._training.clear()
        self._epoch_begun = self._explained_at = time.monotonic()
        if self._reports is None:
            self._listen_if_needed()
        if self.broken:
            return
        self._lead(self.step_ended)
        if self._pace is not None:
            self._pace.begin_epoch()
        if self._metrics:
            self._writer.event(EpochBegan(epoch=self._epoch))
            self._writer.status(State.TRAINING)
            self._observe(self._observations.batches_begin, self._epoch, None)
        elif self._explainer is not None and self._measures:
            params = getattr(self._callbacks, "params", None) or {}
            self._explainer.begin_first_epoch(self._epoch, params.get("steps"))

    def _listen_if_needed(self) -> None:
        """Record from callbacks where the function that trains has no instrument in it."""
        if self._why_reports:
            self._listen(self._why_reports)
        elif not self._is_watched:
            self._listen(self._backend.reason.removesuffix(" alone") + " alone")
        else:
            from tui_monitor.training.step.instrument import instrument_of

            function = getattr(self._model, "train_function", None)
            if function is not None and instrument_of(function) is None:
                self._listen("the model's training function was made before recording began, or by other code")

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Account for the time of this `fit` in the budget of the next."""
        if self._shares is not None:
            from tui_monitor.training.workers.shares import LAST_WAIT_SECONDS

            self._explain_for_all(time.monotonic(), LAST_WAIT_SECONDS)
        self._session.training_seconds = self._training_seconds(time.monotonic())
        if self._session.ends_with_fit:
            self._writer.status(State.FINISHED)

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Begin to collect this epoch's own validation."""
        self._observations.batches_rest()
        if not self.broken:
            self._writer.status(State.VALIDATING)
        if self._validation is not None:
            self._collecting = True
            attempt(self._measuring_failed, self._validation.begin, otherwise=None)

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Close the collection."""
        self._collecting = False
        if self._validation is not None:
            attempt(self._measuring_failed, self._validation.flush, otherwise=None)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Record the epoch's values, then explain them; weights are still those that validation saw."""
        recorded = told(logs or {})
        values = {name: value for name, value in recorded.items() if isinstance(value, float)}
        totals = self._totals or EpochTotals(len(self._metrics))
        if not self._metrics:
            self._begin_fit(tuple(values), running=tuple(values))
        self._observations.batches_rest()
        self._writer.event(
            EpochEnded(
                epoch=self._epoch,
                logs=recorded,
                batches=totals.batches,
                samples=totals.samples,
                seconds=time.monotonic() - self._epoch_begun,
                learning_rate=attempt(self._observing_failed, self._backend.learning_rate, self._model, otherwise=None),
            )
        )
        if self.broken:
            return
        if self._pace is not None:
            self._pace.write()
        self._paused_seconds += self._steering.tick(self._epoch, totals.batches)
        self._steering.epoch_ended()
        explanation = attempt(self._measuring_failed, self._explain_epoch, values, otherwise=None)
        self._observe(self._observations.epoch_ended, self._epoch, totals.batches, values, explanation)

    def _explain_epoch(self, values: Mapping[str, float]) -> Explanation | None:
        """Measure the epoch that ends, write down what came of it, and return that; None where nothing did."""
        now = time.monotonic()
        explainer = self._explainer
        if not self._budget.enabled or self._totals is None:
            return None
        if explainer is None or not self._measures:
            self._say_what_the_log_proves(values)
            return None
        self._writer.status(State.MEASURING)
        validation_loss = values.get(VALIDATION_PREFIX + "loss")
        if validation_loss is None:
            self._validation.begin()
        self._validation.loss = validation_loss
        self._validation.accuracy = explainer.validation_accuracy(values)
        self._explain_for_all(now, wait_seconds=0.0)
        explanation = explainer.at_epoch_end(
            self._epoch, self._totals, self._training, self._validation, values, self._training_seconds(now)
        )
        if explanation is None and explainer.caveats and (self._shares is None or explainer.measures_nothing):
            self._say_what_the_log_proves(values)
        self._explained(explanation, now, None)
        return explanation

    def _say_what_the_log_proves(self, values: Mapping[str, float]) -> None:
        """Explain a model that can't be probed from its values alone, with the sentence that says why."""
        named = {canonical_metric(name): value for name, value in values.items()}
        explanation = explain_from_log(self._writer.info.name, self._epoch, named)
        of_model = self._explainer.caveats if self._explainer is not None else ()
        caveats = (*of_model, *filter(None, [self._why_nothing_is_measured]))
        self._writer.event(Explained.of(replace(explanation, limits=caveats)))

    # What the steps emit

    def claim(self, instrument: "Instrument") -> "Receiver | None":
        """Take what a function of the model returns from now on, until the fit ends; None where that is not wanted."""
        from tui_monitor.training.step.instrument import Kind

        if self.broken:
            return None
        self._claimed.append(instrument)
        explainer = self._explainer
        if instrument.kind is Kind.TRAINING:
            self._training_function = instrument
            instrument.receive = self.step_ended
            if explainer is not None:
                explainer.training = instrument
        else:
            instrument.receive = functools.partial(self.validation_step_ended, instrument)
            if explainer is not None:
                explainer.validation = instrument
        return instrument.receive

    def step_ended(self, logs: Any) -> Any:
        """Record the batches of a training step, whatever it emitted, and return Keras' own logs."""
        instrument = self._training_function
        assert instrument is not None
        own, rows, output = instrument.take(logs, self.give_up)
        attempt(self.give_up, self._step_taken, instrument, rows, output, otherwise=None)
        return own

    def _step_taken(self, instrument: "Instrument", rows: "Rows", output: "StepOutput | None") -> None:
        if self.broken or self._reports is not None:
            return
        if rows:
            self._batches_ended(instrument, rows, output)
            self._lead(self._fast_path(instrument) or self.step_ended)
        elif instrument.plan.failure is not None:
            self.falls_back(instrument.plan.failure)

    def put_again(self, error: Exception, put: Any, epoch: int, row: Sequence[float]) -> float | None:
        """Record a batch whose record failed, or count it as lost.

        Args:
            error: of the failure.
            put: what failed; None is returned where another fit has begun its fit since, and with it other records.
            epoch: from 1.
            row: samples, then metrics.
        """
        raise_what_is_the_users(error)
        return None if put != self._writer.put else self._writer.batch_again(error, epoch, row[0], row[1:])

    def _fast_path(self, instrument: "Instrument") -> "Receiver | None":
        """Return the receiver of further steps like the newest, where there is one that is shorter."""
        layout, totals = instrument.channel.layout, self._totals
        if layout is None or not layout.logs or totals is None or self._shares is not None or self.broken:
            return None
        from tui_monitor.training.record.fast_path import fast_path

        ends_at = self._explainer.copies_weights_at(self._epoch) if self._explainer is not None else None
        return fast_path(
            layout, self._epoch, totals, self._training, self._writer, self, next_tick=self._next_tick, ends_at=ends_at
        )

    def _lead(self, receiver: "Receiver") -> None:
        """Have training steps taken by a receiver, unless another fit takes them by now."""
        if self._training_function is not None and self._training_function in self._claimed:
            self._training_function.receive = receiver

    def _batches_ended(self, instrument: "Instrument", rows: "Rows", output: "StepOutput | None") -> None:
        from tui_monitor.training.probe.passes import unpack_batch

        totals = self._totals or self._begin_totals(instrument.plan.metrics, running=instrument.plan.running)
        for row in rows:
            seconds = self._writer.batch(self._epoch, int(row[0]), row[1 : 1 + len(self._metrics)])
            totals.add(row)
        if output is not None:
            batch = functools.partial(unpack_batch, output, in_training=True)
            self._training.offer(totals.batches - 1, output.nbytes, batch)
        if self._explainer is not None and self._measures:
            attempt(self._measuring_failed, self._explainer.copy_weights, self._epoch, totals.batches, otherwise=None)
        if self._shares is not None:
            self._pace.batch_ended(instrument.channel.clock)
            self._steering.batches_ended(len(rows))
        if seconds >= self._next_tick:
            self.tick(seconds)

    def _reported(self, values: Mapping[str, float]) -> None:
        """Record a batch from what Keras tells callbacks after it; its size is not known."""
        if self.broken or not values:
            return
        totals = self._totals or self._begin_totals(tuple(values), running=tuple(values))
        row = (0.0, *(values.get(name, float("nan")) for name in self._metrics))
        seconds = self._writer.batch(self._epoch, 0, row[1:])
        totals.add(row)
        if seconds >= self._next_tick:
            self.tick(seconds)

    def _begin_totals(self, metrics: Sequence[str], *, running: Sequence[str]) -> EpochTotals:
        if not self._metrics:
            self._begin_fit(metrics, running=running)
        self._totals = EpochTotals(len(self._metrics))
        self._observe(self._observations.batches_begin, self._epoch, self._totals)
        return self._totals

    def _begin_fit(self, metrics: Sequence[str], *, running: Sequence[str]) -> None:
        self._metrics = tuple(metrics)
        self._knows_losses = self._metrics[:1] == ("loss",) and "loss" not in running
        params = getattr(self._callbacks, "params", None) or {}
        self._writer.begin_fit(
            self._metrics,
            epochs=params.get("epochs"),
            initial_epoch=self._epoch - 1,
            steps_per_epoch=params.get("steps"),
            model=attempt(self._observing_failed, model_summary, self._model, otherwise={}),
            fit=self._fit_arguments,
            running_means=running,
        )
        self._writer.event(EpochBegan(epoch=self._epoch))
        self._writer.status(State.TRAINING)

    def validation_step_ended(self, instrument: "Instrument", logs: Any) -> Any:
        """Collect a validation step's values, unless it is not `fit`'s own, and return Keras' own logs."""
        own, rows, output = instrument.take(logs, self._measuring_failed)
        if self._collecting and self._measures:
            if output is not None:
                attempt(self._measuring_failed, self._validation.add, output, otherwise=None)
            elif not rows and instrument.plan.failure is not None:
                self._measuring_failed(instrument.plan.failure)
        return own

    # What is done a few times a second

    def tick(self, seconds: float) -> float:
        """Apply control requests, measure and observe; return the run's time of the next tick.

        Args:
            seconds: the run's time.
        """
        self._next_tick = seconds + _TICK_SECONDS
        now = time.monotonic()
        self._observations.batches_rest()
        if self._totals is not None:
            self._totals.add_up()
        self._paused_seconds += self._steering.tick(self._epoch, self._totals.batches if self._totals else 0)
        attempt(self._measuring_failed, self._explain_within_epoch, now, otherwise=None)
        if self._totals is not None and self._knows_losses:
            self._observe(self._observations.tick, self._epoch, self._totals)
        self._observe(self._observations.batches_begin, self._epoch, self._totals)
        return self._next_tick

    def _explain_within_epoch(self, now: float) -> None:
        """Measure inside the epoch where that is due or was requested."""
        explainer = self._explainer
        if explainer is None or not self._measures:
            return
        self._explain_for_all(now)
        if self._shares is not None and not self._shares.is_chief:
            return
        requested = self._steering.measure_now
        due = requested or now - self._explained_at >= _WITHIN_EPOCH_SECONDS
        if due and self._budget.enabled and self._totals is not None:
            self._steering.measure_now = False
            begun = self._explained_at = time.monotonic()
            seconds = self._training_seconds(begun)
            explanation = explainer.within_epoch(
                self._epoch, self._totals, self._training, self._validation, seconds, requested=requested
            )
            self._explained(explanation, begun, self._totals.batches)

    def _training_seconds(self, now: float) -> float:
        """Return the time this process spent in `fit`, measuring and pauses left out."""
        own = now - self._begun - self._measuring_seconds - self._paused_seconds
        return self._session.training_seconds + own

    def _explain_for_all(self, now: float, wait_seconds: float | None = None) -> None:
        if self._explainer is not None:
            explanation = self._explainer.of_all_workers(self._training_seconds(now), wait_seconds)
            if explanation is not None:
                self._explained(explanation, now, None)

    def _explained(self, explanation: Explanation | None, begun: float, batch: int | None) -> None:
        if explanation is not None:
            measured = time.monotonic()
            self._writer.event(Explained.of(replace(explanation, batch=batch)))
            self._session.explained(explanation)
            self._budget.written(time.monotonic() - measured)
        self._measuring_seconds += time.monotonic() - begun


def _belongs(callbacks: Any, model: Any) -> bool:
    """Whether a list of callbacks is one of a model's fits, as far as it knows."""
    of = getattr(callbacks, "model", None)
    return of is None or of is model


_HEARD: Mapping[str, Callable[..., None]] = {
    "on_epoch_begin": FitRecorder.on_epoch_begin,
    "on_epoch_end": FitRecorder.on_epoch_end,
    "on_test_begin": FitRecorder.on_test_begin,
    "on_test_end": FitRecorder.on_test_end,
    "on_train_end": FitRecorder.on_train_end,
}
"""What is done when the list of callbacks is called; it binds when training begins."""
