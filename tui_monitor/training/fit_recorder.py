"""Records one `fit` call: every batch as it ends, every epoch, and the explanation; training never waits for a reader.

Whatever fails in here is said in the run and ends the recording, never the training.
"""

import contextlib
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ParamSpec

import numpy as np

from tui_monitor.explain.from_log import explain_log
from tui_monitor.metric_names import VALIDATION_PREFIX, canonical_metric
from tui_monitor.run_log.events.explanation import Explanation, explanation_to_json
from tui_monitor.run_log.format.layout import State
from tui_monitor.training.budget import ProbeBudget
from tui_monitor.training.engines import engine_of
from tui_monitor.training.epoch_totals import EpochTotals
from tui_monitor.training.explainer import Explainer
from tui_monitor.training.instruments import instruments_of
from tui_monitor.training.model_summary import model_summary
from tui_monitor.training.observations import Observations
from tui_monitor.training.packing import Rows, StepOutput
from tui_monitor.training.probe import Kept, kept_batch
from tui_monitor.training.reservoir import Reservoir
from tui_monitor.training.session import Session, recording_here
from tui_monitor.training.steering import Steering
from tui_monitor.training.straight_way import Way, straight_way
from tui_monitor.training.validation_record import ValidationRecord
from tui_monitor.training.worker_clock import WorkerPace
from tui_monitor.training.worker_shares import LAST_WAIT_SECONDS, WorkerShares

_LOOK_SECONDS = 0.25
"""Time between looks at what is asked from outside."""
_WITHIN_EPOCH_SECONDS = 4.0
"""Time between explanations inside an epoch, at least."""
_MOST_NUMBERS = 256
"""Numbers of one metric that are recorded with an epoch."""

Arguments = ParamSpec("Arguments")


def _guarded(method: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Let nothing that fails in recording reach the training; say it in the run instead."""

    @functools.wraps(method)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        recorder: FitRecorder = args[0]  # type: ignore[assignment]
        if recorder.broken:
            return
        try:
            method(*args, **kwargs)
        except Exception as error:  # training must go on
            recorder.give_up(error)

    return guarded


class FitRecorder:
    """The first callback of a `fit` call, and the reader of what its steps hand out; made by `fit_recorder`."""

    model: Any
    params: Mapping[str, Any]

    def __init__(self, model: Any, session: Session, *, fit: Mapping[str, Any], callbacks: Sequence[Any] = ()) -> None:
        """Prepare to record.

        Args:
            model: its `instruments` are to be installed around the call.
            session: where the run is written.
            fit: arguments of `fit` in a printable form.
            callbacks: of the call, as far as they are known.
        """
        super().__init__()
        self._engine = engine_of(model)
        self.instruments = instruments_of(model, probed=session.budget.enabled)
        self.plan = self.instruments.plan
        self.broken = False
        self._is_recording = False
        self._session = session
        self._writer = session.writer
        self._watched = model
        self._fit_arguments = {**fit, "probe_budget": session.budget.share}
        self._budget: ProbeBudget = session.budget
        self._shares = WorkerShares(session.writer, session.worker) if session.worker is not None else None
        self._pace = WorkerPace(session.writer)
        name = session.writer.info.name
        self._explainer = Explainer(model, name, self.instruments, session.budget, self._shares)
        self._training: Reservoir[Kept] = Reservoir(seed=session.sampling_seed)
        self._validation = ValidationRecord()
        self._collecting = False
        self._totals: EpochTotals | None = None
        self._metrics = 0
        self._epoch = 1
        self._begun = self._epoch_begun = time.monotonic()
        self._measuring_seconds = self._paused_seconds = 0.0
        self._steering = Steering(model, session, callbacks)
        self._observations = Observations(session.writer)
        self._look_at = 0.0
        """The run's time from which to look again at what is asked."""
        self._explained_at = self._begun

    @contextlib.contextmanager
    def recording(self, model: Any) -> Iterator[None]:
        """Have the model's steps hand out what is recorded, inside the block; the model is as it was afterwards."""
        with (
            recording_here(),
            self._steering.listening(),
            self.instruments.installed(model, self),
            self._observations.watching(),
            self._session.system.sampling(),
        ):
            self._is_recording = True
            try:
                yield
            finally:
                self._is_recording = False

    def give_up(self, error: Exception) -> None:
        """Stop recording and say why, once; training goes on."""
        if self.broken:
            return
        self.broken = True
        self._lead_steps(self.step_ended)
        self._observations.batches_rest()
        self._steering.give_up()
        self._writer.event(
            "alert",
            text=f"Recording stopped: {type(error).__name__}: {error}. Training goes on unrecorded.",
            epoch=self._epoch,
        )

    @_guarded
    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Begin the sums of an epoch."""
        self._epoch = epoch + 1
        self._totals = None
        self._lead_steps(self.step_ended)
        self._training.clear()
        self._pace.begin_epoch()
        self._epoch_begun = self._explained_at = time.monotonic()
        if self._metrics:
            self._writer.event("epoch_begin", epoch=self._epoch)
            self._writer.status(State.TRAINING)
            self._observations.batches_begin(self._epoch, None)

    def step_ended(self, logs: Any) -> Any:
        """Record the batches of a training step, whatever it handed out, and return Keras' own logs."""
        channel = self.instruments.training_channel
        logs, rows, output = channel.take(logs)
        if self.broken:
            return logs
        if rows:
            self._batches_ended(rows, output)
        elif self.plan.failure is not None:
            self.give_up(self.plan.failure)
        self._lead_steps(self._straight_way() or self.step_ended)
        return logs

    def _straight_way(self) -> Way | None:
        """Return the way of further steps like the newest, where there is one that is shorter than `step_ended`."""
        layout, totals = self.instruments.training_channel.layout, self._totals
        if layout is None or not layout.logs or totals is None or self._shares is not None or self.broken:
            return None
        return straight_way(layout, self._epoch, totals, self._training, self._writer, self, look_at=self._look_at)

    def _lead_steps(self, way: Way) -> None:
        """Have steps take a way, unless they are another recorder's by now."""
        if self._is_recording:
            self.instruments.step_ended = way

    @_guarded
    def _batches_ended(self, rows: Rows, output: StepOutput | None) -> None:
        totals = self._totals or self._begin_totals()
        for row in rows:
            seconds = self._writer.batch(self._epoch, int(row[0]), row[1 : 1 + self._metrics])
            totals.add(row)
        if output is not None:
            self._training.offer(
                totals.batches - 1, output.nbytes, functools.partial(kept_batch, output, in_training=True)
            )
        if self._shares is not None:
            self._pace.batch_ended(self.instruments.training_channel.clock)
            self._steering.batches_ended(len(rows))
        if seconds >= self._look_at:
            self.look(seconds)

    def _begin_totals(self) -> EpochTotals:
        if not self._metrics:
            self._begin_phase()
        self._totals = EpochTotals(self._metrics)
        self._observations.batches_begin(self._epoch, self._totals)
        return self._totals

    def _begin_phase(self) -> None:
        self._metrics = len(self.plan.metrics)
        self._writer.begin_phase(
            self.plan.metrics,
            epochs=self.params.get("epochs"),
            initial_epoch=self._epoch - 1,
            steps_per_epoch=self.params.get("steps"),
            model=model_summary(self._watched),
            fit=self._fit_arguments,
        )
        self._writer.event("epoch_begin", epoch=self._epoch)
        self._writer.status(State.TRAINING)

    def look(self, seconds: float) -> float:
        """Obey what is asked, measure and observe; return the run's time at which to look again.

        Args:
            seconds: the run's time.
        """
        self._look_at = seconds + _LOOK_SECONDS
        now = time.monotonic()
        self._observations.batches_rest()
        if self._totals is not None:
            self._totals.add_up()
        self._paused_seconds += self._steering.look(self._epoch, self._totals.batches if self._totals else 0)
        self._explain_for_all(now)
        asked = self._steering.measure_now
        if self._shares is not None and not self._shares.is_chief:
            return self._look_at
        due = asked or now - self._explained_at >= _WITHIN_EPOCH_SECONDS
        if due and self._budget.enabled and self._totals is not None:
            self._steering.measure_now = False
            begun = self._explained_at = time.monotonic()
            explanation = self._explainer.within_epoch(
                self._epoch,
                self._totals,
                self._training,
                self._validation,
                self._training_seconds(begun),
                asked=asked,
            )
            self._explained(explanation, begun, self._totals.batches)
        if self._totals is not None:
            self._observations.look(self._epoch, self._totals)
        self._observations.batches_begin(self._epoch, self._totals)
        return self._look_at

    def _training_seconds(self, now: float) -> float:
        """Return the time this process spent in `fit`, measuring and pauses left out."""
        own = now - self._begun - self._measuring_seconds - self._paused_seconds
        return self._session.training_seconds + own

    def _explain_for_all(self, now: float, wait_seconds: float | None = None) -> None:
        explanation = self._explainer.of_all_workers(self._training_seconds(now), wait_seconds)
        if explanation is not None:
            self._explained(explanation, now, None)

    @_guarded
    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Account for the time of this `fit` in the budget of the next."""
        self._explain_for_all(time.monotonic(), LAST_WAIT_SECONDS)
        self._session.training_seconds = self._training_seconds(time.monotonic())
        if self._session.ends_with_fit:
            self._writer.status(State.FINISHED)

    @_guarded
    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Begin to collect this epoch's own validation."""
        self._observations.batches_rest()
        self._collecting = True
        self._validation.begin()
        self._writer.status(State.VALIDATING)

    def validation_step_ended(self, logs: Any) -> Any:
        """Collect a validation step's figures, unless it is not `fit`'s own, and return Keras' own logs."""
        logs, rows, output = self.instruments.validation_channel.take(logs)
        if output is not None and self._collecting:
            self._validation_batches_ended(output)
        elif not rows and self.plan.failure is not None:
            self.give_up(self.plan.failure)
        return logs

    @_guarded
    def _validation_batches_ended(self, output: StepOutput) -> None:
        self._validation.add(output)

    @_guarded
    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Close the collection."""
        self._collecting = False
        self._validation.settle()

    @_guarded
    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Record the epoch's figures, then explain them; weights are still those that validation saw."""
        told = _told(logs or {})
        figures = {name: value for name, value in told.items() if isinstance(value, float)}
        now = time.monotonic()
        self._observations.batches_rest()
        self._pace.write()
        totals = self._totals or EpochTotals(self._metrics)
        self._writer.event(
            "epoch",
            epoch=self._epoch,
            logs=told,
            batches=totals.batches,
            samples=totals.samples,
            seconds=now - self._epoch_begun,
            learning_rate=self._engine.learning_rate(self._watched),
        )
        self._paused_seconds += self._steering.look(self._epoch, totals.batches)
        self._steering.epoch_ended()
        now = time.monotonic()
        if not self._budget.enabled or self._totals is None:
            self._observations.epoch_ended(self._epoch, totals.batches, figures, None)
            return
        self._writer.status(State.MEASURING)
        validation_loss = figures.get(VALIDATION_PREFIX + "loss")
        if validation_loss is None:
            self._validation.begin()
        self._validation.loss = validation_loss
        self._validation.accuracy = self._validation_accuracy(figures)
        self._explain_for_all(now, wait_seconds=0.0)
        explanation = self._explainer.at_epoch_end(
            self._epoch, self._totals, self._training, self._validation, figures, self._training_seconds(now)
        )
        cannot = self._shares is None or self.plan.figures is None
        if explanation is None and self._explainer.limits and cannot:
            self._say_what_the_log_proves(figures)
        self._explained(explanation, now, None)
        self._observations.epoch_ended(self._epoch, totals.batches, figures, explanation)

    def _say_what_the_log_proves(self, figures: Mapping[str, float]) -> None:
        """Explain a model that can't be probed from its figures alone, with the sentence that says why."""
        named = {canonical_metric(name): value for name, value in figures.items()}
        content = explain_log(self._writer.info.name, self._epoch, named)
        content["limits"] = list(self._explainer.limits)
        self._writer.event("explanation", epoch=self._epoch, batch=None, explanation=content)

    def _validation_accuracy(self, figures: Mapping[str, float]) -> float | None:
        plan = self.plan.figures
        if plan is None or plan.accuracy_name is None:
            return None
        return figures.get(VALIDATION_PREFIX + plan.accuracy_name)

    def _explained(self, explanation: Explanation | None, begun: float, batch: int | None) -> None:
        if explanation is not None:
            measured = time.monotonic()
            content = explanation_to_json(explanation)
            self._writer.event("explanation", epoch=explanation.epoch, batch=batch, explanation=content)
            self._session.explained(explanation)
            self._budget.written(time.monotonic() - measured)
        self._measuring_seconds += time.monotonic() - begun


def _told(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Return logs as floats; a metric of several numbers, such as one for each class, as a list unless it is long."""
    told: dict[str, Any] = {}
    for name, value in logs.items():
        with contextlib.suppress(TypeError, ValueError):
            numbers = np.asarray(value, dtype=float)
            if numbers.size <= _MOST_NUMBERS:
                told[name] = numbers.item() if numbers.size == 1 else numbers.tolist()
    return told


def fit_recorder(model: Any, session: Session, *, fit: Mapping[str, Any], callbacks: Sequence[Any] = ()) -> Any:
    """Return a `FitRecorder` that is a callback of the Keras that the model belongs to; see there."""
    return _as_callback(engine_of(model).package.callbacks.Callback)(model, session, fit=fit, callbacks=callbacks)


@functools.cache
def _as_callback(callback: type[Any]) -> type[FitRecorder]:
    return type(FitRecorder.__name__, (FitRecorder, callback), {"__doc__": FitRecorder.__doc__})
