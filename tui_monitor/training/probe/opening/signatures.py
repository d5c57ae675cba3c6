"""Signatures of samples' inputs: a few numbers each, close for inputs that are close, such as one with noise added.

Images become block means first, which noise and compression hardly change; then standardised values are projected at
random, which keeps distances (Johnson and Lindenstrauss, Contemporary Mathematics 26, 1984).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Signatures = NDArray[np.float32]
"""Shape (n, numbers)."""

NUMBERS: Final = 32
"""Of a signature."""
_MOST_VALUES: Final = 4096
"""Of a sample's leaf that count; of a larger one, values at equal distances."""
_BLOCKS: Final = 8
"""Blocks that an image has in each direction, about."""
_LEAST_DEVIATION: Final = 1e-3
"""Of a value, relative to the largest: what never varies in training still tells samples apart."""


@dataclass(frozen=True)
class Signer:
    """Makes signatures that can be compared with one another."""

    mean: NDArray[np.float32]
    """Of each value in training, shape (values,)."""
    projection: NDArray[np.float32]
    """Shape (values, numbers)."""

    @staticmethod
    def of(leaves: Sequence[Any]) -> "Signer | None":
        """Return what makes signatures in the scale of some training samples; None where inputs can't be compared.

        Args:
            leaves: inputs with a row for each sample, at least two.
        """
        values = _values(leaves)
        if values is None or len(values) < 2 or not np.isfinite(values).all():
            return None
        deviation = values.std(axis=0)
        if not deviation.any():
            return None
        scale = 1.0 / np.maximum(deviation, _LEAST_DEVIATION * deviation.max())
        count = values.shape[1]
        if count <= NUMBERS:
            projection = np.eye(count)
        else:
            projection = np.random.default_rng(count).normal(size=(count, NUMBERS)) / np.sqrt(NUMBERS)
        return Signer(values.mean(axis=0), (scale[:, np.newaxis] * projection).astype(np.float32))

    @property
    def values(self) -> int:
        """How many values of a sample a signature is made of."""
        return len(self.mean)

    def sign(self, leaves: Sequence[Any]) -> Signatures | None:
        """Return the signature of each sample; None where they are of another shape than training's, or not finite.

        Args:
            leaves: as for `of`.
        """
        values = _values(leaves)
        if values is None or values.shape[1] != len(self.mean) or not np.isfinite(values).all():
            return None
        return np.asarray((values - self.mean) @ self.projection, dtype=np.float32)


def principal_components(first: Signatures, second: Signatures, most: int) -> tuple[Signatures, Signatures]:
    """Return what two sets of signatures vary in most, shape (n, most) and (m, most) at most."""
    if first.shape[1] <= most:
        return first, second
    both = np.concatenate([first - first.mean(axis=0), second - first.mean(axis=0)]).astype(np.float64)
    directions = np.linalg.eigh(both.T @ both)[1][:, : -most - 1 : -1].astype(np.float32)
    return first @ directions, second @ directions


def _values(leaves: Sequence[Any]) -> NDArray[np.float32] | None:
    """Return what counts of each sample, shape (n, values); None where leaves hold identifiers, or no numbers."""
    parts = []
    for leaf in map(tf.convert_to_tensor, leaves):
        is_image = leaf.shape.rank == 4
        if not (leaf.dtype.is_floating or (leaf.dtype.is_integer and is_image)):
            return None
        with tf.device("CPU:0"):
            parts.append(_of_image(leaf) if is_image else _thinned(tf.reshape(leaf, [leaf.shape[0], -1])))
    return np.concatenate([part.numpy() for part in parts], axis=1) if parts else None


def _of_image(leaf: tf.Tensor) -> tf.Tensor:
    """Return means over blocks, wherever the channels stand: of the two larger inner dimensions but the last."""
    size = max(1, leaf.shape[1] // _BLOCKS), max(1, leaf.shape[2] // _BLOCKS)
    means = tf.nn.avg_pool2d(tf.cast(leaf, tf.float32), size, size, "VALID") if max(size) > 1 else leaf
    return _thinned(tf.reshape(means, [leaf.shape[0], -1]))


def _thinned(rows: tf.Tensor) -> tf.Tensor:
    return tf.cast(rows[:, :: -(-rows.shape[1] // _MOST_VALUES)] if rows.shape[1] > _MOST_VALUES else rows, tf.float32)
