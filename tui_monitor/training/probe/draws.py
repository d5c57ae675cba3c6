"""Random numbers that passes in training mode draw: from states of our own, anew for each group of batches.

A piece of a graph leaves the model's random state as it was, so that passes drawing from it would all draw the same
dropout mask. Their errors would add up instead of averaging out, and no bootstrap over batches would see it.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import tensorflow as tf

from tui_monitor.training.backends.graphs import handle_outside, is_eager, variables_behind
from tui_monitor.training.backends.pieces import Piece, cut, operations_between

_FROM_GENERATORS: Final = ("RngReadAndSkip", "RngSkip", "StatefulUniform", "StatefulStandardNormal")
"""How names of operations begin that take the state of a `tf.random.Generator`, 64-bit integers, themselves."""
_FROM_SEEDS: Final = "StatelessRandom"
_LARGEST: Final = 2**31 - 1


class Draws:
    """Random states of our own, which stand in for those that a model's layers draw from."""

    def __init__(self) -> None:
        """Begin without any."""
        self._own: dict[int, tuple[Any, tf.Variable]] = {}
        self._generator: np.random.Generator | None = None

    def cut(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> Piece:
        """Return a piece of a trace that draws from states of ours, wherever it would from the model's.

        Args:
            inputs: tensors at which it begins.
            outputs: tensors at which it ends.

        Raises:
            NotRepeatable: as for `pieces.cut`.
        """
        # A strategy makes variables of its own kind, several of each.
        if not tf.distribute.has_strategy():
            for handle, dtype in _states(inputs, outputs):
                if id(handle) not in self._own:
                    self._own[id(handle)] = handle, self._like(handle, dtype)
        return cut(inputs, outputs, {key: own.handle for key, (_, own) in self._own.items()})

    def anew(self) -> None:
        """Let the next passes draw other numbers; those until the next call draw the same as each other."""
        for _, own in self._own.values():
            own.assign(self._drawn(own.shape, own.dtype))

    def _like(self, handle: Any, dtype: tf.DType) -> tf.Variable:
        state = tf.raw_ops.ReadVariableOp(resource=handle, dtype=dtype).numpy()
        if self._generator is None:
            # Runs with other seeds draw other numbers here, too.
            self._generator = np.random.default_rng(np.abs(state.astype(np.int64)).ravel())
        with tf.init_scope(), tf.device(handle.device):
            return tf.Variable(self._drawn(state.shape, dtype), trainable=False, dtype=dtype)

    def _drawn(self, shape: Any, dtype: tf.DType) -> Any:
        assert self._generator is not None
        return self._generator.integers(_LARGEST, size=tuple(shape)).astype(dtype.as_numpy_dtype)


def _states(inputs: Sequence[Any], outputs: Sequence[Any]) -> Iterator[tuple[Any, tf.DType]]:
    """Yield the handle, outside the graph, and the type of each random state that a piece of a graph draws from."""
    operations = operations_between({id(tensor): tensor for tensor in inputs}, outputs)
    seeds: set[int] = set()
    for operation in operations:
        if operation.type.startswith(_FROM_GENERATORS):
            outer = handle_outside(operation.inputs[0])
            yield from [(outer, tf.int64)] if is_eager(outer) else []
        elif operation.type.startswith(_FROM_SEEDS):
            seeds |= {id(handle) for given in operation.inputs for handle in variables_behind(given, inputs)}
    for operation in operations:
        if operation.type == "ReadVariableOp" and id(operation.inputs[0]) in seeds:
            outer, dtype = handle_outside(operation.inputs[0]), operation.get_attr("dtype")
            yield from [(outer, dtype)] if is_eager(outer) and dtype.is_integer else []
