"""Rows of values in one vector, a mark after each: their lengths are known from nothing else."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import tensorflow as tf

from tui_monitor.explain.samples.probes import FloatArray

MARK: Final = -(2.0**127)
"""Stands after each row in a vector of rows, so that rows of another length than expected are noticed."""
END: Final = -(2.0**126)
"""Stands after the rows of one batch."""


def marked(outputs: Iterable[Sequence[tf.Tensor]], mark: tf.Tensor) -> list[tf.Tensor]:
    """Return what `PerSampleMetrics.by_unit` has returned of each output as vectors that make one for `unmarked`.

    Outputs and targets may differ in their number of rows, and are broadcast then. What we compute inside a step
    must not fail on that, nor let TensorFlow's optimizer conclude that two tensors have equally many rows.

    Args:
        outputs: of each, vectors of float32.
        mark: a vector of `MARK` alone; each operation is paid for in every trace.
    """
    return [*(part for rows in outputs for row in rows for part in (row, mark)), tf.constant([END])]


def unmarked(vector: FloatArray) -> Iterator[list[FloatArray]]:
    """Yield the rows of each batch in a vector, of all outputs one after the other.

    Args:
        vector: what `marked` returned of one batch after another.
    """
    begin = 0
    for end in np.flatnonzero(vector == END).tolist():
        batch = vector[begin:end]
        ends = np.flatnonzero(batch == MARK)
        yield [batch[start:stop] for start, stop in zip([0, *(ends[:-1] + 1)], ends, strict=True)]
        begin = end + 1
