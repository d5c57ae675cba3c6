"""Whether a step's values follow from more than its batch and weights: from what batches before have left behind."""

from collections.abc import Sequence
from typing import Any, Final

from tui_monitor.training.backends.pieces import operations_between
from tui_monitor.training.backends.repeatable import NotRepeatable

_ASSIGNS: Final = ("Assign", "ResourceScatter", "ResourceStridedSliceAssign")
"""How names of operations begin that write numbers to a variable, other than the state of a generator."""


def refuse_memory(inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
    """Refuse tensors that follow from what batches before have left: from numbers in variables that their graph writes.

    Args:
        inputs: as for `cut`, of a graph in which no weight is trained.
        outputs: likewise.

    Raises:
        NotRepeatable: they do.
    """
    between = operations_between({id(tensor): tensor for tensor in inputs}, outputs)
    read = {id(tensor) for operation in between if _gives_floats(operation) for tensor in operation.inputs}
    for operation in outputs[0].graph.get_operations():
        if operation.type.startswith(_ASSIGNS) and id(operation.inputs[0]) in read:
            raise NotRepeatable(
                "a layer begins each batch with what the batch before has left (such as `stateful=True`)"
            )


def _gives_floats(operation: Any) -> bool:
    return any(tensor.dtype.is_floating for tensor in operation.outputs)
