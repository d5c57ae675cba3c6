"""What an eager step emits: its numbers and tensors are at hand, so that no operation has to be called to pack them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tui_monitor.explain.samples.probes import FloatArray
from tui_monitor.training.backends.graphs import is_eager
from tui_monitor.training.step.marks import END, MARK
from tui_monitor.training.step.packing import PER_SAMPLE, Rows, StepOutput, segment_of, tensor_bytes
from tui_monitor.training.step.per_sample_metrics import NOT_BY_SAMPLE, Unsupported

Parts = Mapping[str, Any]
Units = Sequence[Sequence[Any]]


Taken = tuple[Rows, StepOutput | None]
"""The rows of a step, and what it emits to be looked at later."""


def are_at_hand(numbers: Sequence[Any], counts: Sequence[Any], parts: Parts, by_unit: Units) -> bool:
    """Return whether nothing of what an eager step emits is a tensor of some graph."""
    arrays = (*counts, *(row for rows in by_unit for row in rows))
    if not all(isinstance(array, np.ndarray) for array in arrays) or not all(map(is_eager, parts.values())):
        return False
    return all(isinstance(number, float) or is_eager(number) for number in numbers)


def at_hand(numbers: Sequence[Any], counts: Sequence[Any], parts: Parts, by_unit: Units) -> Taken:
    """Return what a step emits.

    Args:
        numbers: of the batch, samples first; floats or tensors.
        counts: samples of each class, arrays of shape (classes,).
        parts: tensors with a row for each sample.
        by_unit: what `PerSampleMetrics.by_unit` has returned of each output, arrays.
    """
    row = (*map(float, numbers), *(number for count in counts for number in count.tolist()))
    if not parts and not by_unit:
        return (row,), None
    # Looked at later, if at all: tensors keep their values, so nothing has to be copied next to the step.
    output = StepOutput((row,), sum(map(tensor_bytes, parts.values())), lambda: _parts(int(row[0]), parts, by_unit))
    return (row,), output


def _parts(samples: int, parts: Parts, by_unit: Units) -> dict[str, Any]:
    """Return the nest of what was emitted for each sample, as `Layout.parts` does."""
    found = {name: leaf if segment_of(leaf) is None else leaf.numpy() for name, leaf in parts.items()}
    if any(isinstance(leaf, np.ndarray) and len(leaf) != samples for leaf in found.values()):
        raise Unsupported(NOT_BY_SAMPLE)
    return {**found, PER_SAMPLE: _vector(by_unit)} if by_unit else found


def _vector(by_unit: Units) -> FloatArray:
    """Return what `marked` gives in a graph as one vector."""
    rows = [vector for rows in by_unit for row in rows for vector in (row, (MARK,))]
    return np.concatenate([*rows, (END,)], dtype=np.float32)
