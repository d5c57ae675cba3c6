"""Metrics of each sample of a compiled model: loss, right or wrong, class, weight, as Keras itself computed them."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import tensorflow as tf

from tui_monitor.explain.samples.probes import NO_CLASS, FloatArray, Weighting
from tui_monitor.metric_names import canonical_metric
from tui_monitor.training.backends.backend import Backend
from tui_monitor.training.backends.capture import Capture, LossValues
from tui_monitor.training.backends.shared_names import arguments_of

ROWS = ("loss", "correct", "label", "predicted", "weight", "confidence")
"""Rows of the tensor that `PerSampleMetrics.of` returns, in order."""


MARK = -(2.0**127)
"""Stands after each row in a vector of rows, so that rows of another length than expected are noticed."""
NOT_BY_SAMPLE = (
    "The model's outputs, targets and inputs differ in their number of rows: its gap can't be split by sample, "
    "only shown."
)
_UNKNOWN_SHAPE = "The shape of the model's loss, outputs or targets is not known: the gap can't be split, only shown."
NO_CONFIDENCE = -1.0
"""Confidence of a sample whose outputs no probability can be read from."""


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
class SampleTensors:
    """What a step computes for each sample, as Keras itself computed it."""

    loss: Any
    """Before it is reduced or weighted, shape (batch, ...)."""
    correct: Any
    """What the metric that the run reports as accuracy averages, shape (batch, ...); None without one."""
    y: Any
    y_pred: Any
    weight: Any
    """Sample weights, shape (batch,) or (batch, 1); None without."""

    def followed(self) -> tuple[Any, ...]:
        """Return what follows from the outputs and the batch."""
        return tuple(tensor for tensor in (self.loss, self.correct, self.y_pred) if tensor is not None)


@dataclass(frozen=True)
class PerSampleMetrics:
    """How to read each sample's metrics off one compiled single-output model."""

    loss_scale: float
    """`loss_weights=` of the output."""
    loss_weighting: Weighting
    accuracy_name: str | None
    """As Keras logs it."""
    accuracy_weighting: Weighting
    kind: ClassKind
    classes: int
    """Number of classes; 0 where there are none."""
    threshold: float
    """Output above which a binary model says class 1."""
    scale: Scale

    def of(self, sample: SampleTensors) -> tf.Tensor:
        """Return the values of one batch, float32, shape (6, batch), rows as in `ROWS`, outside a graph.

        Raises:
            Unsupported: the rows are not of one length.
        """
        rows = self._rows(sample)
        if len({int(row.shape[0]) for row in rows}) > 1:
            raise Unsupported(NOT_BY_SAMPLE)
        return tf.stack(rows)

    def marked(self, sample: SampleTensors) -> tf.Tensor:
        """Return the values of one batch as one vector, float32, for `unmarked`.

        Outputs may have another number of rows than targets, which are broadcast then; nothing that a step computes
        of ours may fail on that, nor have TensorFlow's optimizer take rows of two tensors to be as many.
        """
        mark = tf.constant([MARK])
        return tf.concat([part for row in self._rows(sample) for part in (row, mark)], axis=0)

    def _rows(self, sample: SampleTensors) -> list[tf.Tensor]:
        loss = _per_sample(sample.loss) * self.loss_scale
        correct = tf.zeros_like(loss) if sample.correct is None else _per_sample(sample.correct)
        weight = tf.ones_like(loss) if sample.weight is None else _per_sample(sample.weight)
        if weight.shape.rank == 0:
            weight = tf.fill(tf.shape(loss), weight)
        label, predicted = self.labels(sample.y, sample.y_pred)
        return [loss, correct, label, predicted, weight, self.confidence(sample.y_pred, predicted)]

    def confidence(self, y_pred: Any, predicted: Any) -> tf.Tensor:
        """Return the probability that the model gives the class it predicts, shape (batch,).

        It is `NO_CONFIDENCE` where the model gives none: a NaN would raise under TensorFlow's check of numerics.

        Args:
            y_pred: the model's outputs.
            predicted: the class predicted for each sample, float32, shape (batch,).
        """
        if self.kind is ClassKind.NONE or self.scale is Scale.SCORES:
            return tf.fill(tf.shape(predicted), NO_CONFIDENCE)
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
            # A hinge's targets may be -1 and 1.
            label, predicted = tf.reshape(_float(y), [-1]) >= 0.5, tf.reshape(_float(y_pred), [-1]) > self.threshold
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
    """This model's values can't be taken apart by sample; the message is the sentence for the panel."""


def unmarked(vector: FloatArray) -> Iterator[FloatArray]:
    """Yield the values of each batch in a vector, shape (6, batch) each, rows as in `ROWS`.

    Args:
        vector: what `PerSampleMetrics.marked` returned, of one batch after another.

    Raises:
        Unsupported: the rows of a batch are not of one length.
    """
    rest = vector
    while rest.size:
        length = int(np.argmax(rest == MARK)) + 1
        block = rest[: length * len(ROWS)]
        if block.size < length * len(ROWS) or not (block.reshape(len(ROWS), length)[:, -1] == MARK).all():
            raise Unsupported(NOT_BY_SAMPLE)
        yield block.reshape(len(ROWS), length)[:, :-1]
        rest = rest[block.size :]


def per_sample_metrics(backend: Backend, model: Any, capture: Capture) -> tuple[PerSampleMetrics, SampleTensors]:
    """Return how the metrics of each sample come about in a step, and where the step has them.

    Args:
        backend: of the model.
        model: whose step it is.
        capture: of one call of the step, in which the loss was given outputs.

    Raises:
        Unsupported: they can't be told apart by sample.
    """
    y, y_pred = capture.y, capture.y_pred
    if tf.nest.is_nested(y_pred) or tf.nest.is_nested(y):
        raise Unsupported("The model has several outputs: its gap can't be split by sample, only shown.")
    compiled = backend.compiled_loss(model)
    if compiled is None or len(capture.losses) != 1:
        raise Unsupported("The model computes its loss itself: the gap can't be split, only shown.")
    loss, scale = compiled
    values = capture.losses[0]
    _check_by_sample(values, y, y_pred)
    weighting = _loss_weighting(loss)
    accuracy, correct = _accuracy(backend, model, capture)
    if correct is not None and correct.shape.rank is None:
        raise Unsupported(_UNKNOWN_SHAPE)
    kind, classes = _class_kind(loss, y, y_pred)
    per_sample = PerSampleMetrics(
        loss_scale=scale,
        loss_weighting=weighting,
        accuracy_name=accuracy.name if accuracy else None,
        accuracy_weighting=Weighting.PER_EPOCH_WEIGHT if accuracy and accuracy.is_weighted else Weighting.NONE,
        kind=kind,
        classes=classes,
        threshold=_threshold(loss, accuracy.metric if accuracy else None),
        scale=_scale(loss),
    )
    return per_sample, SampleTensors(values.values, correct, y, y_pred, values.weight)


def _check_by_sample(values: LossValues, y: Any, y_pred: Any) -> None:
    if any(part is not None and part.shape.rank is None for part in (values.values, values.weight, y, y_pred)):
        raise Unsupported(_UNKNOWN_SHAPE)
    if values.mask is not None:
        raise Unsupported("The model masks time steps: its loss can't be split by sample, only shown.")
    if values.values.shape.rank == 0:
        raise Unsupported("The loss gives one number for a whole batch: it can't be split by sample, only shown.")
    if values.weight is not None and any(size != 1 for size in values.weight.shape[1:]):
        raise Unsupported("Sample weights differ inside a sample: its loss can't be split by sample, only shown.")


def _loss_weighting(loss: Any) -> Weighting:
    if loss.reduction in ("sum_over_batch_size", "mean", "auto"):
        return Weighting.PER_SAMPLE
    if loss.reduction == "mean_with_sample_weight":
        return Weighting.PER_BATCH_WEIGHT
    raise Unsupported(
        f"The loss is reduced with {loss.reduction!r}, so it grows with the batch: the gap can't be split."
    )


@dataclass(frozen=True)
class _Accuracy:
    metric: Any
    name: str
    is_weighted: bool


def _accuracy(backend: Backend, model: Any, capture: Capture) -> tuple[_Accuracy | None, Any]:
    """Return the metric reported as accuracy with what it averages; (None, None) without one."""
    updates = {id(update.metric): update for update in capture.means}
    names = backend.logged_names(model)
    for metric, is_weighted in backend.compiled_metrics(model):
        update = updates.get(id(metric))
        if canonical_metric(metric.name) == "accuracy" and update is not None and update.values.shape.rank:
            return _Accuracy(metric, names.get(id(metric), metric.name), is_weighted), update.values
    return None, None


def _class_kind(loss: Any, y: Any, y_pred: Any) -> tuple[ClassKind, int]:
    """Return how classes are written, from the loss's name first and the shapes second; sequences have none."""
    name = _loss_name(loss)
    rank, labels = y_pred.shape.rank, y.shape
    outputs = y_pred.shape[-1] if rank == 2 else (1 if rank == 1 else None)
    if outputs is None or ("crossentropy" not in name and "focal" not in name and "hinge" not in name):
        return ClassKind.NONE, 0
    is_one_number = labels.rank == 1 or (labels.rank == 2 and labels[-1] == 1)
    if outputs == 1:
        return (ClassKind.BINARY, 2) if is_one_number else (ClassKind.NONE, 0)
    if "sparse" in name:
        return (ClassKind.SPARSE, outputs) if is_one_number else (ClassKind.NONE, 0)
    if "binary" in name or labels.rank != 2 or labels[-1] not in (None, outputs):
        return ClassKind.NONE, 0
    return ClassKind.ONE_HOT, outputs


def _loss_name(loss: Any) -> str:
    return str(getattr(getattr(loss, "fn", loss), "__name__", type(loss).__name__)).lower()


def _scale(loss: Any) -> Scale:
    if "hinge" in _loss_name(loss):
        return Scale.SCORES
    return Scale.LOGITS if arguments_of(loss).get("from_logits") else Scale.PROBABILITIES


def _threshold(loss: Any, accuracy: Any) -> float:
    """Return the threshold that the reported accuracy uses, else the natural one of the output's scale."""
    if accuracy is not None:
        value = arguments_of(accuracy).get("threshold")
        return 0.5 if value is None else float(value)
    return 0.0 if arguments_of(loss).get("from_logits") else 0.5
