"""Metrics of each sample of one output: loss, right or wrong, class, weight, as Keras itself computed them.

Where a sample holds several things that count for themselves (time steps that may be masked or weighted, pixels with a
class each), these are the units that metrics are read of.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import tensorflow as tf

from tui_monitor.explain.samples.probes import IN_ACCURACY, IN_LOSS, NO_CLASS, FloatArray, IntArray, Weighting
from tui_monitor.metric_names import canonical_metric
from tui_monitor.training.backends.backend import Backend, CompiledLoss, CompiledMetric
from tui_monitor.training.backends.capture import Capture, LossValues
from tui_monitor.training.backends.shared_names import arguments_of
from tui_monitor.training.step.classes import NO_CONFIDENCE, Classes, Scale, classes_of, flat, loss_name
from tui_monitor.training.step.operations import operations_on
from tui_monitor.training.step.sample_tensors import SampleTensors

ROWS: Final = ("loss", "correct", "label", "predicted", "weight", "confidence", "counted")
"""Rows of the tensor that `PerSampleMetrics.of` returns, in order; the last only where some units don't count."""

NO_LOSS: Final = -(2.0**100)
"""Stands for a batch's loss that nothing tells. No NaN: TensorFlow's numeric checks may end a step that holds one."""
NOT_BY_SAMPLE: Final = "the model's outputs, targets and inputs differ in their number of rows"
_UNKNOWN_SHAPE: Final = "the shape of the model's loss, outputs or targets is not known"
_MOST_UNITS: Final = 16_384
"""Units of one sample that are told apart at most: 128 × 128 pixels."""
_IN_NATS: Final = ("binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy")


@dataclass(frozen=True)
class UnitCounts:
    """Numbers of units in some batches, by class and by what they count for."""

    classes: IntArray | None
    """Of each class, those with a hard label; None where no units have classes."""
    left_out: int
    """Units that count for the accuracy but not for the loss."""
    units: int
    """Units that count for the loss."""

    @property
    def is_hard(self) -> bool:
        """Whether every unit has a class."""
        return self.classes is not None and int(self.classes.sum()) == self.units


@dataclass(frozen=True)
class PerSampleMetrics:
    """How to read each unit's metrics off one output of a compiled model."""

    output: str
    """Name of the output."""
    loss_name: str
    """As Keras logs it; `loss` where it is the model's only one."""
    loss_scale: float
    """`loss_weights=` of the output."""
    loss_weighting: Weighting
    accuracy_name: str | None
    """As Keras logs it."""
    accuracy_weighting: Weighting
    classes: Classes | None
    """None where the output names none."""
    axes: int = 0
    """Axes of the units beside the batch's: 0 where samples are the units, 1 for time steps, 2 for pixels."""
    is_masked: bool = False
    """Whether some units may be no part of a mean."""
    is_accuracy_masked: bool = False
    """Whether the same units are no part of the accuracy either."""
    is_cross_entropy: bool = False
    """Whether the loss of a hard label is in nats."""
    is_own_loss: bool = True
    """Whether the loss is Keras' own, so that one sample's value follows from that sample alone."""
    by_batch: str = ""
    """Why the model's loss can't be told apart by sample, as a clause; empty where it can."""

    @property
    def rows(self) -> tuple[str, ...]:
        """Names of the rows that `of` returns."""
        return ROWS if self.is_masked else ROWS[:-1]

    @functools.cached_property
    def constants(self) -> Mapping[str, float]:
        """Rows of which every entry is one number, which a step need not compute."""
        found = {} if self.accuracy_name is not None else {"correct": 0.0}
        if self.classes is None:
            found |= {"label": float(NO_CLASS), "predicted": float(NO_CLASS)}
        if self.classes is None or self.classes.scale is Scale.SCORES:
            found["confidence"] = NO_CONFIDENCE
        return found

    @functools.cached_property
    def computed(self) -> tuple[str, ...]:
        """Names of the rows that `by_unit` returns: those that are no `constants`."""
        return tuple(name for name in self.rows if name not in self.constants)

    @property
    def has_units(self) -> bool:
        """Whether it is units that are counted: parts of samples, or samples of which some may not count."""
        return bool(self.axes) or self.is_masked

    @property
    def unit(self) -> str:
        """What a unit is called."""
        return ("sample", "time step", "pixel", "voxel")[min(self.axes, 3)]

    def of(self, sample: SampleTensors) -> FloatArray:
        """Return the values of one batch, shape (rows, units), outside a graph.

        Raises:
            Unsupported: the rows are not of one length.
        """
        found = self.by_unit(sample.at_hand())
        if len({row.size for row in found}) > 1:
            raise Unsupported(NOT_BY_SAMPLE)
        return self._with_constants(found)

    def taken(self, rows: Sequence[FloatArray], samples: int) -> FloatArray:
        """Return rows out of a vector as `of` gives them, shape (rows, units).

        Args:
            rows: one for each of `computed`.
            samples: of the batch.

        Raises:
            Unsupported: the rows differ in length, or their length does not fit the number of samples.
        """
        lengths = {row.size for row in rows}
        size = max(lengths, default=0)
        if len(lengths) != 1 or (size % samples if samples else size) or (size != samples and not self.axes):
            raise Unsupported(NOT_BY_SAMPLE)
        return self._with_constants(rows)

    def _with_constants(self, rows: Sequence[FloatArray]) -> FloatArray:
        """Return rows of `computed`, all of one length, beside those of `constants`."""
        known, size = dict(zip(self.computed, rows, strict=True)), len(rows[0])
        return np.array(
            [known[name] if name in known else np.full(size, self.constants[name]) for name in self.rows], float
        )

    def by_unit(self, sample: SampleTensors) -> list[Any]:
        """Return the values of one batch: a vector of float32 for each of `computed`, an entry a unit as a rule."""
        # Arrays may hold anything, and the user may have made an error of every warning.
        with np.errstate(all="ignore"):
            return self._by_unit(sample)

    def _by_unit(self, sample: SampleTensors) -> list[Any]:
        loss, on = self._flat(sample.loss), operations_on(sample.loss)
        rows = {"loss": loss}
        if self.accuracy_name is not None:
            rows["correct"] = on.zeros_like(loss) if sample.correct is None else self._flat(sample.correct)
        if self.classes is not None:
            rows["label"], rows["predicted"] = self.classes.labels(sample.y), self.classes.predicted(sample.y_pred)
        rows["weight"] = on.ones_like(loss) if sample.weight is None else self._spread(sample.weight, sample.loss)
        if self.classes is not None and "confidence" in self.computed:
            rows["confidence"] = self.classes.confidence(sample.y_pred, rows["predicted"])
        if self.is_masked:
            rows["counted"] = self._counted(sample)
        return [rows[name] for name in self.computed]

    def counts(self, sample: SampleTensors, rows: Sequence[Any] = ()) -> Any:
        """Return what `read_counts` reads, float32, shape (`counts_width`,), where that is not 0.

        Args:
            sample: of one batch.
            rows: what `by_unit` has returned of it, where that was called.
        """
        with np.errstate(all="ignore"):
            return self._counts(sample, rows)

    def _counts(self, sample: SampleTensors, rows: Sequence[Any]) -> Any:
        known, on = dict(zip(self.computed, rows, strict=False)), operations_on(sample.loss)
        label = known.get("label")
        if label is None and self.classes is not None:
            label = self.classes.labels(sample.y)
        if label is not None and self.classes is not None and not self.has_units:
            return self.classes.counts(label)
        if not self.is_masked:
            ends = [0.0, on.float32(on.size(known["loss"] if known else self._flat(sample.loss)))]
        else:
            counted = known["counted"] if known else self._counted(sample)
            in_loss = on.float32(counted % 2 >= IN_LOSS)
            label = None if label is None else self._label_in_loss(label, in_loss)
            left_out = on.float32(on.equal(counted, IN_ACCURACY))
            ends = [on.sum(left_out), on.sum(in_loss)]
        if self.classes is None:
            return on.stack(ends)
        return on.concatenate([self.classes.counts(label), ends])

    @staticmethod
    def _label_in_loss(label: Any, in_loss: Any) -> Any:
        """Return labels with no class where a unit is no part of the loss; a step must not fail on their numbers."""
        on = operations_on(label)
        return on.choose(
            on.equal(on.size(label), on.size(in_loss)),
            lambda: on.where(in_loss > 0, label, float(NO_CLASS)),
            lambda: on.fill_like(label, float(NO_CLASS)),
        )

    @property
    def counts_width(self) -> int:
        """How many numbers `counts` returns."""
        return (2 if self.has_units else 0) + (self.classes.count if self.classes is not None else 0)

    def read_counts(self, numbers: FloatArray | None, samples: int) -> UnitCounts | None:
        """Return counts of some batches; None where steps emit none.

        Args:
            numbers: sum of what `counts` returned of each.
            samples: in all of them.
        """
        if not self.counts_width or numbers is None:
            return None
        whole = np.rint(numbers).astype(np.int64)
        if not self.has_units:
            return UnitCounts(whole, 0, samples)
        return UnitCounts(whole[:-2] if self.classes is not None else None, int(whole[-2]), int(whole[-1]))

    def _counted(self, sample: SampleTensors) -> Any:
        on = operations_on(sample.loss)
        in_loss, in_accuracy = (
            on.ones_like(self._flat(sample.loss)) if mask is None else on.float32(self._spread(mask, sample.loss) > 0)
            for mask in (sample.mask, sample.correct_mask)
        )
        return in_loss * IN_LOSS + in_accuracy * IN_ACCURACY

    def _flat(self, values: Any) -> Any:
        """Return the mean over what lies within a unit, shape (units,)."""
        on = operations_on(values)
        values = on.float32(values)
        inner = list(range(1 + self.axes, len(values.shape)))
        return flat(on.mean(values, axis=inner) if inner else values)

    def _spread(self, values: Any, over: Any) -> Any:
        """Return weights, or a mask, of each unit, shape (units,)."""
        on = operations_on(over)
        values = on.float32(values)
        while len(values.shape) > 1 + self.axes:
            values = on.mean(values, axis=[-1])
        if not self.axes and len(values.shape) == 1:
            return values
        shape = on.shape(over)[: 1 + self.axes]
        while len(values.shape) < 1 + self.axes:
            values = values[..., np.newaxis]
        return on.vector(on.broadcast(values, shape))


class Unsupported(Exception):
    """This model can't be measured so; the message is the reason, a clause."""


def per_sample_metrics(backend: Backend, model: Any, capture: Capture) -> list[tuple[PerSampleMetrics, SampleTensors]]:
    """Return how the metrics of each sample come about in a step, and where the step has them, for each loss.

    Args:
        backend: of the model.
        model: whose step it is.
        capture: of one call of the step.

    Raises:
        Unsupported: nothing of the step can be told apart by sample.
    """
    compiled = backend.compiled_losses(model)
    # Losses are told apart by their order alone, so a step that computes more, or fewer, can't be read.
    if not compiled or len(capture.losses) != len(compiled):
        raise Unsupported("the model computes its loss itself")
    return [_of_output(backend, model, capture, *both) for both in zip(compiled, capture.losses, strict=True)]


def _of_output(
    backend: Backend, model: Any, capture: Capture, compiled: CompiledLoss, values: LossValues
) -> tuple[PerSampleMetrics, SampleTensors]:
    if values.y is None or values.y_pred is None:
        raise Unsupported("the model computes its loss itself")
    if tf.nest.is_nested(values.y) or tf.nest.is_nested(values.y_pred):
        raise Unsupported("a loss takes several outputs at once")
    if any(part is not None and part.shape.rank is None for part in (values.values, values.weight, values.y)):
        raise Unsupported(_UNKNOWN_SHAPE)
    if values.y_pred.shape.rank is None:
        raise Unsupported(_UNKNOWN_SHAPE)
    accuracy, update = _accuracy(backend, model, capture, compiled)
    weighting, by_batch = _loss_weighting(compiled.loss)
    if not values.values.shape.rank:
        by_batch = "the loss gives one number for a whole batch"
        if update is None:
            raise Unsupported(by_batch)
        values = replace(values, values=tf.zeros_like(tf.cast(update.values, tf.float32)))
    classes = classes_of(compiled.loss, accuracy.metric if accuracy else None, values.y, values.y_pred)
    axes = _unit_axes(values, classes)
    if classes is not None and values.values.shape.rank - 1 > axes:
        classes = None
    if update is not None and update.values.shape.rank <= axes:
        accuracy = update = None
    correct_mask = _accuracy_mask(accuracy, update, values)
    name = loss_name(compiled.loss)
    metrics = PerSampleMetrics(
        output=compiled.output,
        loss_name=compiled.log,
        loss_scale=compiled.scale,
        loss_weighting=weighting,
        accuracy_name=accuracy.log if accuracy else None,
        accuracy_weighting=Weighting.PER_EPOCH_WEIGHT if accuracy and accuracy.is_weighted else Weighting.NONE,
        classes=classes,
        axes=axes,
        is_masked=values.mask is not None or correct_mask is not None,
        is_accuracy_masked=correct_mask is not None,
        is_cross_entropy=name in _IN_NATS and not arguments_of(compiled.loss).get("label_smoothing"),
        is_own_loss=_is_own(backend, compiled.loss),
        by_batch=by_batch,
    )
    correct = None if update is None else update.values
    return metrics, SampleTensors(
        values.values, correct, values.y, values.y_pred, values.weight, values.mask, correct_mask
    )


def _is_own(backend: Backend, loss: Any) -> bool:
    return backend.is_own(type(loss)) and backend.is_own(getattr(loss, "fn", type(loss)))


def _unit_axes(values: LossValues, classes: Classes | None) -> int:
    """Return how many axes beside the batch's the units have: none where all parts of a sample count the same.

    Raises:
        Unsupported: a sample has too many parts that don't.
    """
    inner = values.values.shape[1:]
    weight, mask = values.weight, values.mask
    differ = weight is not None and any(size != 1 for size in weight.shape[1:])
    differ = differ or (mask is not None and mask.shape.rank > 1)
    if not inner.rank or not (differ or classes is not None):
        return 0
    if (inner.num_elements() or 0) <= _MOST_UNITS:
        return int(inner.rank)
    if differ:
        raise Unsupported(f"a sample has more than {_MOST_UNITS} parts that count for themselves")
    return 0


def _loss_weighting(loss: Any) -> tuple[Weighting, str]:
    """Return how weights enter a loss, and why it can't be told apart by sample, if it can't."""
    if loss.reduction in ("sum_over_batch_size", "mean", "auto"):
        return Weighting.PER_SAMPLE, ""
    if loss.reduction == "mean_with_sample_weight":
        return Weighting.PER_BATCH_WEIGHT, ""
    return Weighting.NONE, f"the loss is reduced with {loss.reduction!r}, so it grows with the batch"


def _accuracy(
    backend: Backend, model: Any, capture: Capture, compiled: CompiledLoss
) -> tuple[CompiledMetric | None, Any]:
    """Return the metric that is reported as an output's accuracy, with what it averages; (None, None) without one."""
    updates = {id(update.metric): update for update in capture.means}
    for entry in backend.compiled_metrics(model):
        update = updates.get(id(entry.metric))
        name = entry.metric.name.removeprefix(f"{entry.output}_") if entry.output else entry.metric.name
        if canonical_metric(name) != "accuracy" or entry.output not in ("", compiled.output):
            continue
        if update is not None and update.values.shape.rank:
            return entry, update
    return None, None


def _accuracy_mask(accuracy: CompiledMetric | None, update: Any, values: LossValues) -> Any:
    """Return which units are part of the accuracy's mean; None for all."""
    if accuracy is None or update.weight is None:
        return None
    if not accuracy.is_weighted:
        # Both Kerases give a metric that is not weighted the mask of the outputs in place of weights.
        return update.weight
    return values.mask
