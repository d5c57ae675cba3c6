"""What the graphs say that Keras has traced: which tensors and variables follow from which, and where tracing stands.

TensorFlow's private names stand here, in `pieces`, `repeatable` and `scopes`.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

import tensorflow as tf
from tensorflow.python.autograph.core import ag_ctx
from tensorflow.python.autograph.impl import api
from tensorflow.python.eager.polymorphic_function import polymorphic_function
from tensorflow.python.framework import func_graph

_GIVEN: Final = ("Placeholder", "IteratorGetNext", "IteratorGetNextAsOptional", "OptionalGetValue")
"""Operations by which a graph gets what is not in its variables."""


def graph_of(tensor: Any) -> Any:
    """Return the graph that a tensor is part of, or None for an eager one."""
    return None if is_eager(tensor) else getattr(tensor, "graph", None)


def outermost(graph: Any) -> Any:
    """Return the graph of the function being traced that a graph is a part of: a loop's body, a branch."""
    while isinstance(getattr(graph, "outer_graph", None), func_graph.FuncGraph):
        graph = graph.outer_graph
    return graph


def is_eager(tensor: Any) -> bool:
    """Return whether a tensor holds its value, as those outside any graph do."""
    return isinstance(tensor, tf.__internal__.EagerTensor)


def position() -> int:
    """Return how far the graph that is being traced has got, for `additions_since`; 0 outside a graph."""
    return 0 if tf.executing_eagerly() else len(tf.compat.v1.get_default_graph().get_operations())


def additions_since(before: int) -> list[tuple[Any, Any]]:
    """Return what operations traced since have added to variables: (handle in the graph, what was added), in order.

    Args:
        before: what `position` returned.
    """
    if tf.executing_eagerly():
        return []
    found = []
    for operation in tf.compat.v1.get_default_graph().get_operations()[before:]:
        # Legacy Keras adds in place; Keras 3 assigns the sum of the variable and what is added.
        if operation.type == "AssignAddVariableOp":
            found.append((operation.inputs[0], operation.inputs[1]))
        elif operation.type == "AssignVariableOp":
            added = _added(operation)
            if added is not None:
                found.append((operation.inputs[0], added))
    return found


def _added(assign: Any) -> Any:
    """Return `value` of an assignment `variable = variable + value`, or None for another one."""
    plus = assign.inputs[1].op
    if plus.type != "AddV2":
        return None
    variable, value = plus.inputs
    is_sum = variable.op.type == "ReadVariableOp" and variable.op.inputs[0] is assign.inputs[0]
    return value if is_sum else None


def is_row_count(number: Any, tensor: Any) -> bool:
    """Return whether a scalar of a graph is the number of a tensor's rows, `tf.shape(tensor)[0]` in any type."""
    if graph_of(number) is None or graph_of(tensor) is None or _uncast(number).op.type != "StridedSlice":
        return False
    first = _uncast(number).op
    shape = first.inputs[0].op
    begin, end, stride = (tf.get_static_value(bound) for bound in first.inputs[1:])
    is_first = first.get_attr("shrink_axis_mask") == 1 and all(bound is not None for bound in (begin, end, stride))
    return bool(
        is_first and list(begin) == [0] and shape.type == "Shape" and _uncast(shape.inputs[0]) is _uncast(tensor)
    )


def _uncast(tensor: Any) -> Any:
    while tensor.op.type in ("Cast", "Identity"):
        tensor = tensor.op.inputs[0]
    return tensor


def beside(value: Any) -> Any:
    """Return a scalar's value without another reader of the tensor if it is a sum: its terms are added up beside it.

    TensorFlow's optimizer merges additions into one, which changes their rounding, but only where nothing else reads
    the sums in between (`AddOpsRewrite` of Grappler's arithmetic optimizer). A reader of ours would prevent that, and
    so change what the training computes.
    """
    terms = _terms(value)
    return value if len(terms) < 2 else tf.add_n(terms)


def _terms(value: Any) -> list[Any]:
    operation = value.op
    if operation.type in ("Add", "AddV2", "AddN") and all(term.shape == value.shape for term in operation.inputs):
        return [term for part in operation.inputs for term in _terms(part)]
    sums_one = operation.type == "Sum" and operation.inputs[0].shape.rank == 0
    return _terms(operation.inputs[0]) if sums_one or operation.type == "Identity" else [value]


def variables_behind(tensor: Any, stops: Sequence[Any] = ()) -> list[Any]:
    """Return the handles, as the graph has them, of variables that a tensor of a graph follows from.

    Args:
        tensor: of a graph.
        stops: tensors of the graph at which going back ends.
    """
    stop = {id(end) for end in stops}
    found, seen, todo = [], set(), [tensor]
    while todo:
        tensor = todo.pop()
        if id(tensor) in stop:
            continue
        if tensor.dtype == tf.resource:
            found.append(tensor)
            continue
        if tensor.op not in seen:
            seen.add(tensor.op)
            todo += tensor.op.inputs
    return found


@dataclass(frozen=True)
class Assigned:
    """What a step assigns to a variable."""

    value: Any
    """A tensor of the step's graph."""
    is_subtracted: bool
    """Whether the value is subtracted from what the variable holds, rather than put in its place."""


def assigned_values(tensor: Any, handles: Sequence[Any]) -> dict[int, Assigned]:
    """Return what a step assigns to variables.

    Args:
        tensor: any of the step's graph.
        handles: of the variables, outside the graph.

    Returns:
        By `id` of the handle, in their order; variables that are not assigned just once are left out.
    """
    graph = graph_of(tensor)
    outer = {} if graph is None else {id(inner): handle for handle, inner in graph.captures}
    found: dict[int, list[Assigned]] = {id(handle): [] for handle in handles}
    for operation in graph.get_operations() if graph is not None else ():
        if operation.type in ("AssignVariableOp", "AssignSubVariableOp"):
            handle = outer.get(id(operation.inputs[0]))
            if id(handle) in found:
                is_subtracted = operation.type == "AssignSubVariableOp"
                found[id(handle)].append(Assigned(operation.inputs[1], is_subtracted))
    return {key: assigned[0] for key, assigned in found.items() if len(assigned) == 1}


def handle_of(variable: Any) -> Any:
    """Return the handle of a variable of either Keras, or None where it has no single one."""
    # `value` of a Keras 3 variable is TensorFlow's; in legacy Keras it is a method, which has no handle.
    handle = getattr(getattr(variable, "value", variable), "handle", None)
    handle = getattr(variable, "handle", None) if handle is None else handle
    return handle if isinstance(handle, tf.Tensor) else None


def reads_variables_alone(tensor: Any) -> bool:
    """Return whether a tensor of a graph follows from variables and constants, and from nothing the graph is given."""
    seen, todo = set(), [tensor]
    while todo:
        tensor = todo.pop()
        if tensor.dtype == tf.resource or tensor.op in seen:
            continue
        seen.add(tensor.op)
        if tensor.op.type in _GIVEN:
            return False
        todo += tensor.op.inputs
    return True


def handle_outside(handle: Any) -> Any:
    """Return what a graph's own tensor for a variable's handle stands for, outside the graph, or None."""
    return next((outer for outer, inner in handle.graph.captures if inner is handle), None)


def called_as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that AutoGraph calls without converting it, or reporting it in errors of what it calls."""
    marked: Callable[..., Any] = api.autograph_artifact(function)
    return marked


def converted_as_by(caller: FrameType, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function as it would be called in place of one of ours: converted if AutoGraph called that.

    Args:
        caller: what called the one of ours.
        function: to be called.
    """
    # Legacy Keras is not converted itself, so that a step it calls directly is not, whatever is around it.
    if caller.f_globals.get("__name__") != api.__name__:
        return function
    converted: Callable[..., Any] = api.tf_convert(function, ag_ctx.control_status_ctx(), convert_by_default=False)
    return converted


@contextlib.contextmanager
def outside() -> Iterator[None]:
    """Run the block outside the graph that is being traced; variables of ours made there are none of its function's.

    A function that has made variables is traced once more, and with it all that the user's step does in Python.
    """
    with tf.init_scope():
        # Eager mode leaves the graph being traced the default one, with what watches how variables are made.
        graph = tf.compat.v1.get_default_graph()
        creators = graph._variable_creator_stack
        watching = polymorphic_function.__name__
        graph._variable_creator_stack = [entry for entry in creators if entry[1].__module__ != watching]
        try:
            yield
        finally:
            graph._variable_creator_stack = creators


@contextlib.contextmanager
def own_graph() -> Iterator[None]:
    """Trace what is called inside the block into a graph of our own."""
    with func_graph.FuncGraph("measured").as_default():
        yield


def trains_on_several_workers(model: Any) -> bool:
    """Return whether a model's strategy spans processes."""
    extended = getattr(getattr(model, "distribute_strategy", None), "extended", None)
    # `bool` stands in for a method that is missing: called, it returns False.
    return bool(getattr(extended, "_in_multi_worker_mode", bool)())
