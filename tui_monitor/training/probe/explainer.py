"""From kept batches to explanations, within the budget: what is measured when, and what it cost."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tui_monitor.explain.measure import Moment
from tui_monitor.explain.samples.join_workers import Average, WorkerShare
from tui_monitor.explain.samples.probes import Averaging
from tui_monitor.run_log.events.explanation import Cost, Explanation
from tui_monitor.training.probe.budget import ProbeBudget
from tui_monitor.training.probe.explained import explained
from tui_monitor.training.probe.ledger_sides import Measured, whole_training, whole_validation
from tui_monitor.training.probe.passes import Kept, KeptBatch, MeasuredBatches, Probe, undisturbed
from tui_monitor.training.probe.reservoir import Reservoir
from tui_monitor.training.probe.validation_record import ValidationRecord
from tui_monitor.training.record.epoch_totals import EpochTotals
from tui_monitor.training.step.instrument import Instrument
from tui_monitor.training.step.payload import StepPlan
from tui_monitor.training.step.per_sample_metrics import Unsupported
from tui_monitor.training.workers.shares import WITHIN_EPOCH_LIMIT, WorkerShares

ASKED_BATCHES = 32
"""Batches measured where someone asks and the budget is spent."""

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
        self._limits: tuple[str, ...] = ()

    @property
    def _plan(self) -> StepPlan:
        return self.training.plan if self.training is not None else StepPlan(probed=False)

    @property
    def measures_nothing(self) -> bool:
        """Whether nothing of this model can be measured."""
        return bool(self._plan.limit) or not self._plan.is_traced

    @property
    def limits(self) -> tuple[str, ...]:
        """Sentences on what can't be measured for this model."""
        of_step = self._plan.limit or (self.validation.plan.limit if self.validation is not None else "")
        return self._limits or ((of_step,) if of_step else ())

    def at_epoch_end(
        self,
        epoch: int,
        totals: EpochTotals,
        batches: Reservoir[Kept],
        validation: ValidationRecord,
        logs: Mapping[str, float],
        training_seconds: float,
    ) -> Explanation | None:
        """Explain a whole epoch from Keras' own validation pass and a probe of its training batches.

        Args:
            epoch: from 1.
            totals: of every batch of the epoch.
            batches: kept training batches.
            validation: of this epoch; its reported values are set.
            logs: what Keras reports for the epoch.
            training_seconds: time spent training so far, measuring left out.

        Returns:
            None when the budget allows no probe yet, or the model can't be probed.
        """
        watch = _Stopwatch(self._budget)
        chosen = self._choose(totals, batches, training_seconds)
        moment = Moment(self._run, epoch, None, None, self.limits, totals.samples)
        if self.measures_nothing or not chosen or not self._is_worth_it(validation, training_seconds):
            if self._shares is not None:
                self._shares.offer(moment, None)
            return None
        reason = self._why_unknown(logs, validation)
        if reason:
            self._refuse(reason)
            if self._shares is not None:
                self._shares.offer(moment, None)
            return None
        try:
            known = self._known(chosen, totals, logs, validation)
            if self._shares is not None:
                self._shares.offer(moment, self._share(known))
                self._budget.measured(watch.seconds(), watch.seconds(), len(chosen))
                return None
            return self._finish(known, moment, watch, training_seconds)
        except Unsupported as reason:
            self._refuse(f"The gap can only be shown: {reason}.")
            return None

    def within_epoch(
        self,
        epoch: int,
        totals: EpochTotals,
        batches: Reservoir[Kept],
        validation: ValidationRecord,
        training_seconds: float,
        *,
        asked: bool,
    ) -> Explanation | None:
        """Explain the epoch so far; validation is measured anew on the batches kept from its last pass.

        Args:
            epoch: from 1.
            totals: of the epoch's batches so far.
            batches: kept training batches.
            validation: the newest one.
            training_seconds: time spent training so far, measuring left out.
            asked: whether someone asked for it, who then gets it whatever the budget.

        Returns:
            None when the budget, the kept batches or the model do not allow it.
        """
        if self.measures_nothing or not len(validation.kept) or not self._follows_validation(validation):
            return None
        watch = _Stopwatch(self._budget)
        chosen = self._choose(totals, batches, training_seconds, share=0.5)
        if not chosen and asked:
            chosen = _drawn(batches, ASKED_BATCHES)
        if not chosen or self._plan.metrics[:1] != ("loss",) or "loss" in self._plan.running:
            return None
        limits = self.limits if self._shares is None else (*self.limits, WITHIN_EPOCH_LIMIT)
        moment = Moment(self._run, epoch, totals.batches, None, limits)
        reported = {name: totals.mean(place, Averaging.SAMPLES) for place, name in enumerate(self._plan.metrics)}
        try:
            kept = [unpack() for _, unpack in validation.kept.draw(max(len(chosen), 8))]
            now = self._measure("validation", Probe.validation_batches, kept)
            known = self._known(chosen, totals, reported, validation, now)
            return self._finish(known, moment, watch, training_seconds)
        except Unsupported as reason:
            self._refuse(f"The gap can only be shown: {reason}.")
            return None

    def _known(
        self,
        chosen: Sequence[tuple[int, KeptBatch]],
        totals: EpochTotals,
        reported: Mapping[str, float],
        validation: ValidationRecord,
        now: MeasuredBatches | None = None,
    ) -> Measured:
        """Measure training batches and return that with what else is known of the moment."""
        batches = [batch for _, batch in chosen]
        measured = self._measure("training", Probe.training_batches, batches)
        return Measured(self._plan, batches, measured, totals, reported, validation, now)

    def _choose(
        self, totals: EpochTotals, batches: Reservoir[Kept], training_seconds: float, share: float = 1.0
    ) -> list[tuple[int, KeptBatch]]:
        mean_size = totals.samples / max(totals.batches, 1)
        allowed = int(share * self._budget.batches_allowed(training_seconds, mean_size, begins=self._begins))
        return _drawn(batches, allowed) if allowed else []

    def _measure(
        self, kind: str, action: Callable[[Probe, Sequence[KeptBatch]], MeasuredBatches], batches: Sequence[KeptBatch]
    ) -> MeasuredBatches:
        """Run a probe; the first batch of a kind builds its passes, which is accounted for apart."""
        probe = self._probe()
        self._begins = False
        with undisturbed():
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
        return validation.loss is not None or training_seconds >= _WORTH_SECONDS or self._budget.share >= 1

    def _why_unknown(self, logs: Mapping[str, float], validation: ValidationRecord) -> str:
        """Return the sentence on what is missing to measure an epoch, or an empty one."""
        if "loss" not in logs or self._plan.metrics[:1] != ("loss",) or "loss" in self._plan.running:
            return "The loss of single batches is not known: the gap can't be split, only shown."
        if validation.loss is None or self._follows_validation(validation):
            return ""
        return (self.validation.plan.limit if self.validation is not None else "") or _UNWATCHED

    def _follows_validation(self, validation: ValidationRecord) -> bool:
        """Whether validation was recorded; where it is measured otherwise than training, batches are all it has."""
        if not validation.batches:
            return False
        if self.validation is not None and self.validation.plan.outputs != self._plan.outputs:
            self._plan.outputs = ()
            self._plan.by_batch = self._plan.by_batch or "the test step computes its values in another way"
        if self.validation is not None:
            self._plan.by_batch = self._plan.by_batch or self.validation.plan.by_batch
        return True

    def _refuse(self, reason: str) -> None:
        """Measure no more, and say why."""
        self._plan.limit = reason

    def _finish(
        self, known: Measured, moment: Moment, watch: "_Stopwatch", training_seconds: float
    ) -> Explanation | None:
        """Explain a moment; where the model's loss is not made of its samples', it is measured by batches from now on.

        Raises:
            Unsupported: nothing of the moment can be explained.
        """
        forward = watch.seconds()
        self._check_one_loss(known)
        explanation, reason = explained(known, moment)
        if explanation is None and not self._plan.by_batch:
            self._plan.by_batch = "its samples' own losses don't add up to it"
            measured = self._measure("training", Probe.training_batches, known.batches)
            now = known.now
            if now is not None:
                kept = [unpack() for _, unpack in known.validation.kept.draw(now.samples.size)]
                now = self._measure("validation", Probe.validation_batches, kept)
            explanation, reason = explained(replace(known, training=measured, now=now), moment)
        if explanation is None:
            raise Unsupported(reason)
        self._budget.measured(watch.seconds(), forward, len(known.batches))
        return replace(explanation, cost=self._cost(training_seconds))

    def _check_one_loss(self, known: Measured) -> None:
        measured = known.training
        if not self._plan.by_batch or not measured.samples.size or not self._follows_validation(known.validation):
            return
        training, inference = float(measured.training_loss[0]), float(measured.inference_loss[0])
        with undisturbed():
            if self._probe().has_two_losses(known.batches[0], training, inference):
                raise Unsupported(
                    f"training and test step compute different losses (of one batch {training:.4g} and {inference:.4g})"
                )

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
            budget=self._budget.share,
        )

    def _share(self, known: Measured) -> WorkerShare:
        training = whole_training(known)
        accuracy, totals = None, known.totals
        if training.accuracy is not None:
            accuracy = _average(totals, known.place(self._plan.outputs[0].accuracy_name) or 0)
        return WorkerShare(training, whole_validation(known), totals.samples, _average(totals, 0), accuracy)


def _average(totals: EpochTotals, place: int) -> Average:
    return Average(totals.mean(place, Averaging.SAMPLES), totals.mean(place, Averaging.BATCHES))


class _Stopwatch:
    """Seconds since it was made, the one-time tracing in between left out."""

    def __init__(self, budget: ProbeBudget) -> None:
        self._budget = budget
        self._begun = time.perf_counter() - budget.tracing

    def seconds(self) -> float:
        """Return how many have passed."""
        return time.perf_counter() - self._begun - self._budget.tracing


def _drawn(batches: Reservoir[Kept], most: int) -> list[tuple[int, KeptBatch]]:
    return [(index, unpack()) for index, unpack in batches.draw(most)]
