"""Keeps what the steps of one trace emit alike: a loop over steps can't be traced where one differs from the next."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tui_monitor.training.backends.graphs import outermost
from tui_monitor.training.step.replicas import PAYLOAD


class AlikeSteps:
    """What the first step of a trace has emitted, where several are traced together: in a loop, or one a replica."""

    def __init__(self) -> None:
        """Begin before any trace."""
        self._graph: Any = None
        self._first: Mapping[str, Any] | None = None
        self.is_empty = False
        """Whether a payload holds nothing but zeros, for its form alone."""

    def settled(self, own: Any, emitted: Any) -> Any:
        """Return what a step is to return, in the structure that the first one of its trace has.

        Args:
            own: logs of Keras.
            emitted: these with the payload among them; None where it could not be made.
        """
        usual = own if emitted is None else emitted
        if tf.executing_eagerly():
            return usual
        graph = outermost(tf.compat.v1.get_default_graph())
        if graph is not self._graph:
            self._graph, self._first = graph, emitted
            return usual
        if self._first is None:
            return own
        if emitted is not None or PAYLOAD not in self._first:
            return usual
        # Not the tensors of the first: AutoGraph tries a loop's body in a graph that it drops.
        self.is_empty = True
        return {**own, PAYLOAD: tf.nest.map_structure(_zeros_like, self._first[PAYLOAD])}


def _zeros_like(tensor: Any) -> tf.Tensor:
    return tf.zeros([size or 0 for size in tensor.shape], tensor.dtype)
