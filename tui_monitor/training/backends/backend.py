"""What differs between Keras 3 and legacy Keras (`tf_keras`), behind one interface; only the model's own is loaded."""

import contextlib
import copy
import functools
import importlib
import inspect
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol, SupportsIndex

import wrapt

from tui_monitor.training.guard import Failed

LEGACY_PACKAGE = "tf_keras"
"""What `tensorflow.keras` is under TF_USE_LEGACY_KERAS=1."""


class Recording(Protocol):
    """What a training or validation function is to be made of."""

    @property
    def step(self) -> Callable[[Any], Any]:
        """The model's step with a payload in its logs."""

    def finished(self, function: Any) -> Any:
        """Return the function, once it is made, as one that takes the payload off."""

    def failed(self, error: Exception) -> None:
        """Called when the step could not be put in place of the model's own."""


Prepare = Callable[[Any, str, Callable[[], Any], Callable[[Any], Any]], Recording | None]
"""Of (model, "train_step" or "test_step", what finds the step when it runs, the step as it is now): what to make its
function of, or None to make it as Keras does."""


class StandIn(wrapt.ObjectProxy):  # type: ignore[type-arg]
    """Stands for a function that Keras made; a copy of it is one of that function."""

    def __copy__(self) -> Any:
        return copy.copy(self.__wrapped__)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(self.__wrapped__, memo)

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return self.__wrapped__.__reduce_ex__(protocol)


@dataclass(frozen=True)
class CompiledLoss:
    """One of the losses given to `compile`."""

    loss: Any
    scale: float
    """Its `loss_weights`, 1 without."""
    output: str
    """Name of its output."""
    log: str
    """The name under which it is logged: `loss` where it is the only one."""


@dataclass(frozen=True)
class CompiledMetric:
    """One of the metrics given to `compile`."""

    metric: Any
    is_weighted: bool
    log: str
    """The name under which it is logged."""
    output: str
    """Name of its output; empty where the model has one output alone."""


class Backend(Protocol):
    """One Keras on TensorFlow as this package uses it; both are modules. All private names of a Keras are in them."""

    package: ModuleType
    """The package itself."""
    trainer: ModuleType
    """Where the training step reduces its replicas, with `reduce_per_replica`."""
    batch_normalization: type[Any]
    """Base class of the layers that mix the samples of a batch while training."""
    log_type: type[float]
    """Of what a training or validation function may return as a log in place of a tensor."""

    def is_own(self, thing: Any) -> bool:
        """Return whether a class or function is this Keras' own, as opposed to the user's."""

    def fit_owner(self) -> type[Any]:
        """Return the class that defines `fit`."""

    def tell_captures(self) -> None:
        """Have Keras note in its thread's capture what a step computes on the way (see `capture`). Once is enough."""

    def tell_of_metrics(self, model: Any) -> None:
        """Have metrics that were made before `tell_captures` note their updates, too."""

    def make_functions_by(self, prepare: Prepare, failed: Failed) -> None:
        """Have training and validation functions made of what `prepare` returns, for every model from now on."""

    def steps_per_call(self, model: Any) -> int:
        """Return how many steps one call of the training function runs, at least 1."""

    def loss_tracker(self, model: Any) -> Any:
        """Return the metric that reports `loss`, or None."""

    def compiled_losses(self, model: Any) -> list[CompiledLoss]:
        """Return the losses of a built model as they are computed in turn; outputs without one are left out."""

    def compiled_metrics(self, model: Any) -> Iterator[CompiledMetric]:
        """Yield the metrics given to `compile`."""

    def weight_handles(self, model: Any) -> list[Any]:
        """Return the handles of the weights and of the optimizer's variables."""

    def user_loss(self, model: Any) -> Any:
        """Return `loss=` as given to `compile`."""

    def learning_rate(self, model: Any) -> float | None:
        """Return the optimizer's learning rate at this moment, or None without an optimizer."""

    def layers(self, model: Any) -> list[Any]:
        """Return all layers of a model, nested ones and the model itself included."""

    def step_anew(self, model: Any, parts: dict[str, Any], y_pred: Any, *, training: bool) -> None:
        """Run forward pass, unless outputs are given, loss and metrics, for a model without code of the user's."""

    def names_kept(self) -> AbstractContextManager[None]:
        """Return a block that leaves the counts of automatic names and Python's random state as they were."""


def backend_of(model: Any) -> Any:
    """Return the `Backend` of the Keras that a model belongs to, or the module `public` on other ground.

    Args:
        model: of either Keras, subclassed or not.
    """
    return named_backend("legacy_keras" if is_legacy(model) else "keras3")


@functools.cache
def named_backend(name: str) -> Any:
    """Return a backend by the name of its module, or `public` where this Keras lacks a name that it needs."""
    public = "tui_monitor.training.backends.public"
    if name == "keras3" and sys.modules["keras"].backend.backend() != "tensorflow":
        return importlib.import_module(public)
    try:
        return importlib.import_module(f"tui_monitor.training.backends.{name}")
    except (ImportError, AttributeError):
        # A Keras 3 that has moved a private name is still recorded, by its public ones alone.
        if name != "keras3":
            raise
        return importlib.import_module(public)


def is_watched(backend: Any) -> bool:
    """Return whether a backend watches steps; otherwise callbacks alone tell."""
    return hasattr(backend, "tell_captures")


def is_legacy(model: Any) -> bool:
    """Return whether a model is one of legacy Keras."""
    return any(base.__module__.split(".")[0] == LEGACY_PACKAGE for base in type(model).__mro__)


_wrapped: dict[tuple[int, str], tuple[Any, Any]] = {}
"""The owner of each function that was wrapped, and what stood there, by the owner's identity and the name."""
_wrapping = threading.RLock()
_INHERITED = object()


def wrap_once(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    """Replace a function of a class or module by a wrapped one, once per process: what the user puts there later stays.

    Args:
        owner: class or module.
        name: of the function.
        wrap: returns the wrapped function, which must pass on its arguments.
    """
    if (id(owner), name) in _wrapped:
        return
    original = getattr(owner, name)
    wrapped = wrap(original)
    if not hasattr(original, "__wrapped__"):
        # Some libraries ask for the arguments without looking at what is wrapped.
        wrapped.__signature__ = inspect.signature(original)
    _wrapped[id(owner), name] = owner, vars(owner).get(name, _INHERITED)
    setattr(owner, name, wrapped)


@contextlib.contextmanager
def all_or_none() -> Iterator[None]:
    """Take back every function that was wrapped in the block, if the block fails."""
    with _wrapping:
        before = set(_wrapped)
        try:
            yield
        except BaseException:
            for key in _wrapped.keys() - before:
                owner, original = _wrapped.pop(key)
                if original is _INHERITED:
                    delattr(owner, key[1])
                else:
                    setattr(owner, key[1], original)
            raise
