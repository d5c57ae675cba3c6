"""What one training or validation step hands out beside Keras' own logs, computed inside the step's graph.

The batch's own values are taken where the trackers are updated, so no running mean has to be differenced.
"""

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from tui_monitor.training.engines import Engine, engine_of
from tui_monitor.training.replicas import PAYLOAD, SUMS, batch_sums, several_replicas
from tui_monitor.training.sample_figures import SampleFigures, Unsupported, sample_figures
from tui_monitor.training.step_buffer import StepBuffer

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


def training_step(model: Any, step: Step, plan: StepPlan) -> Step:
    """Return the step with a payload in its logs: numbers of the batch, and what a later probe needs of it.

    The numbers are float32 of shape (1 + metrics + classes,): samples, the batch's own metrics, samples of each
    class. They come as `values`, or as a `buffer` of several steps (see `StepBuffer`).

    Args:
        model: whose step it is.
        step: `train_step`, Keras' own or overridden.
        plan: filled in while the step is traced.
    """
    engine = engine_of(model)
    steps = StepBuffer(engine.steps_per_call(model))

    def train_step(data: Any) -> dict[str, Any]:
        with _capturing() as capture:
            logs = dict(step(data))
        x, y, sample_weight = engine.package.utils.unpack_x_y_sample_weight(data)
        values = _batch_values(engine.loss_tracker(model), capture, logs)
        plan.metrics = tuple(values)
        _learn(plan, model, (x, y, sample_weight), capture.y_pred)
        size = _samples(x)
        counts = tf.zeros([0])
        payload: dict[str, Any] = {}
        if plan.figures is not None:
            payload = {"x": x, "y": y, "y_pred": capture.y_pred, "sample_weight": sample_weight}
            if plan.figures.classes:
                counts = plan.figures.class_counts(y, capture.y_pred)
        payload = {name: value for name, value in payload.items() if value is not None}
        payload.update(_numbers(steps, size, tf.stack(list(values.values())), counts))
        return {**logs, PAYLOAD: payload}

    return train_step


def validation_step(model: Any, step: Step, plan: StepPlan) -> Step:
    """Return the step with `figures` and the batch in its logs.

    `figures` are those of `SampleFigures.of`, one sample a row: float32 of shape (batch, 6). The numbers, as in
    training, are samples and samples of each class.

    Args:
        model: whose step it is.
        step: `test_step`, Keras' own or overridden.
        plan: filled in while the step is traced.
    """
    engine = engine_of(model)
    steps = StepBuffer(engine.steps_per_call(model))

    def test_step(data: Any) -> dict[str, Any]:
        with _capturing() as capture:
            logs = dict(step(data))
        x, y, sample_weight = engine.package.utils.unpack_x_y_sample_weight(data)
        _learn(plan, model, (x, y, sample_weight), capture.y_pred)
        if plan.figures is None:
            return logs
        payload = {"x": x, "y": y, "sample_weight": sample_weight}
        payload["figures"] = tf.transpose(plan.figures.of(y, capture.y_pred, sample_weight))
        payload = {name: value for name, value in payload.items() if value is not None}
        size = _samples(x)
        counts = plan.figures.class_counts(y, capture.y_pred) if plan.figures.classes else tf.zeros([0])
        payload.update(_numbers(steps, size, tf.zeros([0]), counts))
        return {**logs, PAYLOAD: payload}

    return test_step


def _numbers(steps: StepBuffer, size: tf.Tensor, values: tf.Tensor, counts: tf.Tensor) -> dict[str, tf.Tensor]:
    if several_replicas():
        return {SUMS: batch_sums(size, values, counts)}
    return steps.note(tf.concat([size[tf.newaxis], values, counts], axis=0))


def _learn(plan: StepPlan, model: Any, data: tuple[Any, Any, Any], y_pred: Any) -> None:
    if y_pred is None:
        plan.limit = "The model's step computes no loss through Keras: the gap can only be shown."
        return
    if any(isinstance(leaf, tf.RaggedTensor | tf.SparseTensor) for leaf in tf.nest.flatten((data, y_pred))):
        plan.limit = "The data is ragged or sparse: the gap can't be split by sample, only shown."
        return
    try:
        plan.figures = sample_figures(model, data[1], y_pred)
    except Unsupported as reason:
        plan.limit = str(reason)


def _samples(x: Any) -> tf.Tensor:
    """Return the number of samples in a step's inputs, float32, shape ()."""
    first = tf.nest.flatten(x)[0]
    size = first.nrows() if isinstance(first, tf.RaggedTensor) else tf.shape(first)[0]
    return tf.cast(size, tf.float32)


def _batch_values(loss_tracker: Any, capture: _Capture, logs: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Return the batch's own value of every logged metric that is a mean, `loss` first."""
    names = {id(loss_tracker): "loss"}
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
def _capturing() -> Iterator[_Capture]:
    """Note what one step passes by while it is traced, in this thread: replicas are traced in threads of their own."""
    outer = getattr(_active, "capture", None)
    _active.capture = _Capture()
    try:
        yield _active.capture
    finally:
        _active.capture = outer


def watch_means(engine: Engine, model: Any) -> None:
    """Have mean trackers tell the capture of their thread, where there is one, what they are given."""
    engine.watch_updates(model, _mean_updated, _outputs_seen)


def _mean_updated(metric: Any, values: Any, sample_weight: Any) -> None:
    capture: _Capture | None = getattr(_active, "capture", None)
    if capture is not None:
        capture.means.append((metric, _batch_mean(values, sample_weight)))


def _outputs_seen(y_pred: Any) -> None:
    capture: _Capture | None = getattr(_active, "capture", None)
    if capture is not None and capture.y_pred is None:
        capture.y_pred = y_pred


def watched_loss(compute: Callable[..., Any]) -> Callable[..., Any]:
    """Return the model's loss computation, telling the capture of its thread the outputs it is given.

    Args:
        compute: `compute_loss`, with its arguments in Keras' order.
    """

    @functools.wraps(compute)
    def compute_loss(*args: Any, **kwargs: Any) -> Any:
        _outputs_seen(kwargs.get("y_pred", args[2] if len(args) > 2 else None))
        return compute(*args, **kwargs)

    return compute_loss


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
