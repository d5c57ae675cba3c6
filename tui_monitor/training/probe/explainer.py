"""From kept batches to explanations, within the budget: what is measured when, and what it cost."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tui_monitor.explain.measure import Moment
from tui_monitor.explain.samples.join_workers import Average, WorkerShare
from tui_monitor.explain.samples.probes import Averaging
from tui_monitor.run_log.events.explanation import Cost, Explanation
from tui_monitor.training.probe.batches import LazyBatch, UnpackedBatch
from tui_monitor.training.probe.both_sides import Measured
from tui_monitor.training.probe.budget import ProbeBudget, Stopwatch
from tui_monitor.training.probe.explained import explained
from tui_monitor.training.probe.ledger_sides import whole_training, whole_validation
from tui_monitor.training.probe.measured import MeasuredBatches
from tui_monitor.training.probe.opening.opening import OpenedOnce, Opening
from tui_monitor.training.probe.passes import Probe
from tui_monitor.training.probe.reservoir import Reservoir
from tui_monitor.training.probe.undisturbed import undisturbed
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
        self.opening = Opening(model, budget)
        """What opens the within-class term; it knows one fit's data."""

    @property
    def _plan(self) -> StepPlan:
        return self.training.plan if self.training is not None else StepPlan(probed=False)

    @property
    def outputs(self) -> Sequence[PerSampleMetrics]:
        """How each output's values are read, those of the model's one output where it has one; empty if unknown."""
        return self._plan.outputs

    @property
    def measures_nothing(self) -> bool:
        """Whether nothing of this model can be measured."""
        return bool(self._plan.caveat) or not self._plan.is_traced

    @property
    def caveats(self) -> tuple[str, ...]:
        """Sentences on what can't be measured for this model."""
        of_step = self._plan.caveat or (self.validation.plan.caveat if self.validation is not None else "")
        return (of_step,) if of_step else ()

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
        self.is_complete = False
        # Before batches are drawn, as unpacking them is a part of what measuring costs.
        watch = Stopwatch(self._budget)
        is_measured = validation.loss is None or self._has_measured(validation)
        # Half of the budget goes to validation where its own steps have measured nothing.
        chosen = self._choose(totals, batches, training_seconds, share=1.0 if is_measured else 0.5, is_last=is_last)
        moment = Moment(self._run, epoch, None, None, self.caveats, totals.samples)
        if self.measures_nothing or not chosen or not self._is_worth_it(validation, training_seconds):
            return None
        reason = self._why_unknown(logs, validation)
        if reason:
            self._refuse(reason)
            return None
        try:
            now = None if is_measured else self._validation_again(validation, len(chosen))
            known = self._known(chosen, totals, logs, validation, now)
            if self._shares is not None:
                self._shares.offer(moment, self._share(known))
                # All of it grows with the batches: what does not, explaining them, is left to the chief.
                self._budget.measured(watch.seconds(), watch.seconds(), len(chosen))
                return None
            explanation = self._finish(known, moment, watch, training_seconds, batches)
        except Unsupported as why:
            self._refuse(_only_shown(why))
            return None
        self.has_explained, self.is_complete = True, len(chosen) == totals.batches
        if is_last and not knew_cost and not self.is_complete:
            # The first measurement of all is a small one, from which the cost of a larger one is known now.
            again = self.at_epoch_end(epoch, totals, batches, validation, logs, training_seconds, is_last=True)
            return again or explanation
        return explanation

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
        is_known = self._plan.metrics[:1] == ("loss",) and "loss" not in self._plan.running
        if self.measures_nothing or not is_known or not len(validation.kept) or not self._is_like_training(validation):
            return None
        watch = Stopwatch(self._budget)
        chosen = self._choose(totals, batches, training_seconds, share=0.5)
        if not chosen and requested:
            chosen = self._draw(batches, ASKED_BATCHES)
        if not chosen:
            return None
        caveats = self.caveats if self._shares is None else (*self.caveats, WITHIN_EPOCH_CAVEAT)
        moment = Moment(self._run, epoch, totals.batches, None, caveats)
        # Keras reports nothing within an epoch: the means of its batches so far stand for that.
        so_far = {name: totals.mean(index, Averaging.SAMPLES) for index, name in enumerate(self._plan.metrics)}
        try:
            # Validation's recorded values are of older weights: beside training's of now, they would show learning.
            now = self._validation_again(validation, len(chosen))
            known = replace(self._known(chosen, totals, so_far, validation, now), is_at_end=False)
            return self._finish(known, moment, watch, training_seconds)
        except Unsupported as why:
            self._refuse(_only_shown(why))
            return None

    def _known(
        self,
        chosen: Sequence[tuple[int, UnpackedBatch]],
        totals: EpochTotals,
        reported: Mapping[str, float],
        validation: ValidationRecord,
        now: MeasuredBatches | None,
    ) -> Measured:
        """Measure training batches and return that with what else is known of the moment."""
        batches = [batch for _, batch in chosen]
        measured = self._measure("training", Probe.training_batches, batches)
        return Measured(self._plan, batches, measured, totals, reported, validation, now)

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
        except Unsupported as why:
            self._refuse(_only_shown(why))
            return []

    def _allowed(self, training_seconds: float, mean_size: float, *, is_last: bool) -> int:
        probe = self.training.probe if self.training is not None else None
        # Passes cut from another validation function are of no use for the one that runs now.
        builds = probe is None or probe.validation is not self.validation or not probe.ready
        return self._budget.batches_allowed(
            training_seconds, mean_size, begins=self._begins, builds=builds, is_last=is_last
        )

    def _validation_again(self, validation: ValidationRecord, training_batches: int) -> MeasuredBatches:
        """Measure about as many kept batches of validation as of training."""
        kept = [unpack() for _, unpack in validation.kept.draw(max(training_batches, 8))]
        return self._measure("validation", Probe.validation_batches, kept)

    def _measure(
        self,
        kind: str,
        action: Callable[[Probe, Sequence[UnpackedBatch]], MeasuredBatches],
        batches: Sequence[UnpackedBatch],
    ) -> MeasuredBatches:
        """Run a probe; the first batch of a kind builds its passes, which is accounted for apart."""
        probe = self._probe()
        self._begins = False
        if kind not in probe.ready:
            begun = time.perf_counter()
            undisturbed(lambda: action(probe, batches[:1]))
            probe.ready.add(kind)
            self._budget.traced(time.perf_counter() - begun)
        return undisturbed(lambda: action(probe, batches))

    def _probe(self) -> Probe:
        """Return the probe of the functions that run now; a later fit with the same functions uses it, too."""
        assert self.training is not None
        # Kept with the function that trains, which Keras reuses: the next fit finds its passes built.
        probe: Probe | None = self.training.probe
        if probe is None or probe.validation is not self.validation:
            probe = self.training.probe = Probe(self._model, self.training, self.validation)
        return probe

    def _is_worth_it(self, validation: ValidationRecord, training_seconds: float) -> bool:
        """Whether there is a gap to explain, or else a training long enough that its own values are worth a look."""
        return validation.loss is not None or training_seconds >= _WORTH_SECONDS or self._budget.fraction >= 1

    def _has_measured(self, validation: ValidationRecord) -> bool:
        """Whether validation's own steps have measured what its side of the ledger needs."""
        # Without samples' values, losses of whole batches are all that validation's steps can give.
        if self._plan.by_batch and not (len(self._plan.outputs) == 1 and validation.by_sample):
            return bool(np.isfinite(validation.losses).any())
        return bool(validation.by_sample)

    def _why_unknown(self, logs: Mapping[str, float], validation: ValidationRecord) -> str:
        """Return the sentence on what is missing to measure an epoch, or an empty one."""
        if validation.caveat:
            return f"Not measured: {validation.caveat}."
        if "loss" not in logs or self._plan.metrics[:1] != ("loss",) or "loss" in self._plan.running:
            return "The loss of single batches is not known: the gap can't be split, only shown."
        if validation.loss is None or self._is_like_training(validation):
            return ""
        return (self.validation.plan.caveat if self.validation is not None else "") or _UNWATCHED

    def _is_like_training(self, validation: ValidationRecord) -> bool:
        """Whether validation was recorded; where its step computes other values, both sides are measured by batches."""
        if not validation.batches:
            return False
        if self.validation is not None and self.validation.plan.outputs != self._plan.outputs:
            # Samples' values of two definitions can't be compared; the losses of whole batches can.
            self._plan.outputs = ()
            self._plan.by_batch = self._plan.by_batch or "the test step computes its values in another way"
        if self.validation is not None:
            self._plan.by_batch = self._plan.by_batch or self.validation.plan.by_batch
        return True

    def _refuse(self, sentence: str) -> None:
        """Measure no more, and say why."""
        # In the plan, which belongs to the function: another fit with the same function need not fail first.
        self._plan.caveat = sentence

    def _finish(
        self,
        known: Measured,
        moment: Moment,
        watch: Stopwatch,
        training_seconds: float,
        kept: Reservoir[LazyBatch] | None = None,
    ) -> Explanation:
        """Explain a moment; where the model's loss is not made of its samples', it is measured by batches from now on.

        Args:
            known: of the moment.
            moment: copied into the explanation.
            watch: running since measuring began.
            training_seconds: time spent training so far.
            kept: all batches of the epoch that were kept, where its within-class term is to be opened.

        Raises:
            Unsupported: nothing of the moment can be explained.
        """
        forward = watch.seconds()
        self._check_one_loss(known)
        opened = OpenedOnce(self.opening, self._probe(), known, moment.epoch, kept, forward)
        explanation, reason = explained(known, moment, opened)
        if explanation is None and not self._plan.by_batch:
            # Whole batches are measured in passes of their own from now on, so each batch has a loss to compare.
            self._plan.by_batch = "its samples' own losses don't add up to it"
            measured = self._measure("training", Probe.training_batches, known.batches)
            now = None if known.now is None else self._validation_again(known.validation, known.now.samples.size)
            explanation, reason = explained(replace(known, training=measured, now=now), moment)
        if explanation is None:
            raise Unsupported(reason)
        self._budget.measured(watch.seconds() - opened.seconds, forward, len(known.batches))
        self._budget.written(opened.seconds)
        return replace(explanation, cost=self._cost(training_seconds))

    def _check_one_loss(self, known: Measured) -> None:
        """Refuse to compare two different losses.

        Raises:
            Unsupported: training and test step compute different ones.
        """
        measured = known.training
        if not self._plan.by_batch or not measured.samples.size or not known.validation.batches:
            return
        as_tested = measured.training_loss if measured.unweighted_loss is None else measured.unweighted_loss
        training, inference = float(as_tested[0]), float(measured.inference_loss[0])
        if undisturbed(lambda: self._probe().has_two_losses(known.batches[0], training, inference)):
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
            budget=self._budget.fraction,
            seconds_beside=self._budget.seconds,
        )

    def _share(self, known: Measured) -> WorkerShare:
        training = whole_training(known)
        accuracy, totals = None, known.totals
        if training.accuracy is not None:
            accuracy = _average(totals, known.position(self._plan.outputs[0].accuracy_name) or 0)
        return WorkerShare(training, whole_validation(known), totals.samples, _average(totals, 0), accuracy)


def _only_shown(reason: Unsupported) -> str:
    return f"Not measured: {reason}."


def _average(totals: EpochTotals, position: int) -> Average:
    return Average(totals.mean(position, Averaging.SAMPLES), totals.mean(position, Averaging.BATCHES))
