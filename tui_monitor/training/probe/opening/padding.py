"""Time steps that are padding though nothing masks them: inputs of 0 to a sequence's end, or from its begin."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from tui_monitor.explain.samples.labels import BoolArray, Padding
from tui_monitor.training.probe.batches import UnpackedBatch
from tui_monitor.training.probe.opening.epoch_to_open import EpochToOpen
from tui_monitor.training.step.payload import StepPlan

_LEAST: Final = 0.05
"""Fraction of all time steps that padding must be to be worth a word."""
_INSIDE: Final = 0.001
"""Fraction of the other steps up to which inputs may be 0: where 0 is a value like others, no run of it is padding."""


def padding(plan: StepPlan, epoch: EpochToOpen) -> Padding | None:
    """Return which time steps of both sides are padding that counts; None where none can be told.

    Args:
        plan: of the step that trains.
        epoch: which ended.
    """
    metrics = plan.outputs[0]
    if metrics.axes != 1 or metrics.is_masked or any(batch.inputs["sample_weight"] for batch in epoch.probed):
        return None
    train = _of(epoch.probed)
    if train is None:
        return None
    kept = [unpack() for _, unpack in epoch.validation.kept.draw(10**9)]
    other = _of(kept) if len(kept) == epoch.validation.batches else None
    return Padding(train, other if other is not None and other.size == epoch.side.loss.size else None)


def _of(batches: Sequence[UnpackedBatch]) -> BoolArray | None:
    """Return which steps of batches are padding, shape (units,); None where none can be told."""
    found = [_in_batch(batch) for batch in batches]
    if not found or any(part is None for part in found):
        return None
    empty = [part for part in found if part is not None]
    for runs in (_to_the_end, _from_the_begin):
        parts = [runs(part) for part in empty]
        padded = np.concatenate([part.reshape(-1) for part in parts])
        inside = np.concatenate([part.reshape(-1) for part in empty])[~padded]
        lengths = np.unique(np.concatenate([part.sum(axis=1) for part in parts]))
        if padded.mean() < _LEAST or lengths.size < 2 or inside.mean() > _INSIDE:
            continue
        if _is_one_target(batches, parts):
            return padded
    return None


def _in_batch(batch: UnpackedBatch) -> BoolArray | None:
    """Return which time steps of a batch have inputs of 0 alone, shape (samples, steps)."""
    steps = np.shape(batch.inputs["y"][0])[1] if batch.inputs["y"] and np.ndim(batch.inputs["y"][0]) > 1 else 0
    for leaf in batch.inputs["x"]:
        values = np.asarray(leaf)
        if steps > 1 and values.ndim in (2, 3) and values.shape[1] == steps:
            return np.asarray(values == 0 if values.ndim == 2 else (values == 0).all(axis=2))
    return None


def _to_the_end(empty: BoolArray) -> BoolArray:
    return np.asarray(np.logical_and.accumulate(empty[:, ::-1], axis=1)[:, ::-1])


def _from_the_begin(empty: BoolArray) -> BoolArray:
    return np.asarray(np.logical_and.accumulate(empty, axis=1))


def _is_one_target(batches: Sequence[UnpackedBatch], padded: Sequence[BoolArray]) -> bool:
    """Whether all padded steps have one and the same target."""
    targets: list[Any] = []
    for batch, part in zip(batches, padded, strict=True):
        values = np.asarray(batch.inputs["y"][0])
        targets.append(values.reshape(*values.shape[:2], -1)[part])
    return len(np.unique(np.concatenate(targets), axis=0)) == 1
