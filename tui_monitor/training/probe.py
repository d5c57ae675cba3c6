"""Forward passes over kept batches at the current weights; nothing the training uses is ever changed.

Batch statistics and seed states are read, or put back after each pass where Keras can't help writing them.
"""

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tui_monitor.explain.samples.probes import FloatArray, IntArray
from tui_monitor.training.engines import Engine, engine_of
from tui_monitor.training.own_replica import on_own_replica
from tui_monitor.training.packing import StepOutput
from tui_monitor.training.sample_figures import ROWS, SampleFigures

LARGEST_PASS = 8192
"""Samples in one forward pass at most, where batches may be joined."""


@dataclass(frozen=True)
class KeptBatch:
    """One batch as the model saw it, with what it said then. Values are eager tensors, arrays, or nests of them."""

    x: Any
    y: Any
    sample_weight: Any
    y_pred: Any
    """Outputs of the training step, or None for a validation batch."""
    loss: float
    """The batch's own loss as trained on, penalty included; NaN for a validation batch."""
    samples: int


Kept = Callable[[], KeptBatch]
"""Takes a batch that was kept out of what a step handed out; few of those kept are ever asked for."""


def kept_batch(output: StepOutput, *, in_training: bool) -> KeptBatch:
    """Return the batch that a step has handed out.

    Args:
        output: its last row is the batch's.
        in_training: whether it came out of a training step, so that it holds a loss.
    """
    parts, row = output.parts(), output.rows[-1]
    return KeptBatch(
        x=parts["x"],
        y=parts["y"],
        sample_weight=parts.get("sample_weight"),
        y_pred=parts.get("y_pred"),
        loss=row[1] if in_training else math.nan,
        samples=int(row[0]),
    )


@dataclass(frozen=True)
class MeasuredBatches:
    """Per-sample figures of several batches, in the order given; arrays of shape (n,)."""

    batch: IntArray
    """Ordinal of each sample's batch among those given."""
    then: Mapping[str, FloatArray]
    """Figures from the outputs of the training step; empty for validation batches."""
    training: Mapping[str, FloatArray]
    """Figures at the current weights in training mode; empty where only inference was asked for."""
    inference: Mapping[str, FloatArray]
    penalty: float
    """Sum of the model's own losses (L1/L2, activity) in training mode at the current weights."""


class Probe:
    """Measures batches of one compiled model; holds the traced functions, nothing of the training."""

    def __init__(self, model: Any, figures: SampleFigures) -> None:
        self._model = model
        self._engine = engine_of(model)
        self._figures = figures
        self._joinable = not any(_depends_on_batch(self._engine, layer) for layer in model._flatten_layers())
        self.ready: set[str] = set()
        """Kinds of measurement whose functions were built."""
        self._traced: dict[Any, Any] = {}

    def training_batches(self, batches: Sequence[KeptBatch]) -> MeasuredBatches:
        """Measure training batches in both modes, beside what they were when trained on."""
        passes, penalties = [], []
        for group in self._groups(batches):
            joined = _join(group)
            figures, penalty = self._run(self._measure_both, joined)
            passes.append(figures.numpy())
            penalties.append(float(penalty))
        rows = np.concatenate(passes, axis=2).astype(np.float64)
        then, training, inference = (dict(zip(ROWS, part, strict=True)) for part in rows)
        return MeasuredBatches(_ordinals(batches), then, training, inference, float(np.mean(penalties)))

    def validation_batches(self, batches: Sequence[KeptBatch]) -> MeasuredBatches:
        """Measure validation batches in inference mode."""
        passes = []
        for group in self._groups(batches, in_training=False):
            joined = _join(group)
            passes.append(self._run(self._measure_inference, joined).numpy())
        rows = np.concatenate(passes, axis=1).astype(np.float64)
        return MeasuredBatches(_ordinals(batches), {}, {}, dict(zip(ROWS, rows, strict=True)), 0.0)

    def _run(self, measure: Callable[[Mapping[str, Any]], Any], batch: KeptBatch) -> Any:
        """Run a measurement as a graph traced once for each kind of input, whatever the number of samples."""
        named = {"x": batch.x, "y": batch.y, "sample_weight": batch.sample_weight, "y_pred": batch.y_pred}
        inputs = {name: value for name, value in named.items() if value is not None}
        signature = tf.nest.map_structure(_any_batch_size, inputs)
        key = (measure.__name__, repr(signature))
        if key not in self._traced:
            function = tf.function(on_own_replica(self._model, measure), input_signature=[signature])
            # One model after another is no needless tracing, of which TensorFlow would warn in the script's output.
            function._omit_frequent_tracing_warning = True
            self._traced[key] = self._engine.undisturbing(self._model, function)
        return self._traced[key](inputs)

    def _measure_both(self, inputs: Mapping[str, Any]) -> tuple[tf.Tensor, tf.Tensor]:
        # Inference comes first: a pass in training mode may move the running statistics that it reads.
        in_inference, _ = self._call(inputs["x"], training=False)
        in_training, penalty = self._call(inputs["x"], training=True)
        outputs = (inputs["y_pred"], in_training, in_inference)
        return tf.stack([self._figures_of(inputs, output) for output in outputs]), penalty

    def _measure_inference(self, inputs: Mapping[str, Any]) -> tf.Tensor:
        return self._figures_of(inputs, self._call(inputs["x"], training=False)[0])

    def _figures_of(self, inputs: Mapping[str, Any], outputs: Any) -> tf.Tensor:
        return self._figures.of(inputs["y"], outputs, inputs.get("sample_weight"))

    def _call(self, x: Any, *, training: bool) -> tuple[Any, tf.Tensor]:
        outputs, losses = self._engine.forward(self._model, x, training=training)
        return outputs, tf.add_n([tf.cast(loss, tf.float32) for loss in losses]) if losses else tf.zeros([])

    def _groups(self, batches: Sequence[KeptBatch], *, in_training: bool = True) -> Iterator[list[KeptBatch]]:
        """Yield runs of batches that may share a forward pass: same inner shapes, no layer that mixes samples."""
        group: list[KeptBatch] = []
        samples = 0
        for batch in batches:
            apart = in_training and not self._joinable
            full = samples + batch.samples > LARGEST_PASS
            if group and (apart or full or _inner_shapes(group[0]) != _inner_shapes(batch)):
                yield group
                group, samples = [], 0
            group.append(batch)
            samples += batch.samples
        if group:
            yield group


def _depends_on_batch(engine: Engine, layer: Any) -> bool:
    """Whether a layer's training output for one sample depends on the others, or is not known not to."""
    if isinstance(layer, engine.batch_normalization):
        return True
    own = type(layer).__module__.startswith(engine.package.__name__ + ".")
    return not own and not isinstance(layer, engine.package.Model)


def _any_batch_size(tensor: Any) -> Any:
    return tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype)


def _inner_shapes(batch: KeptBatch) -> list[Any]:
    return [tuple(tensor.shape[1:]) for tensor in tf.nest.flatten((batch.x, batch.y))]


def _ordinals(batches: Sequence[KeptBatch]) -> IntArray:
    return np.repeat(np.arange(len(batches)), [batch.samples for batch in batches])


def _join(group: Sequence[KeptBatch]) -> KeptBatch:
    if len(group) == 1:
        return group[0]

    def concat(*tensors: Any) -> Any:
        """Return tensors joined along the batch, or None where there are none."""
        return None if tensors[0] is None else tf.concat(tensors, axis=0)

    return KeptBatch(
        x=tf.nest.map_structure(concat, *[batch.x for batch in group]),
        y=concat(*[batch.y for batch in group]),
        sample_weight=concat(*[batch.sample_weight for batch in group]),
        y_pred=concat(*[batch.y_pred for batch in group]),
        loss=float("nan"),
        samples=sum(batch.samples for batch in group),
    )


class undisturbed:  # noqa: N801
    """Keeps Python's and NumPy's global random states as they were, whatever a layer's code draws inside."""

    def __enter__(self) -> None:
        self._python, self._numpy = random.getstate(), np.random.get_state()

    def __exit__(self, *_: object) -> None:
        random.setstate(self._python)
        np.random.set_state(self._numpy)
