"""How much validation data `fit` is given, whatever `validation_steps` has it look at; no code of the user's runs."""

from collections.abc import Mapping
from typing import Any

from tui_monitor.explain.samples.observed import WholeValidation

_ARRAYS = ("numpy", "tensorflow")
"""Packages whose objects are asked for their length."""


def given_validation(arguments: Mapping[str, Any]) -> WholeValidation:
    """Return the size of what stands under `validation_data`, where `validation_steps` may cut it.

    Args:
        arguments: of `fit`, by name.
    """
    data = arguments.get("validation_data")
    if data is None or arguments.get("validation_steps") is None:
        return WholeValidation()
    if type(data) in (list, tuple) and data:
        return WholeValidation(samples=_rows(data[0]))
    if _package(data) == "tensorflow" and hasattr(data, "cardinality"):
        batches = int(data.cardinality())
        # It is negative where a dataset has no end or an unknown one.
        return WholeValidation(batches=batches if batches >= 0 else None)
    return WholeValidation()


def _rows(inputs: Any) -> int | None:
    while type(inputs) in (list, tuple, dict) and inputs:
        inputs = next(iter(inputs.values())) if type(inputs) is dict else inputs[0]
    shape = getattr(inputs, "shape", None) if _package(inputs) in _ARRAYS else None
    return int(shape[0]) if shape is not None and len(shape) and shape[0] is not None else None


def _package(value: Any) -> str:
    return type(value).__module__.split(".", maxsplit=1)[0]
