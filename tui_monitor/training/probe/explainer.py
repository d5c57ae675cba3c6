"""From kept batches to explanations, within the budget: what is measured when, and what it cost."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tui_monitor.explain.measure import Moment, explain_probe
from tui_monitor.explain.samples.join_workers import Average, WorkerShare
from tui_monitor.explain.samples.probes import Averaging, TrainingProbe, ValidationProbe
from tui_monitor.metric_names import VALIDATION_PREFIX
from tui_monitor.run_log.events.explanation import Cost, Explanation
from tui_monitor.training.probe.budget import ProbeBudget
from tui_monitor.training.probe.ledger_sides import (
    complete_validation,
    partial_validation,
    repeated_validation,
    residual_caveat,
    training_side,
)
from tui_monitor.training.probe.opening.opener import EpochToOpen
from tui_monitor.training.probe.opening.opening import Opening, epoch_to_open
from tui_monitor.training.probe.passes import LazyBatch, MeasuredBatches, Probe, UnpackedBatch, preserved_random_state
from tui_monitor.training.probe.reservoir import Reservoir
from tui_monitor.training.probe.validation_record import ValidationRecord
from tui_monitor.training.record.epoch_totals import EpochTotals
from tui_monitor.training.step.instrument import Instrument
from tui_monitor.training.step.payload import StepPlan
from tui_monitor.training.step.per_sample_metrics import PerSampleMetrics, Unsupported
from tui_monitor.training.workers.shares import WITHIN_EPOCH_CAVEAT, WorkerShares

ASKED_BATCHES = 32
"""Batches measured where someone requests it and the budget is spent."""

_WORTH_SECONDS = 10.0
"""Training from which a fit without validation is measured, for its recall and calibration."""
_UNWATCHED = (
    "Validation runs in a function that was made before recording began, or by other code: "
    "the gap can't be split, only shown."
)


class Explainer:
    """Measures one `fit` call's batches and writes down why training and validation differ."""

    def __init__(
        self,
        model: Any,
        run: str,
        budget: ProbeBudget,
        shares: WorkerShares | None = None,
    ) -> None:
        """Prepare to measure.

        Args:
            model: that trains.
            run: its run's name.
            budget: of all measuring.
            shares: where several workers bring together what each has measured; None for a single process.
        """
        self._shares = shares
        self._model = model
        self._run = run
        self._budget = budget
        self.training: Instrument | None = None
        """Of the function that trains, once it has run."""
        self.validation: Instrument | None = None
        """Of the function that validates, likewise."""
        self._begins = True
        self.has_explained = False
        """Whether an epoch of this `fit` was measured at its end."""
        self.is_complete = False
        """Whether the newest epoch that was measured at its end was measured in all its batches."""
        self._caveats: tuple[str, ...] = ()
        self.opening = Opening(model, budget)
        """What opens the within-class term; it knows one fit's data."""

    @property
    def _plan(self) -> StepPlan:
        return self.training.plan if self.training is not None else StepPlan(probed=False)

    @property
    def measures_nothing(self) -> bool:
        """Whether nothing of this model can be split by sample."""
        return self._plan.per_sample is None

    def validation_accuracy(self, logs: Mapping[str, float]) -> float | None:
        """Return validation's accuracy among an epoch's logs, or None where that is not measured."""
        known = self._plan.per_sample
        if known is None or known.accuracy_name is None:
            return None
        return logs.get(VALIDATION_PREFIX + known.accuracy_name)

    @property
    def caveats(self) -> tuple[str, ...]:
        """Sentences on what can't be measured for this model."""
        of_step = self._plan.caveat or (self.validation.plan.caveat if self.validation is not None else "")
        return self._caveats or ((of_step,) if of_step else ())

    def at_epoch_end(
        self,
        epoch: int,
        totals: EpochTotals,
        batches: Reservoir[LazyBatch],
        validation: ValidationRecord,
        logs: Mapping[str, float],
        training_seconds: float,
        *,
        is_last: bool = False,
    ) -> Explanation | None:
        """Explain a whole epoch from Keras' own validation pass and a probe of its training batches.

        Args:
            epoch: from 1.
            totals: of every batch of the epoch.
            batches: kept training batches.
            validation: of this epoch; its reported values are set.
            logs: what Keras reports for the epoch.
            training_seconds: time spent training so far, measuring left out.
            is_last: whether no epoch of this `fit` is known to follow: then more of it is measured.

        Returns:
            None when the budget allows no probe yet, or the model can't be probed.
        """
        knew_cost = self._budget.knows_cost
        arguments = (epoch, totals, batches, validation, logs, training_seconds)
        explanation = self._explain_whole_epoch(*arguments, is_last=is_last)
        if is_last and explanation is not None and not knew_cost and not self.is_complete:
            return self._explain_whole_epoch(*arguments, is_last=True) or explanation
        return explanation

    def _explain_whole_epoch(
        self,
        epoch: int,
        totals: EpochTotals,
        batches: Reservoir[LazyBatch],
        validation: ValidationRecord,
        logs: Mapping[str, float],
        training_seconds: float,
        *,
        is_last: bool,
    ) -> Explanation | None:
        self.is_complete = False
        watch = _Stopwatch(self._budget)
        if validation.caveat:
            self._refuse(Unsupported(validation.caveat))
        is_measured = validation.loss is None or bool(validation.per_sample)
        chosen = self._choose(totals, batches, training_seconds, share=1.0 if is_measured else 0.5, is_last=is_last)
        per_sample = self._plan.per_sample
        moment = Moment(self._run, epoch, None, None, self.caveats)
        if per_sample is None or not chosen or not self._is_worth_it(validation, training_seconds):
            if self._shares is not None:
                self._shares.offer(moment, None)
            return None
        if not self._knows_losses(logs):
            if self._shares is not None:
                self._shares.offer(moment, None)
            return None
        if not is_measured and not len(validation.kept):
            self._refuse(Unsupported(self.validation.plan.caveat if self.validation is not None else _UNWATCHED))
            return None
        try:
            measured = self._measure_training(chosen)
            side = complete_validation(per_sample, validation, measured.inference_penalty)
            if not is_measured:
                now, complete = self._validation_again(validation, len(chosen))
                side = repeated_validation(per_sample, validation, now, measured.inference_penalty, complete=complete)
        except Unsupported as reason:
            self._refuse(reason)
            return None
        reported = {"loss": float(logs["loss"]), "accuracy": _accuracy(logs, per_sample)}
        training = self._training_side(per_sample, chosen, measured, totals, reported)
        moment = Moment(self._run, epoch, None, None, self.caveats, totals.samples)
        if self._shares is not None:
            self._shares.offer(moment, self._share(training, side, totals))
            self._budget.measured(watch.seconds(), watch.seconds(), len(chosen))
            return None
        self.has_explained, self.is_complete = True, len(chosen) == totals.batches
        probed = [batch for _, batch in chosen]
        to_open = epoch_to_open(epoch, (batches, probed), (validation, side), totals, (training, measured))
        return self._finish(moment, training, side, watch, len(chosen), training_seconds, to_open)

    def within_epoch(
        self,
        epoch: int,
        totals: EpochTotals,
        batches: Reservoir[LazyBatch],
        validation: ValidationRecord,
        training_seconds: float,
        *,
        requested: bool,
    ) -> Explanation | None:
        """Explain the epoch so far; validation is measured anew on the batches kept from its last pass.

        Args:
            epoch: from 1.
            totals: of the epoch's batches so far.
            batches: kept training batches.
            validation: the newest one.
            training_seconds: time spent training so far, measuring left out.
            requested: whether someone requested it, who then gets it whatever the budget.

        Returns:
            None when the budget, the kept batches or the model do not allow it.
        """
        per_sample = self._plan.per_sample
        if per_sample is None or not len(validation.kept):
            return None
        watch = _Stopwatch(self._budget)
        chosen = self._choose(totals, batches, training_seconds, share=0.5)
        if not chosen and requested:
            chosen = self._draw(batches, ASKED_BATCHES)
        if not chosen:
            return None
        try:
            measured = self._measure_training(chosen)
            now, complete = self._validation_again(validation, len(chosen))
        except Unsupported as reason:
            self._refuse(reason)
            return None
        reported = {"loss": totals.mean(0, Averaging.SAMPLES), "accuracy": None}
        if per_sample.accuracy_name is not None:
            position = self._plan.metrics.index(per_sample.accuracy_name)
            reported["accuracy"] = totals.mean(position, Averaging.SAMPLES)
        training = self._training_side(per_sample, chosen, measured, totals, reported)
        side = partial_validation(per_sample, validation, now, measured.inference_penalty, complete=complete)
        caveats = self.caveats if self._shares is None else (*self.caveats, WITHIN_EPOCH_CAVEAT)
        moment = Moment(self._run, epoch, totals.batches, None, caveats)
        return self._finish(moment, training, side, watch, len(chosen), training_seconds)

    def _choose(
        self,
        totals: EpochTotals,
        batches: Reservoir[LazyBatch],
        training_seconds: float,
        share: float = 1.0,
        *,
        is_last: bool = False,
    ) -> list[tuple[int, UnpackedBatch]]:
        mean_size = totals.samples / max(totals.batches, 1)
        allowed = int(share * self._allowed(training_seconds, mean_size, is_last=is_last))
        return self._draw(batches, allowed) if allowed else []

    def _draw(self, batches: Reservoir[LazyBatch], most: int) -> list[tuple[int, UnpackedBatch]]:
        try:
            return [(index, unpack()) for index, unpack in batches.draw(most)]
        except Unsupported as reason:
            self._refuse(reason)
            return []

    def _allowed(self, training_seconds: float, mean_size: float, *, is_last: bool) -> int:
        probe = self.training.probe if self.training is not None else None
        builds = probe is None or probe.validation is not self.validation or not probe.ready
        return self._budget.batches_allowed(
            training_seconds, mean_size, begins=self._begins, builds=builds, is_last=is_last
        )

    def _measure_training(self, chosen: Sequence[tuple[int, UnpackedBatch]]) -> MeasuredBatches:
        return self._measure("training", Probe.training_batches, [batch for _, batch in chosen])

    def _validation_again(self, validation: ValidationRecord, training_batches: int) -> tuple[MeasuredBatches, bool]:
        """Measure about as many kept batches of validation as of training; the flag tells whether those are all."""
        kept = [unpack() for _, unpack in validation.kept.draw(max(training_batches, 8))]
        return self._measure("validation", Probe.validation_batches, kept), len(kept) == validation.batches

    def _measure(
        self,
        kind: str,
        action: Callable[[Probe, Sequence[UnpackedBatch]], MeasuredBatches],
        batches: Sequence[UnpackedBatch],
    ) -> MeasuredBatches:
        """Run a probe; the first batch of a kind builds its passes, which is accounted for apart."""
        probe = self._probe()
        self._begins = False
        with preserved_random_state():
            if kind not in probe.ready:
                begun = time.perf_counter()
                action(probe, batches[:1])
                probe.ready.add(kind)
                self._budget.traced(time.perf_counter() - begun)
            return action(probe, batches)

    def _probe(self) -> Probe:
        """Return the probe of the functions that run now; a later fit with the same functions uses it, too."""
        assert self.training is not None
        probe: Probe | None = self.training.probe
        if probe is None or probe.validation is not self.validation:
            probe = self.training.probe = Probe(self._model, self.training, self.validation)
        return probe

    def _is_worth_it(self, validation: ValidationRecord, training_seconds: float) -> bool:
        """Whether there is a gap to explain, or else a training long enough that its own values are worth a look."""
        return validation.loss is not None or training_seconds >= _WORTH_SECONDS or self._budget.fraction >= 1

    def _knows_losses(self, logs: Mapping[str, float]) -> bool:
        """Whether the loss of each batch and of the epoch are known; if not, a caveat says so."""
        if "loss" in logs and self._plan.metrics[:1] == ("loss",) and "loss" not in self._plan.running:
            return True
        self._refuse(Unsupported("The loss of single batches is not known: the gap can't be split, only shown."))
        return False

    def _refuse(self, reason: Unsupported) -> None:
        """Measure no more, and say why."""
        self._plan.per_sample, self._plan.caveat = None, str(reason)

    def _training_side(
        self,
        per_sample: PerSampleMetrics,
        chosen: Sequence[tuple[int, UnpackedBatch]],
        measured: MeasuredBatches,
        totals: EpochTotals,
        reported: Mapping[str, float | None],
    ) -> TrainingProbe:
        """Return the side, and keep what can't be said of it as a caveat."""
        batches = [batch for _, batch in chosen]
        side = training_side(per_sample, batches, measured, totals, self._plan.metrics, reported)
        caveat = residual_caveat(side)
        if caveat:
            self._caveats = (caveat,)
        return side

    def _finish(
        self,
        moment: Moment,
        training: TrainingProbe,
        validation: ValidationProbe | None,
        watch: "_Stopwatch",
        batches: int,
        training_seconds: float,
        epoch: EpochToOpen | None = None,
    ) -> Explanation:
        forward = watch.seconds()
        opened, seconds = self.opening.open(self._probe(), epoch, forward) if epoch is not None else (None, 0.0)
        explanation = explain_probe(training, validation, moment, opened)
        self._budget.measured(watch.seconds() - seconds, forward, batches)
        self._budget.written(seconds)
        return replace(explanation, cost=self._cost(training_seconds))

    def of_all_workers(self, training_seconds: float, wait_seconds: float | None = None) -> Explanation | None:
        """Return the explanation of the last epoch that ended, once, when every worker has measured it.

        Args:
            training_seconds: time spent training so far, measuring left out.
            wait_seconds: see `WorkerShares.explanation`.
        """
        if self._shares is None:
            return None
        return self._shares.explanation(self._cost(training_seconds), wait_seconds=wait_seconds)

    def _cost(self, training_seconds: float) -> Cost:
        return Cost(
            seconds=self._budget.spent,
            share_of_training=self._budget.spent / training_seconds if training_seconds > 0 else 0.0,
            tracing_seconds=self._budget.tracing,
            budget=self._budget.fraction,
            seconds_beside=self._budget.seconds,
        )

    def _share(self, training: TrainingProbe, validation: ValidationProbe | None, totals: EpochTotals) -> WorkerShare:
        accuracy = None
        if training.accuracy is not None and self._plan.per_sample is not None:
            name = self._plan.per_sample.accuracy_name
            accuracy = _average(totals, self._plan.metrics.index(name or ""))
        return WorkerShare(training, validation, totals.samples, _average(totals, 0), accuracy)


def _average(totals: EpochTotals, position: int) -> Average:
    return Average(totals.mean(position, Averaging.SAMPLES), totals.mean(position, Averaging.BATCHES))


class _Stopwatch:
    """Seconds since it was made, the one-time tracing in between left out."""

    def __init__(self, budget: ProbeBudget) -> None:
        self._budget = budget
        self._begun = time.perf_counter() - budget.tracing

    def seconds(self) -> float:
        """Return how many have passed."""
        return time.perf_counter() - self._begun - self._budget.tracing


def _accuracy(logs: Mapping[str, float], per_sample: PerSampleMetrics) -> float | None:
    if per_sample.accuracy_name is None or per_sample.accuracy_name not in logs:
        return None
    return float(logs[per_sample.accuracy_name])
