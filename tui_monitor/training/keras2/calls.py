"""Calls of Keras 2 that Keras 3 dropped, for scripts of that time: translated where the meaning is the same."""

import dis
import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

from tui_monitor.training.backends.backend import wrap_once
from tui_monitor.training.guard import ignored, tell

_GENERATOR_CALLS = ("fit_generator", "evaluate_generator", "predict_generator")


def provide_keras2_calls(keras: Any) -> None:
    """Give Keras 3 `fit_generator`, `evaluate_generator`, `predict_generator`, and optimizers their `lr`.

    What Keras itself still has is left alone.
    """
    from tui_monitor.training.keras2.generator_fit import fit_generator

    calls: tuple[Any, ...] = (fit_generator, _evaluate_generator, _predict_generator)
    for name, call in zip(_GENERATOR_CALLS, calls, strict=True):
        if not hasattr(keras.Model, name):
            setattr(keras.Model, name, _WhereItWouldFail(name, call))
    wrap_once(keras.Model, "__dir__", _listing)
    for name in dir(keras.optimizers):
        optimizer = getattr(keras.optimizers, name)
        if isinstance(optimizer, type) and issubclass(optimizer, keras.optimizers.Optimizer):
            _accept_keras2_rate(optimizer)


class _WhereItWouldFail:
    """A method that only code gets which names it outright, and so would fail: `hasattr` and `getattr` don't find it.

    A script that asks first, to serve several versions of Keras, goes the way it goes without us.
    """

    def __init__(self, name: str, call: Callable[..., Any]) -> None:
        self._name, self._call = name, call

    def __get__(self, model: Any, kind: type[Any]) -> Any:
        caller = sys._getframe(1)
        operation = dis.opname[caller.f_code.co_code[caller.f_lasti]]
        if model is None or not operation.startswith(("LOAD_ATTR", "LOAD_METHOD")):
            raise AttributeError(f"{kind.__name__!r} object has no attribute {self._name!r}")
        return functools.partial(self._call, model)


def _listing(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return `__dir__` of models without the methods that asking does not find."""

    @functools.wraps(original)
    def __dir__(self: Any) -> Any:  # noqa: N807
        names = original(self)
        try:
            found = {name: inspect.getattr_static(self, name, None) for name in _GENERATOR_CALLS}
            ours = {name for name, value in found.items() if isinstance(value, _WhereItWouldFail)}
            return [name for name in names if name not in ours]
        except Exception as error:  # training must go on
            tell(ignored, error)
            return names

    return __dir__


def _evaluate_generator(
    self: Any, generator: Any, steps: int | None = None, *_: Any, verbose: int = 0, **ignored: Any
) -> Any:
    return self.evaluate(generator, steps=steps, verbose=verbose)


def _predict_generator(
    self: Any, generator: Any, steps: int | None = None, *_: Any, verbose: int = 0, **ignored: Any
) -> Any:
    return self.predict(generator, steps=steps, verbose=verbose)


def _accept_keras2_rate(optimizer: type[Any]) -> None:
    def wrap(original: Any) -> Any:
        @functools.wraps(original)
        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
            try:
                given = _translated(kwargs)
            except Exception as error:  # training must go on
                tell(ignored, error)
                given = kwargs
            original(self, *args, **given)

        return __init__

    if "__init__" in vars(optimizer):
        wrap_once(optimizer, "__init__", wrap)


def _translated(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return arguments with `lr`, which Keras 3 refuses, under its name of today; what it takes stays as it is."""
    if "lr" not in kwargs or "learning_rate" in kwargs:
        return kwargs
    return {("learning_rate" if name == "lr" else name): value for name, value in kwargs.items()}
