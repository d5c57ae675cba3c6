"""Keras 3 on TensorFlow as a backend (see `backend.Backend`): all of its private names that this package uses."""

import contextlib
import functools
import random
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import keras
from keras.src.backend.common import global_state
from keras.src.backend.tensorflow import trainer as keras_trainer
from keras.src.losses import loss as keras_loss
from keras.src.trainers.trainer import Trainer

from tui_monitor.training.backends import capture as captures
from tui_monitor.training.backends import graphs
from tui_monitor.training.backends.backend import CompiledLoss, CompiledMetric, Prepare, Recording, wrap_once
from tui_monitor.training.guard import Failed, tell

package: ModuleType = keras
trainer: ModuleType = keras_trainer
batch_normalization: type[Any] = keras.layers.BatchNormalization


class ObjectProxy(float):
    """A float that `tf.is_tensor` tells from a tensor by the name of its type, which is that of wrapt's proxies.

    Keras asks this about every log of every batch before it makes a float of it. For any other type `tf.is_tensor`
    looks for the attributes of a Protocol, which takes longer than reading the log's tensor would.
    """

    __slots__ = ()


log_type: type[float] = ObjectProxy

_NAMES = "object_name_uids"
_STEPS = ("train_step", "test_step")


def is_own(thing: Any) -> bool:
    """Return whether a class or function is Keras' own."""
    return str(getattr(thing, "__module__", "")).split(".")[0] == "keras"


def fit_owner() -> type[Any]:
    """Return the class that defines `fit`."""
    owner: type[Any] = next(base for base in keras.Model.__mro__ if "fit" in vars(base))
    return owner


def tell_captures() -> None:
    """Have means tell what they are given and what they add, losses what they reduce, models what their loss is of."""
    wrap_once(keras.metrics.Mean, "update_state", _telling_mean)
    # `Loss.__call__` looks the function up in its module at each call, so a replacement there is called.
    wrap_once(keras_loss, "reduce_weighted_values", _telling_reduction)
    wrap_once(keras_loss.Loss, "__call__", captures.telling_call)
    # Keras' steps call the first, and through it a `compute_loss` of the user's; steps of the user's call the second.
    for name in ("_compute_loss", "compute_loss"):
        wrap_once(Trainer, name, captures.telling_loss)


def _telling_mean(original: Any) -> Any:
    @functools.wraps(original)
    def update_state(self: Any, values: Any, sample_weight: Any = None) -> Any:
        try:
            capture = captures.active()
            before = capture.ask(graphs.position) if capture is not None else None
        except Exception as error:  # training must go on
            capture = captures.lost(error)
        result = original(self, values, sample_weight)
        if capture is not None:
            captures.noted(capture, captures.mean_updated, self, values, sample_weight, before)
        return result

    return update_state


def _telling_reduction(original: Any) -> Any:
    @functools.wraps(original)
    def reduce_weighted_values(
        values: Any, sample_weight: Any = None, mask: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        try:
            capture = captures.active()
        except Exception as error:  # training must go on
            capture = captures.lost(error)
        if capture is not None:
            captures.noted(capture, captures.loss_reduced, values, sample_weight, mask)
        return original(values, sample_weight, mask, *args, **kwargs)

    return reduce_weighted_values


def tell_of_metrics(model: Any) -> None:
    """Do nothing: a metric looks its `update_state` up when it is called."""


def make_functions_by(prepare: Prepare, failed: Failed) -> None:
    """Have training and validation functions made of what `prepare` returns."""

    def wrap(original: Any) -> Any:
        @functools.wraps(original)
        def _make_function(self: Any, step_function: Any) -> Any:
            try:
                recording = _prepared(prepare, self, step_function)
            except Exception as error:  # training must go on
                recording = tell(failed, error)
            function = original(self, step_function if recording is None else recording.step)
            try:
                return function if recording is None else recording.finished(function)
            except Exception as error:  # training must go on
                tell(failed, error)
                return function

        return _make_function

    wrap_once(keras_trainer.TensorFlowTrainer, "_make_function", wrap)


def _prepared(prepare: Prepare, model: Any, step: Any) -> Recording | None:
    kind = next((name for name in _STEPS if _is_same(getattr(model, name, None), step)), "")
    return prepare(model, kind, lambda: step, step) if kind else None


def _is_same(method: Any, other: Any) -> bool:
    """Whether two methods are one, without asking a comparison of the user's own."""
    function, object_ = getattr(method, "__func__", method), getattr(method, "__self__", None)
    return function is getattr(other, "__func__", other) and object_ is getattr(other, "__self__", None)


def steps_per_call(model: Any) -> int:
    """Return `steps_per_execution`."""
    return int(model.steps_per_execution or 1)


def loss_tracker(model: Any) -> Any:
    """Return the metric that reports `loss`, or None."""
    return getattr(model, "_loss_tracker", None)


def compiled_losses(model: Any) -> list[CompiledLoss]:
    """Return the losses as `CompileLoss` computes them."""
    losses = getattr(getattr(model, "_compile_loss", None), "_flat_losses", None) or []
    several = len(losses) > 1
    return [
        CompiledLoss(
            entry.loss,
            1.0 if entry.loss_weights is None else float(entry.loss_weights),
            str(entry.name),
            f"{entry.name}_loss" if several else "loss",
        )
        for entry in losses
    ]


def compiled_metrics(model: Any) -> Iterator[CompiledMetric]:
    """Yield compiled metrics; names in logs follow `CompileMetrics`."""
    compiled = getattr(model, "_compile_metrics", None)
    if compiled is None:
        return
    for lists, weighted in ((compiled._flat_metrics, False), (compiled._flat_weighted_metrics, True)):
        for entry in lists:
            output = str(entry.output_name or "") if entry is not None else ""
            for metric in entry.metrics if entry is not None else []:
                yield CompiledMetric(metric, weighted, f"{output}_{metric.name}" if output else metric.name, output)


def weight_handles(model: Any) -> list[Any]:
    """Return the handles of the weights and of the optimizer's variables."""
    optimizer = getattr(model, "optimizer", None)
    variables = [*model.variables, *(optimizer.variables if optimizer is not None else ())]
    return [variable.value.handle for variable in variables if hasattr(variable.value, "handle")]


def user_loss(model: Any) -> Any:
    """Return `loss=` as given to `compile`."""
    return getattr(getattr(model, "_compile_loss", None), "_user_loss", None)


def learning_rate(model: Any) -> float | None:
    """Return the optimizer's learning rate at this moment; None without one, or where code of the user's sets it."""
    optimizer: Any = getattr(model, "optimizer", None)
    # Not the property, which calls a schedule of the user's; mixed precision wraps the optimizer that has it.
    rate: Any = getattr(getattr(optimizer, "inner_optimizer", optimizer), "_learning_rate", None)
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule) and is_own(type(rate)):
        rate = rate(optimizer.iterations)
    value: Any = rate.value if isinstance(rate, keras.Variable) else rate
    return float(value.numpy()) if hasattr(value, "numpy") else None


def layers(model: Any) -> list[Any]:
    """Return all layers, nested ones and the model itself included."""
    return list(model._flatten_layers())


def step_anew(model: Any, parts: dict[str, Any], y_pred: Any, *, training: bool) -> None:
    """Run forward pass, loss and metrics; what layers keep of a pass in Python is put back."""
    x, y, sample_weight = parts["x"], parts["y"], parts["sample_weight"]
    kept = [(layer, list(layer._losses), set(layer._loss_ids)) for layer in layers(model)]
    try:
        if y_pred is None:
            y_pred = model(x, training=training) if model._call_has_training_arg else model(x)
        model._compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=training)
        model.compute_metrics(x, y, y_pred, sample_weight=sample_weight)
    finally:
        for layer, losses, identities in kept:
            layer._losses[:] = losses
            layer._loss_ids.clear()
            layer._loss_ids.update(identities)


@contextlib.contextmanager
def names_kept() -> Iterator[None]:
    """Count automatic names as if the block had not been; Keras seeds new layers from Python's random numbers."""
    names, state = dict(global_state.get_global_attribute(_NAMES) or {}), random.getstate()
    try:
        yield
    finally:
        random.setstate(state)
        counted = global_state.get_global_attribute(_NAMES)
        if counted is not None:
            counted.clear()
            counted.update(names)
