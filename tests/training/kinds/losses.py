"""Losses of the table: of each unit in NumPy, from targets and outputs; and losses of whole batches for Keras."""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

Array = NDArray[np.float64]
_EPSILON = 1e-7
"""By which Keras clips probabilities."""


def _clipped(outputs: Any) -> Array:
    return np.clip(np.asarray(outputs, np.float64), _EPSILON, 1 - _EPSILON)


def binary(y: Any, outputs: Any) -> Array:
    """Return binary cross-entropies."""
    y, p = np.asarray(y, np.float64).reshape(-1), _clipped(outputs).reshape(-1)
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


def binary_mean(y: Any, outputs: Any) -> Array:
    """Return the mean over each sample's labels."""
    return binary(y, outputs).reshape(len(y), -1).mean(axis=1)


def binary_by_pixel(y: Any, outputs: Any) -> Array:
    """Return those of all pixels."""
    return binary(y, outputs)


def focal(y: Any, outputs: Any) -> Array:
    """Return binary focal cross-entropies with Keras' gamma."""
    y, p = np.asarray(y, np.float64).reshape(-1), _clipped(outputs).reshape(-1)
    right = y * p + (1 - y) * (1 - p)
    return (1 - right) ** 2 * binary(y, outputs)


def sparse(y: Any, outputs: Any) -> Array:
    """Return cross-entropies of class indices."""
    p = _clipped(outputs).reshape(-1, outputs.shape[-1])
    return -np.log(p[np.arange(len(p)), np.asarray(y).reshape(-1).astype(int)])


def sparse_logits(y: Any, outputs: Any) -> Array:
    """Return cross-entropies of class indices and logits."""
    e = np.exp(np.asarray(outputs, np.float64))
    return sparse(y, e / e.sum(axis=-1, keepdims=True))


def one_hot(y: Any, outputs: Any) -> Array:
    """Return cross-entropies of distributions."""
    return np.asarray(-(np.asarray(y, np.float64) * np.log(_clipped(outputs))).sum(axis=-1))


def smoothed(y: Any, outputs: Any) -> Array:
    """Return cross-entropies of distributions that the loss smooths by 0.2."""
    return one_hot(0.8 * y + 0.2 / y.shape[-1], outputs)


def divergence(y: Any, outputs: Any) -> Array:
    """Return Kullback-Leibler divergences of distributions."""
    y, p = _clipped(y), _clipped(outputs)
    return np.asarray((y * np.log(y / p)).sum(axis=-1))


def hinge(y: Any, outputs: Any) -> Array:
    """Return hinge losses of targets −1 and 1."""
    return np.asarray(np.maximum(1 - np.asarray(y).reshape(-1) * np.asarray(outputs).reshape(-1), 0.0))


def squared(y: Any, outputs: Any) -> Array:
    """Return squared errors."""
    return np.asarray((np.asarray(y, np.float64).reshape(-1) - np.asarray(outputs, np.float64).reshape(-1)) ** 2)


def squared_by_step(y: Any, outputs: Any) -> Array:
    """Return squared errors of all time steps."""
    return squared(y, outputs)


def squared_by_image(y: Any, outputs: Any) -> Array:
    """Return the mean squared error of each image."""
    return squared(y, outputs).reshape(len(y), -1).mean(axis=1)


def poisson(y: Any, outputs: Any) -> Array:
    """Return Poisson losses."""
    y, rate = np.asarray(y, np.float64).reshape(-1), np.asarray(outputs, np.float64).reshape(-1)
    return np.asarray(rate - y * np.log(rate + _EPSILON))


# For Keras


def mean_squared(y: Any, outputs: Any) -> Any:
    """Return the mean over a batch as one number."""
    return ops.mean(ops.square(ops.reshape(y, (-1, 1)) - outputs))


def dice(y: Any, outputs: Any) -> Any:
    """Return one minus the overlap of a batch."""
    y = ops.reshape(y, (-1, 1))
    return 1 - 2 * ops.sum(y * outputs) / (ops.sum(y) + ops.sum(outputs) + 1e-6)


def contrastive(y: Any, outputs: Any) -> Any:
    """Return for each sample how far those of its class lie, among all of the batch."""
    same = ops.cast(ops.equal(ops.reshape(y, (-1, 1)), ops.reshape(y, (1, -1))), outputs.dtype)
    unit = (
        keras.utils.normalize(outputs, axis=-1) if isinstance(outputs, np.ndarray) else ops.normalize(outputs, axis=-1)
    )
    likeness = ops.matmul(unit, ops.transpose(unit))
    return -ops.sum(same * ops.log_softmax(likeness, axis=-1), axis=-1) / ops.sum(same, axis=-1)
