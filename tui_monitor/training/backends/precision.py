"""A piece of a traced graph that computes in float32 what the graph computes in narrower types.

TensorFlow's private names stand here. The graph's own definition is rewritten, functions that it calls included, so no
code of the user's is called. Constants keep the digits that they were rounded to; variables are read as they are.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.python.framework import func_graph

from tui_monitor.run_log.format.error_text import in_a_line
from tui_monitor.training.backends.pieces import (
    Piece,
    callable_of,
    operations_between,
    piece_of,
    placeholder_of,
    restoring,
)
from tui_monitor.training.backends.repeatable import NotRepeatable

_NARROW: Final = (types_pb2.DT_HALF, types_pb2.DT_BFLOAT16)
_READS: Final = "ReadVariableOp"
_BY_BITS: Final = ("Bitcast", "DecodeRaw", "ResourceGather", "ResourceGatherNd", "VarHandleOp")
"""Operations that depend on how numbers are stored."""


def narrow_type_of(inputs: Sequence[Any], outputs: Sequence[Any]) -> str:
    """Return the narrow type that most of what lies between tensors of a graph is computed in; empty without any."""
    given = {id(tensor): tensor for tensor in inputs}
    kinds = Counter(
        tensor.dtype.name
        for operation in operations_between(given, outputs)
        for tensor in operation.outputs
        if tensor.dtype.as_datatype_enum in _NARROW
    )
    return kinds.most_common(1)[0][0] if kinds else ""


def cut_in_float32(inputs: Sequence[Any], outputs: Sequence[Any]) -> Piece:
    """Return what `pieces.cut` returns, computed in float32 where the graph has float16 or bfloat16.

    Args:
        inputs: as for `pieces.cut`.
        outputs: likewise.

    Raises:
        NotRepeatable: for the reasons of `pieces.cut`, or because the graph can't be computed in float32.
    """
    narrow, indices, written = piece_of(inputs, outputs)
    if written:
        raise NotRepeatable("a step writes variables of a narrow type's graph")
    definition = _widened(narrow.as_graph_def(use_pybind11_proto=False))
    wide = func_graph.FuncGraph("measured_in_float32")
    own = narrow.inputs[: len(narrow.inputs) - len(narrow.captures)]
    with wide.as_default():
        given = [placeholder_of(tensor, _wide(tensor.dtype)) for tensor in own]
        wide.inputs.extend(given)
        instead = {tensor.name: copy for tensor, copy in zip(own, given, strict=True)}
        instead |= {inner.name: wide.capture(outer) for outer, inner in narrow.captures}
        names = [tensor.name for tensor in narrow.outputs]
        try:
            found = tf.graph_util.import_graph_def(definition, instead, names, name="")
        except (ValueError, TypeError, tf.errors.OpError) as error:
            raise NotRepeatable(f"its graph can't be computed in float32 ({in_a_line(error)})") from None
    wide.outputs.extend(found)
    return _casting(restoring(callable_of(wide), indices, []), indices, [tensor.dtype for tensor in given])


def _casting(piece: Piece, indices: Sequence[int], dtypes: Sequence[tf.DType]) -> Piece:
    """Return a piece that takes its inputs in the types of the original one."""

    def run(values: Sequence[Any]) -> list[Any]:
        cast = list(values)
        for index, dtype in zip(indices, dtypes, strict=True):
            cast[index] = tf.cast(values[index], dtype) if dtype.is_floating else values[index]
        return piece(cast)

    return run


def _wide(dtype: tf.DType) -> tf.DType:
    return tf.float32 if dtype.as_datatype_enum in _NARROW else dtype


def _widened(definition: Any) -> Any:
    """Return a graph's definition with float32 in place of narrow types, and functions under names of their own.

    Raises:
        NotRepeatable: an operation depends on how many bits a number has.
    """
    functions = [function.signature.name for function in definition.library.function]
    names = {name: f"{name}_in_float32" for name in functions}
    _widen_nodes(definition.node, names, output="")
    for function in definition.library.function:
        function.signature.name = names[function.signature.name]
        for argument in (*function.signature.input_arg, *function.signature.output_arg):
            argument.type = _wide_enum(argument.type)
        moved = {f"{name}:value:0": f"{name}:y:0" for name in _widen_nodes(function.node_def, names, output=":value:0")}
        # Within a function a tensor is named by its operation's output: a cast calls it otherwise than what reads.
        for node in function.node_def:
            node.input[:] = [moved.get(name, name) for name in node.input]
        for result, name in function.ret.items():
            function.ret[result] = moved.get(name, name)
    # Gradients are named by the old functions, and a pass has none.
    del definition.library.gradient[:]
    return definition


def _widen_nodes(nodes: Any, names: Mapping[str, str], output: str) -> list[str]:
    """Change nodes so that they compute in float32; a variable is read as it is, and cast.

    Args:
        nodes: of a graph or a function.
        names: of functions, by their old ones.
        output: how what is read is named after its node.

    Returns:
        The nodes that are casts of what was read now.

    Raises:
        NotRepeatable: an operation depends on how many bits a number has.
    """
    old, read = list(nodes), []
    del nodes[:]
    for node in old:
        if node.op == _READS and node.attr["dtype"].type in _NARROW:
            nodes.extend(_read_and_cast(node, output))
            read.append(node.name)
            continue
        types = [attribute.type for attribute in node.attr.values()]
        if node.op in _BY_BITS and any(kind in _NARROW for kind in types):
            raise NotRepeatable(f"the operation {node.op} depends on how its numbers are stored")
        node.op = names.get(node.op, node.op)
        for key, attribute in node.attr.items():
            # What is known of a variable's handle stays true: variables keep their types.
            if not key.startswith("_handle"):
                _widen_attribute(attribute, names)
        nodes.append(node)
    return read


def _read_and_cast(node: Any, output: str) -> tuple[Any, Any]:
    """Return a node that reads a variable under another name, and under its name the cast of what it reads."""
    name = f"{node.name}/as_it_is"
    cast = type(node)(name=node.name, op="Cast", input=[name + output], device=node.device)
    cast.attr["SrcT"].type, cast.attr["DstT"].type = node.attr["dtype"].type, types_pb2.DT_FLOAT
    reading = type(node)()
    reading.CopyFrom(node)
    reading.name = name
    return reading, cast


def _widen_attribute(attribute: Any, names: Mapping[str, str]) -> None:
    kind = attribute.WhichOneof("value")
    if kind == "type":
        attribute.type = _wide_enum(attribute.type)
    elif kind == "func":
        attribute.func.name = names.get(attribute.func.name, attribute.func.name)
    elif kind == "tensor" and attribute.tensor.dtype in _NARROW:
        values = tf.make_ndarray(attribute.tensor).astype("float32")
        attribute.tensor.CopyFrom(tf.make_tensor_proto(values))
    elif kind == "list":
        attribute.list.type[:] = [_wide_enum(entry) for entry in attribute.list.type]
        for function in attribute.list.func:
            function.name = names.get(function.name, function.name)


def _wide_enum(kind: int) -> int:
    return types_pb2.DT_FLOAT if kind in _NARROW else kind
