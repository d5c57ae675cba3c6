"""A model in a few printable facts, for the run's identity."""

from typing import Any

from tui_monitor.training.engines import engine_of

_MOST_LAYERS = 200


def model_summary(model: Any) -> dict[str, Any]:
    """Return name, parameters, layers, optimizer, loss and learning rate, as far as they are known.

    A subclassed model may hold layers that it never calls, which have no parameters to count.
    """
    engine = engine_of(model)
    optimizer = getattr(model, "optimizer", None)
    return {
        "name": model.name,
        "parameters": int(model.count_params()) if model.built else None,
        "layers": [_layer(layer) for layer in model.layers[:_MOST_LAYERS]],
        "optimizer": type(optimizer).__name__ if optimizer is not None else None,
        "learning_rate": engine.learning_rate(model),
        "loss": _name(engine.user_loss(model)),
        "keras": engine.package.__version__,
    }


def _layer(layer: Any) -> dict[str, Any]:
    parameters = int(layer.count_params()) if layer.built else None
    return {"name": layer.name, "kind": type(layer).__name__, "parameters": parameters}


def _name(loss: Any) -> str | None:
    if loss is None or isinstance(loss, str):
        return loss
    return str(getattr(loss, "name", None) or getattr(loss, "__name__", None) or type(loss).__name__)
