"""Forward passes over kept batches at the current weights; nothing the training uses is ever changed.

A pass is a piece of the graph that Keras traced for the training or validation step, from the batch to the values of
each sample. The user's code is not called again. Where there is no such graph, a model of Keras' own layers alone is
traced anew; any other can't be measured.
"""

import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import tensorflow as tf

from tui_monitor.explain.samples.probes import FloatArray, IntArray, Weighting
from tui_monitor.training.backends.backend import Backend
from tui_monitor.training.backends.graphs import NotRepeatable, Piece, cut
from tui_monitor.training.probe.anew import holds_own_code_alone, trace_anew
from tui_monitor.training.probe.variables import Variables
from tui_monitor.training.step.instrument import Instrument
from tui_monitor.training.step.packing import StepOutput
from tui_monitor.training.step.payload import ROLES, Trace
from tui_monitor.training.step.per_sample_metrics import (
    NOT_BY_SAMPLE,
    ROWS,
    PerSampleMetrics,
    SampleTensors,
    Unsupported,
)

LARGEST_PASS = 8192
"""Samples in one forward pass at most, where batches may be concatenated."""
_ROUNDING: Final = 1e-5
"""Relative difference between a loss and its samples' mean that float32 makes."""


@dataclass(frozen=True)
class UnpackedBatch:
    """One batch as the model saw it, with what it said then. Values are eager tensors or arrays."""

    inputs: Mapping[str, tuple[Any, ...]]
    """Leaves by role, see `ROLES`."""
    outputs: Any
    """What was kept of the training step's forward pass (see `Trace.outputs`); None for a validation batch."""
    loss: float
    """The batch's own loss as trained on, penalty included; NaN for a validation batch."""
    samples: int


LazyBatch = Callable[[], UnpackedBatch]
"""Unpacks a batch that was kept; few of those kept are ever asked for."""


def unpack_batch(output: StepOutput, *, in_training: bool) -> UnpackedBatch:
    """Return the batch that a step has emitted.

    Args:
        output: its last row is the batch's.
        in_training: whether it came out of a training step, so that it holds a loss.

    Raises:
        Unsupported: inputs, targets or outputs are not one for each sample.
    """
    parts, row = output.parts(), output.rows[-1]
    inputs = {role: tuple(parts[name] for name in sorted(parts) if name[:-3] == role) for role in ROLES}
    lengths = [leaf.shape[:1] for leaf in tf.nest.flatten([*inputs.values(), parts.get("outputs", ())])]
    if any(tuple(length) != (int(row[0]),) for length in lengths):
        raise Unsupported(NOT_BY_SAMPLE)
    return UnpackedBatch(inputs, parts.get("outputs"), row[1] if in_training else math.nan, int(row[0]))


@dataclass(frozen=True)
class MeasuredBatches:
    """Metrics of the samples of several batches, in the order given; arrays of shape (n,)."""

    batch: IntArray
    """Ordinal of each sample's batch among those given."""
    then: Mapping[str, FloatArray]
    """Values from the outputs of the training step; empty for validation batches."""
    training: Mapping[str, FloatArray]
    """Values at the current weights in training mode; empty where only inference was asked for."""
    inference: Mapping[str, FloatArray]
    penalty: float
    """What the model's loss holds beyond its samples' (L1/L2, activity) in training mode at the current weights."""
    inference_penalty: float
    """The same in inference mode."""


@dataclass(frozen=True)
class _Pass:
    """A piece of a graph from a batch to the metrics of its samples."""

    run: Callable[[Sequence[Any]], list[Any]]
    inputs: tuple[tuple[str, Any], ...]
    """Role and tensor of each leaf that the piece takes, before any outputs."""
    takes_outputs: bool
    trace: Trace

    def measure(self, batch: UnpackedBatch, per_sample: PerSampleMetrics) -> tuple[FloatArray, float]:
        """Return the values of a batch, rows as in `ROWS`, and what its loss holds beyond them."""
        given = [*_fitting(self.inputs, batch), *([tf.convert_to_tensor(batch.outputs)] if self.takes_outputs else [])]
        results = iter(self.run(given))
        sample = SampleTensors(*(None if part is None else next(results) for part in _parts(self.trace.sample)))
        rows = per_sample.of(sample).numpy().astype(np.float64)
        loss = next(results, None)
        return rows, 0.0 if loss is None else _beyond(rows, float(loss) * self.trace.replicas, per_sample)


class Probe:
    """Measures batches of one compiled model; holds the pieces of graphs, nothing of the training."""

    def __init__(self, model: Any, training: Instrument, validation: Instrument | None) -> None:
        self.model = model
        self.validation = validation
        self.training = training
        self.backend: Backend = training.backend
        self._joinable = not any(_depends_on_batch(self.backend, layer) for layer in self.backend.layers(model))
        self.ready: set[str] = set()
        """Kinds of measurement whose passes were built."""
        self.building_seconds = 0.0
        """Spent so far on building passes, each of which is built once."""
        self._passes: dict[tuple[str, int], _Pass] = {}
        self._readings: dict[int, tuple[tuple[tuple[str, Any], ...], Piece]] = {}
        self._anew: list[tuple[str, Trace]] = []

    def training_batches(self, batches: Sequence[UnpackedBatch]) -> MeasuredBatches:
        """Measure training batches in both modes, beside what they were when trained on.

        Raises:
            Unsupported: they can't be measured again; the message is the sentence for the panel.
        """
        measured: dict[str, list[tuple[FloatArray, float]]] = {"then": [], "training": [], "inference": []}
        for group in self._groups(batches, in_training=True):
            concatenated = concatenate(group)
            for kind, results in measured.items():
                results.append(self._measure(kind, concatenated))
        then, training, inference = (_per_sample(results) for results in measured.values())
        penalty, inference_penalty = (_mean(measured[kind]) for kind in ("training", "inference"))
        return MeasuredBatches(_ordinals(batches), then, training, inference, penalty, inference_penalty)

    def validation_batches(self, batches: Sequence[UnpackedBatch]) -> MeasuredBatches:
        """Measure validation batches in inference mode.

        Raises:
            Unsupported: as for training batches.
        """
        results = [self._measure("inference", concatenate(group)) for group in self._groups(batches, in_training=False)]
        return MeasuredBatches(_ordinals(batches), {}, {}, _per_sample(results), 0.0, _mean(results))

    def with_variables(self, batches: Sequence[UnpackedBatch], instead: Variables) -> Mapping[str, FloatArray]:
        """Return values of the samples of batches in inference mode, with other values of some variables.

        Args:
            batches: of either side.
            instead: variables to read instead of the model's own.

        Raises:
            Unsupported: as for training batches, or because a pass reads a variable that must be among them and is not.
        """
        groups = self._groups(batches, in_training=False)
        return _per_sample([self._measure("inference", concatenate(group), instead) for group in groups])

    def trace_in_training(self, batch: UnpackedBatch) -> Trace:
        """Return the trace that a batch is measured by in training mode.

        Raises:
            Unsupported: as for training batches.
        """
        return self._trace("training", batch)

    def read_in_training(self, batch: UnpackedBatch, find: Callable[[Trace], Sequence[Any]]) -> list[FloatArray]:
        """Return what a training step computes for a batch.

        Args:
            batch: of training.
            find: returns the tensors that are wanted, given the trace of the step.

        Raises:
            Unsupported: as for training batches.
        """
        trace = self._trace("training", batch)
        if id(trace) not in self._readings:
            begun = time.perf_counter()
            roles = tuple((role, leaf) for role in ROLES for leaf in trace.inputs[role])
            try:
                self._readings[id(trace)] = roles, cut([leaf for _, leaf in roles], find(trace))
            except NotRepeatable as reason:
                raise Unsupported(f"The step can't be run again, because {reason}.") from None
            self.building_seconds += time.perf_counter() - begun
        roles, run = self._readings[id(trace)]
        return [value.numpy().astype(np.float64) for value in run(list(_fitting(roles, batch)))]

    def _measure(self, kind: str, batch: UnpackedBatch, instead: Variables | None = None) -> tuple[FloatArray, float]:
        per_sample = self.training.plan.per_sample
        if per_sample is None:
            raise Unsupported("The step's values can't be taken apart by sample.")
        trace = self._trace(kind, batch)
        measured = self._pass(kind, trace, instead)
        size = _fixed_size(trace)
        if kind != "inference" or size in (None, batch.samples):
            return measured.measure(batch, per_sample)
        parts = [(samples, measured.measure(part, per_sample)) for samples, part in _of_size(batch, size)]
        rows = np.concatenate([rows[:, :samples] for samples, (rows, _) in parts], axis=1)
        return rows, float(np.mean([beyond for _, (_, beyond) in parts]))

    def _pass(self, kind: str, trace: Trace, instead: Variables | None = None) -> _Pass:
        passes = self._passes if instead is None else instead.passes
        key = (kind, id(trace))
        if key not in passes:
            begun = time.perf_counter()
            try:
                passes[key] = _built(trace, takes_outputs=kind == "then", instead=instead)
            except NotRepeatable as reason:
                raise Unsupported(
                    f"The gap can only be shown: the step can't be run again, because {reason}."
                ) from None
            self.building_seconds += time.perf_counter() - begun
        return passes[key]

    def _trace(self, kind: str, batch: UnpackedBatch) -> Trace:
        """Return the trace to cut from: the newest of Keras' own that takes the batch, else one made anew."""
        instrument = self.validation if kind == "inference" else self.training
        for trace in reversed(instrument.traces if instrument is not None else ()):
            if _takes(trace, batch, in_any_number=kind == "inference"):
                return trace
        for made_for, trace in reversed(self._anew):
            if made_for == kind and _takes(trace, batch, in_any_number=False):
                return trace
        structure = self.training.structure
        if kind == "inference" and self.validation is None and not holds_own_code_alone(self.backend, self.model):
            raise Unsupported("No validation data: there is no gap to explain.")
        trace = trace_anew(self.backend, self.model, structure, batch.inputs, batch.outputs, kind)
        self._anew.append((kind, trace))
        return trace

    def _groups(self, batches: Sequence[UnpackedBatch], *, in_training: bool) -> Iterator[list[UnpackedBatch]]:
        """Yield runs of batches that may share a forward pass: same inner shapes, no layer that mixes samples."""
        apart = (in_training and not self._joinable) or not self._any_size()
        group: list[UnpackedBatch] = []
        samples = 0
        for batch in batches:
            full = samples + batch.samples > LARGEST_PASS
            if group and (apart or full or inner_shapes(group[0]) != inner_shapes(batch)):
                yield group
                group, samples = [], 0
            group.append(batch)
            samples += batch.samples
        if group:
            yield group

    def _any_size(self) -> bool:
        """Whether the newest traces take batches of any size."""
        both = [instrument for instrument in (self.training, self.validation) if instrument is not None]
        newest = [instrument.traces[-1] for instrument in both if instrument.traces]
        leaves = [leaf for trace in newest for given in trace.inputs.values() for leaf in given]
        return all(leaf.shape.rank and leaf.shape[0] is None for leaf in leaves)


def _built(trace: Trace, *, takes_outputs: bool, instead: Variables | None) -> _Pass:
    roles = tuple((role, leaf) for role in ROLES for leaf in trace.inputs[role])
    inputs = [leaf for _, leaf in roles]
    wanted = [part for part in _parts(trace.sample) if part is not None]
    if takes_outputs:
        return _Pass(cut([*inputs, trace.outputs], wanted), roles, True, replace(trace, loss=None))
    if instead is not None:
        instead.check(inputs, wanted)
        return _Pass(cut(inputs, wanted, instead.handles), roles, False, replace(trace, loss=None))
    if trace.loss is not None and trace.loss.shape.rank == 0:
        wanted.append(trace.loss)
    return _Pass(cut(inputs, wanted), roles, False, trace)


def _parts(sample: SampleTensors) -> tuple[Any, ...]:
    return sample.loss, sample.correct, sample.y, sample.y_pred, sample.weight


def _fitting(inputs: Sequence[tuple[str, Any]], batch: UnpackedBatch) -> Iterator[Any]:
    """Yield a batch's leaves as a piece takes them; sample weights that the batch does not have are 1."""
    given = {role: iter(leaves) for role, leaves in batch.inputs.items()}
    for role, leaf in inputs:
        value = next(given[role], None)
        if value is None:
            yield tf.ones([batch.samples, *([1] * (leaf.shape.rank - 1))], leaf.dtype)
        else:
            yield tf.cast(value, leaf.dtype)


def _takes(trace: Trace, batch: UnpackedBatch, *, in_any_number: bool) -> bool:
    """Whether a batch's leaves fit those that a step was traced for.

    Args:
        trace: of the step.
        batch: to be measured.
        in_any_number: whether its samples may be taken in parts, filled up where need be.
    """
    for role in ROLES:
        traced, given = trace.inputs[role], batch.inputs[role]
        if role == "sample_weight" and not given:
            continue
        if role != "sample_weight" and len(traced) != len(given):
            return False
        for leaf, value in zip(traced, given, strict=False):
            shape = [None, *np.shape(value)[1:]] if in_any_number else np.shape(value)
            if not leaf.shape.is_compatible_with(shape):
                return False
    return True


def _fixed_size(trace: Trace) -> int | None:
    """Return the only number of samples that a trace takes, or None where it takes any."""
    sizes = {leaf.shape[0] for leaves in trace.inputs.values() for leaf in leaves}
    size: int | None = sizes.pop() if len(sizes) == 1 else None
    return size


def _of_size(batch: UnpackedBatch, size: int) -> Iterator[tuple[int, UnpackedBatch]]:
    """Yield a batch in parts of one size, each with how many of its first samples are the batch's.

    In inference mode a sample's metrics don't follow from the others, so the last part repeats its last sample.
    """
    for start in range(0, batch.samples, size):
        samples = min(size, batch.samples - start)
        rows = np.minimum(np.arange(start, start + size), batch.samples - 1)
        inputs = {role: tuple(tf.gather(leaf, rows) for leaf in given) for role, given in batch.inputs.items()}
        yield samples, replace(batch, inputs=inputs, outputs=None, samples=size)


def _beyond(rows: FloatArray, loss: float, per_sample: PerSampleMetrics) -> float:
    """Return what a batch's loss holds beyond its samples'; what rounding may give counts as nothing."""
    values, weight = rows[ROWS.index("loss")], rows[ROWS.index("weight")]
    below = weight.sum() if per_sample.loss_weighting is Weighting.PER_BATCH_WEIGHT else float(values.size)
    beyond = loss - float((values * weight).sum() / below) if below else 0.0
    return beyond if abs(beyond) > _ROUNDING * max(1.0, abs(loss)) else 0.0


def _per_sample(results: Sequence[tuple[FloatArray, float]]) -> dict[str, FloatArray]:
    return dict(zip(ROWS, np.concatenate([rows for rows, _ in results], axis=1), strict=True))


def _mean(results: Sequence[tuple[FloatArray, float]]) -> float:
    return float(np.mean([beyond for _, beyond in results]))


def _depends_on_batch(backend: Backend, layer: Any) -> bool:
    """Whether a layer's training output for one sample depends on the others, or is not known not to."""
    if isinstance(layer, backend.batch_normalization) or getattr(layer, "stateful", False) is True:
        return True
    return not backend.is_own(type(layer)) and not isinstance(layer, backend.package.Model)


def inner_shapes(batch: UnpackedBatch) -> list[Any]:
    """Return the shapes of a batch's leaves without their samples."""
    return [tuple(np.shape(leaf)[1:]) for leaves in batch.inputs.values() for leaf in leaves]


def _ordinals(batches: Sequence[UnpackedBatch]) -> IntArray:
    return np.repeat(np.arange(len(batches)), [batch.samples for batch in batches])


def concatenate(group: Sequence[UnpackedBatch]) -> UnpackedBatch:
    """Return batches of the same inner shapes as one."""
    if len(group) == 1:
        return group[0]
    return UnpackedBatch(
        inputs={
            role: tuple(tf.concat(same, axis=0) for same in zip(*(batch.inputs[role] for batch in group), strict=True))
            for role in ROLES
        },
        outputs=None if group[0].outputs is None else tf.concat([batch.outputs for batch in group], axis=0),
        loss=float("nan"),
        samples=sum(batch.samples for batch in group),
    )


class preserved_random_state:  # noqa: N801
    """Keeps Python's and NumPy's global random states as they were, whatever tracing a layer draws inside."""

    def __enter__(self) -> None:
        self._python, self._numpy = random.getstate(), np.random.get_state()

    def __exit__(self, *_: object) -> None:
        random.setstate(self._python)
        np.random.set_state(self._numpy)
