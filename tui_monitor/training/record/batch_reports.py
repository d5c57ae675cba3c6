"""What Keras tells its callbacks after each batch: running means since the epoch's begin, on any backend."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tui_monitor.training.guard import Failed, tell

_MOST_NUMBERS = 256
"""Numbers of one metric that are recorded with an epoch."""
_HOOK = "on_train_batch_end"


class BatchReports:
    """Hears one list of callbacks until it is stopped: until then a method of the list itself covers its class's."""

    def __init__(self, callbacks: Any, reported: Callable[[Mapping[str, float]], None], failed: Failed) -> None:
        """Begin to hear.

        Args:
            callbacks: of the fit.
            reported: gets the numbers after each batch, `loss` first.
            failed: told of a failure.
        """
        self._callbacks = callbacks
        original = callbacks.on_train_batch_end

        def on_train_batch_end(batch: int, logs: Any = None, *args: Any, **kwargs: Any) -> Any:
            try:
                # Before the callbacks, which get the same dictionary and may change it.
                _report(reported, logs)
            except Exception as error:  # training must go on
                tell(failed, error)
            return original(batch, logs, *args, **kwargs)

        # On this one list: another fit has a list of its own, and a list of the user's may watch what is set on it.
        object.__setattr__(callbacks, _HOOK, on_train_batch_end)

    def stop(self) -> None:
        """Hear no more."""
        vars(self._callbacks).pop(_HOOK, None)


def _report(reported: Callable[[Mapping[str, float]], None], logs: Any) -> None:
    values = {name: value for name, value in told(logs or {}).items() if isinstance(value, float)}
    if "loss" in values:
        values = {"loss": values.pop("loss"), **values}
    reported(values)


def told(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Return logs as floats; a metric of several numbers, such as one for each class, as a list unless it is long."""
    found: dict[str, Any] = {}
    for name, value in logs.items():
        if isinstance(value, Mapping):
            found.update(told(value))
            continue
        with contextlib.suppress(TypeError, ValueError):
            numbers = _numbers(value)
            if numbers is not None:
                found[str(name)] = numbers
    return found


def _numbers(value: Any) -> float | list[Any] | None:
    if isinstance(value, int | float):
        return float(value)
    if hasattr(value, "detach"):  # PyTorch's tensors of a training hold a graph
        value = value.detach().cpu()
    # `asarray` of a tensor asks for a copy in a way that warns, and warnings may be errors.
    array = np.asarray(value.numpy() if hasattr(value, "numpy") else value, dtype=float)
    if array.size > _MOST_NUMBERS:
        return None
    return float(array.item()) if array.size == 1 else array.tolist()
