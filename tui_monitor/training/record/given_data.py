"""How much data `fit` is given, as far as arrays tell without running code of the user's."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tui_monitor.explain.samples.observed import WholeValidation

_ARRAYS = ("numpy", "tensorflow", "torch", "jaxlib")
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


@dataclass(frozen=True)
class GivenSamples:
    """Samples that every epoch of a `fit` goes through; 0 where that is not known."""

    training: int = 0
    validation: int = 0


def given_samples(arguments: Mapping[str, Any]) -> GivenSamples:
    """Return how many samples arrays hold that are given whole.

    Args:
        arguments: of `fit`, by name.
    """
    training, split = _rows(arguments.get("x")) or 0, arguments.get("validation_split") or 0.0
    validation, data = 0, arguments.get("validation_data")
    if data is not None:
        validation = (_rows(data[0]) or 0) if type(data) in (list, tuple) and data else 0
    elif split:
        # As Keras and legacy Keras split: the samples at the end are validation's.
        kept = math.floor(training * (1.0 - split))
        training, validation = kept, training - kept
    return GivenSamples(
        training if arguments.get("steps_per_epoch") is None else 0,
        validation if arguments.get("validation_steps") is None else 0,
    )


def _rows(inputs: Any) -> int | None:
    while type(inputs) in (list, tuple, dict) and inputs:
        inputs = next(iter(inputs.values())) if type(inputs) is dict else inputs[0]
    shape = getattr(inputs, "shape", None) if _package(inputs) in _ARRAYS else None
    return int(shape[0]) if shape is not None and len(shape) and shape[0] is not None else None


def _package(value: Any) -> str:
    return type(value).__module__.split(".", maxsplit=1)[0]
