"""Pieces cut out of graphs that Keras has traced, run again without calling the user's code.

A piece runs only if nothing in it can remember what it did: a variable that it writes is put back, and what can't be
put back (Python code, a queue, other workers) refuses the piece (`repeatable`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import wrap_function
from tensorflow.python.framework import func_graph

from tui_monitor.training.backends.graphs import is_eager
from tui_monitor.training.backends.repeatable import NotRepeatable, written_by

Piece = Callable[[Sequence[Any]], list[Any]]
"""Takes one eager tensor for each input and returns one for each output."""


def cut(inputs: Sequence[Any], outputs: Sequence[Any], instead: Mapping[int, Any] | None = None) -> Piece:
    """Return the piece of a traced graph that lies between tensors of it.

    Args:
        inputs: tensors of one function's graph, from which all that is wanted follows, variables apart.
        outputs: tensors of the same graph.
        instead: handles, outside the graph, of variables that the piece reads instead of the graph's own, by `id` of
            the latter. They must live as long as the piece.

    Raises:
        NotRepeatable: the outputs depend on more than the inputs and variables, or running it would leave a trace.
    """
    piece, indices, written = piece_of(inputs, outputs, instead)
    return restoring(callable_of(piece), indices, written)


def piece_of(
    inputs: Sequence[Any], outputs: Sequence[Any], instead: Mapping[int, Any] | None = None
) -> tuple[Any, list[int], list[Any]]:
    """Return a graph of the piece that `cut` returns, the indices of the inputs it takes, and variables it writes.

    Raises:
        NotRepeatable: as for `cut`.
    """
    instead = instead or {}
    source = outputs[0].graph
    if any(tensor.graph is not source for tensor in (*inputs, *outputs)):
        raise NotRepeatable("a part of the step is computed inside another function")
    given = {id(tensor): tensor for tensor in inputs}
    operations = operations_between(given, outputs)
    written = written_by(source, operations)
    piece = func_graph.FuncGraph("measured")
    # Loops, branches and calls name the functions that they run, which must be in the piece's own library.
    for function in source._functions.values():
        piece._add_function(function)
    with piece.as_default():
        copies = {key: placeholder_of(tensor, tensor.dtype) for key, tensor in given.items()}
        piece.inputs.extend(copies.values())
        captured = {id(inner): instead.get(id(outer), outer) for outer, inner in source.captures}
        for operation in operations:
            _copy(operation, piece, copies, captured)
    piece.outputs.extend(copies[id(tensor)] for tensor in outputs)
    first = [next(index for index, tensor in enumerate(inputs) if id(tensor) == key) for key in given]
    return piece, first, [captured[key] for key in written if key in captured]


def operations_between(given: Mapping[int, Any], outputs: Sequence[Any]) -> list[Any]:
    """Return what computes tensors of a graph from others, each operation after those it needs.

    Control dependencies are kept where an operation reads a variable that another one writes before; all other side
    effects of a step are left out.
    """
    ordered: list[Any] = []
    state: dict[Any, bool] = {}
    # A stack of our own: graphs are deeper than Python lets a function call itself.
    todo = [(tensor.op, False) for tensor in outputs if id(tensor) not in given]
    while todo:
        operation, are_needs_done = todo.pop()
        if are_needs_done:
            ordered.append(operation)
        elif operation not in state:
            state[operation] = True
            todo.append((operation, True))
            todo += [(tensor.op, False) for tensor in operation.inputs if id(tensor) not in given]
            todo += [(before, False) for before in _writes_before(operation)]
    return ordered


def _writes_before(operation: Any) -> list[Any]:
    resources = {id(tensor) for tensor in operation.inputs if tensor.dtype == tf.resource}
    return [
        before
        for before in operation.control_inputs
        if before.type != "ReadVariableOp" and any(id(tensor) in resources for tensor in before.inputs)
    ]


def placeholder_of(tensor: Any, dtype: Any) -> Any:
    """Return a placeholder, in the graph that is being made, of a tensor's shape."""
    return tf.compat.v1.placeholder(dtype, tensor.shape)


def _copy(operation: Any, piece: Any, copies: dict[int, Any], captured: Mapping[int, Any]) -> None:
    """Copy an operation into a piece, whose needs are there already."""
    if operation.type == "Placeholder":
        outer = captured.get(id(operation.outputs[0]))
        if outer is None:
            raise NotRepeatable("a value follows from more than the batch and the model")
        if not is_eager(outer):
            raise NotRepeatable("a part of the step is computed inside another function")
        copies[id(operation.outputs[0])] = piece.capture(outer)
        return
    needs = [piece.get_operation_by_name(copies[id(before)]) for before in _writes_before(operation)]
    # `_class` ties an operation to another one of its old graph by name, which the piece may not have.
    attributes = {name: value for name, value in operation.node_def.attr.items() if not name.startswith("_class")}
    with tf.control_dependencies(needs), tf.device(operation.device):
        copy = piece.create_op(
            operation.type,
            [copies[id(tensor)] for tensor in operation.inputs],
            [tensor.dtype for tensor in operation.outputs],
            attrs=attributes,
            name=operation.name,
        )
    copies[id(operation)] = copy.name
    for tensor, copied in zip(operation.outputs, copy.outputs, strict=True):
        # A shape that code has set by hand is known to the tensor alone, not to its operation.
        copied.set_shape(tensor.shape)
        copies[id(tensor)] = copied


def callable_of(piece: Any) -> Any:
    """Return a graph with inputs and outputs as a function."""
    piece.structured_outputs, piece.structured_input_signature = list(piece.outputs), None
    return wrap_function.WrappedFunction(piece, variable_holder=wrap_function.VariableHolder())


def restoring(function: Any, indices: Sequence[int], resources: Sequence[Any]) -> Piece:
    """Return a function as a piece that puts back what it writes.

    Args:
        function: of a graph.
        indices: of the piece's inputs that the function takes; a tensor may be an input twice.
        resources: captured tensors, of which those that are variables are written.
    """
    handles = [handle for handle in resources if _variable_type(handle) is not None]

    def run(values: Sequence[Any]) -> list[Any]:
        # What was read stays as it is: TensorFlow copies a variable's buffer before it updates one that is in use.
        before = [(handle, _read(handle)) for handle in handles]
        try:
            try:
                return list(function._call_flat([values[index] for index in indices], function.captured_inputs))
            finally:
                # Also where the piece fails: it may have written before that.
                for handle, value in before:
                    tf.raw_ops.AssignVariableOp(resource=handle, value=value)
        except BaseException:
            # What a signal handler raises may have fallen between two of them.
            for handle, value in before:
                tf.raw_ops.AssignVariableOp(resource=handle, value=value)
            raise

    return run


def _variable_type(handle: Any) -> Any:
    """Return the type of the variable behind a captured tensor, or None where there is none."""
    if handle.dtype != tf.resource:
        return None
    data = getattr(handle, "_handle_data", None)
    return tf.as_dtype(data.shape_and_type[0].dtype) if data is not None and data.shape_and_type else None


def _read(handle: Any) -> tf.Tensor:
    return tf.raw_ops.ReadVariableOp(resource=handle, dtype=_variable_type(handle))
