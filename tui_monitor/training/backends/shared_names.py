"""Private names that both Kerases or TensorFlow give us: each is in one function, and may be missing."""

from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def arguments_of(loss: Any) -> Mapping[str, Any]:
    """Return the keyword arguments of a loss or metric that wraps a function, `from_logits` for one; empty without."""
    found: Mapping[str, Any] = getattr(loss, "_fn_kwargs", {})
    return found


def function_name(averaged: Any, is_own: Callable[[Any], bool]) -> str:
    """Return the name of Keras' own function that a metric or loss averages, without underscores; empty for others."""
    function = getattr(averaged, "_fn", None) or getattr(averaged, "fn", None)
    if function is None or not is_own(function):
        return ""
    return str(getattr(function, "__name__", "")).replace("_", "").lower()


def logits_behind(outputs: Any) -> Any:
    """Return the logits that Keras has noted on the outputs of a softmax or sigmoid, or None."""
    return getattr(outputs, "_keras_logits", None)


def may_be_compiled_by_xla(model: Any) -> bool:
    """Return whether XLA may compile the model's steps; true where the model does not say."""
    return bool(getattr(model, "_jit_compile", True))


def learning_rate_schedule(optimizer: Any) -> Any:
    """Return the schedule that sets an optimizer's learning rate, or None where it is a variable."""
    found = getattr(optimizer, "_learning_rate", None)
    return found if callable(found) and not hasattr(found, "assign") else None


def run_as_python(function: Callable[P, T]) -> Callable[P, T]:
    """Return a function that AutoGraph runs as it is, where a traced function calls it, in place of a copy of ours."""
    # The mark that TensorFlow's own `do_not_convert` sets, without importing TensorFlow, which JAX runs without.
    vars(function)["autograph_info__"] = {}
    return function
