"""Batches of an epoch as they are kept and measured again: unpacked, sorted by shape, put together and cut."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from tui_monitor.training.step.packing import StepOutput
from tui_monitor.training.step.payload import OUTPUTS, ROLES
from tui_monitor.training.step.per_sample_metrics import NOT_BY_SAMPLE, Unsupported

LARGEST_PASS = 8192
"""Samples in one forward pass at most, where batches may be concatenated."""


@dataclass(frozen=True)
class UnpackedBatch:
    """One batch as the model saw it, with what it returned then. Values are eager tensors or arrays."""

    inputs: Mapping[str, tuple[Any, ...]]
    """Leaves by role, see `ROLES`."""
    outputs: tuple[Any, ...]
    """What was kept of the training step's forward pass (see `Trace.outputs`); empty for a validation batch."""
    loss: float
    """The batch's own loss as trained on, penalty included; NaN for a validation batch."""
    samples: int


LazyBatch = Callable[[], UnpackedBatch]
"""Unpacks a batch that was kept; few of those kept are ever asked for."""


def unpack_batch(output: StepOutput, *, in_training: bool) -> UnpackedBatch:
    """Return the batch that a step has emitted.

    Args:
        output: its last row is the batch's.
        in_training: whether it came out of a training step, so that it holds a loss.

    Raises:
        Unsupported: inputs, targets or outputs are not one for each sample.
    """
    parts, row = output.parts(), output.rows[-1]
    # Names end in three digits, so that sorting them gives the leaves in their order.
    inputs = {role: tuple(parts[name] for name in sorted(parts) if name[:-3] == role) for role in ROLES}
    outputs = tuple(parts[name] for name in sorted(parts) if name[:-3] == OUTPUTS)
    lengths = [leaf.shape[:1] for leaf in tf.nest.flatten([*inputs.values(), outputs])]
    if any(tuple(length) != (int(row[0]),) for length in lengths):
        raise Unsupported(NOT_BY_SAMPLE)
    return UnpackedBatch(inputs, outputs, row[1] if in_training else math.nan, int(row[0]))


def of_size(batch: UnpackedBatch, size: int) -> Iterator[tuple[int, UnpackedBatch]]:
    """Yield a batch in parts of one size, each with how many of its first samples are the batch's.

    In inference mode a sample's metrics don't follow from the others, so the last part repeats its last sample.
    """
    for start in range(0, batch.samples, size):
        samples = min(size, batch.samples - start)
        rows = np.minimum(np.arange(start, start + size), batch.samples - 1)
        inputs = {role: tuple(tf.gather(leaf, rows) for leaf in given) for role, given in batch.inputs.items()}
        yield samples, replace(batch, inputs=inputs, outputs=(), samples=size)


def inner_shapes(batch: UnpackedBatch) -> list[Any]:
    """Return the shapes of a batch's leaves without their samples."""
    return [tuple(np.shape(leaf)[1:]) for leaves in batch.inputs.values() for leaf in leaves]


def same_shapes(batches: Sequence[UnpackedBatch], most: int = LARGEST_PASS) -> Iterator[list[UnpackedBatch]]:
    """Yield runs of batches of the same inner shapes, of a number of samples together at most unless it is one."""
    group: list[UnpackedBatch] = []
    for batch in batches:
        full = sum(each.samples for each in group) + batch.samples > most
        if group and (full or inner_shapes(group[0]) != inner_shapes(batch)):
            yield group
            group = []
        group.append(batch)
    if group:
        yield group


def concatenate(group: Sequence[UnpackedBatch]) -> UnpackedBatch:
    """Return batches of the same inner shapes as one."""
    if len(group) == 1:
        return group[0]
    return UnpackedBatch(
        inputs={
            role: tuple(tf.concat(same, axis=0) for same in zip(*(batch.inputs[role] for batch in group), strict=True))
            for role in ROLES
        },
        outputs=tuple(tf.concat(same, axis=0) for same in zip(*(batch.outputs for batch in group), strict=True)),
        # What several batches come to together is the loss of none of them.
        loss=float("nan"),
        samples=sum(batch.samples for batch in group),
    )
