"""Per-sample figures of a compiled model: loss, right or wrong, class, weight, as Keras itself computes them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import tensorflow as tf

from tui_monitor.explain.samples.probes import NO_CLASS, Weighting
from tui_monitor.metric_names import canonical_metric
from tui_monitor.training.engines import Engine, engine_of

ROWS = ("loss", "correct", "label", "predicted", "weight", "confidence")
"""Rows of the tensor that `SampleFigures.of` returns, in order."""


class Scale(StrEnum):
    """What the numbers of an output are."""

    PROBABILITIES = "probabilities"
    LOGITS = "logits"
    SCORES = "scores"
    """Numbers that no probability can be read from, as under a hinge loss."""


class ClassKind(StrEnum):
    """How targets and outputs name a class."""

    ONE_HOT = "one_hot"
    SPARSE = "sparse"
    BINARY = "binary"
    NONE = "none"


@dataclass(frozen=True)
class SampleFigures:
    """How to compute each sample's figures for one compiled single-output model."""

    loss: Callable[[Any, Any], Any]
    """Keras' unreduced loss of (y_true, y_pred), shape (batch, ...)."""
    loss_scale: float
    """`loss_weights=` of the output."""
    loss_weighting: Weighting
    accuracy: Callable[[Any, Any], Any] | None
    """The unreduced metric that the run reports as accuracy, or None."""
    accuracy_name: str | None
    """As Keras spells it."""
    accuracy_weighting: Weighting
    kind: ClassKind
    classes: int
    """Number of classes; 0 where there are none."""
    threshold: float
    """Output above which a binary model says class 1."""
    scale: Scale

    def of(self, y: Any, y_pred: Any, sample_weight: Any) -> tf.Tensor:
        """Return the figures of one batch, float32, shape (6, batch), rows as in `ROWS`."""
        loss = _per_sample(self.loss(_float(y), _float(y_pred))) * self.loss_scale
        correct = tf.zeros_like(loss) if self.accuracy is None else _per_sample(self.accuracy(y, y_pred))
        weight = tf.ones_like(loss) if sample_weight is None else _per_sample(sample_weight)
        weight = tf.broadcast_to(weight, tf.shape(loss))
        label, predicted = self.labels(y, y_pred)
        return tf.stack([loss, correct, label, predicted, weight, self.confidence(y_pred, predicted)])

    def confidence(self, y_pred: Any, predicted: Any) -> tf.Tensor:
        """Return the probability that the model gives the class it predicts, shape (batch,); NaN where it gives none.

        Args:
            y_pred: the model's outputs.
            predicted: the class predicted for each sample, float32, shape (batch,).
        """
        if self.kind is ClassKind.NONE or self.scale is Scale.SCORES:
            return tf.fill(tf.shape(predicted), float("nan"))
        outputs = _float(y_pred)
        logits = self.scale is Scale.LOGITS
        if self.kind is ClassKind.BINARY:
            one = tf.reshape(tf.sigmoid(outputs) if logits else outputs, [-1])
            return tf.where(predicted > 0.5, one, 1.0 - one)
        if logits:
            return tf.reduce_max(tf.nn.softmax(outputs), axis=-1)
        # Keras' own cross-entropy scales outputs to sum to 1.
        return tf.reduce_max(outputs, axis=-1) / tf.reduce_sum(outputs, axis=-1)

    def labels(self, y: Any, y_pred: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Return true and predicted class of each sample as float32, shape (batch,) each."""
        if self.kind is ClassKind.ONE_HOT:
            label, predicted = tf.argmax(y, axis=-1), tf.argmax(y_pred, axis=-1)
        elif self.kind is ClassKind.SPARSE:
            label, predicted = tf.reshape(y, [-1]), tf.argmax(y_pred, axis=-1)
        elif self.kind is ClassKind.BINARY:
            label, predicted = tf.reshape(y, [-1]), tf.reshape(_float(y_pred), [-1]) > self.threshold
        else:
            nothing = tf.fill([tf.shape(y_pred)[0]], float(NO_CLASS))
            return nothing, nothing
        return tf.cast(label, tf.float32), tf.cast(predicted, tf.float32)

    def class_counts(self, y: Any, y_pred: Any) -> tf.Tensor:
        """Return how many samples of each class the batch holds, float32, shape (classes,)."""
        label, _ = self.labels(y, y_pred)
        return tf.reduce_sum(tf.one_hot(tf.cast(label, tf.int32), self.classes), axis=0)


def _float(value: Any) -> tf.Tensor:
    return tf.cast(value, tf.float32)


def _per_sample(values: Any) -> tf.Tensor:
    """Return the mean over everything but the batch axis, float32, shape (batch,)."""
    values = _float(values)
    rank = values.shape.rank
    return tf.reduce_mean(values, axis=list(range(1, rank))) if rank and rank > 1 else values


class Unsupported(Exception):
    """This model's figures can't be taken apart by sample; the message is the sentence for the panel."""


def sample_figures(model: Any, y: Any, y_pred: Any) -> SampleFigures:
    """Read from a compiled and built model how its loss and accuracy come about.

    Args:
        model: its loss and metrics have been called at least once.
        y: targets of one batch.
        y_pred: the model's outputs for it.

    Raises:
        Unsupported: several outputs, several losses, or a loss that Keras does not hold as an object.
    """
    engine = engine_of(model)
    if tf.nest.is_nested(y_pred) or tf.nest.is_nested(y):
        raise Unsupported("The model has several outputs: its gap can't be split by sample, only shown.")
    compiled = engine.compiled_loss(model)
    if compiled is None:
        raise Unsupported("The model computes its loss itself: the gap can't be split, only shown.")
    loss, scale = compiled
    if getattr(y_pred, "_keras_mask", None) is not None:
        raise Unsupported("The model masks time steps: its loss can't be split by sample, only shown.")
    accuracy, weighted = _accuracy_metric(engine, model)
    kind, classes = _class_kind(loss, y, y_pred)
    return SampleFigures(
        loss=engine.unreduced(loss.call),
        loss_scale=scale,
        loss_weighting=_loss_weighting(loss),
        accuracy=_unreduced(engine, accuracy),
        accuracy_name=accuracy.name if accuracy is not None else None,
        accuracy_weighting=Weighting.PER_EPOCH_WEIGHT if weighted else Weighting.NONE,
        kind=kind,
        classes=classes,
        threshold=_threshold(loss, accuracy),
        scale=_scale(loss),
    )


def _loss_weighting(loss: Any) -> Weighting:
    if loss.reduction in ("sum_over_batch_size", "mean", "auto"):
        return Weighting.PER_SAMPLE
    if loss.reduction == "mean_with_sample_weight":
        return Weighting.PER_BATCH_WEIGHT
    raise Unsupported(
        f"The loss is reduced with {loss.reduction!r}, so it grows with the batch: the gap can't be split."
    )


def _accuracy_metric(engine: Engine, model: Any) -> tuple[Any, bool]:
    """Return the metric object reported as accuracy and whether it is weighted; (None, False) without one."""
    for metric, weighted in engine.compiled_metrics(model):
        if canonical_metric(metric.name) == "accuracy" and hasattr(metric, "_fn"):
            return metric, weighted
    return None, False


def _unreduced(engine: Engine, metric: Any) -> Callable[[Any, Any], Any] | None:
    if metric is None:
        return None
    return engine.unreduced(lambda y, y_pred: metric._fn(y, y_pred, **metric._fn_kwargs))


def _class_kind(loss: Any, y: Any, y_pred: Any) -> tuple[ClassKind, int]:
    """Return how classes are written, from the loss's name first and the shapes second; sequences have none."""
    name = _loss_name(loss)
    outputs = y_pred.shape[-1] if y_pred.shape.rank == 2 else (1 if y_pred.shape.rank == 1 else None)
    if outputs is None or ("crossentropy" not in name and "focal" not in name and "hinge" not in name):
        return ClassKind.NONE, 0
    if outputs == 1:
        return ClassKind.BINARY, 2
    if "sparse" in name:
        return ClassKind.SPARSE, outputs
    if "binary" in name:
        return ClassKind.NONE, 0
    return ClassKind.ONE_HOT, outputs


def _loss_name(loss: Any) -> str:
    return str(getattr(getattr(loss, "fn", loss), "__name__", type(loss).__name__)).lower()


def _scale(loss: Any) -> Scale:
    if "hinge" in _loss_name(loss):
        return Scale.SCORES
    return Scale.LOGITS if getattr(loss, "_fn_kwargs", {}).get("from_logits") else Scale.PROBABILITIES


def _threshold(loss: Any, accuracy: Any) -> float:
    """Return the threshold that the reported accuracy uses, else the natural one of the output's scale."""
    if accuracy is not None:
        value = accuracy._fn_kwargs.get("threshold")
        if value is not None:
            return float(value)
        return 0.5
    return 0.0 if getattr(loss, "_fn_kwargs", {}).get("from_logits") else 0.5
