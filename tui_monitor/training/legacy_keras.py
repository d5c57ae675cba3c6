"""Legacy Keras (`tf_keras`) as an engine (see `engines.Engine`): what a forward pass changes is put back after it.

Its random ops keep their counters inside each traced function, so a function of our own leaves those of training alone.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import tensorflow as tf
import tf_keras as keras
from tf_keras.src.engine import training
from tf_keras.src.engine.compile_utils import LossesContainer, match_dtype_and_rank
from tf_keras.src.layers.normalization.batch_normalization import BatchNormalizationBase
from tf_keras.src.metrics.base_metric import Reduce
from tf_keras.src.utils.losses_utils import squeeze_or_expand_dimensions
from tf_keras.src.utils.metrics_utils import ragged_assert_compatible_and_get_flat_values

from tui_monitor.training.own_replica import refuse_collectives, trains_on_several_workers

package: ModuleType = keras
trainer: ModuleType = training
loss_methods: tuple[str, ...] = ("compute_loss",)
batch_normalization: type[Any] = BatchNormalizationBase
log_type: type[float] = float

_MOST_TUNED_STEPS = 1024

_COMPILED = (
    "optimizer",
    "compiled_loss",
    "compiled_metrics",
    "_run_eagerly",
    "_jit_compile",
    "_steps_per_execution",
)


def steps_per_call(model: Any) -> int:
    """Return `steps_per_execution`, or the most that are recorded of a call whose steps Keras tunes as it goes."""
    if getattr(model, "_autotune_steps_per_execution", False):
        return _MOST_TUNED_STEPS
    steps = getattr(model, "_steps_per_execution", None)
    return 1 if steps is None else int(steps.numpy())


def compiled_parts(model: Any) -> tuple[Any, ...]:
    """Return what `compile` set; variables are told apart by identity, as `==` compares what they hold."""
    return tuple(_comparable(getattr(model, name, None)) for name in _COMPILED)


def _comparable(part: Any) -> Any:
    return id(part) if isinstance(part, tf.Variable) else part


def loss_tracker(model: Any) -> Any:
    """Return the metric that reports `loss`, or None."""
    return getattr(getattr(model, "compiled_loss", None), "_total_loss_mean", None)


def watch_updates(model: Any, updated: Callable[[Any, Any, Any], None], outputs: Callable[[Any], None]) -> None:
    """Have every mean tell what it is given, and the compiled loss its outputs.

    A metric binds its `update_state` when it is made: those made before are wrapped one by one.
    """

    def telling(original: Callable[..., Any], of: Any = None) -> Callable[..., Any]:
        """Return the update as one that tells what the mean is given."""

        @functools.wraps(original)
        def update_state(*args: Any, **kwargs: Any) -> Any:
            """Update the mean, then tell what it was given."""
            result = original(*args, **kwargs)
            metric, *given = args if of is None else (of, *args)
            if isinstance(metric, keras.metrics.Mean):
                arguments = dict(zip(("values", "sample_weight"), given, strict=False)) | kwargs
                updated(metric, *_aligned(arguments["values"], arguments.get("sample_weight")))
            return result

        update_state.tells_capture = True  # type: ignore[attr-defined]
        return update_state

    if not hasattr(Reduce.update_state, "tells_capture"):
        Reduce.update_state = telling(Reduce.update_state)
        _watch_compiled_losses(outputs)
    for metric in (loss_tracker(model), *model.metrics):
        inherited = getattr(type(metric), "update_state", None) is Reduce.update_state
        if inherited and not hasattr(metric.update_state, "tells_capture"):
            object.__setattr__(metric, "update_state", telling(metric.update_state, of=metric))


def _watch_compiled_losses(outputs: Callable[[Any], None]) -> None:
    original = LossesContainer.__call__

    @functools.wraps(original)
    def __call__(self: Any, y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        outputs(y_pred)
        return original(self, y_true, y_pred, *args, **kwargs)

    LossesContainer.__call__ = __call__


def _aligned(values: Any, sample_weight: Any) -> tuple[Any, Any]:
    """Return values and weights with the axes that a mean gives them."""
    [values], sample_weight = ragged_assert_compatible_and_get_flat_values([values], sample_weight)
    if sample_weight is not None:
        values, sample_weight = tf.convert_to_tensor(values), tf.convert_to_tensor(sample_weight)
        values, _, sample_weight = squeeze_or_expand_dimensions(values, sample_weight=sample_weight)
    return values, sample_weight


def compiled_loss(model: Any) -> tuple[Any, float] | None:
    """Return the only loss object and its weight."""
    container = getattr(model, "compiled_loss", None)
    if container is None or not container.built or len(container._losses) != 1 or container._losses[0] is None:
        return None
    weight = container._loss_weights[0]
    return container._losses[0], 1.0 if weight is None else float(weight)


def compiled_metrics(model: Any) -> Iterator[tuple[Any, bool]]:
    """Yield compiled metrics, each with whether it is weighted."""
    compiled = getattr(model, "compiled_metrics", None)
    if compiled is None:
        return
    for metrics, weighted in ((compiled.unweighted_metrics, False), (compiled.weighted_metrics, True)):
        yield from ((metric, weighted) for metric in metrics or () if metric is not None)


def logged_names(model: Any) -> dict[int, str]:
    """Return nothing: metrics are named after their outputs themselves."""
    return {}


def unreduced(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return the function of targets with the type and rank that `compile` gives them."""

    def aligned(y: Any, y_pred: Any) -> Any:
        """Return the function of targets as `compile` would hand them over."""
        y, y_pred, _ = match_dtype_and_rank(tf.cast(y, tf.float32), tf.cast(y_pred, tf.float32), None)
        return function(y, y_pred)

    return aligned


def user_loss(model: Any) -> Any:
    """Return `loss=` as given to `compile`."""
    return getattr(getattr(model, "compiled_loss", None), "_user_losses", None)


def learning_rate(model: Any) -> float | None:
    """Return the optimizer's learning rate at this moment, or None without an optimizer."""
    rate = getattr(getattr(model, "optimizer", None), "learning_rate", None)
    if callable(rate):
        rate = rate(model.optimizer.iterations)
    return None if rate is None else float(keras.backend.get_value(rate))


def forward(model: Any, x: Any, *, training: bool) -> tuple[Any, list[Any]]:
    """Return outputs and the model's own losses; running statistics and seeds move on, see `undisturbing`."""
    outputs = model(x, training=training)
    return outputs, list(model.losses)


def undisturbing(model: Any, function: Any) -> Callable[[Any], Any]:
    """Return the function as one that puts back every variable it can reach, random generators' included."""
    checked = not trains_on_several_workers(model)

    def run(inputs: Any) -> Any:
        """Return the function's result, with every variable as it was."""
        nonlocal checked
        with _seeds_kept(model):
            graph = function.get_concrete_function()
        if not checked:
            refuse_collectives(graph)
            checked = True
        before = [(handle, _read(handle)) for handle in graph.captured_inputs if _variable_type(handle) is not None]
        try:
            return function(inputs)
        finally:
            for handle, value in before:
                tf.raw_ops.AssignVariableOp(resource=handle, value=value)

    return run


def _variable_type(handle: Any) -> Any:
    """Return the type of the variable behind a captured tensor, or None where there is none."""
    if handle.dtype != tf.resource:
        return None
    data = getattr(handle, "_handle_data", None)
    return tf.as_dtype(data.shape_and_type[0].dtype) if data is not None and data.shape_and_type else None


def _read(handle: Any) -> tf.Tensor:
    return tf.raw_ops.ReadVariableOp(resource=handle, dtype=_variable_type(handle))


@contextlib.contextmanager
def _seeds_kept(model: Any) -> Iterator[None]:
    """Put back the seeds that layers count up in Python while they are traced."""
    layers = model._flatten_layers()
    generators = [layer._random_generator for layer in layers if hasattr(layer, "_random_generator")]
    seeds = [generator._seed for generator in generators]
    try:
        yield
    finally:
        for generator, seed in zip(generators, seeds, strict=True):
            generator._seed = seed
