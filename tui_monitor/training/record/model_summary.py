"""A model in a few printable facts, for the run's identity."""

import inspect
from typing import Any

from tui_monitor.training.backends.backend import backend_of

_MOST_LAYERS = 200


def model_summary(model: Any) -> dict[str, Any]:
    """Return name, parameters, layers, optimizer, loss and learning rate, as far as they are known.

    A subclassed model may hold layers that it never calls, which have no parameters to count.
    """
    backend = backend_of(model)
    optimizer = getattr(model, "optimizer", None)
    return {
        "name": model.name,
        "parameters": _parameters(backend, model),
        "layers": [_layer(backend, layer) for layer in _layers(backend, model)[:_MOST_LAYERS]],
        "optimizer": type(optimizer).__name__ if optimizer is not None else None,
        "learning_rate": backend.learning_rate(model),
        "loss": _name(backend.user_loss(model)),
        "keras": backend.package.__version__,
    }


def _layers(backend: Any, model: Any) -> list[Any]:
    return list(model.layers) if _is_kept(backend, model, "layers") else []


def _layer(backend: Any, layer: Any) -> dict[str, Any]:
    return {"name": layer.name, "kind": type(layer).__name__, "parameters": _parameters(backend, layer)}


def _parameters(backend: Any, layer: Any) -> int | None:
    # A layer that is not built has no weights to count; Keras would raise for it.
    is_known = layer.built and _is_kept(backend, layer, "count_params")
    return int(layer.count_params()) if is_known else None


def _is_kept(backend: Any, thing: Any, name: str) -> bool:
    """Whether a method or property is Keras' own; the user's code is not called."""
    found = inspect.getattr_static(type(thing), name, None)
    return bool(backend.is_own(getattr(found, "fget", found)))


def _name(loss: Any) -> str | None:
    if loss is None or isinstance(loss, str):
        return loss
    return str(getattr(loss, "name", None) or getattr(loss, "__name__", None) or type(loss).__name__)
