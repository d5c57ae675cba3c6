"""Any other ground, such as Keras on JAX or PyTorch, or a version of Keras unknown here: public names alone.

Nothing of a step is watched; what Keras tells its callbacks is recorded.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras

package = keras
reason = f"Keras {keras.__version__} on {keras.backend.backend()} is recorded through its callbacks alone"
"""Why no more is recorded, as the beginning of a sentence."""


def is_own(thing: Any) -> bool:
    """Return whether a class or function is Keras' own."""
    return str(getattr(thing, "__module__", "")).split(".")[0] == "keras"


def fit_owner() -> type[Any]:
    """Return the class that defines `fit`."""
    owner: type[Any] = next(base for base in keras.Model.__mro__ if "fit" in vars(base))
    return owner


def user_loss(model: Any) -> Any:
    """Return `loss=` as given to `compile`; a property of the user's own is left alone."""
    return vars(model).get("loss")


def learning_rate(model: Any) -> float | None:
    """Return the optimizer's learning rate at this moment, or None without an optimizer."""
    rate = getattr(getattr(model, "optimizer", None), "learning_rate", None)
    try:
        return None if rate is None else float(keras.ops.convert_to_numpy(rate))
    except TypeError:
        return None  # on JAX, variables are empty while an epoch runs


@contextlib.contextmanager
def names_kept() -> Iterator[None]:
    """Do nothing: nothing is named."""
    yield
