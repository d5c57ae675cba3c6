"""Passes that compute something else than the model: with variables of our own, or in float32."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import tensorflow as tf

from tui_monitor.training.backends.graphs import handle_outside, variables_behind
from tui_monitor.training.backends.pieces import Piece, cut
from tui_monitor.training.backends.precision import cut_in_float32
from tui_monitor.training.backends.repeatable import NotRepeatable


class Instead(Protocol):
    """How pieces are cut that compute something else, and the passes that were made of them."""

    passes: dict[tuple[str, int], Any]

    def cut(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> Piece:
        """Return a piece of a trace.

        Args:
            inputs: tensors at which it begins.
            outputs: tensors at which it ends.

        Raises:
            NotRepeatable: it can't be cut so.
        """


class InFloat32:
    """Passes that compute in float32 what the model computes in a narrower type."""

    def __init__(self) -> None:
        """Begin without any."""
        self.passes: dict[tuple[str, int], Any] = {}

    def cut(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> Piece:
        """Return a piece of a trace, see `cut_in_float32`."""
        return cut_in_float32(inputs, outputs)


class Variables:
    """Variables of our own that a pass reads instead of the model's, and the passes that do."""

    def __init__(self, values: Mapping[int, Any], *, replaces_all: bool) -> None:
        """Make the variables.

        Args:
            values: of each, by `id` of the handle of the model's variable that it stands for.
            replaces_all: whether a pass may read no variable beside them.
        """
        with tf.init_scope():
            self.own = {key: tf.Variable(value, trainable=False) for key, value in values.items()}
        self.handles = {key: variable.handle for key, variable in self.own.items()}
        self.passes: dict[tuple[str, int], Any] = {}
        self._replaces_all = replaces_all

    def cut(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> Piece:
        """Return a piece of a trace that reads these variables.

        Args:
            inputs: tensors at which it begins.
            outputs: tensors at which it ends.

        Raises:
            NotRepeatable: as for `pieces.cut`, or because it reads another variable where it must not.
        """
        read = {id(handle_outside(handle)) for end in outputs for handle in variables_behind(end, inputs)}
        if self._replaces_all and not read <= self.handles.keys():
            raise NotRepeatable("a value follows from more than the batch and the model's weights")
        return cut(inputs, outputs, self.handles)
