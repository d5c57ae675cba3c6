"""How one output and its targets name classes, and what they say of each unit: true class, prediction, confidence.

Targets, outputs and what is returned are tensors, or arrays, see `Operations`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from tui_monitor.training.backends.shared_names import arguments_of
from tui_monitor.training.step.operations import operations_on

NO_CONFIDENCE = -1.0
"""Confidence of a unit whose outputs no probability can be read from."""
NOT_HARD = 0.5
"""Label of a unit whose target is no hard label: a target of 0.3, or two classes at once."""


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
class Classes:
    """How to read classes off one output."""

    kind: ClassKind
    count: int
    """Number of classes; 0 where there are none."""
    threshold: float
    """Output above which a binary model says class 1."""
    scale: Scale
    is_classifying: bool = True
    """Whether the loss is one of classes, as a cross-entropy is; targets of others may be any numbers."""
    has_signs: bool = False
    """Whether targets of two classes may be −1 and 1, as a hinge loss wants them."""

    def labels(self, y: Any) -> Any:
        """Return the true class of each unit, float32, shape (units,); see `NOT_HARD`."""
        if self.kind is ClassKind.ONE_HOT:
            return flat(self._of_one_hot(y))
        label, on = flat(y), operations_on(y)
        if self.has_signs and self.kind is ClassKind.BINARY:
            label = on.where(on.equal(on.abs(label), 1.0), on.maximum(label, 0.0), label)
        return label

    def predicted(self, y_pred: Any) -> Any:
        """Return the predicted class of each unit, float32, shape (units,)."""
        on = operations_on(y_pred)
        if self.kind is ClassKind.BINARY:
            return on.float32(flat(y_pred) > self.threshold)
        return flat(on.largest_at(y_pred))

    def _of_one_hot(self, y: Any) -> Any:
        on = operations_on(y)
        targets = on.float32(y)
        is_hard = on.equal(on.largest(targets), 1.0) & on.equal(on.sum(targets, axis=-1), 1.0)
        return on.where(is_hard, on.float32(on.largest_at(targets)), NOT_HARD)

    def confidence(self, y_pred: Any, predicted: Any) -> Any:
        """Return the probability that the model gives the class it predicts, shape (units,).

        It is `NO_CONFIDENCE` where the model gives none: a NaN would raise under TensorFlow's check of numerics.

        Args:
            y_pred: the model's outputs.
            predicted: the class predicted for each unit, float32, shape (units,).
        """
        on = operations_on(y_pred)
        if self.scale is Scale.SCORES:
            return on.fill_like(predicted, NO_CONFIDENCE)
        outputs = on.float32(y_pred)
        logits = self.scale is Scale.LOGITS
        if self.kind is ClassKind.BINARY:
            one = flat(on.sigmoid(outputs) if logits else outputs)
            return on.where(predicted > 0.5, one, 1.0 - one)
        if logits:
            return flat(on.largest(on.softmax(outputs)))
        # Keras' own cross-entropy scales outputs to sum to 1.
        return flat(on.largest(outputs) / on.sum(outputs, axis=-1))

    def counts(self, label: Any) -> Any:
        """Return how many units are of each class, float32, shape (count,); those without a hard label are left out."""
        on = operations_on(label)
        is_of_class = on.equal(label, np.arange(self.count, dtype=np.float32)[:, np.newaxis])
        return on.sum(on.float32(is_of_class), axis=1)


def flat(values: Any) -> Any:
    """Return values as one vector of float32."""
    on = operations_on(values)
    return on.vector(on.float32(values))


_CLASSIFYING = ("crossentropy", "focal", "hinge", "kl_divergence")
"""Parts of the names of losses that are of classes."""


def classes_of(loss: Any, accuracy: Any, y: Any, y_pred: Any) -> Classes | None:
    """Return how an output names classes, or None where it names none.

    Args:
        loss: of the output.
        accuracy: the metric that the run reports as accuracy; None without one. Under a loss that may be that of a
            regression, an accuracy is what speaks for classes.
        y: targets.
        y_pred: outputs.
    """
    name = loss_name(loss)
    is_classifying = any(part in name for part in _CLASSIFYING)
    if (not is_classifying and accuracy is None) or y.shape.rank is None or y_pred.shape.rank is None:
        return None
    kind, count = _kind(name, y, y_pred)
    if kind is ClassKind.NONE:
        return None
    signed = "hinge" in name
    scale = Scale.LOGITS if arguments_of(loss).get("from_logits") else Scale.PROBABILITIES
    return Classes(
        kind=kind,
        count=count,
        threshold=_threshold(loss, accuracy),
        scale=Scale.SCORES if signed or not is_classifying else scale,
        is_classifying=is_classifying,
        has_signs=signed,
    )


def _kind(name: str, y: Any, y_pred: Any) -> tuple[ClassKind, int]:
    """Return how classes are written, from the shapes and the loss's name."""
    outputs = y_pred.shape[-1] if y_pred.shape.rank > 1 else 1
    axes = max(y_pred.shape.rank - 1, 1)
    is_one_number = y.shape.rank == axes or (y.shape.rank == axes + 1 and y.shape[-1] == 1)
    if outputs is None:
        return ClassKind.NONE, 0
    if outputs == 1:
        return (ClassKind.BINARY, 2) if is_one_number else (ClassKind.NONE, 0)
    if "binary" in name:
        return ClassKind.NONE, 0
    if is_one_number:
        return (ClassKind.SPARSE, outputs) if "sparse" in name or "crossentropy" not in name else (ClassKind.NONE, 0)
    is_one_hot = y.shape.rank == y_pred.shape.rank and y.shape[-1] in (None, outputs) and "sparse" not in name
    return (ClassKind.ONE_HOT, outputs) if is_one_hot else (ClassKind.NONE, 0)


def loss_name(loss: Any) -> str:
    """Return the name of what a loss computes, in lower case."""
    return str(getattr(getattr(loss, "fn", loss), "__name__", type(loss).__name__)).lower()


def _threshold(loss: Any, accuracy: Any) -> float:
    """Return the threshold that the reported accuracy uses, else the natural one of the output's scale."""
    if "hinge" in loss_name(loss):
        return 0.0
    if accuracy is not None:
        value = arguments_of(accuracy).get("threshold")
        return 0.5 if value is None else float(value)
    return 0.0 if arguments_of(loss).get("from_logits") else 0.5
