"""Pieces cut out of graphs that Keras has traced, run again without calling the user's code.

TensorFlow's private names stand here. A piece runs only if nothing in it can remember what it did: a variable that it
writes is put back, and what can't be put back (Python code, a queue, other workers) refuses the piece.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

import tensorflow as tf
from tensorflow.python.autograph.core import ag_ctx
from tensorflow.python.autograph.impl import api
from tensorflow.python.eager import record, wrap_function
from tensorflow.python.framework import func_graph, op_def_registry

Piece = Callable[[Sequence[Any]], list[Any]]
"""Takes one eager tensor for each input and returns one for each output."""

_SAFE: Final = frozenset(
    {
        *(
            "Assert",
            "Case",
            "CheckNumerics",
            "CheckNumericsV2",
            "CudnnRNN",
            "CudnnRNNV2",
            "CudnnRNNV3",
            "DeepCopy",
            "Empty",
            "If",
            "IsVariableInitialized",
            "NoOp",
        ),
        *("LookupTableFind", "LookupTableFindV2", "LookupTableSize", "LookupTableSizeV2", "PartitionedCall"),
        *("Placeholder", "ReadVariableOp", "ResourceGather", "ResourceGatherNd", "StatefulPartitionedCall"),
        *("VarIsInitializedOp", "VariableShape", "While"),
    }
)
"""Operations that count as stateful and leave nothing behind."""
_RANDOM: Final = frozenset(
    {
        *("FixedUnigramCandidateSampler", "LogUniformCandidateSampler", "UniformCandidateSampler"),
        *("Multinomial", "ParameterizedTruncatedNormal", "RandomGamma", "RandomPoissonV2", "RandomShuffle"),
        *("RandomStandardNormal", "RandomUniform", "RandomUniformInt", "TruncatedNormal"),
    }
)
"""Random operations with state in the kernel of their node: a piece has nodes, but no functions, of its own."""
_WRITES: Final = (
    "Assign",
    "ResourceScatter",
    "ResourceStridedSliceAssign",
    "RngReadAndSkip",
    "RngSkip",
    "Stateful",
)
"""How names of operations begin that write a variable, which can be put back."""
_GIVEN: Final = ("Placeholder", "IteratorGetNext", "IteratorGetNextAsOptional", "OptionalGetValue")
"""Operations by which a graph gets what is not in its variables."""
_PYTHON: Final = ("PyFunc", "EagerPyFunc", "PyFuncStateless", "NumpyFunction")


class NotRepeatable(Exception):
    """A piece of a graph can't be run again; the message says why, as the end of a sentence after "because"."""


def graph_of(tensor: Any) -> Any:
    """Return the graph that a tensor is part of, or None for an eager one."""
    return None if isinstance(tensor, tf.__internal__.EagerTensor) else getattr(tensor, "graph", None)


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
    instead = instead or {}
    source = outputs[0].graph
    if any(tensor.graph is not source for tensor in (*inputs, *outputs)):
        raise NotRepeatable("a part of the step is computed inside another function")
    given = {id(tensor): tensor for tensor in inputs}
    operations = operations_between(given, outputs)
    written = _written(source, operations)
    piece = func_graph.FuncGraph("measured")
    # Loops, branches and calls name the functions that they run, which must be in the piece's own library.
    for function in source._functions.values():
        piece._add_function(function)
    with piece.as_default():
        copies = {key: _placeholder(tensor) for key, tensor in given.items()}
        piece.inputs.extend(copies.values())
        captured = {id(inner): instead.get(id(outer), outer) for outer, inner in source.captures}
        for operation in operations:
            _copy(operation, piece, copies, captured)
    piece.outputs.extend(copies[id(tensor)] for tensor in outputs)
    first = [next(index for index, tensor in enumerate(inputs) if id(tensor) == key) for key in given]
    return _restoring(_callable(piece), first, [captured[key] for key in written if key in captured])


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


def _placeholder(tensor: Any) -> Any:
    return tf.compat.v1.placeholder(tensor.dtype, tensor.shape)


def _copy(operation: Any, piece: Any, copies: dict[int, Any], captured: Mapping[int, Any]) -> None:
    """Copy an operation into a piece, whose needs are there already."""
    if operation.type == "Placeholder":
        outer = captured.get(id(operation.outputs[0]))
        if outer is None:
            raise NotRepeatable("a value follows from more than the batch and the model")
        if not isinstance(outer, tf.__internal__.EagerTensor):
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


def _callable(piece: Any) -> Any:
    piece.structured_outputs, piece.structured_input_signature = list(piece.outputs), None
    return wrap_function.WrappedFunction(piece, variable_holder=wrap_function.VariableHolder())


def _written(source: Any, operations: Sequence[Any]) -> set[int]:
    """Return the handles, by `id`, of the variables that operations of a graph write.

    Raises:
        NotRepeatable: they do something that can't be put back.
    """
    library = {function.signature.name: function for function in _library(source)}
    written: set[int] = set()
    for operation in operations:
        # What is named as a function calls it, and does what is in it.
        is_stateful = operation.op_def.is_stateful and operation.type not in library
        writes = _judge(operation.type, is_stateful=is_stateful, is_in_function=False)
        for function in _called([operation.node_def], library):
            for node in function.node_def:
                known = op_def_registry.get(node.op)
                is_stateful = node.op not in library and (known is None or known.is_stateful)
                writes |= _judge(node.op, is_stateful=is_stateful, is_in_function=True)
        if writes:
            written |= {id(tensor) for tensor in operation.inputs if tensor.dtype == tf.resource}
    return written


def _judge(kind: str, *, is_stateful: bool, is_in_function: bool) -> bool:
    """Return whether an operation writes variables.

    Args:
        kind: of the operation.
        is_stateful: as TensorFlow itself takes it.
        is_in_function: whether it lies in a function that the step calls.

    Raises:
        NotRepeatable: it does something that can't be put back.
    """
    if kind in _PYTHON:
        raise NotRepeatable("a step calls Python code")
    if not is_stateful or kind in _SAFE or (kind in _RANDOM and not is_in_function):
        return False
    if kind.startswith(_WRITES):
        return True
    if kind in _RANDOM:
        raise NotRepeatable("a loop or function of the step draws random numbers whose count can't be put back")
    if kind.startswith("Collective"):
        raise NotRepeatable("a layer joins the samples of all workers while training")
    raise NotRepeatable(f"a step runs the operation {kind}, which may remember that it ran")


def _library(graph: Any) -> Any:
    return graph.as_graph_def(use_pybind11_proto=False).library.function


def _called(nodes: Sequence[Any], library: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the definitions of the functions that nodes call, directly or not."""
    todo, seen = list(nodes), set()
    while todo:
        for name in _named(todo.pop()):
            if name in library and name not in seen:
                seen.add(name)
                yield library[name]
                todo += library[name].node_def


def _named(node: Any) -> Iterator[str]:
    yield node.op
    for attribute in node.attr.values():
        if attribute.HasField("func"):
            yield attribute.func.name
        yield from (function.name for function in attribute.list.func)


def _restoring(function: Any, indices: Sequence[int], resources: Sequence[Any]) -> Piece:
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
            return list(function._call_flat([values[index] for index in indices], function.captured_inputs))
        finally:
            # Also where the piece fails: it may have written before that.
            for handle, value in before:
                tf.raw_ops.AssignVariableOp(resource=handle, value=value)

    return run


def _variable_type(handle: Any) -> Any:
    """Return the type of the variable behind a captured tensor, or None where there is none."""
    if handle.dtype != tf.resource:
        return None
    data = getattr(handle, "_handle_data", None)
    return tf.as_dtype(data.shape_and_type[0].dtype) if data is not None and data.shape_and_type else None


def _read(handle: Any) -> tf.Tensor:
    return tf.raw_ops.ReadVariableOp(resource=handle, dtype=_variable_type(handle))


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


def converted_as_here(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function as AutoGraph would call it from where this is called, converted if that is under conversion."""
    if tf.executing_eagerly():
        return function
    converted: Callable[..., Any] = api.tf_convert(function, ag_ctx.control_status_ctx(), convert_by_default=False)
    return converted


@contextlib.contextmanager
def own_graph() -> Iterator[None]:
    """Trace what is called inside the block into a graph of our own."""
    with func_graph.FuncGraph("measured").as_default():
        yield


def off_tape() -> AbstractContextManager[None]:
    """Return a block in which no `tf.GradientTape` of the user's records what runs."""
    block: AbstractContextManager[None] = record.stop_recording()
    return block


def trains_on_several_workers(model: Any) -> bool:
    """Return whether a model's strategy spans processes."""
    extended = getattr(getattr(model, "distribute_strategy", None), "extended", None)
    # `bool` stands in for a method that is missing: called, it returns False.
    return bool(getattr(extended, "_in_multi_worker_mode", bool)())
