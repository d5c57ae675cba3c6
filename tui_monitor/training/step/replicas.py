"""One batch spread over several replicas, put together again where Keras reduces what they return.

No collective operation is added inside the step: its order would have to agree with those of the training.
"""

import functools
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import tensorflow as tf

from tui_monitor.training.backends.backend import wrap_once
from tui_monitor.training.guard import ignored, tell

PAYLOAD = "tui_monitor_payload"
"""Key of the step's return value that carries the payload; taken off before any callback sees the logs."""
SUMS = "sums"
"""Entry of a replica's payload that is to be added up: samples, values times samples, samples of each class."""
CLOCK = "clock"
"""Entry of a replica's payload with the timestamps of its step on one of several workers."""


def batch_sums(size: tf.Tensor, values: tf.Tensor, counts: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return what adds up over the parts of a batch, shape (1 + metrics + classes,).

    Args:
        size: samples in this part of the batch, shape ().
        values: the part's own metrics, shape (metrics,).
        counts: samples of each class in the part, vectors.
    """
    # A part without samples has no mean; it must not spoil that of the others.
    weighted = tf.where(size > 0, values * size, tf.zeros_like(values))
    return tf.concat([size[tf.newaxis], weighted, *counts], axis=0)


def several_replicas() -> bool:
    """Whether the step that is traced is one of several replicas."""
    # None outside any replica, as where Keras puts together what the replicas return.
    context = tf.distribute.get_replica_context()
    return context is not None and context.num_replicas_in_sync > 1


def join_replicas(trainer: ModuleType) -> None:
    """Have Keras' reduction of replicas join payloads along the batch instead of averaging them."""
    # Keras looks the function up in its module at each trace, so a replacement there is what it calls.
    wrap_once(trainer, "reduce_per_replica", _joining)


def _joining(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def reduce_per_replica(values: Any, strategy: Any, reduction: str) -> Any:
        """Reduce as Keras does, payloads apart, which are joined."""
        try:
            joined = _joined(strategy, values)
        except Exception as error:  # training must go on
            joined = tell(ignored, error)
        # Also where joining failed: Keras would average a payload, or fail on its shapes.
        if isinstance(values, dict) and SUMS in values.get(PAYLOAD, {}):
            values = {name: value for name, value in values.items() if name != PAYLOAD}
        reduced = original(values, strategy, reduction)
        return reduced if joined is None else {**reduced, PAYLOAD: joined}

    return reduce_per_replica


def _joined(strategy: Any, values: Any) -> dict[str, Any] | None:
    """Return the payload of all replicas as one, or None where there is none."""
    if not isinstance(values, dict) or SUMS not in values.get(PAYLOAD, {}):
        return None
    # A copy: the caller looks for the sums once more.
    payload = dict(values[PAYLOAD])
    sums = tf.add_n(strategy.experimental_local_results(payload.pop(SUMS)))
    parts = {name: tf.nest.map_structure(lambda part: _concat(strategy, part), part) for name, part in payload.items()}
    return {**parts, SUMS: sums}


def _concat(strategy: Any, part: Any) -> tf.Tensor:
    return tf.concat(strategy.experimental_local_results(part), axis=0)


def means_of(sums: Any, metrics: int) -> Any:
    """Return a batch's numbers from its sums: samples, its own metrics, samples of each class.

    Args:
        sums: shape (1 + metrics + classes,).
        metrics: number of metrics.
    """
    numbers = sums.copy()
    numbers[1 : 1 + metrics] /= max(float(sums[0]), 1.0)
    return numbers
