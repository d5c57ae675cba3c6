"""From kept batches to explanations, within the budget: what is measured when, and what it cost."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tui_monitor.explain.explanation import Cause, Cost, Explanation
from tui_monitor.explain.measure import Moment, explain_probe
from tui_monitor.explain.samples import (
    Averaging,
    FloatArray,
    IntArray,
    Quantity,
    TrainingProbe,
    ValidationProbe,
    Weighting,
)
from tui_monitor.explain.shares import Average, WorkerShare
from tui_monitor.training.budget import ProbeBudget
from tui_monitor.training.epoch_totals import EpochTotals
from tui_monitor.training.instruments import Instruments
from tui_monitor.training.probe import KeptBatch, MeasuredBatches, kept_batch, undisturbed
from tui_monitor.training.reservoir import Reservoir
from tui_monitor.training.sample_figures import ROWS, SampleFigures, Unsupported
from tui_monitor.training.step_output import StepOutput
from tui_monitor.training.worker_shares import WITHIN_EPOCH_LIMIT, WorkerShares

ASKED_BATCHES = 32
"""Batches measured where someone asks and the budget is spent."""
_RESIDUAL_WORTH_SAYING = 1e-3
"""Relative difference from which a batch loss counts as not reproduced by its outputs."""


@dataclass
class ValidationRecord:
    """All of the newest validation: per-sample figures from Keras' own pass, and some batches kept for later."""

    figures: list[FloatArray] = field(default_factory=list)
    """One array of shape (6, batch) for each batch, rows as in `ROWS`."""
    kept: Reservoir[StepOutput] = field(default_factory=Reservoir)
    batches: int = 0
    """Batches of validation, measured or not."""
    numbers: FloatArray | None = None
    """Samples, then samples of each class, over all batches; None before the first."""
    loss: float | None = None
    """As reported; None while validation is under way."""
    accuracy: float | None = None

    def begin(self) -> None:
        """Forget the validation before."""
        self.figures.clear()
        self.kept.clear()
        self.batches, self.numbers = 0, None
        self.loss = self.accuracy = None

    def count(self, row: Sequence[float]) -> None:
        """Add one batch's samples, then samples of each class."""
        self.batches += 1
        numbers = np.asarray(row)
        self.numbers = numbers if self.numbers is None else self.numbers + numbers

    @property
    def class_counts(self) -> IntArray | None:
        """Samples of each class in all of validation, shape (classes,), or None without classes."""
        if self.numbers is None or self.numbers.size == 1:
            return None
        return np.rint(self.numbers[1:]).astype(np.int64)


class Explainer:
    """Measures one `fit` call's batches and writes down why training and validation differ."""

    def __init__(
        self,
        model: Any,
        run: str,
        instruments: Instruments,
        budget: ProbeBudget,
        shares: WorkerShares | None = None,
    ) -> None:
        """Prepare to measure.

        Args:
            model: that trains.
            run: its run's name.
            instruments: of the model.
            budget: of all measuring.
            shares: where several workers bring together what each has measured; None for a single process.
        """
        self._shares = shares
        self._model = model
        self._run = run
        self._instruments = instruments
        self._plan = instruments.plan
        self._budget = budget
        self._begins = True
        self._limits: tuple[str, ...] = ()

    @property
    def limits(self) -> tuple[str, ...]:
        """Sentences on what can't be measured for this model."""
        return self._limits or ((self._plan.limit,) if self._plan.limit else ())

    def at_epoch_end(
        self,
        epoch: int,
        totals: EpochTotals,
        batches: Reservoir[StepOutput],
        validation: ValidationRecord,
        logs: Mapping[str, float],
        training_seconds: float,
    ) -> Explanation | None:
        """Explain a whole epoch from Keras' own validation pass and a probe of its training batches.

        Args:
            epoch: from 1.
            totals: of every batch of the epoch.
            batches: kept training batches.
            validation: of this epoch; its reported figures are set.
            logs: what Keras reports for the epoch.
            training_seconds: time spent training so far, measuring left out.

        Returns:
            None when the budget allows no probe yet, or the model can't be probed.
        """
        chosen = self._choose(totals, batches, training_seconds)
        figures = self._plan.figures
        moment = Moment(self._run, epoch, None, None, self.limits)
        if figures is None or not chosen:
            if self._shares is not None:
                self._shares.offer(moment, None)
            return None
        watch = _Stopwatch(self._budget)
        try:
            measured = self._measure_training(chosen)
        except Unsupported as reason:
            self._plan.figures, self._plan.limit = None, str(reason)
            return None
        reported = {"loss": float(logs["loss"]), "accuracy": _accuracy(logs, figures)}
        training = self._training_probe(figures, chosen, measured, totals, reported)
        side = _complete_validation(figures, validation, measured.penalty)
        moment = Moment(self._run, epoch, None, None, self.limits, totals.samples)
        if self._shares is not None:
            self._shares.offer(moment, self._share(training, side, totals))
            self._budget.measured(watch.seconds(), watch.seconds(), len(chosen))
            return None
        return self._finish(moment, training, side, watch, len(chosen), training_seconds)

    def within_epoch(
        self,
        epoch: int,
        totals: EpochTotals,
        batches: Reservoir[StepOutput],
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
        figures = self._plan.figures
        if figures is None or not len(validation.kept) or not validation.figures:
            return None
        chosen = self._choose(totals, batches, training_seconds, share=0.5)
        if not chosen and asked:
            chosen = _drawn(batches, ASKED_BATCHES)
        if not chosen:
            return None
        watch = _Stopwatch(self._budget)
        measured = self._measure_training(chosen)
        drawn = validation.kept.draw(max(len(chosen), 8))
        kept = [kept_batch(output, in_training=False) for _, output in drawn]
        now = self._measure("validation", lambda probe: probe.validation_batches(kept))
        reported = {"loss": totals.mean(0, Averaging.SAMPLES), "accuracy": None}
        if figures.accuracy_name is not None:
            place = self._plan.metrics.index(figures.accuracy_name)
            reported["accuracy"] = totals.mean(place, Averaging.SAMPLES)
        training = self._training_probe(figures, chosen, measured, totals, reported)
        complete = len(kept) == validation.batches
        side = _partial_validation(figures, validation, now, measured.penalty, complete=complete)
        limits = self.limits if self._shares is None else (*self.limits, WITHIN_EPOCH_LIMIT)
        moment = Moment(self._run, epoch, totals.batches, None, limits)
        return self._finish(moment, training, side, watch, len(chosen), training_seconds)

    def _choose(
        self, totals: EpochTotals, batches: Reservoir[StepOutput], training_seconds: float, share: float = 1.0
    ) -> list[tuple[int, KeptBatch]]:
        mean_size = totals.samples / max(totals.batches, 1)
        allowed = int(share * self._budget.batches_allowed(training_seconds, mean_size, begins=self._begins))
        return _drawn(batches, allowed) if allowed else []

    def _measure_training(self, chosen: Sequence[tuple[int, KeptBatch]]) -> MeasuredBatches:
        return self._measure("training", lambda probe: probe.training_batches([batch for _, batch in chosen]))

    def _measure(self, kind: str, action: Any) -> MeasuredBatches:
        """Run a probe; its first call of a kind builds functions, which is accounted for apart."""
        probe = self._instruments.probe(self._model)
        self._begins = False
        with undisturbed():
            if kind not in probe.ready:
                begun = time.perf_counter()
                action(probe)
                probe.ready.add(kind)
                self._budget.traced(time.perf_counter() - begun)
            measured: MeasuredBatches = action(probe)
        return measured

    def _training_probe(
        self,
        figures: SampleFigures,
        chosen: Sequence[tuple[int, KeptBatch]],
        measured: MeasuredBatches,
        totals: EpochTotals,
        reported: Mapping[str, float | None],
    ) -> TrainingProbe:
        batches = [batch for _, batch in chosen]
        weight, batch = measured.then["weight"], measured.batch
        loss = Quantity(
            then=measured.then["loss"],
            training=measured.training["loss"],
            inference=measured.inference["loss"],
            reported=_finite(reported["loss"]),
            averaging=totals.averaging_behind(0, _finite(reported["loss"])),
            weighting=figures.loss_weighting,
            offset_then=self._penalty_then(batches, measured, figures.loss_weighting),
            offset_now=measured.penalty,
        )
        accuracy = None
        if figures.accuracy_name is not None and reported.get("accuracy") is not None:
            place = self._plan.metrics.index(figures.accuracy_name)
            accuracy = Quantity(
                then=measured.then["correct"],
                training=measured.training["correct"],
                inference=measured.inference["correct"],
                reported=_finite(reported["accuracy"]),
                averaging=totals.averaging_behind(place, _finite(reported["accuracy"])),
                weighting=figures.accuracy_weighting,
            )
        return TrainingProbe(
            batch=batch,
            label=_labels(measured.inference["label"]),
            predicted=_labels(measured.inference["predicted"]),
            weight=weight,
            loss=loss,
            accuracy=accuracy,
            epoch_batches=totals.batches,
            epoch_class_counts=totals.class_counts,
            confidence=measured.inference["confidence"],
        )

    def _penalty_then(self, batches: Sequence[KeptBatch], measured: MeasuredBatches, weighting: Weighting) -> float:
        """Return what the reported batch losses held beyond the samples' own, on average over the batches.

        A difference that no penalty of the model accounts for is said in a sentence.
        """
        own = _batch_losses(measured, weighting, len(batches))
        recorded = np.array([batch.loss for batch in batches])
        difference = float(np.mean(recorded - own))
        scale = max(1.0, float(np.mean(np.abs(recorded))))
        if measured.penalty == 0.0:
            if abs(difference) > _RESIDUAL_WORTH_SAYING * scale:
                self._limits = (
                    "The training loss can't be reproduced from the model's outputs "
                    f"(it is {difference:+.4f} off): the difference is counted under "
                    f"“{Cause.IN_EPOCH_AVERAGING.label}”.",
                )
                return difference
            return 0.0
        return difference

    def _finish(
        self,
        moment: Moment,
        training: TrainingProbe,
        validation: ValidationProbe | None,
        watch: "_Stopwatch",
        batches: int,
        training_seconds: float,
    ) -> Explanation:
        forward = watch.seconds()
        explanation = explain_probe(training, validation, moment)
        self._budget.measured(watch.seconds(), forward, batches)
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
            budget=self._budget.share,
        )

    def _share(self, training: TrainingProbe, validation: ValidationProbe | None, totals: EpochTotals) -> WorkerShare:
        accuracy = None
        if training.accuracy is not None and self._plan.figures is not None:
            name = self._plan.figures.accuracy_name
            accuracy = _average(totals, self._plan.metrics.index(name or ""))
        return WorkerShare(training, validation, totals.samples, _average(totals, 0), accuracy)


def _average(totals: EpochTotals, place: int) -> Average:
    return Average(totals.mean(place, Averaging.SAMPLES), totals.mean(place, Averaging.BATCHES))


class _Stopwatch:
    """Seconds since it was made, the one-time tracing in between left out."""

    def __init__(self, budget: ProbeBudget) -> None:
        self._budget = budget
        self._begun = time.perf_counter() - budget.tracing

    def seconds(self) -> float:
        return time.perf_counter() - self._begun - self._budget.tracing


def _drawn(batches: Reservoir[StepOutput], most: int) -> list[tuple[int, KeptBatch]]:
    return [(index, kept_batch(output, in_training=True)) for index, output in batches.draw(most)]


def _accuracy(logs: Mapping[str, float], figures: SampleFigures) -> float | None:
    if figures.accuracy_name is None or figures.accuracy_name not in logs:
        return None
    return float(logs[figures.accuracy_name])


def _finite(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _labels(values: FloatArray) -> IntArray:
    return np.rint(values).astype(np.int64)


def _batch_losses(measured: MeasuredBatches, weighting: Weighting, batches: int) -> FloatArray:
    """Return each batch's own loss from its samples' figures as trained on, shape (batches,)."""
    loss, weight, batch = measured.then["loss"], measured.then["weight"], measured.batch
    sums = np.bincount(batch, weights=loss * weight, minlength=batches)
    if weighting is Weighting.PER_BATCH_WEIGHT:
        below = np.bincount(batch, weights=weight, minlength=batches)
    else:
        below = np.bincount(batch, minlength=batches).astype(np.float64)
    return np.divide(sums, below, out=np.zeros_like(sums), where=below != 0)


def _complete_validation(
    figures: SampleFigures, validation: ValidationRecord, penalty: float
) -> ValidationProbe | None:
    if validation.loss is None or not validation.figures:
        return None
    rows = dict(zip(ROWS, np.concatenate(validation.figures, axis=1).astype(np.float64), strict=True))
    sizes = [part.shape[1] for part in validation.figures]
    return ValidationProbe(
        batch=np.repeat(np.arange(len(sizes)), sizes),
        label=_labels(rows["label"]),
        predicted=_labels(rows["predicted"]),
        weight=rows["weight"],
        loss=rows["loss"],
        correct=rows["correct"] if validation.accuracy is not None else None,
        reported_loss=validation.loss,
        reported_accuracy=validation.accuracy,
        class_counts=validation.class_counts,
        complete=len(validation.figures) == validation.batches,
        offset=penalty,
        weighting=figures.loss_weighting,
        accuracy_weighting=figures.accuracy_weighting,
        confidence=rows["confidence"],
    )


def _partial_validation(
    figures: SampleFigures,
    validation: ValidationRecord,
    now: MeasuredBatches,
    penalty: float,
    *,
    complete: bool,
) -> ValidationProbe:
    """Return the kept validation batches as measured now; nothing is reported yet, so the probe's figure stands."""
    loss, weight = now.inference["loss"], now.inference["weight"]
    correct = now.inference["correct"] if figures.accuracy_name is not None else None
    return ValidationProbe(
        batch=now.batch,
        label=_labels(now.inference["label"]),
        predicted=_labels(now.inference["predicted"]),
        weight=weight,
        loss=loss,
        correct=correct,
        reported_loss=None,
        reported_accuracy=None,
        class_counts=validation.class_counts,
        complete=complete,
        offset=penalty,
        weighting=figures.loss_weighting,
        accuracy_weighting=figures.accuracy_weighting,
    )
