"""What is known of a fit beside its samples' values: how loss and metric read outputs, how batches are composed."""

from dataclasses import replace
from typing import Any

from tui_monitor.explain.samples.observed import Observed, OutputScale
from tui_monitor.training.record.epoch_totals import EpochTotals
from tui_monitor.training.step.instrument import Instrument
from tui_monitor.training.step.per_sample_metrics import ClassKind, Scale


def observed(training: Instrument, totals: EpochTotals, penalties: tuple[float, float], known: Observed) -> Observed:
    """Return what is known at an epoch's end.

    Args:
        training: of the step that trains.
        totals: of the epoch.
        penalties: parts of the training loss that are no sample's, in training and in inference mode, in nats.
        known: what was seen of the samples' inputs, to be completed.
    """
    per_sample = training.plan.per_sample
    if per_sample is None:
        return known
    is_binary_logits = per_sample.kind is ClassKind.BINARY and per_sample.scale is Scale.LOGITS
    is_softened = per_sample.scale is Scale.LOGITS and any(
        _ends_in_probabilities(trace.sample.y_pred) for trace in training.traces[-1:]
    )
    chi_squared, freedom = totals.class_dispersion or (None, 0)
    return replace(
        known,
        output_scale=OutputScale.PROBABILITIES_AS_LOGITS if is_softened else OutputScale.AS_EXPECTED,
        logit_threshold=per_sample.threshold if is_binary_logits else None,
        takes_probabilities=per_sample.scale is Scale.PROBABILITIES and per_sample.kind is ClassKind.BINARY,
        class_dispersion=chi_squared,
        class_freedom=freedom,
        penalty_in_training=penalties[0],
        penalty_in_inference=penalties[1],
    )


def _ends_in_probabilities(outputs: Any) -> bool:
    """Whether a tensor of a graph is what a softmax or a sigmoid gives, but for its type."""
    operation = getattr(outputs, "op", None)
    while operation is not None and operation.type in ("Cast", "Identity"):
        operation = operation.inputs[0].op
    return operation is not None and operation.type in ("Softmax", "Sigmoid")
