"""Collects the values of every step where Keras runs several in one call and returns those of the last alone."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tui_monitor.training.backends.graphs import outside


class StepBuffer:
    """Room for the numbers of as many steps as one call runs: filled inside the graph, read after each call."""

    ENTRIES = ("buffer", "done")
    """Names of what a step emits."""

    def __init__(self, steps: int) -> None:
        """Prepare; variables are made when the step is traced.

        Args:
            steps: `steps_per_execution`, at least 1.
        """
        self._steps = steps
        self._rows: Any = None
        self._done: Any = None
        self._seen: int | None = None

    def note(self, numbers: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return what a step emits: the `buffer`, and the steps `done` since training began.

        Args:
            numbers: of this step, shape (width,), width known while tracing.
        """
        # Outside the graph that is traced: a variable made inside would belong to that trace alone.
        with outside():
            if self._rows is None:
                self._rows = tf.Variable(tf.zeros([self._steps, numbers.shape[0]]), trainable=False)
                self._done = tf.Variable(0, dtype=tf.int64, trainable=False)
        # A counter of its own, not the optimizer's: steps of the user's own may call that twice, or never.
        row = tf.cast(self._done % self._steps, tf.int32)
        rows = self._rows.scatter_nd_update([[row]], [numbers])
        # A copy: the next step writes into the variable before this one's value is read.
        return {"buffer": tf.identity(rows), "done": self._done.assign_add(1)}

    def read(self, payload: Mapping[str, Any]) -> list[list[float]]:
        """Return the numbers of every step since the call before, oldest first.

        Args:
            payload: as `note` made it, its tensors eager by now.
        """
        buffer, done = payload["buffer"].numpy(), int(payload["done"].numpy())
        # A call may have run fewer steps than it could: the epoch's last one, or tuned legacy steps.
        before = self._seen if self._seen is not None else done - min(done, len(buffer))
        self._seen = done
        steps = range(max(before, done - len(buffer)), done)
        return [buffer[step % len(buffer)].tolist() for step in steps]


class VectorBuffer:
    """Vectors of all the steps of one call, whatever their length: they gather until they are cleared."""

    def __init__(self) -> None:
        self._held: Any = None

    def note(self, vector: tf.Tensor) -> tf.Tensor:
        """Return the vectors since they were cleared as one, oldest first.

        Args:
            vector: of this step, float32, of any length.
        """
        # Shape [None]: steps differ in length, and a variable of fixed shape would not take the next one.
        with outside():
            if self._held is None:
                self._held = tf.Variable(tf.zeros([0]), shape=[None], trainable=False)
        return tf.identity(self._held.assign(tf.concat([self._held, vector], axis=0)))

    def clear(self) -> None:
        """Forget all vectors, between two calls."""
        if self._held is not None:
            self._held.assign(tf.zeros([0]))
