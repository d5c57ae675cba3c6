"""Keras 3 as an engine (see `engines.Engine`): its stateless call reads state and never writes it."""

import functools
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import keras
from keras.src.backend.tensorflow import trainer as keras_trainer

package: ModuleType = keras
trainer: ModuleType = keras_trainer
loss_methods: tuple[str, ...] = ("_compute_loss", "compute_loss")
batch_normalization: type[Any] = keras.layers.BatchNormalization


class ObjectProxy(float):
    """A float that TensorFlow knows by this name, that of wrapt's proxies, to be no tensor.

    Keras asks that of every log of every batch before it makes a float of it. For any other type `tf.is_tensor` looks
    for the attributes of a Protocol, which takes longer than to read the log's tensor would.
    """

    __slots__ = ()


log_type: type[float] = ObjectProxy

_COMPILED = ("optimizer", "_compile_loss", "_compile_metrics", "run_eagerly", "jit_compile", "steps_per_execution")


def steps_per_call(model: Any) -> int:
    """Return `steps_per_execution`."""
    return int(model.steps_per_execution or 1)


def compiled_parts(model: Any) -> tuple[Any, ...]:
    """Return what `compile` set."""
    return tuple(getattr(model, name, None) for name in _COMPILED)


def loss_tracker(model: Any) -> Any:
    """Return the metric that reports `loss`, or None."""
    return getattr(model, "_loss_tracker", None)


def watch_updates(model: Any, updated: Callable[[Any, Any, Any], None], outputs: Callable[[Any], None]) -> None:
    """Have every mean tell what it is given; every loss passes through `loss_methods`."""
    original = keras.metrics.Mean.update_state
    if getattr(original, "tells_capture", False):
        return

    @functools.wraps(original)
    def update_state(self: Any, values: Any, sample_weight: Any = None) -> Any:
        """Update the mean, then tell what it was given."""
        result = original(self, values, sample_weight)
        updated(self, values, sample_weight)
        return result

    update_state.tells_capture = True  # type: ignore[attr-defined]
    keras.metrics.Mean.update_state = update_state


def compiled_loss(model: Any) -> tuple[Any, float] | None:
    """Return the only loss object and its weight."""
    losses = getattr(getattr(model, "_compile_loss", None), "_flat_losses", None) or []
    if len(losses) != 1:
        return None
    return losses[0].loss, 1.0 if losses[0].loss_weights is None else float(losses[0].loss_weights)


def compiled_metrics(model: Any) -> Iterator[tuple[Any, bool]]:
    """Yield compiled metrics, each with whether it is weighted."""
    compiled = getattr(model, "_compile_metrics", None)
    if compiled is None:
        return
    for lists, weighted in ((compiled._flat_metrics, False), (compiled._flat_weighted_metrics, True)):
        for entry in lists:
            for metric in entry.metrics if entry is not None else []:
                yield metric, weighted


def logged_names(model: Any) -> dict[int, str]:
    """Return the names of metrics that Keras puts an output's name before, by `id`; they follow `CompileMetrics`."""
    compiled = getattr(model, "_compile_metrics", None)
    if compiled is None:
        return {}
    lists = [*compiled._flat_metrics, *compiled._flat_weighted_metrics]
    named = [(entry.output_name, metric) for entry in lists if entry is not None for metric in entry.metrics]
    return {id(metric): f"{output}_{metric.name}" for output, metric in named if output}


def unreduced(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return the function itself: Keras 3 aligns targets inside it."""
    return function


def user_loss(model: Any) -> Any:
    """Return `loss=` as given to `compile`."""
    return getattr(getattr(model, "_compile_loss", None), "_user_loss", None)


def learning_rate(model: Any) -> float | None:
    """Return the optimizer's learning rate at this moment, or None without an optimizer."""
    rate = getattr(getattr(model, "optimizer", None), "learning_rate", None)
    return None if rate is None else float(keras.ops.convert_to_numpy(rate))


def forward(model: Any, x: Any, *, training: bool) -> tuple[Any, list[Any]]:
    """Return outputs and the model's own losses without touching its state."""
    mode = {"training": training} if model._call_has_training_arg else {}
    outputs, _, losses = model.stateless_call(
        [variable.value for variable in model.trainable_variables],
        [variable.value for variable in model.non_trainable_variables],
        x,
        return_losses=True,
        **mode,
    )
    return outputs, losses


def undisturbing(model: Any, function: Any) -> Callable[[Any], Any]:
    """Return the function itself: a stateless call disturbs nothing."""
    traced: Callable[[Any], Any] = function
    return traced
