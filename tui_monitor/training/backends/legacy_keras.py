"""Legacy Keras (`tf_keras`) as a backend (see `backend.Backend`): all of its private names that this package uses."""

import contextlib
import functools
import inspect
import random
import types
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import tensorflow as tf
import tf_keras as keras
from tf_keras.src import backend as keras_backend
from tf_keras.src.engine import training
from tf_keras.src.engine.compile_utils import LossesContainer
from tf_keras.src.layers.normalization.batch_normalization import BatchNormalizationBase
from tf_keras.src.metrics.base_metric import Reduce
from tf_keras.src.utils import losses_utils
from tf_keras.src.utils.losses_utils import squeeze_or_expand_dimensions
from tf_keras.src.utils.metrics_utils import ragged_assert_compatible_and_get_flat_values

from tui_monitor.training.backends import capture as captures
from tui_monitor.training.backends import graphs
from tui_monitor.training.backends.backend import CompiledLoss, CompiledMetric, Prepare, Recording, StandIn, wrap_once
from tui_monitor.training.guard import Failed, tell

package: ModuleType = keras
trainer: ModuleType = training
batch_normalization: type[Any] = BatchNormalizationBase
log_type: type[float] = float

_MOST_TUNED_STEPS = 1024
_FUNCTIONS = {"train_step": "train_function", "test_step": "test_function"}
_NONE = object()


def is_own(thing: Any) -> bool:
    """Return whether a class or function is this Keras' own."""
    return str(getattr(thing, "__module__", "")).split(".")[0] == "tf_keras"


def fit_owner() -> type[Any]:
    """Return the class that defines `fit`."""
    return training.Model  # type: ignore[no-any-return]


def graph_mode_fit_owner() -> type[Any]:
    """Return the class that defines `fit` for TensorFlow 1's graph mode."""
    return keras.src.engine.training_v1.Model  # type: ignore[no-any-return]


def tell_captures() -> None:
    """Have means tell what they are given and what they add, losses what they reduce, models what their loss is of.

    A metric binds its `update_state` when it is made; those made before are told of by `tell_of_metrics`.
    """
    wrap_once(Reduce, "update_state", _telling_mean)
    wrap_once(losses_utils, "apply_valid_mask", _telling_mask)
    wrap_once(losses_utils, "compute_weighted_loss", _telling_reduction)
    wrap_once(keras.losses.Loss, "__call__", captures.telling_call)
    wrap_once(training.Model, "compute_loss", captures.telling_loss)
    wrap_once(LossesContainer, "__call__", _telling_container)


def _telling_mean(original: Callable[..., Any], of: Any = None) -> Callable[..., Any]:
    """Return the update of a mean as one that tells; of one metric where it is bound to it."""

    @functools.wraps(original)
    def update_state(*args: Any, **kwargs: Any) -> Any:
        try:
            capture = captures.active()
            before = capture.ask(graphs.position) if capture is not None else None
        except Exception as error:  # training must go on
            capture = captures.lost(error)
        result = original(*args, **kwargs)
        if capture is not None:
            captures.noted(capture, _mean_updated, args if of is None else (of, *args), kwargs, before)
        return result

    return update_state


def _mean_updated(capture: captures.Capture, args: Any, kwargs: Any, before: int) -> None:
    metric, *given = args
    if isinstance(metric, keras.metrics.Mean):
        arguments = dict(zip(("values", "sample_weight"), given, strict=False)) | kwargs
        values, weight = _aligned(arguments["values"], arguments.get("sample_weight"))
        captures.mean_updated(capture, metric, values, weight, before)


def _telling_mask(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def apply_valid_mask(losses: Any, sw: Any, mask: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            capture = captures.active()
        except Exception as error:  # training must go on
            capture = captures.lost(error)
        if capture is not None:
            captures.noted(capture, _mask_applied, losses, sw, mask)
        return original(losses, sw, mask, *args, **kwargs)

    return apply_valid_mask


def _mask_applied(capture: captures.Capture, values: Any, weight: Any, mask: Any) -> None:
    capture.unreduced = captures.LossValues(values, weight, mask, *capture.given)


def _telling_reduction(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def compute_weighted_loss(losses: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            capture = captures.active()
        except Exception as error:  # training must go on
            capture = captures.lost(error)
        if capture is not None:
            captures.noted(capture, _reduced, losses)
        return original(losses, *args, **kwargs)

    return compute_weighted_loss


def _reduced(capture: captures.Capture, values: Any) -> None:
    # Metrics apply a mask, too, but only a loss is reduced right after it.
    if capture.unreduced is not None and capture.unreduced.values is values:
        capture.losses.append(capture.unreduced)


def _telling_container(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def __call__(self: Any, y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        try:
            capture = captures.active()
        except Exception as error:  # training must go on
            capture = captures.lost(error)
        if capture is not None:
            captures.noted(capture, captures.loss_begun, y_true, y_pred)
        loss = original(self, y_true, y_pred, *args, **kwargs)
        if capture is not None:
            captures.noted(capture, captures.loss_computed, loss)
        return loss

    return __call__


def _aligned(values: Any, sample_weight: Any) -> tuple[Any, Any]:
    """Return values and weights with the axes that a mean gives them."""
    [values], sample_weight = ragged_assert_compatible_and_get_flat_values([values], sample_weight)
    if sample_weight is not None:
        values, sample_weight = tf.convert_to_tensor(values), tf.convert_to_tensor(sample_weight)
        values, _, sample_weight = squeeze_or_expand_dimensions(values, sample_weight=sample_weight)
    return values, sample_weight


def tell_of_metrics(model: Any) -> None:
    """Have the means of a model tell that were made before Keras was told to."""
    for metric in (loss_tracker(model), *_compiled_means(model)):
        inherited = getattr(type(metric), "update_state", None) is Reduce.update_state
        if inherited and not getattr(metric.update_state, "tells_tui_monitor", False):
            update = _telling_mean(metric.update_state, of=metric)
            update.tells_tui_monitor = True  # type: ignore[attr-defined]
            # A metric of legacy Keras is a layer, whose own `__setattr__` would track this.
            object.__setattr__(metric, "update_state", update)


def _compiled_means(model: Any) -> list[Any]:
    # `model.metrics` may be the user's own; without `compile` there are none.
    is_known = is_own(getattr(inspect.getattr_static(type(model), "metrics"), "fget", None))
    return list(model.metrics) if is_known and getattr(model, "_is_compiled", False) else []


def make_functions_by(prepare: Prepare, failed: Failed) -> None:
    """Have training and validation functions made of what `prepare` returns.

    The functions look a model's step up when they are traced, so ours stands in its place while one runs.
    """
    for step, attribute in _FUNCTIONS.items():
        making = functools.partial(_making, prepare, failed, step, attribute)
        wrap_once(training.Model, f"make_{attribute}", making)


def _making(prepare: Prepare, failed: Failed, step: str, attribute: str, original: Any) -> Any:
    @functools.wraps(original)
    def make_function(self: Any, force: bool = False) -> Any:
        try:
            before = self.__dict__.get(attribute)
        except Exception as error:  # training must go on
            before = tell(failed, error)
        made = original(self, force)
        try:
            # Keras returns the function that it has made before, which is recorded already.
            if made is before or made is None:
                return made
            # Not by `setattr`, which a model of the user's own may have: it has seen this function already.
            self.__dict__[attribute] = _recorded(prepare, self, step, made)
            return self.__dict__[attribute]
        except Exception as error:  # training must go on
            tell(failed, error)
            return made

    return make_function


def _recorded(prepare: Prepare, model: Any, step: str, made: Any) -> Any:
    """Return a function of Keras' as one that is recorded, or itself."""
    # With parameter servers a call only schedules a step, which runs in another process.
    if getattr(model, "_cluster_coordinator", None):
        return made
    own = _OwnStep(model, step)
    recording = prepare(model, step, own, functools.partial(getattr(type(model), step), model))
    return made if recording is None else recording.finished(_Stepping(made, own, recording))


class _OwnStep:
    """Finds a model's own step, whatever stands in its place for the moment."""

    def __init__(self, model: Any, name: str) -> None:
        self.attributes, self.name = model.__dict__, name
        self.replaced: Any = _NONE
        """What the model itself held under the name, as a rule nothing."""
        self.model = model

    def __call__(self) -> Any:
        """Return the step."""
        if self.replaced is not _NONE:
            return self.replaced
        return getattr(type(self.model), self.name).__get__(self.model)


class _Stepping(StandIn):
    """A function of Keras that runs with another step in place of the model's own."""

    def __init__(self, function: Any, own: _OwnStep, recording: Recording) -> None:
        super().__init__(function)
        self._self_own = own
        # A method, as what it stands in for is one.
        self._self_recorded = types.MethodType(recording.step, own.model)
        self._self_failed = recording.failed

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function."""
        try:
            own = self._self_own
            attributes, name = own.attributes, own.name
            own.replaced = attributes.get(name, _NONE)
            # Past `__setattr__`: Keras' own tracks what becomes part of a model, and the user's may do anything.
            attributes[name] = self._self_recorded
        except Exception as error:  # training must go on
            tell(self._self_failed, error)
            return self.__wrapped__(*args, **kwargs)
        try:
            return self.__wrapped__(*args, **kwargs)
        finally:
            if own.replaced is _NONE:
                attributes.pop(name, None)
            else:
                attributes[name] = own.replaced


def steps_per_call(model: Any) -> int:
    """Return `steps_per_execution`, or the most that are recorded of a call whose steps Keras tunes as it goes."""
    if getattr(model, "_autotune_steps_per_execution", False):
        return _MOST_TUNED_STEPS
    steps = getattr(model, "_steps_per_execution", None)
    return 1 if steps is None else int(steps.numpy())


def loss_tracker(model: Any) -> Any:
    """Return the metric that reports `loss`, or None."""
    return getattr(getattr(model, "compiled_loss", None), "_total_loss_mean", None)


def compiled_losses(model: Any) -> list[CompiledLoss]:
    """Return the losses as the container of a model computes them."""
    container = getattr(model, "compiled_loss", None)
    if container is None or not container.built:
        return []
    entries = zip(container._losses, container._loss_weights, container._output_names, strict=True)
    found = [(loss, weight, name) for loss, weight, name in entries if loss is not None]
    several = len(container._losses) > 1
    return [
        CompiledLoss(loss, 1.0 if weight is None else float(weight), str(name), f"{name}_loss" if several else "loss")
        for loss, weight, name in found
    ]


def compiled_metrics(model: Any) -> Iterator[CompiledMetric]:
    """Yield compiled metrics, which are named after their outputs themselves where there are several."""
    compiled = getattr(model, "compiled_metrics", None)
    if compiled is None:
        return
    outputs = [str(name) for name in getattr(compiled, "_output_names", None) or ()]
    for metrics, weighted in ((compiled.unweighted_metrics, False), (compiled.weighted_metrics, True)):
        for metric in metrics or ():
            if metric is not None:
                of = [name for name in outputs if len(outputs) > 1 and metric.name.startswith(f"{name}_")]
                yield CompiledMetric(metric, weighted, metric.name, max(of, key=len, default=""))


def weight_handles(model: Any) -> list[Any]:
    """Return the handles of the weights and of the optimizer's variables."""
    optimizer = getattr(model, "optimizer", None)
    of_optimizer = getattr(optimizer, "variables", ())
    # A method in `optimizers.legacy`, those of before TensorFlow 2.11; in newer ones a list that can be called, too.
    of_optimizer = of_optimizer() if callable(of_optimizer) else of_optimizer
    return [variable.handle for variable in (*model.variables, *of_optimizer) if hasattr(variable, "handle")]


def user_loss(model: Any) -> Any:
    """Return `loss=` as given to `compile`."""
    return getattr(getattr(model, "compiled_loss", None), "_user_losses", None)


def learning_rate(model: Any) -> float | None:
    """Return the optimizer's learning rate at this moment; None without one, or where code of the user's sets it."""
    optimizer: Any = getattr(model, "optimizer", None)
    # Not the property, which may be the user's; mixed precision wraps the optimizer that has it.
    held = getattr(optimizer, "__dict__", {})
    held = getattr(held.get("_optimizer"), "__dict__", held)
    rate: Any = held.get("_learning_rate", held.get("_hyper", {}).get("learning_rate"))
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        rate = held.get("_current_learning_rate", rate)
    if callable(rate) and not hasattr(rate, "numpy"):
        rate = rate(optimizer.iterations) if is_own(type(rate)) else None
    return None if rate is None else float(keras.backend.get_value(rate))


def layers(model: Any) -> list[Any]:
    """Return all layers, nested ones and the model itself included."""
    return list(model._flatten_layers())


def step_anew(model: Any, parts: dict[str, Any], y_pred: Any, *, training: bool) -> None:
    """Run forward pass, loss and metrics; what layers keep of a pass in Python is put back."""
    x, y, sample_weight = parts["x"], parts["y"], parts["sample_weight"]
    kept = [(layer, list(layer._losses), list(layer._eager_losses)) for layer in layers(model)]
    with _seeds_kept(model):
        try:
            y_pred = model(x, training=training) if y_pred is None else y_pred
            model.compute_loss(x, y, y_pred, sample_weight)
            model.compute_metrics(x, y, y_pred, sample_weight)
        finally:
            for layer, losses, eager_losses in kept:
                layer._losses[:] = losses
                layer._eager_losses[:] = eager_losses


@contextlib.contextmanager
def names_kept() -> Iterator[None]:
    """Count automatic names as if the block had not been."""
    counted = keras_backend.PER_GRAPH_OBJECT_NAME_UIDS
    names = {graph: dict(uids) for graph, uids in counted.items()}
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)
        for graph, uids in counted.items():
            uids.clear()
            uids.update(names.get(graph, {}))


@contextlib.contextmanager
def _seeds_kept(model: Any) -> Iterator[None]:
    """Put back the seeds that layers count up in Python while they are traced."""
    generators = [layer._random_generator for layer in layers(model) if hasattr(layer, "_random_generator")]
    seeds = [generator._seed for generator in generators]
    try:
        yield
    finally:
        for generator, seed in zip(generators, seeds, strict=True):
            generator._seed = seed
