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

from tui_monitor.training.batch_metrics import BatchMetrics
from tui_monitor.training.engines import Engine, engine_of
from tui_monitor.training.replicas import several_replicas
from tui_monitor.training.sample_figures import SampleFigures, Unsupported, sample_figures
from tui_monitor.training.step_output import StepChannel
from tui_monitor.training.worker_clock import StepMoments

Step = Callable[[Any], Mapping[str, Any]]


@dataclass
class StepPlan:
    """What was learned while a step was traced; complete once the step has run."""

    probed: bool = True
    """Whether batches are probed at all; if not, steps hand out numbers alone."""
    steps_per_call: int = 1
    """`steps_per_execution`."""
    metrics: tuple[str, ...] = ()
    """Names, as Keras logs them, of the values in the payload, `loss` first."""
    figures: SampleFigures | None = None
    """How to take the figures apart by sample, or None where `limit` says why not."""
    limit: str = ""
    """Sentence for the panel on what can't be measured; empty when all can."""
    failure: Exception | None = None
    """Why a step hands out nothing, if it does not."""


@dataclass
class _Capture:
    """What one trace of a step passed by."""

    means: list[tuple[Any, tf.Tensor]] = field(default_factory=list)
    """Metric object and its value on this batch alone."""
    y_pred: Any = None


_active = threading.local()


def training_step(model: Any, step: Step, plan: StepPlan, channel: StepChannel) -> Step:
    """Return the step with a payload in its logs: numbers of the batch, and what a later probe needs of it.

    The batch's numbers are its own metrics; the parts `x`, `y`, `y_pred` and `sample_weight`.

    Args:
        model: whose step it is.
        step: `train_step`, Keras' own or overridden.
        plan: filled in while the step is traced.
        channel: takes the payload out of the step's graph.
    """
    batch_metrics = BatchMetrics(model)

    def train_step(data: Any) -> dict[str, Any]:
        moments = StepMoments(model)
        seen = _Seen(step, data)

        def handed_out() -> dict[str, Any]:
            seen.learn(model, plan)
            values = _batch_values(model, seen.capture, seen.logs)
            values.update(batch_metrics.values(seen.logs, values, (seen.y, seen.capture.y_pred, seen.sample_weight)))
            plan.metrics = tuple(values)
            logs = seen.handed_out(plan, channel, list(values.values()), {"y_pred": seen.capture.y_pred})
            return moments.handed_out(logs, data)

        return _or_bare(handed_out, seen.logs, plan)

    return train_step


def validation_step(model: Any, step: Step, plan: StepPlan, channel: StepChannel) -> Step:
    """Return the step with a payload in its logs: no metrics, and the parts `x`, `y`, `sample_weight` and `figures`.

    `figures` are those of `SampleFigures.of`, one sample a row: float32 of shape (batch, rows).

    Args:
        model: whose step it is.
        step: `test_step`, Keras' own or overridden.
        plan: filled in while the step is traced.
        channel: takes the payload out of the step's graph.
    """

    def test_step(data: Any) -> dict[str, Any]:
        seen = _Seen(step, data)

        def handed_out() -> dict[str, Any]:
            seen.learn(model, plan)
            if plan.figures is None:
                return seen.logs
            figures = plan.figures.of(seen.y, seen.capture.y_pred, seen.sample_weight)
            return seen.handed_out(plan, channel, [], {"figures": channel.gathered(tf.transpose(figures))})

        return _or_bare(handed_out, seen.logs, plan)

    return test_step


class _Seen:
    """One call of a step, while it is traced: its data, its logs and what it passed by."""

    def __init__(self, step: Step, data: Any) -> None:
        with _capturing() as self.capture:
            self.logs = dict(step(data))
        self._data = data

    def learn(self, model: Any, plan: StepPlan) -> None:
        """Take the data apart and note in the plan what can be measured."""
        self.x, self.y, self.sample_weight = engine_of(model).package.utils.unpack_x_y_sample_weight(self._data)
        _learn(plan, model, (self.x, self.y, self.sample_weight), self.capture.y_pred)

    def handed_out(
        self, plan: StepPlan, channel: StepChannel, values: list[tf.Tensor], parts: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the logs with the payload; where nothing is ever probed, it holds the batch's size and metrics."""
        counts, figures, size = tf.zeros([0]), plan.figures, _samples(self.x)
        if figures is None or not plan.probed:
            return channel.hand_out(self.logs, size, values, counts, {})
        if figures.classes:
            counts = figures.class_counts(self.y, self.capture.y_pred)
        given = {"x": self.x, "y": self.y, "sample_weight": self.sample_weight, **parts}
        given = {name: part for name, part in given.items() if part is not None}
        return channel.hand_out(self.logs, size, values, counts, given)


def _or_bare(handed_out: Callable[[], dict[str, Any]], logs: Mapping[str, Any], plan: StepPlan) -> dict[str, Any]:
    """Return what is handed out, or the step's own logs where that fails: the training must not."""
    try:
        return handed_out()
    except Exception as error:  # training must go on
        plan.failure = error
        return dict(logs)


def _learn(plan: StepPlan, model: Any, data: tuple[Any, Any, Any], y_pred: Any) -> None:
    if y_pred is None:
        plan.limit = "The model's step computes no loss through Keras: the gap can only be shown."
        return
    if plan.steps_per_call > 1 and several_replicas():
        plan.limit = (
            f"Under several replicas with steps_per_execution={plan.steps_per_call}, Keras hands out the last step "
            f"of each call alone: one batch in {plan.steps_per_call} is recorded, and the gap is only shown."
        )
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


def _batch_values(model: Any, capture: _Capture, logs: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Return the batch's own value of every logged metric that is a mean, `loss` first."""
    engine = engine_of(model)
    names = {**engine.logged_names(model), id(engine.loss_tracker(model)): "loss"}
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
