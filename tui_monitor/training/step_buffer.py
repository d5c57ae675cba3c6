"""Numbers of every step where Keras runs several in one call and hands out the last one alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tui_monitor.explain.samples import FloatArray
from tui_monitor.training.replicas import SUMS, means_of


class StepBuffer:
    """Room for the numbers of as many steps as one call runs, inside the graph."""

    def __init__(self, steps: int) -> None:
        """Prepare; variables are made when the step is traced.

        Args:
            steps: `steps_per_execution`, at least 1.
        """
        self._steps = steps
        self._rows: Any = None
        self._done: Any = None

    def note(self, numbers: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return what the payload carries out: `values`, or `buffer` and the steps `done` so far.

        Args:
            numbers: of this step, shape (width,), width known while tracing.
        """
        if self._steps == 1:
            return {"values": numbers}
        with tf.init_scope():
            if self._rows is None:
                self._rows = tf.Variable(tf.zeros([self._steps, numbers.shape[0]]), trainable=False)
                self._done = tf.Variable(0, dtype=tf.int64, trainable=False)
        row = tf.cast(self._done % self._steps, tf.int32)
        rows = self._rows.scatter_nd_update([[row]], [numbers])
        return {"buffer": tf.identity(rows), "done": self._done.assign_add(1)}


class StepReader:
    """Takes the numbers of each step out of payloads, in order."""

    def __init__(self) -> None:
        self._seen: int | None = None

    def rows(self, payload: Mapping[str, Any], metrics: int) -> list[FloatArray]:
        """Return the numbers of every step since the payload before, oldest first.

        Args:
            payload: as a training step handed it out.
            metrics: number of metrics among the numbers.
        """
        if SUMS in payload:
            return [means_of(payload[SUMS].numpy(), metrics)]
        if "values" in payload:
            return [payload["values"].numpy()]
        buffer, done = payload["buffer"].numpy(), int(payload["done"].numpy())
        before = self._seen if self._seen is not None else done - min(done, len(buffer))
        self._seen = done
        steps = range(max(before, done - len(buffer)), done)
        return [np.array(buffer[step % len(buffer)]) for step in steps]
