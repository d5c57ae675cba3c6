"""Which epoch of a `fit` is its last, as far as that can be known when it ends, and whether its weights still stand."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tui_monitor.run_log.write.record_values import count_or_none

_FEW = 3
_MOST_ELEMENTS = 2**16


def may_be_last(model: Any, callbacks: Any, epoch: int, values: Mapping[str, float]) -> bool:
    """Return whether no epoch is known to follow one that ends.

    Args:
        model: that trains.
        callbacks: Keras' list of them, not yet told that the epoch ended.
        epoch: from 1.
        values: what Keras logs of the epoch.
    """
    params = getattr(callbacks, "params", None) or {}
    if count_or_none(params.get("epochs")) == epoch or getattr(model, "stop_training", False) is True:
        return True
    return any(_stops_now(callback, values) for callback in getattr(callbacks, "callbacks", ()))


def _stops_now(callback: Any, values: Mapping[str, float]) -> bool:
    """Whether an `EarlyStopping` is out of patience with an epoch, as far as its public attributes tell."""
    # By its attributes alone: its methods may be the user's, and count how often they are called.
    if not any(base.__name__ == "EarlyStopping" for base in type(callback).__mro__):
        return False
    known = vars(callback)
    wait, patience = known.get("wait"), known.get("patience")
    # It is told of this epoch only after us, and adds it to `wait` then.
    is_patient = not (isinstance(wait, int) and isinstance(patience, int)) or wait + 1 < patience
    best, value = known.get("best"), values.get(str(known.get("monitor")))
    if is_patient or best is None or value is None:
        return False
    compares, margin = getattr(known.get("monitor_op"), "__name__", ""), abs(known.get("min_delta") or 0.0)
    is_better = value + margin < best if "less" in compares else value - margin > best
    return bool(not is_better or compares == "")


def few_weights(model: Any) -> tuple[bytes, ...]:
    """Return the content of a model's few smallest trainable weights, which hardly ever stay when weights change.

    Callbacks may have put back the weights of a better epoch, or an optimizer those that it averaged.
    """
    trainable = [variable for variable in model.variables if variable.trainable]
    smallest = sorted(trainable, key=lambda variable: math.prod(variable.shape))[:_FEW]
    small = [variable for variable in smallest if math.prod(variable.shape) <= _MOST_ELEMENTS]
    return tuple(np.asarray(variable.numpy()).tobytes() for variable in small)
