"""What one training or validation step emits beside Keras' own logs, computed inside the step's graph.

The batch's own values are taken where the trackers are updated, so no running mean has to be differenced.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tui_monitor.explain.samples.probes import FloatArray
from tui_monitor.training.backends import graphs
from tui_monitor.training.backends.backend import Backend
from tui_monitor.training.backends.capture import Capture, MeanUpdate, batch_mean
from tui_monitor.training.backends.shared_names import logits_behind
from tui_monitor.training.step.batch_metrics import BatchMetrics
from tui_monitor.training.step.operations import float32_tensor
from tui_monitor.training.step.per_sample_metrics import (
    PerSampleMetrics,
    UnitCounts,
    Unsupported,
    per_sample_metrics,
)
from tui_monitor.training.step.sample_tensors import SampleTensors

ROLES = ("x", "y", "sample_weight")
"""What a batch consists of, as Keras takes it apart."""
OUTPUTS = "outputs"
"""Begin of the names under which a training step emits what it keeps of each output; the output's index follows."""


@dataclass
class StepPlan:
    """What was learned while a step was traced; complete once the step has run."""

    probed: bool = True
    """Whether batches are probed at all; if not, steps emit numbers alone."""
    steps_per_call: int = 1
    """`steps_per_execution`."""
    metrics: tuple[str, ...] = ()
    """Names, as Keras logs them, of the values in the payload, `loss` first."""
    running: tuple[str, ...] = ()
    """Those of them whose values are running means since the epoch's begin, as nothing tells the batch's own."""
    outputs: tuple[PerSampleMetrics, ...] = ()
    """How to take the values of each output with a loss apart by sample; empty where that can't be done."""
    by_batch: str = ""
    """Why the model's loss is measured by whole batches, a clause; empty where it is measured by sample."""
    caveat: str = ""
    """Sentence for the panel on why nothing can be measured; empty where something can."""
    is_traced: bool = False
    """Whether a step has been traced, so that the plan is known."""
    failure: Exception | None = None
    """Why steps emit nothing; None while they do."""
    shown: set[tuple[str, int]] | None = None
    """Logs of eager steps and, by `id`, the trackers whose values they were found to be; None where a step of the
    user's own may show another one the next time."""

    def counts_of(self, index: int, counts: FloatArray | None, samples: int) -> UnitCounts | None:
        """Return the unit counts of one output in some batches.

        Args:
            index: of the output.
            counts: sum of what steps emitted for all outputs.
            samples: in all of the batches.
        """
        begin = self._counts_begin(index)
        metrics = self.outputs[index]
        own = None if counts is None else counts[begin : begin + metrics.counts_width]
        return metrics.read_counts(own, samples)

    @property
    def unit_columns(self) -> Mapping[int, tuple[int, ...]]:
        """Return which counts belong to each metric whose units are not samples, see `EpochTotals`."""
        found = {}
        for index, metrics in enumerate(self.outputs):
            if metrics.accuracy_name in self.metrics and metrics.has_units:
                end = self._counts_begin(index) + metrics.counts_width
                columns = (end - 1,) if metrics.is_accuracy_masked else (end - 2, end - 1)
                found[self.metrics.index(metrics.accuracy_name or "")] = columns
        return found

    def _counts_begin(self, index: int) -> int:
        return sum(metrics.counts_width for metrics in self.outputs[:index])


@dataclass(frozen=True)
class Trace:
    """The tensors of one traced step between which a probe cuts; all lie in one graph."""

    inputs: Mapping[str, tuple[Any, ...]]
    """Leaves of the batch by role."""
    outputs: tuple[Any, ...]
    """What is kept of the forward pass for each output with a loss: its values follow from this and the batch, without
    the weights."""
    samples: tuple[SampleTensors, ...]
    """The metrics of each sample and what they follow from, for each such output."""
    loss: Any
    """What the model's loss came to, as it is reported, shape (); None where that is not known."""


def unpacked(backend: Backend, data: Any) -> dict[str, Any]:
    """Return a batch taken apart as Keras does it; a form of the user's own counts as inputs."""
    try:
        parts = backend.package.utils.unpack_x_y_sample_weight(data)
    except (TypeError, ValueError):
        parts = (data, None, None)
    return dict(zip(ROLES, parts, strict=True))


def leaves(nest: Any) -> tuple[Any, ...]:
    """Return the tensors of a nest, whose other leaves, such as an input left out, are skipped."""
    return tuple(leaf for leaf in tf.nest.flatten(nest) if leaf is not None)


def samples_in(parts: Mapping[str, Any], capture: Capture) -> Any:
    """Return the number of samples in a batch, float32, shape (); outside a graph a number.

    Args:
        parts: of the batch by role.
        capture: of the step, which may have counted them for its mean of losses.
    """
    first = next(leaf for role in ROLES for leaf in leaves(parts[role]))
    if first.shape.rank and first.shape[0] is not None:
        size = float(first.shape[0])
        return size if tf.executing_eagerly() else tf.constant(size)
    for update in capture.means:
        if update.counts_alone and graphs.is_row_count(update.weight, first):
            return float32_tensor(update.count)
    if isinstance(first, tf.RaggedTensor):
        return tf.cast(first.nrows(), tf.float32)
    if first.shape.rank == 1:
        return tf.cast(tf.size(first), tf.float32)
    # Where not even the rank is known, taking the shape apart might fail while the step runs. Where it is, that takes
    # fewer operations than an index, whose bounds are three.
    rows = tf.unstack(tf.shape(first))[0] if first.shape.rank else tf.reduce_prod(tf.shape(first)[:1])
    return tf.cast(rows, tf.float32)


def learn(
    plan: StepPlan, backend: Backend, model: Any, parts: Mapping[str, Any], capture: Capture, loss: Any
) -> Trace | None:
    """Note in the plan what can be measured of a step, and return the tensors to measure it by, or None.

    Args:
        plan: of the step.
        backend: of the model.
        model: whose step it is.
        parts: of the batch by role.
        capture: of the step.
        loss: what the model's loss came to on the batch, as it is reported, shape (); None where nothing tells.
    """
    # Each trace finds this out anew: for other shapes the answer may be another.
    plan.outputs, plan.by_batch, plan.caveat, plan.is_traced = (
        (),
        "",
        _caveat(plan, parts, capture),
        True,
    )
    if plan.caveat:
        return None
    inputs = {role: leaves(parts[role]) for role in ROLES}
    try:
        found = per_sample_metrics(backend, model, capture)
        kept = tuple(_kept_outputs(inputs, sample) for _, sample in found)
    except Unsupported as reason:
        plan.by_batch = str(reason)
        if loss is None:
            plan.caveat = f"Not measured: {reason}, and its logs hold no `loss` of single batches."
            return None
        return Trace(inputs, (), (), loss)
    plan.outputs = tuple(metrics for metrics, _ in found)
    plan.by_batch = next((metrics.by_batch for metrics in plan.outputs if metrics.by_batch), "")
    return Trace(inputs, kept, tuple(sample for _, sample in found), loss)


def _caveat(plan: StepPlan, parts: Mapping[str, Any], capture: Capture) -> str:
    """Return why nothing of a step can be measured, whatever its loss; empty where nothing speaks against it."""
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    if plan.steps_per_call > 1 and replicas > 1:
        return (
            "Under several replicas with more than one step per execution, Keras returns the last step of each call "
            "alone: one batch of each call is recorded, and the gap is only shown."
        )
    if any(isinstance(leaf, tf.RaggedTensor | tf.SparseTensor) for leaf in leaves((parts, capture.y_pred))):
        return "The data is ragged or sparse: the gap can't be split by sample, only shown."
    return ""


def _kept_outputs(inputs: Mapping[str, tuple[Any, ...]], sample: SampleTensors) -> Any:
    """Return the tensor from which the values follow without the model's weights.

    Keras computes a cross-entropy from the logits before a softmax where it finds them, so these are kept then.

    Raises:
        Unsupported: there is no such tensor.
    """
    if graphs.graph_of(sample.y_pred) is None:
        return sample.y_pred
    ends = [leaf for role in inputs.values() for leaf in role]
    candidates = [sample.y_pred, logits_behind(sample.y_pred)]
    # Keras' cross-entropies look for the logits there, too, where none are noted on the outputs.
    if sample.y_pred.op.type in ("Softmax", "Sigmoid"):
        candidates.append(sample.y_pred.op.inputs[0])
    for outputs in candidates:
        if outputs is not None and not any(
            graphs.variables_behind(tensor, [*ends, outputs]) for tensor in sample.followed()
        ):
            return outputs
    raise Unsupported("the loss follows from more than the model's outputs")


def batch_values(
    plan: StepPlan,
    backend: Backend,
    model: Any,
    logs: Mapping[str, Any],
    capture: Capture,
    copies: BatchMetrics,
    data: tuple[Any, Any, Any],
) -> dict[str, Any]:
    """Return the value of each logged scalar on this batch alone, `loss` first, and note which are running means.

    Args:
        plan: gets the names.
        backend: of the model.
        model: whose step it is.
        logs: what the step returns.
        capture: of the step.
        copies: of metrics that are no means.
        data: targets, outputs and sample weights, or None, that metrics are given.
    """
    scalars = {name: tf.convert_to_tensor(log) for name, log in flat(logs).items() if is_scalar(log)}
    values, running = own_values(plan, backend, model, scalars, capture), []
    values.update(copies.values({name: log for name, log in scalars.items() if name not in values}, data))
    for name, log in scalars.items():
        if name not in values:
            values[name] = float32_tensor(log)
            running.append(name)
    if "loss" in values:
        values = {"loss": values.pop("loss"), **values}
    plan.metrics, plan.running = tuple(values), tuple(name for name in values if name in running)
    return values


def own_values(
    plan: StepPlan, backend: Backend, model: Any, logs: Mapping[str, Any], capture: Capture
) -> dict[str, Any]:
    """Return this batch's own value of each log, where a mean tracker or the log itself gives it.

    Args:
        plan: of the step.
        backend: of the model.
        model: whose step it is.
        logs: scalars that the step returns.
        capture: of the step.
    """
    values = {}
    updates = _updates_by_name(plan, backend, model, logs, capture)
    for name, log in logs.items():
        if name in updates:
            values[name] = batch_mean(updates[name])
        elif _is_of_this_batch(backend, model, name, log):
            values[name] = float32_tensor(log)
    return values


def flat(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Return logs as Keras tells them to callbacks: those inside a dictionary under their own names."""
    found: dict[str, Any] = {}
    for name, log in logs.items():
        found.update(flat(log) if isinstance(log, dict) else {name: log})
    return found


def is_scalar(log: Any) -> bool:
    """Return whether a log is one number."""
    if not tf.is_tensor(log) or tuple(log.shape) != ():
        return False
    dtype = tf.as_dtype(log.dtype)
    return bool(dtype.is_floating or dtype.is_integer)


def _updates_by_name(
    plan: StepPlan, backend: Backend, model: Any, logs: Mapping[str, Any], capture: Capture
) -> dict[str, MeanUpdate]:
    """Return the update behind each log: the one of the tracker that the log was read from.

    In a graph the log's own tensor tells, in an eager step the value that a tracker shows. One of several replicas
    knows no more than the trackers' names, as its logs are put together from all.
    """
    found: dict[str, MeanUpdate] = {}
    by_name = tf.executing_eagerly() or tf.distribute.get_strategy().num_replicas_in_sync > 1
    here = None if by_name else tf.compat.v1.get_default_graph()
    if here is not None:
        usable = {id(update.handle): update for update in capture.means if update.handle is not None}
        # An update inside a loop or branch has a graph of its own, whose tensors the step can't read.
        usable = {key: update for key, update in usable.items() if update.handle.graph is here}
        for name, log in logs.items():
            update = usable.get(id(_sum_behind(log)))
            if update is not None:
                found[name] = update
        return found
    names = {id(entry.metric): entry.log for entry in backend.compiled_metrics(model)}
    names[id(backend.loss_tracker(model))] = "loss"
    for update in capture.means:
        name = names.get(id(update.metric), update.metric.name)
        if name not in logs or name in found:
            continue
        known = plan.shown is not None and (name, id(update.metric)) in plan.shown
        if known or not tf.executing_eagerly() or _shows(update.metric, logs[name]):
            found[name] = update
            if plan.shown is not None:
                plan.shown.add((name, id(update.metric)))
    if tf.executing_eagerly():
        for name in logs.keys() - found.keys():
            shown = [update for update in capture.means if _shows(update.metric, logs[name])]
            found.update({name: shown[0]} if shown else {})
    return found


def _shows(metric: Any, log: Any) -> bool:
    """Whether a mean tracker's value is that of a log, outside a graph."""
    total, count = (getattr(metric, name, None) for name in ("total", "count"))
    if total is None or count is None:
        return False
    below = float(tf.convert_to_tensor(count))
    value = float(tf.convert_to_tensor(total)) / below if below else 0.0
    return bool(np.isclose(value, float(log), rtol=1e-6, atol=0.0, equal_nan=True))


def _sum_behind(log: Any) -> Any:
    """Return the handle of the sum that a tracker's result was read from, or None where the log is nothing such."""
    operation = getattr(log, "op", None)
    # What `Mean.result` of both Kerases puts between the sum and the log.
    while operation is not None and operation.type in ("Identity", "Cast", "DivNoNan", "RealDiv"):
        operation = operation.inputs[0].op
    return operation.inputs[0] if operation is not None and operation.type == "ReadVariableOp" else None


def _is_of_this_batch(backend: Backend, model: Any, name: str, log: Any) -> bool:
    """Whether a log that no mean stands behind is the batch's own: computed from the batch, or a weight's value.

    A value that follows from other variables alone, like a metric's result, has seen earlier batches, too.
    """
    if graphs.graph_of(log) is None:
        return name not in {metric.name for metric in model.metrics}
    if not graphs.reads_variables_alone(log):
        return True
    known = {id(handle) for handle in backend.weight_handles(model)}
    return all(id(graphs.handle_outside(handle)) in known for handle in graphs.variables_behind(log))
