"""What one training or validation step emits beside Keras' own logs, computed inside the step's graph.

The batch's own values are taken where the trackers are updated, so no running mean has to be differenced.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tui_monitor.training.backends import graphs
from tui_monitor.training.backends.backend import Backend
from tui_monitor.training.backends.capture import Capture, MeanUpdate, batch_mean
from tui_monitor.training.backends.shared_names import logits_behind
from tui_monitor.training.step.batch_metrics import BatchMetrics
from tui_monitor.training.step.per_sample_metrics import (
    PerSampleMetrics,
    SampleTensors,
    Unsupported,
    per_sample_metrics,
)

ROLES = ("x", "y", "sample_weight")
"""What a batch consists of, as Keras takes it apart."""


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
    per_sample: PerSampleMetrics | None = None
    """How to take the values apart by sample, or None where `caveat` says why not."""
    caveat: str = ""
    """Sentence for the panel on what can't be measured; empty when all can."""
    failure: Exception | None = None
    """Why a step emits nothing, if it does not."""


@dataclass(frozen=True)
class Trace:
    """The tensors of one traced step between which a probe cuts; all lie in one graph."""

    inputs: Mapping[str, tuple[Any, ...]]
    """Leaves of the batch by role."""
    outputs: Any
    """What is kept of the forward pass: everything after it follows from this and the batch, without the weights."""
    sample: SampleTensors
    """The metrics of each sample and what they follow from."""
    loss: Any
    """What the model's loss came to, shape (); None where that is not known."""
    replicas: int = 1
    """In how many parts the batch was trained on."""


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


def samples_in(parts: Mapping[str, Any]) -> tf.Tensor:
    """Return the number of samples in a batch, float32, shape ()."""
    first = next(leaf for role in ROLES for leaf in leaves(parts[role]))
    if isinstance(first, tf.RaggedTensor):
        return tf.cast(first.nrows(), tf.float32)
    # Where not even the rank is known, indexing might fail while the step runs.
    size = tf.shape(first)[0] if first.shape.rank is not None else tf.reduce_prod(tf.shape(first)[:1])
    return tf.cast(size, tf.float32)


def learn(plan: StepPlan, backend: Backend, model: Any, parts: Mapping[str, Any], capture: Capture) -> Trace | None:
    """Note in the plan what can be measured of a step, and return the tensors to measure it by, or None."""
    plan.per_sample, plan.caveat = None, ""
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    if capture.y_pred is None:
        plan.caveat = "The model's step computes no loss through Keras: the gap can only be shown."
    elif plan.steps_per_call > 1 and replicas > 1:
        plan.caveat = (
            "Under several replicas with more than one step per execution, Keras returns the last step of each call "
            "alone: one batch of each call is recorded, and the gap is only shown."
        )
    elif any(isinstance(leaf, tf.RaggedTensor | tf.SparseTensor) for leaf in leaves((parts, capture.y_pred))):
        plan.caveat = "The data is ragged or sparse: the gap can't be split by sample, only shown."
    else:
        try:
            plan.per_sample, sample = per_sample_metrics(backend, model, capture)
        except Unsupported as reason:
            plan.caveat = str(reason)
        else:
            inputs = {role: leaves(parts[role]) for role in ROLES}
            outputs = _kept_outputs(inputs, sample)
            if outputs is not None:
                return Trace(inputs, outputs, sample, capture.loss, replicas)
            plan.per_sample = None
            plan.caveat = "The loss follows from more than the model's outputs: the gap can't be split, only shown."
    return None


def _kept_outputs(inputs: Mapping[str, tuple[Any, ...]], sample: SampleTensors) -> Any:
    """Return the tensor from which the values follow without the model's weights, or None where there is none.

    Keras computes a cross-entropy from the logits before a softmax where it finds them, so these are kept then.
    """
    if graphs.graph_of(sample.y_pred) is None:
        return sample.y_pred
    ends = [leaf for role in inputs.values() for leaf in role]
    candidates = [sample.y_pred, logits_behind(sample.y_pred)]
    if sample.y_pred.op.type in ("Softmax", "Sigmoid"):
        candidates.append(sample.y_pred.op.inputs[0])
    for outputs in candidates:
        if outputs is not None and not any(
            graphs.variables_behind(tensor, [*ends, outputs]) for tensor in sample.followed()
        ):
            return outputs
    return None


def batch_values(
    plan: StepPlan,
    backend: Backend,
    model: Any,
    logs: Mapping[str, Any],
    capture: Capture,
    copies: BatchMetrics,
    data: tuple[Any, Any, Any],
) -> dict[str, tf.Tensor]:
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
    scalars = {name: tf.convert_to_tensor(log) for name, log in logs.items() if _is_scalar(log)}
    values, running = {}, []
    updates = _updates_by_name(backend, model, scalars, capture)
    for name, log in scalars.items():
        if name in updates:
            values[name] = batch_mean(updates[name])
        elif _is_of_this_batch(backend, model, name, log):
            values[name] = tf.cast(log, tf.float32)
    values.update(copies.values({name: log for name, log in scalars.items() if name not in values}, data))
    for name, log in scalars.items():
        if name not in values:
            values[name] = tf.cast(log, tf.float32)
            running.append(name)
    if "loss" in values:
        values = {"loss": values.pop("loss"), **values}
    plan.metrics, plan.running = tuple(values), tuple(name for name in values if name in running)
    return values


def _is_scalar(log: Any) -> bool:
    if not tf.is_tensor(log) or tuple(log.shape) != ():
        return False
    dtype = tf.as_dtype(log.dtype)
    return bool(dtype.is_floating or dtype.is_integer)


def _updates_by_name(backend: Backend, model: Any, logs: Mapping[str, Any], capture: Capture) -> dict[str, MeanUpdate]:
    """Return the update behind each log: the one of the tracker that the log was read from.

    In a graph the log's own tensor tells. An eager step knows no more than the trackers' names, and nor does one of
    several replicas, whose logs are put together from all.
    """
    found: dict[str, MeanUpdate] = {}
    by_name = tf.executing_eagerly() or tf.distribute.get_strategy().num_replicas_in_sync > 1
    here = None if by_name else tf.compat.v1.get_default_graph()
    if here is not None:
        usable = {id(update.handle): update for update in capture.means if update.handle is not None}
        usable = {key: update for key, update in usable.items() if update.handle.graph is here}
        for name, log in logs.items():
            update = usable.get(id(_sum_behind(log)))
            if update is not None:
                found[name] = update
        return found
    names = {**backend.logged_names(model), id(backend.loss_tracker(model)): "loss"}
    for update in capture.means:
        name = names.get(id(update.metric), update.metric.name)
        if name in logs:
            found.setdefault(name, update)
    return found


def _sum_behind(log: Any) -> Any:
    """Return the handle of the sum that a tracker's result was read from, or None where the log is nothing such."""
    operation = getattr(log, "op", None)
    while operation is not None and operation.type in ("Identity", "Cast", "DivNoNan", "RealDiv"):
        operation = operation.inputs[0].op
    return operation.inputs[0] if operation is not None and operation.type == "ReadVariableOp" else None


def _is_of_this_batch(backend: Backend, model: Any, name: str, log: Any) -> bool:
    """Whether a log that no mean stands behind is the batch's own: computed from the batch, or a weight's value.

    What follows from other variables alone, as the result of a metric does, has seen earlier batches, too.
    """
    if graphs.graph_of(log) is None:
        return name not in {metric.name for metric in model.metrics}
    if not graphs.reads_variables_alone(log):
        return True
    known = {id(handle) for handle in backend.weight_handles(model)}
    return all(id(graphs.handle_outside(handle)) in known for handle in graphs.variables_behind(log))
