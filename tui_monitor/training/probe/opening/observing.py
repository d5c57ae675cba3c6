"""What is known of a fit beside its samples' values: how loss and metric read outputs, how batches are composed."""

from dataclasses import replace
from typing import Any

from tui_monitor.explain.samples.observed import Observed, OutputScale
from tui_monitor.training.record.epoch_totals import EpochTotals
from tui_monitor.training.step.classes import ClassKind, Scale
from tui_monitor.training.step.instrument import Instrument


def observed(training: Instrument, totals: EpochTotals, penalties: tuple[float, float], known: Observed) -> Observed:
    """Return what is known at an epoch's end.

    Args:
        training: of the step that trains.
        totals: of the epoch.
        penalties: parts of the training loss that are no sample's, in training and in inference mode, in nats.
        known: what was seen of the samples' inputs, to be completed.
    """
    outputs = training.plan.outputs
    if len(outputs) != 1:
        return known
    classes = outputs[0].classes
    is_binary = classes is not None and classes.kind is ClassKind.BINARY
    is_logits = classes is not None and classes.scale is Scale.LOGITS
    is_softened = is_logits and any(_ends_in_probabilities(trace.samples[0].y_pred) for trace in training.traces[-1:])
    counts = training.plan.counts_of(0, totals.counts)
    chi_squared, freedom = None, 0
    if classes is not None and counts is not None and counts.is_hard and counts.classes is not None:
        chi_squared, freedom = totals.dispersion(counts.classes.size) or (None, 0)
    return replace(
        known,
        output_scale=OutputScale.PROBABILITIES_AS_LOGITS if is_softened else OutputScale.AS_EXPECTED,
        logit_threshold=classes.threshold if classes is not None and is_binary and is_logits else None,
        takes_probabilities=classes is not None and is_binary and classes.scale is Scale.PROBABILITIES,
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
