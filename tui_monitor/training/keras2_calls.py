"""Calls of Keras 2 that Keras 3 dropped, for scripts of that time: translated where the meaning is the same."""

import functools
from typing import Any

from tui_monitor.errors import UsageError


def provide_keras2_calls(keras: Any) -> None:
    """Give Keras 3 `fit_generator`, `evaluate_generator`, `predict_generator`, and optimizers their `lr` and `decay`.

    What Keras itself still has is left alone.
    """
    from tui_monitor.training.generator_fit import fit_generator

    model = keras.Model
    if not hasattr(model, "fit_generator"):
        model.fit_generator = fit_generator
        model.evaluate_generator = _evaluate_generator
        model.predict_generator = _predict_generator
    for name in dir(keras.optimizers):
        optimizer = getattr(keras.optimizers, name)
        if isinstance(optimizer, type) and issubclass(optimizer, keras.optimizers.Optimizer):
            _accept_keras2_rates(keras, optimizer)


def _evaluate_generator(
    self: Any, generator: Any, steps: int | None = None, *_: Any, verbose: int = 0, **ignored: Any
) -> Any:
    return self.evaluate(generator, steps=steps, verbose=verbose)


def _predict_generator(
    self: Any, generator: Any, steps: int | None = None, *_: Any, verbose: int = 0, **ignored: Any
) -> Any:
    return self.predict(generator, steps=steps, verbose=verbose)


def _accept_keras2_rates(keras: Any, optimizer: type[Any]) -> None:
    original = optimizer.__init__
    if "__init__" not in vars(optimizer) or hasattr(original, "__wrapped__"):
        return

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        original(self, *args, **_translated(keras, optimizer, args, kwargs))

    optimizer.__init__ = __init__


def _translated(keras: Any, optimizer: type[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    if "lr" in kwargs:
        kwargs = {**kwargs, "learning_rate": kwargs["lr"]}
        del kwargs["lr"]
    decay = kwargs.pop("decay", None)
    if decay:
        rate = kwargs.get("learning_rate", args[0] if args else None)
        if not isinstance(rate, int | float) or args:
            raise UsageError(
                f"{optimizer.__name__}(decay={decay}): Keras 3 has no `decay`. Write instead: learning_rate="
                f"keras.optimizers.schedules.InverseTimeDecay(initial_learning_rate, 1, {decay})."
            )
        kwargs["learning_rate"] = keras.optimizers.schedules.InverseTimeDecay(float(rate), 1, float(decay))
    return kwargs
