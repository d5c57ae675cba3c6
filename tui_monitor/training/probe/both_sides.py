"""What is known of an epoch on both sides, from which the sides of its ledgers are made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tui_monitor.training.probe.batches import UnpackedBatch
from tui_monitor.training.probe.measured import MeasuredBatches
from tui_monitor.training.probe.validation_record import ValidationRecord
from tui_monitor.training.record.epoch_totals import EpochTotals
from tui_monitor.training.step.classes import ClassKind
from tui_monitor.training.step.payload import StepPlan
from tui_monitor.training.step.per_sample_metrics import UnitCounts

REPRODUCED = 1e-3
"""Relative difference up to which a value counts as reproduced by its parts."""


@dataclass(frozen=True)
class Measured:
    """What is known of an epoch, or of its part so far, on both sides."""

    plan: StepPlan
    """Of the training step."""
    batches: Sequence[UnpackedBatch]
    """Of training, those that were measured."""
    training: MeasuredBatches
    totals: EpochTotals
    reported: Mapping[str, float]
    """By the names of Keras' logs, validation's too."""
    validation: ValidationRecord
    now: MeasuredBatches | None = None
    """Batches kept of the newest validation as they are measured again; None where its own steps have measured all."""
    is_at_end: bool = True
    """Whether the epoch has ended, so that its validation has reported values."""

    @property
    def is_weighted(self) -> bool:
        """Whether samples come with weights."""
        return any(batch.inputs["sample_weight"] for batch in self.batches)

    def position(self, name: str | None) -> int | None:
        """Return a metric's position among those of each batch, or None where it has none or is not reported."""
        names = self.plan.metrics
        return names.index(name) if name in names and name in self.reported and name is not None else None

    def counts(self, index: int) -> tuple[UnitCounts | None, UnitCounts | None]:
        """Return the unit counts of an output, in training and in validation."""
        of = self.plan.counts_of
        validated = round(float(self.validation.samples.sum()))
        return of(index, self.totals.counts, self.totals.samples), of(index, self.validation.counts, validated)

    def has_classes(self, index: int) -> bool:
        """Whether every unit of an output has a class, on both sides."""
        train, validation = self.counts(index)
        return train is not None and train.is_hard and (validation is None or validation.is_hard)

    def is_meaningless(self, index: int) -> bool:
        """Whether an output's accuracy means nothing, as its targets are no classes."""
        classes = self.plan.outputs[index].classes
        if classes is None or self.has_classes(index):
            return False
        return classes.kind is ClassKind.BINARY or not classes.is_classifying
