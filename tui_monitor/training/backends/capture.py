"""Values that one call of a step computes on its way, noted while Keras computes them; nothing is called twice.

Keras' own methods note into the capture of their thread, if it has one: each replica is traced in its own thread.
Nothing in here can fail the step: the first failure is kept, and the step goes on without a payload.
"""

import functools
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from tui_monitor.training.backends import graphs
from tui_monitor.training.guard import attempt, ignored, tell


@dataclass(frozen=True)
class MeanUpdate:
    """One update of a mean tracker."""

    metric: Any
    values: Any
    """As the tracker was given them, one a sample or fewer."""
    weight: Any
    """Sample weights, or None."""
    total: Any
    """What was added to the sum of values, shape (); None where only `values` tell."""
    count: Any
    """What was added to the count, shape (); None likewise."""
    handle: Any
    """The sum's variable as the traced graph has it; None outside a graph."""

    @property
    def counts_alone(self) -> bool:
        """Whether one number was added, so that its weight is what was added to the count, in the graph of now."""
        given = (self.values, self.weight, self.count)
        if any(not isinstance(part, tf.Tensor) or part.shape.rank != 0 for part in given):
            return False
        return self.count.dtype is tf.float32 and self.count.graph is tf.compat.v1.get_default_graph()


@dataclass(frozen=True)
class LossValues:
    """One loss before it was reduced to a number."""

    values: Any
    """Of shape (batch, ...), or () where the loss itself reduces the batch."""
    weight: Any
    """Sample weights, or None."""
    mask: Any
    """Which values count, or None for all."""
    y: Any = None
    """Targets that this loss was given."""
    y_pred: Any = None
    """Outputs that it was given."""


@dataclass
class Capture:
    """What one call of a step has computed so far."""

    means: list[MeanUpdate] = field(default_factory=list)
    losses: list[LossValues] = field(default_factory=list)
    unreduced: LossValues | None = None
    """The newest loss or metric to which a mask was applied; whether it is a loss, its reduction tells."""
    y: Any = None
    """Targets that the model's loss was given."""
    y_pred: Any = None
    """Outputs that the model's loss was given."""
    given: tuple[Any, Any] = (None, None)
    """Targets and outputs that the newest single loss was given."""
    loss: Any = None
    """What the model's loss came to, penalties included, shape ()."""
    failure: Exception | None = None
    """What went wrong in noting."""

    def note(self, action: Callable[..., None], *args: Any) -> None:
        """Note something, unless noting fails."""
        attempt(self._failed, action, self, *args, otherwise=None)

    def ask(self, action: Callable[[], Any]) -> Any:
        """Return what an action returns, or None where it fails."""
        return attempt(self._failed, action, otherwise=None)

    def _failed(self, error: Exception) -> None:
        self.failure = self.failure or error


_active = threading.local()


def active() -> Capture | None:
    """Return the capture of this thread, or None."""
    capture: Capture | None = getattr(_active, "capture", None)
    return capture


def begin(capture: Capture | None) -> Capture | None:
    """Have this thread note into a capture, and return the one that it noted into before."""
    outer = active()
    _active.capture = capture
    return outer


end = begin
"""Have this thread note into the capture again that `begin` returned."""


def mean_updated(capture: Capture, metric: Any, values: Any, weight: Any, before: int) -> None:
    """Note the update of a mean.

    Args:
        capture: of this thread.
        metric: the tracker.
        values: what it was given.
        weight: sample weights, or None.
        before: `graphs.position` before the update.
    """
    added = graphs.additions_since(before)
    # `Mean.update_state` of both Kerases adds to the sum first, then to the count.
    if len(added) == 2:
        (handle, total), (_, count) = added
        capture.means.append(MeanUpdate(metric, values, weight, total, count, handle))
    else:
        capture.means.append(MeanUpdate(metric, values, weight, None, None, None))


def loss_reduced(capture: Capture, values: Any, weight: Any, mask: Any) -> None:
    """Note a loss before it is reduced."""
    capture.losses.append(LossValues(values, weight, mask, *capture.given))


def loss_called(capture: Capture, y: Any, y_pred: Any) -> None:
    """Note what one loss is about to be computed from."""
    capture.given = (y, y_pred)


def loss_begun(capture: Capture, y: Any, y_pred: Any) -> None:
    """Note what the model's loss is computed from; the first call of a step counts."""
    # A loss may compute others inside itself: Keras 3 calls `compute_loss` from `_compute_loss`.
    if capture.y_pred is None:
        capture.y, capture.y_pred = y, y_pred


def loss_computed(capture: Capture, loss: Any) -> None:
    """Note what the model's loss came to."""
    capture.loss = loss


def batch_mean(update: MeanUpdate) -> Any:
    """Return what a mean tracker would show after this batch alone, float32, shape (); outside a graph a number.

    From what was added to its sums, so that no value inside the step gets another reader, which might change how
    the compiler fuses what the training itself computes.
    """
    if update.total is not None:
        total = tf.cast(graphs.beside(update.total), tf.float32)
        return tf.math.divide_no_nan(total, tf.cast(update.count, tf.float32))
    if graphs.is_eager(update.values) and (update.weight is None or graphs.is_eager(update.weight)):
        weight = None if update.weight is None else update.weight.numpy()
        return _mean_at_hand(update.values.numpy(), weight)
    values = tf.cast(update.values, tf.float32)
    if values.shape.rank == 0:
        return values
    if update.weight is None:
        return tf.reduce_mean(values)
    weight = tf.cast(update.weight, tf.float32)
    # Aligned as both Kerases do it before they multiply.
    if weight.shape.rank == values.shape.rank + 1 and weight.shape[-1] == 1:
        weight = tf.squeeze(weight, axis=-1)
    axes = list(range(weight.shape.rank, values.shape.rank))
    per_weight = tf.reduce_mean(values, axis=axes) if axes else values
    weight = tf.broadcast_to(weight, tf.shape(per_weight))
    return tf.math.divide_no_nan(tf.reduce_sum(per_weight * weight), tf.reduce_sum(weight))


def _mean_at_hand(values: Any, weight: Any) -> float:
    """Return the mean that `batch_mean` computes of tensors, of arrays."""
    values = np.asarray(values, np.float64)
    if not values.ndim:
        return float(values)
    if weight is None:
        return float(values.mean()) if values.size else math.nan
    weight = np.asarray(weight, np.float64)
    if weight.ndim == values.ndim + 1 and weight.shape[-1] == 1:
        weight = weight[..., 0]
    per_weight = values.mean(axis=tuple(range(weight.ndim, values.ndim))) if values.size else values
    weight = np.broadcast_to(weight, per_weight.shape)
    below = float(weight.sum())
    return float((per_weight * weight).sum()) / below if below else 0.0


lost = functools.partial(tell, ignored)
"""Returns None, as no capture can be found; raises the error where it is the user's."""


def noted(capture: Capture, action: Callable[..., None], *args: Any) -> None:
    """Note something in a capture; nothing can fail the step."""
    try:
        capture.note(action, *args)
    except Exception as error:  # training must go on
        tell(ignored, error)


def telling_call(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return the call of one loss as one that tells the capture what it is given."""

    @functools.wraps(original)
    def __call__(self: Any, y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        try:
            capture = active()
        except Exception as error:  # training must go on
            capture = lost(error)
        if capture is not None:
            noted(capture, loss_called, y_true, y_pred)
        # Outside every `try`: what the loss raises, the user gets as it is.
        return original(self, y_true, y_pred, *args, **kwargs)

    return __call__


def telling_loss(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return the loss computation of a model as one that tells the capture; its arguments are those of both Kerases."""

    @functools.wraps(original)
    def compute_loss(self: Any, x: Any = None, y: Any = None, y_pred: Any = None, *args: Any, **kwargs: Any) -> Any:
        try:
            capture = active()
        except Exception as error:  # training must go on
            capture = lost(error)
        if capture is not None:
            noted(capture, loss_begun, y, y_pred)
        loss = original(self, x, y, y_pred, *args, **kwargs)
        if capture is not None:
            noted(capture, loss_computed, loss)
        return loss

    return compute_loss
