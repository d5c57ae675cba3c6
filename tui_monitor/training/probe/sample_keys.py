"""Numbers that stand for samples: equal where data and target are, so that two runs' samples can be matched."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import tensorflow as tf

from tui_monitor.explain.samples.probes import IntArray

_MOST_VALUES: Final = 64
"""Values of a sample's leaf that its key is made of: evenly spaced ones of a larger leaf."""
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)
_FOLDED: Final = np.uint64(31)


def sample_keys(parts: Mapping[str, Any], role: str, samples: int) -> IntArray | None:
    """Return a number of each sample, uint64, shape (samples,); None where there is nothing to make it of.

    Args:
        parts: what a step emitted of its samples: leaves are called by their role and a number.
        role: `x` or `y`.
        samples: in the batch.
    """
    leaves = [parts[name] for name in sorted(parts) if name[:-3] == role]
    numbers = [_of_leaf(leaf, samples) for leaf in leaves]
    if not numbers or any(number is None for number in numbers):
        return None
    return mixed([number for number in numbers if number is not None])


def mixed(numbers: Sequence[IntArray]) -> IntArray:
    """Return one number made of several, element by element."""
    total = np.zeros_like(numbers[0])
    with np.errstate(over="ignore"):
        for number in numbers:
            total = (total ^ number) * _ODD
            total ^= total >> _FOLDED
    return total


def _of_leaf(leaf: Any, samples: int) -> IntArray | None:
    values = _some_values(leaf)
    if values is None or values.ndim == 0 or values.shape[0] != samples:
        return None
    flat = np.ascontiguousarray(values.reshape(samples, -1), dtype=np.float64) + 0.0
    bits = flat.view(np.uint64)
    with np.errstate(over="ignore"):
        factors = (np.arange(1, bits.shape[1] + 1, dtype=np.uint64) * np.uint64(2) + np.uint64(1)) * _ODD
        spread = bits ^ (bits >> _FOLDED)
        found: IntArray = (spread * factors).sum(axis=1, dtype=np.uint64)
    return found


def _some_values(leaf: Any) -> Any:
    """Return evenly spaced values of each sample of a leaf as an array; None where they are no numbers."""
    width = int(np.prod(leaf.shape[1:], dtype=np.int64))
    if isinstance(leaf, tf.Tensor):
        if not (leaf.dtype.is_floating or leaf.dtype.is_integer or leaf.dtype.is_bool):
            return None
        if width > _MOST_VALUES:
            # Chosen where the tensor lies: a whole batch of images need not leave its device.
            leaf = tf.gather(tf.reshape(leaf, [leaf.shape[0], width]), _chosen(width), axis=1)
        return leaf.numpy().astype(np.float64)
    array = np.asarray(leaf)
    if array.dtype.kind not in "fiub":
        return None
    return array.reshape(array.shape[0], width)[:, _chosen(width)] if width > _MOST_VALUES else array


def _chosen(width: int) -> Any:
    return np.linspace(0, width - 1, _MOST_VALUES).astype(np.int64)
