"""Forward passes over kept batches at the current weights; nothing the training uses is ever changed.

A pass is a piece of the graph that Keras traced for the training or validation step, from the batch to the values of
each sample. The user's code is not called again. Where there is no such graph, a model of Keras' own layers alone is
traced anew; any other can't be measured.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from tui_monitor.explain.samples.probes import FloatArray
from tui_monitor.training.backends.backend import Backend
from tui_monitor.training.backends.memory import refuse_memory
from tui_monitor.training.backends.pieces import Piece, cut
from tui_monitor.training.backends.precision import narrow_type_of
from tui_monitor.training.backends.repeatable import NotRepeatable
from tui_monitor.training.probe.anew import holds_own_code_alone, trace_anew
from tui_monitor.training.probe.batches import (
    LARGEST_PASS,
    UnpackedBatch,
    concatenate,
    inner_shapes,
    of_size,
)
from tui_monitor.training.probe.draws import Draws
from tui_monitor.training.probe.layer_modes import acts_by_mode, depends_on_batch
from tui_monitor.training.probe.measured import (
    MeasuredBatches,
    MeasuredPass,
    beyond,
    together,
)
from tui_monitor.training.probe.variables import InFloat32, Instead
from tui_monitor.training.step.instrument import Instrument
from tui_monitor.training.step.payload import ROLES, Trace
from tui_monitor.training.step.per_sample_metrics import PerSampleMetrics, Unsupported
from tui_monitor.training.step.sample_tensors import SampleTensors


@dataclass(frozen=True)
class _Pass:
    """A piece of a graph from a batch to the metrics of its samples."""

    run: Callable[[Sequence[Any]], list[Any]]
    inputs: tuple[tuple[str, Any], ...]
    """Role and tensor of each leaf that the piece takes, before any outputs."""
    takes_outputs: bool
    trace: Trace

    def measure(self, batch: UnpackedBatch, outputs: Sequence[PerSampleMetrics]) -> MeasuredPass:
        """Return the values of a batch, for each output with rows as in `PerSampleMetrics.rows`, and its loss."""
        samples, results = self._run(batch)
        # Where validation is measured otherwise than training, no output is taken apart.
        both = zip(outputs, samples, strict=True) if outputs else ()
        rows = tuple(metrics.of(sample) for metrics, sample in both)
        # It was asked for last, and only where the pass has one.
        loss = next(results, None)
        if loss is None:
            return MeasuredPass(rows, math.nan, 0.0)
        return MeasuredPass(rows, float(loss), beyond(rows, float(loss), outputs))

    def samples(self, batch: UnpackedBatch) -> list[SampleTensors]:
        """Return what the piece computes for each sample of a batch, of each output."""
        return self._run(batch)[0]

    def _run(self, batch: UnpackedBatch) -> tuple[list[SampleTensors], Iterator[Any]]:
        kept = map(tf.convert_to_tensor, batch.outputs if self.takes_outputs else ())
        results = iter(self.run([*_fitting(self.inputs, batch), *kept]))
        return [sample.filled(results) for sample in self.trace.samples], results


class Probe:
    """Measures batches of one compiled model; holds the pieces of graphs, nothing of the training."""

    def __init__(self, model: Any, training: Instrument, validation: Instrument | None) -> None:
        self.model = model
        self.validation = validation
        self.training = training
        self.backend: Backend = training.backend
        self._joinable = not any(depends_on_batch(self.backend, layer) for layer in self.backend.layers(model))
        self.ready: set[str] = set()
        """Kinds of measurement whose passes were built."""
        self.building_seconds = 0.0
        """Spent so far on building passes, each of which is built once."""
        self._passes: dict[tuple[str, int], tuple[Trace, _Pass]] = {}
        self._readings: dict[int, tuple[Trace, tuple[tuple[str, Any], ...], Piece]] = {}
        self._anew: list[tuple[str, Trace]] = []
        self._narrow: dict[int, tuple[Trace, str]] = {}
        self._in_float32 = InFloat32()
        self._draws = Draws()

    def training_batches(self, batches: Sequence[UnpackedBatch]) -> MeasuredBatches:
        """Measure training batches in both modes, and their values as of when they were trained on.

        Raises:
            Unsupported: they can't be measured again; the message is the sentence for the panel.
        """
        groups = list(self._groups(batches, in_training=True))
        hides = self.training.plan.by_batch and any(self._hides_weights(batch) for batch in batches)
        measured = defaultdict[str, list[MeasuredPass]](list)
        for group in groups:
            batch = concatenate(group)
            if self._outputs:
                measured["then"].append(self._measure("then", batch))
            self._draws.anew()
            measured["training"].append(self._measure("training", batch))
            if hides:
                # By the same draws, so that nothing but the weights makes the difference.
                measured["unweighted"].append(self._measure("training", _without_weights(batch)))
            measured["inference"].append(self._measure("inference", batch))
        return together(self._outputs, groups, measured)

    def _hides_weights(self, batch: UnpackedBatch) -> bool:
        """Whether a batch has weights that the test step does not take, as validation has none."""
        return bool(batch.inputs["sample_weight"]) and not self._trace("inference", batch).inputs["sample_weight"]

    def validation_batches(self, batches: Sequence[UnpackedBatch]) -> MeasuredBatches:
        """Measure validation batches in inference mode.

        Raises:
            Unsupported: as for training batches.
        """
        groups = list(self._groups(batches, in_training=False))
        measured = {"inference": [self._measure("inference", concatenate(group)) for group in groups]}
        return together(self._outputs, groups, measured)

    def targets_and_outputs(self, batches: Sequence[UnpackedBatch]) -> list[tuple[FloatArray, FloatArray]]:
        """Return the targets and the outputs of the first output of each batch, in inference mode.

        Args:
            batches: of either side.

        Raises:
            Unsupported: as for training batches, or because the test step takes batches of one size alone.
        """
        found = []
        for batch in batches:
            trace = self._trace("inference", batch)
            if _fixed_size(trace) not in (None, batch.samples):
                raise Unsupported("the test step takes batches of one size alone")
            sample = self._pass("inference", trace).samples(batch)[0]
            found.append((sample.y.numpy(), sample.y_pred.numpy()))
        return found

    def narrow_type(self, batch: UnpackedBatch) -> str:
        """Return the type narrower than float32 that inference computes in, as a rule; empty where it does not.

        Args:
            batch: of either side.

        Raises:
            Unsupported: as for training batches.
        """
        trace = self._trace("inference", batch)
        # By identity, so the trace is held with its answer.
        if id(trace) not in self._narrow:
            leaves = [leaf for role in ROLES for leaf in trace.inputs[role]]
            wanted = [tensor for sample in trace.samples for tensor in sample.tensors()]
            self._narrow[id(trace)] = trace, narrow_type_of(leaves, wanted)
        return self._narrow[id(trace)][1]

    def in_float32(self, batches: Sequence[UnpackedBatch]) -> Mapping[str, FloatArray]:
        """Return values of the units of the first output in inference mode, computed in float32.

        Args:
            batches: of either side.

        Raises:
            Unsupported: as for training batches, or because the step can't be computed in float32.
        """
        return self.with_variables(batches, self._in_float32)

    def with_variables(self, batches: Sequence[UnpackedBatch], instead: Instead) -> Mapping[str, FloatArray]:
        """Return values of the units of the first output in inference mode, with other values of some variables.

        Args:
            batches: of either side.
            instead: what is computed instead, such as variables to read instead of the model's own.

        Raises:
            Unsupported: as for training batches, or because a pass reads a variable that must be among them and is not.
        """
        groups = list(self._groups(batches, in_training=False))
        measured = {"inference": [self._measure("inference", concatenate(group), instead) for group in groups]}
        return together(self._outputs, groups, measured).outputs[0].inference

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
        # By the trace alone: `find` has to return the same tensors of it each time.
        if id(trace) not in self._readings:
            begun = time.perf_counter()
            roles = tuple((role, leaf) for role in ROLES for leaf in trace.inputs[role])
            try:
                self._readings[id(trace)] = trace, roles, self._draws.cut([leaf for _, leaf in roles], find(trace))
            except NotRepeatable as reason:
                raise Unsupported(f"the step can't be run again, because {reason}") from None
            self.building_seconds += time.perf_counter() - begun
        _, roles, run = self._readings[id(trace)]
        self._draws.anew()
        return [value.numpy().astype(np.float64) for value in run(list(_fitting(roles, batch)))]

    def has_two_losses(self, batch: UnpackedBatch, training: float, inference: float) -> bool:
        """Return whether training and test step certainly compute different losses: nothing else explains a difference.

        Args:
            batch: of training.
            training: its loss by the training step at the current weights, without weights that the test step ignores.
            inference: the same by the test step.
        """
        differ = abs(training - inference) > 1e-3 * abs(training) + 1e-6
        if not differ or any(acts_by_mode(self.backend, layer) for layer in self.backend.layers(self.model)):
            return False
        # Measured twice: a loss that draws random numbers differs from itself, and proves nothing then.
        again = _without_weights(batch) if self._hides_weights(batch) else batch
        self._draws.anew()
        return self._measure("training", again).loss == training

    @property
    def _outputs(self) -> tuple[PerSampleMetrics, ...]:
        return self.training.plan.outputs

    def _measure(self, kind: str, batch: UnpackedBatch, instead: Instead | None = None) -> MeasuredPass:
        trace = self._trace(kind, batch)
        measured = self._pass(kind, trace, instead)
        size = _fixed_size(trace)
        if kind != "inference" or size in (None, batch.samples):
            return measured.measure(batch, self._outputs)
        # Filling a batch up would change a loss that is not made of its samples'.
        if not self._by_sample:
            raise Unsupported("batches of another size than validation's can't be measured by the test step")
        parts = [(samples, measured.measure(part, self._outputs)) for samples, part in of_size(batch, size)]
        rows = [
            # Rows of what was filled up are dropped; one sample may have several units.
            [part.rows[index][:, : part.rows[index].shape[1] * samples // size] for samples, part in parts]
            for index in range(len(self._outputs))
        ]
        beyond = float(np.mean([part.beyond for _, part in parts]))
        return MeasuredPass(tuple(np.concatenate(each, axis=1) for each in rows), math.nan, beyond)

    def _pass(self, kind: str, trace: Trace, instead: Instead | None = None) -> _Pass:
        passes = self._passes if instead is None else instead.passes
        # By identity, so the trace is held with its pass: its number must not be given to another.
        key = (kind, id(trace))
        if key not in passes:
            begun = time.perf_counter()
            try:
                if kind == "inference":
                    refuse_memory([leaf for role in ROLES for leaf in trace.inputs[role]], _wanted_of(trace))
                drawing = self._draws if kind == "training" else None
                passes[key] = trace, _built(trace, takes_outputs=kind == "then", instead=instead, draws=drawing)
            except NotRepeatable as reason:
                raise Unsupported(f"the step can't be run again, because {reason}") from None
            self.building_seconds += time.perf_counter() - begun
        found: _Pass = passes[key][1]
        return found

    def _trace(self, kind: str, batch: UnpackedBatch) -> Trace:
        """Return the trace to cut from: the newest of Keras' own that takes the batch, else one made anew."""
        instrument = self.validation if kind == "inference" else self.training
        # The newest first: a model changed between fits was traced again, and older traces compute what it was.
        for trace in reversed(instrument.traces if instrument is not None else ()):
            if _takes(trace, batch, in_any_number=kind == "inference"):
                return trace
        for made_for, trace in reversed(self._anew):
            if made_for == kind and _takes(trace, batch, in_any_number=False):
                return trace
        structure = self.training.structure
        if kind == "inference" and self.validation is None and not holds_own_code_alone(self.backend, self.model):
            raise Unsupported("there is no validation data")
        if not self._outputs:
            raise Unsupported("no step of the model was traced to a graph")
        trace = trace_anew(self.backend, self.model, structure, batch.inputs, batch.outputs, kind)
        self._anew.append((kind, trace))
        return trace

    def _groups(self, batches: Sequence[UnpackedBatch], *, in_training: bool) -> Iterator[list[UnpackedBatch]]:
        """Yield runs of batches that may share a forward pass: same inner shapes, no layer that mixes samples."""
        apart = (in_training and not self._joinable) or not self._any_size(in_training) or not self._by_sample
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

    @property
    def _by_sample(self) -> bool:
        """Whether a batch's values follow from each sample by itself, layers that mix samples apart."""
        return not self.training.plan.by_batch and all(metrics.is_own_loss for metrics in self._outputs)

    def _any_size(self, in_training: bool) -> bool:
        """Whether the newest trace of a side takes batches of any size; inference takes training's in parts anyway."""
        # Batches of one static size, as of a dataset that drops the remainder, are traced for that size alone.
        instrument = self.training if in_training else self.validation
        newest = instrument.traces[-1] if instrument is not None and instrument.traces else None
        leaves = [leaf for given in newest.inputs.values() for leaf in given] if newest is not None else []
        return all(leaf.shape.rank and leaf.shape[0] is None for leaf in leaves)


def _built(trace: Trace, *, takes_outputs: bool, instead: Instead | None, draws: Draws | None) -> _Pass:
    roles = tuple((role, leaf) for role in ROLES for leaf in trace.inputs[role])
    inputs = [leaf for _, leaf in roles]
    wanted = [tensor for sample in trace.samples for tensor in sample.tensors()]
    if takes_outputs:
        # Without the model's own loss: these outputs are those of then, while penalties would be of the weights of now.
        return _Pass(cut([*inputs, *trace.outputs], wanted), roles, True, replace(trace, loss=None))
    if instead is not None:
        return _Pass(instead.cut(inputs, wanted), roles, False, replace(trace, loss=None))
    run = cut(inputs, _wanted_of(trace)) if draws is None else draws.cut(inputs, _wanted_of(trace))
    return _Pass(run, roles, False, trace)


def _wanted_of(trace: Trace) -> list[Any]:
    """Return the tensors of each sample's values, and of the model's own loss where it is one number."""
    loss = [trace.loss] if trace.loss is not None and trace.loss.shape.rank == 0 else []
    return [*(tensor for sample in trace.samples for tensor in sample.tensors()), *loss]


def _fitting(inputs: Sequence[tuple[str, Any]], batch: UnpackedBatch) -> Iterator[Any]:
    """Yield a batch's leaves as a piece takes them; sample weights that the batch does not have are 1."""
    given = {role: iter(leaves) for role, leaves in batch.inputs.items()}
    for role, leaf in inputs:
        value = next(given[role], None)
        if value is None:
            yield tf.ones([batch.samples, *([1] * (leaf.shape.rank - 1))], leaf.dtype)
        else:
            yield tf.cast(value, leaf.dtype)


def _without_weights(batch: UnpackedBatch) -> UnpackedBatch:
    return replace(batch, inputs={**batch.inputs, "sample_weight": ()})


def _takes(trace: Trace, batch: UnpackedBatch, *, in_any_number: bool) -> bool:
    """Whether a batch's leaves fit those that a step was traced for.

    Args:
        trace: of the step.
        batch: to be measured.
        in_any_number: whether its samples may be taken in parts, filled up where need be.
    """
    for role in ROLES:
        traced, given = trace.inputs[role], batch.inputs[role]
        # Weights that the batch does not have are filled up with ones.
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
