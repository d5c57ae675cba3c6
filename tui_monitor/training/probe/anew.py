"""A step traced anew, for models whose own steps left no graph; only where all code in them is Keras' own."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tui_monitor.training.backends import capture as captures
from tui_monitor.training.backends import graphs
from tui_monitor.training.backends.backend import Backend
from tui_monitor.training.step.payload import ROLES, Trace
from tui_monitor.training.step.per_sample_metrics import Unsupported, per_sample_metrics

_REFUSED = (
    "no step of the model was traced to a graph, and its own Python code can't be called again without risk to the "
    "training"
)
_KNOWN = ("tensorflow", "builtins", "numpy", "functools")


def trace_anew(
    backend: Backend,
    model: Any,
    structure: Mapping[str, Any],
    given: Mapping[str, tuple[Any, ...]],
    outputs: tuple[Any, ...],
    kind: str,
) -> Trace:
    """Return the trace of a step for batches like one, in a graph of our own that is never run as a whole.

    Args:
        backend: of the model.
        model: built and compiled.
        structure: of a batch by role, any value but None standing for a leaf.
        given: leaves of one batch by role.
        outputs: of the training step for that batch; used for the kind `then` alone.
        kind: `training` or `inference` for the mode, or `then` for the loss of outputs that were kept.

    Raises:
        Unsupported: the model holds code of the user's, or its values can't be told apart by sample.
    """
    if not holds_own_code_alone(backend, model):
        raise Unsupported(_REFUSED)
    # Only pieces of this graph ever run: nothing of what tracing adds to it can touch the training.
    with graphs.own_graph():
        inputs = {role: tuple(map(_placeholder, given[role])) for role in ROLES}
        if kind == "then" and len(outputs) != 1:
            raise Unsupported("no step of the model was traced to a graph, and it has several outputs")
        y_pred = _placeholder(outputs[0]) if kind == "then" else None
        parts = {role: _packed(structure[role], inputs[role]) for role in ROLES}
        # The training thread may be inside a step of its own, which goes on noting into its capture afterwards.
        capture = captures.Capture()
        outer = captures.begin(capture)
        try:
            backend.step_anew(model, parts, y_pred, training=kind != "inference")
        finally:
            captures.end(outer)
        samples = tuple(sample for _, sample in per_sample_metrics(backend, model, capture))
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        # Keras divides a replica's loss by their number before gradients are added up.
        loss = capture.loss if capture.loss is None or replicas == 1 else capture.loss * float(replicas)
    return Trace(inputs, () if y_pred is None else (y_pred,), samples, loss)


def holds_own_code_alone(backend: Backend, model: Any) -> bool:
    """Return whether all that a step of a model calls is Keras' own: layers, losses, metrics and their functions."""
    parts = [*backend.layers(model), *(entry.metric for entry in backend.compiled_metrics(model))]
    parts += [entry.loss for entry in backend.compiled_losses(model)]
    return all(_is_known(backend, type(part)) for part in parts) and all(
        _is_known(backend, called) for part in parts for called in _callables(part)
    )


def _callables(part: Any) -> Iterator[Any]:
    for value in vars(part).values():
        if callable(value):
            # Keras' own layers hold functions of the user's as attributes: activations, and what a Lambda calls.
            yield value if hasattr(value, "__qualname__") else type(value)


def _is_known(backend: Backend, thing: Any) -> bool:
    module = str(getattr(thing, "__module__", "") or "builtins")
    return backend.is_own(thing) or module.split(".", maxsplit=1)[0] in _KNOWN


def _placeholder(value: Any) -> Any:
    dtype = value.dtype if isinstance(value, tf.Tensor) else np.asarray(value).dtype
    # For any number of samples: one trace serves batches of every size.
    return tf.compat.v1.placeholder(dtype, [None, *np.shape(value)[1:]])


def _packed(structure: Any, inputs: tuple[Any, ...]) -> Any:
    if structure is None:
        return None
    following = iter(inputs)
    return tf.nest.map_structure(lambda leaf: None if leaf is None else next(following), structure)
