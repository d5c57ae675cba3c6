"""Scopes of TensorFlow and Keras that a thread is in while work of ours runs.

An exception of a signal handler (a time limit, Ctrl-C) may fall between the lines by which a library enters or leaves
a scope. That scope then stays open: the script's next line runs in graph mode, on another device, in a layer's call.
"""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

from tensorflow.python import pywrap_tfe
from tensorflow.python.autograph.core import ag_ctx
from tensorflow.python.eager import context, record
from tensorflow.python.framework import ops

_EAGER: Final = ("is_eager", "scope_name", "device_name", "device_spec")
_KERAS: Final = (
    "autocast_scope",
    "current_call_ctx",
    "in_tf_graph_scope",
    "name_scope_stack",
    "remat_scope_stack",
    "stateless_scope",
    "symbolic_scope",
)
"""Names of Keras 3's global attributes that hold a scope, or a list of those that are open."""


def open_scopes() -> Callable[[], None]:
    """Return what puts back the scopes that this thread is in now, gradient tapes included; it may be called again."""
    stacks = [
        (stack, list(stack))
        for stack in (
            context.context().context_switches.stack,
            ops._default_graph_stack.stack,
            ag_ctx._control_ctx(),
        )
    ]
    data = context.context()._thread_local_data
    states = [(data, {name: getattr(data, name) for name in _EAGER})]
    for held, names in _of_keras():
        kept = {name: getattr(held, name, None) for name in names}
        stacks += [(stack, list(stack)) for stack in kept.values() if isinstance(stack, list)]
        states.append((held, kept))
    off_tape = pywrap_tfe.TFE_Py_TapeSetIsStopped()

    def put_back() -> None:
        for stack, kept in stacks:
            stack[:] = kept
        for held, values in states:
            for name, value in values.items():
                setattr(held, name, value)
        if off_tape:
            pywrap_tfe.TFE_Py_TapeSetStopOnThread()
        else:
            pywrap_tfe.TFE_Py_TapeSetRestartOnThread()

    return put_back


def off_tape() -> AbstractContextManager[None]:
    """Return a block in which no `tf.GradientTape` of the user's records what runs."""
    block: AbstractContextManager[None] = record.stop_recording()
    return block


def _of_keras() -> list[tuple[Any, tuple[str, ...]]]:
    """Return what holds the scopes of each Keras that is loaded, and their names."""
    held: list[tuple[Any, tuple[str, ...]]] = []
    keras3 = sys.modules.get("keras.src.backend.common.global_state")
    if keras3 is not None:
        held.append((keras3.GLOBAL_STATE_TRACKER, _KERAS))
    legacy = sys.modules.get("tf_keras.src.engine.base_layer_utils")
    if legacy is not None:
        held.append((legacy.call_context(), ("in_call", "_state", "_in_keras_graph")))
    layers = sys.modules.get("tf_keras.src.engine.base_layer")
    if layers is not None:
        held.append((layers._name_scope_unnester_stack, ("value",)))
    return held
