"""Variables of our own with other values than the model's, for passes that read them in their place."""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from tui_monitor.training.backends.graphs import handle_outside, variables_behind
from tui_monitor.training.backends.repeatable import NotRepeatable


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

    def check(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Check that a pass reads no other variables, where it must not.

        Args:
            inputs: tensors at which the pass begins.
            outputs: tensors at which it ends.

        Raises:
            NotRepeatable: it reads another one.
        """
        read = {id(handle_outside(handle)) for end in outputs for handle in variables_behind(end, inputs)}
        if self._replaces_all and not read <= self.handles.keys():
            raise NotRepeatable("a value follows from more than the batch and the model's weights")
