"""Targets and outputs of samples that have any number of labels, measured on kept batches of both sides."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from tui_monitor.explain.samples.labels import LabelSide, MultiLabel
from tui_monitor.training.backends.shared_names import arguments_of, function_name
from tui_monitor.training.probe.batches import LazyBatch, UnpackedBatch
from tui_monitor.training.probe.passes import Probe
from tui_monitor.training.probe.reservoir import Reservoir
from tui_monitor.training.step.classes import loss_name

_MOST_BATCHES: Final = 64
_MOST_LABELS: Final = 256


def multi_label(probe: Probe, training: Sequence[UnpackedBatch], validation: Reservoir[LazyBatch]) -> MultiLabel | None:
    """Return both sides of a model whose samples have any number of labels; None for another model.

    Args:
        probe: of the functions that run now.
        training: batches that were measured.
        validation: batches that were kept.

    Raises:
        Unsupported: the batches can't be measured again.
    """
    model, backend = probe.model, probe.backend
    compiled, plan = backend.compiled_losses(model), probe.training.plan
    if len(compiled) != 1 or len(plan.outputs) != 1 or plan.outputs[0].classes is not None or plan.outputs[0].axes:
        return None
    loss = compiled[0].loss
    if "binary" not in loss_name(loss) or not _has_several_outputs(probe):
        return None
    kept = [unpack() for _, unpack in validation.draw(_MOST_BATCHES)]
    sides = [_side(probe, batches) for batches in (training[:_MOST_BATCHES], kept)]
    train, other = sides
    # One label each is a class, which the largest output names.
    if train is None or other is None or (train.target.sum(axis=1) == 1).all():
        return None
    metric = next((m.metric for m in backend.compiled_metrics(model) if m.log == plan.outputs[0].accuracy_name), None)
    threshold = arguments_of(metric).get("threshold") if metric is not None else None
    return MultiLabel(
        train=train,
        validation=other,
        is_logits=bool(arguments_of(loss).get("from_logits")),
        accuracy_function=function_name(metric, backend.is_own) if metric is not None else "",
        threshold=0.5 if threshold is None else float(threshold),
    )


def _has_several_outputs(probe: Probe) -> bool:
    traces = probe.training.traces
    shape = traces[-1].samples[0].y_pred.shape if traces else None
    return shape is not None and shape.rank == 2 and 1 < (shape[-1] or 0) <= _MOST_LABELS


def _side(probe: Probe, batches: Sequence[UnpackedBatch]) -> LabelSide | None:
    """Return one side; None without batches, and where targets are others than 0 and 1."""
    pairs = probe.targets_and_outputs(batches)
    if not pairs:
        return None
    target, output = (np.concatenate(each).astype(np.float64) for each in zip(*pairs, strict=True))
    if target.shape != output.shape or not np.isin(target, (0.0, 1.0)).all():
        return None
    return LabelSide(target == 1.0, output)
