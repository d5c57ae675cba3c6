"""Which operations of a traced graph may run again: those that leave no trace, or one that can be put back."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import tensorflow as tf
from tensorflow.python.framework import op_def_registry

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
_PYTHON: Final = ("PyFunc", "EagerPyFunc", "PyFuncStateless", "NumpyFunction")


class NotRepeatable(Exception):
    """A piece of a graph can't be run again; the message says why, as the end of a sentence after "because"."""


def written_by(source: Any, operations: Sequence[Any]) -> set[int]:
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
