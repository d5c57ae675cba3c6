"""Batches of an epoch as they are kept and measured again: unpacked, sorted by shape, put together and cut."""

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
    samples = int(row[0])
    *given, outputs = (tuple(map(parts.__getitem__, names)) for names in _names_by_role(tuple(parts)))
    leaves: Iterable[Any] = itertools.chain(*given, outputs)
    if not all(map(_is_array, parts.values())):
        leaves = tf.nest.flatten([*given, outputs])
    for leaf in leaves:
        # A scalar has no length, and a tensor's shape is no tuple.
        if not leaf.shape or leaf.shape[0] != samples:
            raise Unsupported(NOT_BY_SAMPLE)
    inputs = dict(zip(ROLES, given, strict=True))
    return UnpackedBatch(inputs, outputs, row[1] if in_training else math.nan, samples)


@functools.lru_cache(maxsize=64)
def _names_by_role(names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return the names of the leaves of each role and of the outputs; once for all batches of a layout."""
    # Names end in three digits, so that sorting them gives the leaves in their order.
    return tuple(tuple(name for name in sorted(names) if name[:-3] == role) for role in (*ROLES, OUTPUTS))


def _is_array(part: Any) -> bool:
    return isinstance(part, np.ndarray)


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
    return [tuple(leaf.shape[1:]) for leaves in batch.inputs.values() for leaf in leaves]


def same_shapes(batches: Sequence[UnpackedBatch], most: int = LARGEST_PASS) -> Iterator[list[UnpackedBatch]]:
    """Yield runs of batches of the same inner shapes, of a number of samples together at most unless it is one."""
    group: list[UnpackedBatch] = []
    shapes: list[Any] = []
    samples = 0
    for batch in batches:
        own = inner_shapes(batch)
        if group and (samples + batch.samples > most or own != shapes):
            yield group
            group, samples = [], 0
        group.append(batch)
        shapes = own
        samples += batch.samples
    if group:
        yield group


def concatenate(group: Sequence[UnpackedBatch]) -> UnpackedBatch:
    """Return batches of the same inner shapes as one."""
    if len(group) == 1:
        return group[0]
    return UnpackedBatch(
        inputs={
            role: tuple(map(_concatenated, zip(*(batch.inputs[role] for batch in group), strict=True)))
            for role in ROLES
        },
        outputs=tuple(map(_concatenated, zip(*(batch.outputs for batch in group), strict=True))),
        # What several batches come to together is the loss of none of them.
        loss=float("nan"),
        samples=sum(batch.samples for batch in group),
    )


def _concatenated(leaves: Sequence[Any]) -> Any:
    """Return leaves of several batches as one: arrays as an array, for a twentieth of what it takes by tensors."""
    return np.concatenate(leaves) if all(map(_is_array, leaves)) else tf.concat(leaves, axis=0)
