"""What values of samples are computed with: TensorFlow inside a graph, NumPy where an eager step has them at hand.

On a small batch an eager operation of TensorFlow takes ten times as long as NumPy's, and a step needs dozens of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import tensorflow as tf


@dataclass(frozen=True)
class Operations:
    """Operations on one kind of numbers, with the arguments that TensorFlow gives them; all values are float32."""

    float32: Callable[[Any], Any]
    """Returns any numbers, or truth values, as float32."""
    vector: Callable[[Any], Any]
    """Returns all values, one after the other."""
    shape: Callable[[Any], Any]
    size: Callable[[Any], Any]
    zeros_like: Callable[[Any], Any]
    ones_like: Callable[[Any], Any]
    fill_like: Callable[[Any, float], Any]
    """Returns one value as often as there are others."""
    broadcast: Callable[[Any, Any], Any]
    where: Callable[[Any, Any, Any], Any]
    abs: Callable[[Any], Any]
    maximum: Callable[[Any, Any], Any]
    equal: Callable[[Any, Any], Any]
    """Value by value: of two tensors, `==` asks whether they are the same one where TensorFlow 1 behaves so."""
    largest: Callable[[Any], Any]
    """Returns the largest value along the last axis."""
    largest_at: Callable[[Any], Any]
    """Returns where along the last axis that is."""
    sum: Callable[..., Any]
    """Given values and an axis."""
    mean: Callable[..., Any]
    """Given values and a list of axes."""
    sigmoid: Callable[[Any], Any]
    softmax: Callable[[Any], Any]
    stack: Callable[[Any], Any]
    concatenate: Callable[[Any], Any]
    choose: Callable[[Any, Callable[[], Any], Callable[[], Any]], Any]
    """Returns what the first function returns where something is true, else what the second one does."""


def operations_on(values: Any) -> Operations:
    """Return the operations on values of one kind, arrays or tensors."""
    return _ARRAYS if isinstance(values, np.ndarray) else _TENSORS


def float32_tensor(values: Any) -> tf.Tensor:
    """Return a tensor of float32; a cast of what is that already would still be prepared for in every trace."""
    return values if isinstance(values, tf.Tensor) and values.dtype is tf.float32 else tf.cast(values, tf.float32)


def _mean(values: Any, axis: list[int]) -> Any:
    # Not NumPy's, which warns of what is empty.
    count = int(np.prod([values.shape[at] for at in axis]))
    return np.sum(values, axis=tuple(axis)) / np.float32(count)


def _sigmoid(values: Any) -> Any:
    # Nothing overflows: of the greater one of both forms.
    small = np.exp(-np.abs(values))
    return np.where(values < 0, small, np.float32(1.0)) / (np.float32(1.0) + small)


def _softmax(values: Any) -> Any:
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


_TENSORS: Final = Operations(
    float32=float32_tensor,
    vector=lambda values: values if values.shape.rank == 1 else tf.reshape(values, [-1]),
    shape=tf.shape,
    size=tf.size,
    zeros_like=tf.zeros_like,
    ones_like=tf.ones_like,
    fill_like=lambda values, value: tf.fill(tf.shape(values), value),
    broadcast=tf.broadcast_to,
    where=tf.where,
    abs=tf.abs,
    maximum=tf.maximum,
    equal=tf.equal,
    largest=lambda values: tf.reduce_max(values, axis=-1),
    largest_at=lambda values: tf.argmax(values, axis=-1),
    sum=tf.reduce_sum,
    mean=tf.reduce_mean,
    sigmoid=tf.sigmoid,
    softmax=tf.nn.softmax,
    stack=tf.stack,
    concatenate=lambda vectors: tf.concat(vectors, axis=0),
    choose=tf.cond,
)

_ARRAYS: Final = Operations(
    float32=lambda values: np.asarray(values, np.float32),
    vector=np.ravel,
    shape=np.shape,
    size=np.size,
    zeros_like=np.zeros_like,
    ones_like=np.ones_like,
    fill_like=np.full_like,
    broadcast=np.broadcast_to,
    where=np.where,
    abs=np.abs,
    maximum=np.maximum,
    equal=np.equal,
    largest=lambda values: np.max(values, axis=-1),
    largest_at=lambda values: np.argmax(values, axis=-1),
    sum=lambda values, axis=None: np.sum(values, axis=axis, dtype=np.float32),
    mean=_mean,
    sigmoid=_sigmoid,
    softmax=_softmax,
    stack=lambda vectors: np.asarray(vectors, np.float32),
    concatenate=lambda vectors: np.concatenate(vectors, dtype=np.float32),
    choose=lambda is_so, first, second: first() if is_so else second(),
)
