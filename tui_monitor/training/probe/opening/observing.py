"""What is known of a fit beside its samples' values: how loss and metric read outputs, how batches are composed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import tensorflow as tf

from tui_monitor.explain.evidence.rounding import narrow_type
from tui_monitor.explain.samples.observed import Observed, OutputScale, WholeValidation
from tui_monitor.explain.samples.probes import FloatArray
from tui_monitor.training.backends.shared_names import function_name
from tui_monitor.training.guard import attempt, ignored
from tui_monitor.training.probe.batches import UnpackedBatch
from tui_monitor.training.probe.opening.epoch_to_open import EpochToOpen
from tui_monitor.training.probe.opening.labels import multi_label
from tui_monitor.training.probe.opening.padding import padding
from tui_monitor.training.probe.opening.rerun import rerun
from tui_monitor.training.probe.passes import Probe
from tui_monitor.training.record.epoch_totals import EpochTotals
from tui_monitor.training.step.classes import ClassKind, Scale
from tui_monitor.training.step.instrument import Instrument

_MOST_BATCHES: Final = 8
_MOST_VALUES: Final = 1024
"""Batches of a side, and values of each, whose digits are looked at."""


def observed(probe: Probe, epoch: EpochToOpen, known: Observed) -> Observed:
    """Return what is known at an epoch's end.

    Args:
        probe: of the functions that run now.
        epoch: which ended.
        known: what was seen of the samples' inputs, to be completed.
    """
    training = probe.training
    outputs = training.plan.outputs
    if len(outputs) != 1:
        return known
    classes, is_by_sample = outputs[0].classes, outputs[0].unit == "sample"
    is_binary = classes is not None and classes.kind is ClassKind.BINARY
    is_logits = classes is not None and classes.scale is Scale.LOGITS
    chi_squared, freedom = _dispersion(training, epoch.totals) if is_by_sample else (None, 0)
    validated = epoch.validation
    return replace(
        known,
        units_are_samples=is_by_sample,
        output_scale=_output_scale(training, is_logits=is_logits),
        logit_threshold=classes.threshold if classes is not None and is_binary and is_logits else None,
        takes_probabilities=classes is not None and is_binary and classes.scale is Scale.PROBABILITIES,
        class_kind=str(classes.kind) if classes is not None and classes.kind is not ClassKind.NONE else "",
        accuracy_function=_accuracy_function(training),
        has_signs=classes is not None and classes.has_signs,
        class_dispersion=chi_squared,
        class_freedom=freedom,
        validation_used=WholeValidation(round(float(validated.samples.sum())), validated.batches),
        input_types=(attempt(ignored, _input_types, epoch, otherwise=(None, None))),
        penalty_in_training=epoch.penalties[0],
        penalty_in_inference=epoch.penalties[1],
        # What can't be told apart is no finding, and ends no measurement.
        labels=attempt(ignored, multi_label, probe, epoch.probed, validated.kept, otherwise=None),
        rerun=attempt(ignored, rerun, probe, epoch, otherwise=None),
        padding=None if is_by_sample else attempt(ignored, padding, training.plan, epoch, otherwise=None),
    )


def _input_types(epoch: EpochToOpen) -> tuple[str | None, str | None]:
    """Return the narrow types that some inputs of both sides fit, see `Observed`."""
    kept = [unpack() for _, unpack in epoch.validation.kept.draw(_MOST_BATCHES)]
    train, other = (narrow_type(_some_inputs(side)) for side in (epoch.probed[:_MOST_BATCHES], kept))
    return train, other


def _some_inputs(batches: Sequence[UnpackedBatch]) -> FloatArray:
    leaves = [leaf for batch in batches for leaf in batch.inputs["x"] if tf.as_dtype(leaf.dtype).is_floating]
    parts = [np.asarray(leaf).reshape(-1)[:_MOST_VALUES].astype(np.float64) for leaf in leaves]
    return np.concatenate(parts) if parts else np.zeros(0)


def _dispersion(training: Instrument, totals: EpochTotals) -> tuple[float | None, int]:
    outputs = training.plan.outputs
    counts = training.plan.counts_of(0, totals.counts, totals.samples)
    if outputs[0].classes is None or counts is None or not counts.is_hard or counts.classes is None:
        return None, 0
    return totals.dispersion(counts.classes.size) or (None, 0)


def _accuracy_function(training: Instrument) -> str:
    """Return the name of Keras' own function that the reported accuracy averages; empty for others."""
    backend, name = training.backend, training.plan.outputs[0].accuracy_name
    for entry in backend.compiled_metrics(training.model):
        if entry.log == name and backend.is_own(type(entry.metric)):
            return function_name(entry.metric, backend.is_own)
    return ""


def _output_scale(training: Instrument, *, is_logits: bool) -> OutputScale:
    outputs = training.traces[-1].samples[0].y_pred if training.traces else None
    kind = _last_operation(outputs)
    if kind == "Softmax" and outputs is not None and outputs.shape[-1] == 1:
        return OutputScale.ALWAYS_ONE
    if is_logits and kind in ("Softmax", "Sigmoid"):
        return OutputScale.PROBABILITIES_AS_LOGITS
    return OutputScale.AS_EXPECTED


def _last_operation(outputs: Any) -> str:
    """Return the kind of the operation that gives a tensor of a graph, but for its type; empty outside a graph."""
    operation = getattr(outputs, "op", None)
    while operation is not None and operation.type in ("Cast", "Identity"):
        operation = operation.inputs[0].op
    return "" if operation is None else str(operation.type)
