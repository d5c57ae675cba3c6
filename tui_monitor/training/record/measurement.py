"""What is measured of one `fit`, and when: at each epoch's end, within an epoch, and for all workers together."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tui_monitor.explain.from_log import explain_from_log
from tui_monitor.explain.recorded_facts import RecordedFit
from tui_monitor.explain.samples.observed import WholeValidation
from tui_monitor.metric_names import VALIDATION_PREFIX, canonical_metric
from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.events.notifications import Explained
from tui_monitor.run_log.format.layout import State
from tui_monitor.training.guard import attempt, ignored
from tui_monitor.training.record.batch_sink import BatchSink
from tui_monitor.training.record.failures import FitFailures
from tui_monitor.training.record.last_epoch import few_weights, may_be_last
from tui_monitor.training.record.session import Session

if TYPE_CHECKING:
    from tui_monitor.training.step.instrument import Instrument

_WITHIN_EPOCH_SECONDS = 4.0
"""Time between explanations inside an epoch, at least."""


@dataclass(frozen=True)
class _EndedEpoch:
    """An epoch as it ended, where more were to follow."""

    epoch: int
    logs: Mapping[str, float]
    few_weights: tuple[bytes, ...]
    """See `few_weights`."""


@dataclass
class TrainingTime:
    """The time that a process trains, measuring and pauses left out."""

    before: float
    """Seconds in earlier calls of `fit`."""
    begun: float = field(default_factory=time.monotonic)
    measuring_seconds: float = 0.0
    paused_seconds: float = 0.0

    def seconds(self, now: float) -> float:
        """Return the seconds until now, which is a time of `time.monotonic`."""
        return self.before + now - self.begun - self.measuring_seconds - self.paused_seconds


class Measurement:
    """Explains a fit from the batches that were kept; from its log alone where its batches can't be measured."""

    def __init__(
        self, model: Any, session: Session, failures: FitFailures, sink: BatchSink, *, is_watched: bool
    ) -> None:
        """Prepare; nothing that measures is imported where Keras runs without TensorFlow.

        Args:
            model: that trains.
            session: of the run, with the budget.
            failures: of the fit.
            sink: keeps the batches.
            is_watched: whether the model's steps can emit anything.
        """
        self._model = model
        self._session = session
        self._writer = session.writer
        self._failures = failures
        self._sink = sink
        self._budget = session.budget
        self.time = TrainingTime(session.training_seconds)
        self._explained_at = self.time.begun
        self._is_validating = False
        self._ended: _EndedEpoch | None = None
        self._newest: tuple[int, Mapping[str, float]] | None = None
        self._explainer: Any = None
        self._validation: Any = None
        self._shares: Any = None
        self._keeper: Any = None
        """Keeps what validation says of each sample, where this process alone sees all of it."""
        self.pace: Any = None
        """Of several workers; records when each was ready."""
        self.samples = 0, 0
        """Of the newest epoch, in training and in validation; 0 where they are not known."""
        self.is_possible = session.budget.enabled and is_watched
        failures.measures = self.is_possible
        if is_watched:
            self._prepare(model)

    def _prepare(self, model: Any) -> None:
        from tui_monitor.training.probe.explainer import Explainer
        from tui_monitor.training.probe.validation_record import ValidationRecord
        from tui_monitor.training.workers.clock import WorkerPace
        from tui_monitor.training.workers.shares import WorkerShares

        worker = self._session.worker
        self._shares = WorkerShares(self._writer, worker) if worker is not None else None
        self.pace = WorkerPace(self._writer)
        self._explainer = Explainer(model, self._writer.info.name, self._budget, self._shares)
        self._validation = ValidationRecord()
        if self.is_possible and worker is None:
            from tui_monitor.training.record.validation_keeper import ValidationKeeper

            self._keeper = ValidationKeeper(self._session.folder)

    @property
    def is_shared(self) -> bool:
        """Whether several workers measure together."""
        return self._shares is not None

    @property
    def validation_samples(self) -> int:
        """Samples of the newest validation; 0 where its steps tell none, or other workers hold a part of them."""
        return 0 if self._validation is None or self.is_shared else int(self._validation.samples.sum())

    def watch(self, instrument: "Instrument") -> None:
        """Measure with the pieces of a function of the model."""
        from tui_monitor.training.step.instrument import Kind

        if instrument.kind is Kind.TRAINING:
            self._explainer.training = instrument
        else:
            self._explainer.validation = instrument

    def begin_epoch(self) -> None:
        """Note that an epoch begins."""
        self._explained_at = time.monotonic()
        if self.pace is not None and not self._failures.batches_stopped:
            self.pace.begin_epoch()

    def begin_fit(self, given: WholeValidation) -> None:
        """Take the word how much validation data the fit is given."""
        if self._explainer is not None:
            self._explainer.opening.given_validation = given

    def begin_first_epoch(self, steps: int | None) -> None:
        """Have weights copied within the epoch that begins, as the first of the fit.

        Args:
            steps: of the epoch, where known.
        """
        if self._explainer is not None and self._failures.measures and self._shares is None:
            self._explainer.opening.begin_first_epoch(self._sink.epoch, steps)
            self._sink.pauses_at = self._explainer.opening.copies_weights_at(self._sink.epoch)

    def copy_weights(self) -> None:
        """Copy the weights between two steps, for a measurement at the epoch's end."""
        sink, failed = self._sink, self._failures.stop_measuring
        # First, so that a copy that fails is not tried again after every batch.
        sink.pauses_at = None
        if self._failures.measures:
            attempt(failed, self._explainer.opening.copy_weights, sink.epoch, sink.batches, otherwise=None)
            sink.pauses_at = self._explainer.opening.copies_weights_at(sink.epoch)

    def end_fit(self) -> None:
        """Explain what the workers have measured, and account for the time of this fit in the budget of the next."""
        if self._keeper is not None:
            attempt(ignored, self._keeper.close, otherwise=None)
        if self._shares is not None:
            from tui_monitor.training.workers.shares import LAST_WAIT_SECONDS

            # The only place where the chief waits for other workers: the last step, which all take part in, is over.
            self._explain_for_all(time.monotonic(), LAST_WAIT_SECONDS)
        attempt(self._failures.stop_measuring, self._explain_last_epoch, otherwise=None)
        attempt(self._failures.stop_measuring, self._say_why_not, otherwise=None)
        self._session.training_seconds = self.time.seconds(time.monotonic())

    def begin_validation(self) -> None:
        """Collect what validation steps emit, until `end_validation`."""
        if self._validation is not None:
            self._is_validating = True
            attempt(self._failures.stop_measuring, self._validation.begin, otherwise=None)

    def end_validation(self) -> None:
        """Close the collection."""
        self._is_validating = False
        if self._validation is not None:
            attempt(self._failures.stop_measuring, self._validation.flush, otherwise=None)

    def validation_step_ended(self, instrument: "Instrument", logs: Any) -> Any:
        """Collect what a validation step emitted, unless it is not `fit`'s own, and return Keras' own logs."""
        failed = self._failures.stop_measuring
        own, rows, output = instrument.take(logs, failed)
        # `evaluate` in a callback runs the same function, as a rule on other data.
        if self._is_validating and self._failures.measures:
            if output is not None:
                attempt(failed, self._validation.add, output, otherwise=None)
            elif not rows and instrument.plan.failure is not None:
                failed(instrument.plan.failure)
        return own

    def end_epoch(self, epoch: int, logs: Mapping[str, float], callbacks: Any) -> Explanation | None:
        """Measure the epoch that ends, write down what came of it, and return that; None where nothing did.

        Args:
            epoch: from 1.
            logs: what Keras reports for it.
            callbacks: Keras' list of them.
        """
        is_last = may_be_last(self._model, callbacks, epoch, logs)
        failed = self._failures.stop_measuring
        explanation: Explanation | None = attempt(failed, self._explain_epoch, epoch, logs, is_last, otherwise=None)
        if self._shares is not None:
            # Whatever was in the way of measuring: the others wait for a word.
            attempt(failed, self._shares.close_epoch, epoch, otherwise=None)
        self._ended = None if is_last else attempt(ignored, self._ended_epoch, epoch, logs, otherwise=None)
        return explanation

    def _ended_epoch(self, epoch: int, logs: Mapping[str, float]) -> _EndedEpoch | None:
        """Return what is needed to measure the epoch that ends once more, should it turn out to be the last."""
        is_measured = self._failures.measures and self._budget.enabled and self._shares is None
        return _EndedEpoch(epoch, logs, few_weights(self._model)) if is_measured else None

    def _explain_last_epoch(self) -> None:
        """Measure an epoch that was the last though more were planned, if its weights still stand."""
        ended, self._ended = self._ended, None
        if ended is None or self._explainer is None or self._explainer.is_complete:
            return
        # `restore_best_weights` and averaging optimizers put other weights in place after the last epoch.
        if ended.few_weights and ended.few_weights == few_weights(self._model):
            self._explain_epoch(ended.epoch, ended.logs, is_last=True)

    def _say_why_not(self) -> None:
        """Say of a fit that has a gap why nothing of it was measured, where nothing else says so."""
        explainer, newest = self._explainer, self._newest
        if explainer is None or newest is None or not self._failures.measures or self._shares is not None:
            return
        if explainer.has_explained or explainer.caveats or VALIDATION_PREFIX + "loss" not in newest[1]:
            return
        self._failures.why_nothing_is_measured = f"Nothing of this fit was measured: {self._budget.why_not}"
        self._say_what_the_log_proves(*newest)

    def _explain_epoch(self, epoch: int, logs: Mapping[str, float], is_last: bool) -> Explanation | None:
        self._newest = epoch, logs
        now, totals, explainer = time.monotonic(), self._sink.totals, self._explainer
        if not self._budget.enabled or totals is None:
            return None
        if explainer is None or not self._failures.measures:
            self._say_what_the_log_proves(epoch, logs)
            return None
        self._writer.status(State.MEASURING)
        validation_loss = logs.get(VALIDATION_PREFIX + "loss")
        # An epoch without validation (`validation_freq`) must not be explained by the one before.
        if validation_loss is None:
            self._validation.begin()
        self._validation.loss = validation_loss
        if self._keeper is not None:
            attempt(ignored, self._keep_validation, epoch, otherwise=None)
        # Before this epoch's share takes its place: the epoch before is explained by the shares that have come.
        self._explain_for_all(now, wait_seconds=0.0)
        seconds = self.time.seconds(now)
        explanation: Explanation | None = explainer.at_epoch_end(
            epoch,
            totals,
            self._sink.kept,
            self._validation,
            logs,
            seconds,
            is_last=is_last and self._shares is None,
        )
        if explanation is None and explainer.caveats and (self._shares is None or explainer.measures_nothing):
            self._say_what_the_log_proves(epoch, logs)
        self._explained(explanation, now, None)
        return explanation

    def _keep_validation(self, epoch: int) -> None:
        """Keep what this epoch's validation said of each sample, for a comparison with other runs."""
        outputs = self._explainer.outputs
        if len(outputs) == 1 and not outputs[0].axes and not outputs[0].by_batch:
            self._validation.find_keys()
            self._keeper.epoch_ended(len(self._writer.info.fits), epoch, self._validation, outputs[0])

    def within_epoch(self, *, requested: bool) -> bool:
        """Measure inside the epoch where that is due or was requested; return whether a request was served.

        Args:
            requested: whether someone has requested it, who gets it whatever the budget.
        """
        explainer, totals = self._explainer, self._sink.totals
        if explainer is None or not self._failures.measures:
            return False
        now = time.monotonic()
        self._explain_for_all(now)
        # Within an epoch the first worker alone measures, its own part: nobody may wait for the others there.
        if self._shares is not None and not self._shares.is_chief:
            return False
        due = requested or now - self._explained_at >= _WITHIN_EPOCH_SECONDS
        if not due or not self._budget.enabled or totals is None:
            return False
        begun = self._explained_at = time.monotonic()
        explanation = explainer.within_epoch(
            self._sink.epoch, totals, self._sink.kept, self._validation, self.time.seconds(begun), requested=requested
        )
        self._explained(explanation, begun, totals.batches)
        return True

    def _say_what_the_log_proves(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Explain a model that can't be probed from its log alone, with the sentence that says why."""
        named = {canonical_metric(name): value for name, value in logs.items()}
        fit = self._writer.info.fits[-1]
        known = RecordedFit.of(fit.model, fit.fit, "no sample of it can be measured")
        explanation = explain_from_log(self._writer.info.name, epoch, named, samples=self.samples, recorded=known)
        of_model = self._explainer.caveats if self._explainer is not None else ()
        limits = (*of_model, *filter(None, [self._failures.why_nothing_is_measured]))
        self._writer.event(Explained.of(replace(explanation, limits=limits)))

    def _explain_for_all(self, now: float, wait_seconds: float | None = None) -> None:
        if self._explainer is not None:
            explanation = self._explainer.of_all_workers(self.time.seconds(now), wait_seconds)
            if explanation is not None:
                self._explained(explanation, now, None)

    def _explained(self, explanation: Explanation | None, begun: float, batch: int | None) -> None:
        if explanation is not None:
            measured = time.monotonic()
            self._writer.event(Explained.of(replace(explanation, batch=batch)))
            self._session.explained(explanation)
            self._budget.written(time.monotonic() - measured)
        self.time.measuring_seconds += time.monotonic() - begun
