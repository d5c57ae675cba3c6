"""What one training or validation step hands out beside Keras' own logs, computed inside the step's graph.

The batch's own values are taken where the trackers are updated, so no running mean has to be differenced.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf

from tui_monitor.training.sample_figures import SampleFigures, Unsupported, sample_figures

PAYLOAD = "tui_monitor_payload"
"""Key of the step's return value that carries the payload; taken off before any callback sees the logs."""

Step = Callable[[Any], Mapping[str, Any]]


@dataclass
class StepPlan:
    """What was learned while a step was traced; complete once the step has run."""

    metrics: tuple[str, ...] = ()
    """Names, as Keras logs them, of the values in the payload, `loss` first."""
    figures: SampleFigures | None = None
    """How to take the figures apart by sample, or None where `limit` says why not."""
    limit: str = ""
    """Sentence for the panel on what can't be measured; empty when all can."""


@dataclass
class _Capture:
    """What one trace of a step passed by."""

    means: list[tuple[Any, tf.Tensor]] = field(default_factory=list)
    """Metric object and its value on this batch alone."""
    y_pred: Any = None


_active = threading.local()
_patching = threading.RLock()


def training_step(model: keras.Model, step: Step, plan: StepPlan) -> Step:
    """Return the step with a payload in its logs: `values`, and what a later probe needs of the batch.

    `values` is float32 of shape (1 + metrics + classes,): samples, the batch's own metrics, samples of each class.

    Args:
        model: whose step it is.
        step: `train_step`, Keras' own or overridden.
        plan: filled in while the step is traced.
    """

    def train_step(data: Any) -> dict[str, Any]:
        with _capturing(model) as capture:
            logs = dict(step(data))
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        size = tf.cast(tf.shape(keras.tree.flatten(x)[0])[0], tf.float32)
        values = _batch_values(model, capture, logs)
        plan.metrics = tuple(values)
        _learn(plan, model, y, capture.y_pred)
        numbers = tf.stack([size, *values.values()])
        payload = {"x": x, "y": y, "y_pred": capture.y_pred, "sample_weight": sample_weight}
        if plan.figures is None:
            payload = {}
        elif plan.figures.classes:
            numbers = tf.concat([numbers, plan.figures.class_counts(y, capture.y_pred)], axis=0)
        payload["values"] = numbers
        return {**logs, PAYLOAD: {name: value for name, value in payload.items() if value is not None}}

    return train_step


def validation_step(model: keras.Model, step: Step, plan: StepPlan) -> Step:
    """Return the step with `figures` (see `SampleFigures.of`) and the batch in its logs.

    Args:
        model: whose step it is.
        step: `test_step`, Keras' own or overridden.
        plan: filled in while the step is traced.
    """

    def test_step(data: Any) -> dict[str, Any]:
        with _capturing(model) as capture:
            logs = dict(step(data))
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        _learn(plan, model, y, capture.y_pred)
        if plan.figures is None:
            return logs
        payload = {"x": x, "y": y, "sample_weight": sample_weight}
        payload["figures"] = plan.figures.of(y, capture.y_pred, sample_weight)
        return {**logs, PAYLOAD: {name: value for name, value in payload.items() if value is not None}}

    return test_step


def _learn(plan: StepPlan, model: keras.Model, y: Any, y_pred: Any) -> None:
    if y_pred is None:
        plan.limit = "The model's step computes no loss through Keras: the gap can only be shown."
        return
    try:
        plan.figures = sample_figures(model, y, y_pred)
    except Unsupported as reason:
        plan.limit = str(reason)


def _batch_values(model: keras.Model, capture: _Capture, logs: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Return the batch's own value of every logged metric that is a mean, `loss` first."""
    names = {id(getattr(model, "_loss_tracker", None)): "loss"}
    values: dict[str, tf.Tensor] = {}
    for metric, value in capture.means:
        name = names.get(id(metric), metric.name)
        if name in logs and name not in values:
            values[name] = tf.cast(value, tf.float32)
    loss = values.pop("loss", None)
    if loss is None and "loss" in logs:
        loss = tf.cast(logs["loss"], tf.float32)
    return values if loss is None else {"loss": loss, **values}


@contextlib.contextmanager
def _capturing(model: keras.Model) -> Iterator[_Capture]:
    """Watch mean trackers and the loss computation of one step, in this thread, while it is traced."""
    capture = _Capture()
    outer = getattr(_active, "capture", None)
    update = keras.metrics.Mean.update_state
    with _patching, _watched_loss(model, capture):
        _active.capture = capture
        keras.metrics.Mean.update_state = _watched_update(update)
        try:
            yield capture
        finally:
            keras.metrics.Mean.update_state = update
            _active.capture = outer


def _watched_update(original: Callable[..., Any]) -> Callable[..., Any]:
    def update_state(self: Any, values: Any, sample_weight: Any = None) -> Any:
        result = original(self, values, sample_weight)
        capture: _Capture | None = getattr(_active, "capture", None)
        if capture is not None:
            capture.means.append((self, _batch_mean(values, sample_weight)))
        return result

    return update_state


@contextlib.contextmanager
def _watched_loss(model: keras.Model, capture: _Capture) -> Iterator[None]:
    """Note the outputs that the step hands to the loss, without touching what it returns."""
    names = ("_compute_loss", "compute_loss")
    own = {name: model.__dict__.get(name) for name in names}
    for name in names:
        original = getattr(model, name)

        def watched(*args: Any, _original: Callable[..., Any] = original, **kwargs: Any) -> Any:
            y_pred = kwargs.get("y_pred", args[2] if len(args) > 2 else None)
            if capture.y_pred is None and y_pred is not None:
                capture.y_pred = y_pred
            return _original(*args, **kwargs)

        object.__setattr__(model, name, watched)
    try:
        yield
    finally:
        for name, value in own.items():
            if value is None:
                object.__delattr__(model, name)
            else:
                object.__setattr__(model, name, value)


def _batch_mean(values: Any, sample_weight: Any) -> tf.Tensor:
    """Return what a mean tracker would show after this batch alone, float32, shape ()."""
    values = tf.cast(values, tf.float32)
    if values.shape.rank == 0:
        return values
    if sample_weight is None:
        return tf.reduce_mean(values)
    weight = tf.cast(sample_weight, tf.float32)
    axes = list(range(weight.shape.rank, values.shape.rank))
    per_weight = tf.reduce_mean(values, axis=axes) if axes else values
    weight = tf.broadcast_to(weight, tf.shape(per_weight))
    return tf.math.divide_no_nan(tf.reduce_sum(per_weight * weight), tf.reduce_sum(weight))
