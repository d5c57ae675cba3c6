"""Numbers that stand for samples: equal where data and target are, so that two runs' samples can be matched."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

import numpy as np
import tensorflow as tf

from tui_monitor.training.probe.opening.fingerprints import Fingerprints, fingerprints

_MOST_BYTES: Final = 512
"""Of a sample's leaf: all of validation is looked at, beside the budget."""


def keys_of_batches(batches: Sequence[tuple[Mapping[str, Any], int]], role: str) -> Iterator[Fingerprints | None]:
    """Yield the keys of each run of batches of the same inner shapes: one call for many costs little more than for one.

    Args:
        batches: of each what a step emitted of its samples, and how many these are.
        role: as for `sample_keys`.
    """
    for _, same in groupby(batches, lambda batch: _inner_shapes(batch[0], role)):
        parts, samples = zip(*same, strict=True)
        joined = {name: _concatenated([each[name] for each in parts]) for name in parts[0] if name[:-3] == role}
        yield sample_keys(joined, role, sum(samples))


def sample_keys(parts: Mapping[str, Any], role: str, samples: int) -> Fingerprints | None:
    """Return a number of each sample, shape (samples,); None where there is nothing to make it of.

    Args:
        parts: what a step emitted of its samples: leaves are called by their role and a number.
        role: `x` or `y`.
        samples: in the batch.
    """
    leaves = [parts[name] for name in sorted(parts) if name[:-3] == role]
    if not leaves or not all(_has_numbers(leaf, samples) for leaf in leaves):
        return None
    return fingerprints(leaves, most_bytes=_MOST_BYTES)


def _has_numbers(leaf: Any, samples: int) -> bool:
    """Whether a leaf holds numbers, a row for each sample; sparse and ragged ones have none to look at."""
    if not isinstance(leaf, tf.Tensor | np.ndarray):
        return False
    dtype = tf.as_dtype(leaf.dtype)
    is_number = dtype.is_floating or dtype.is_integer or dtype.is_bool
    return bool(is_number and len(leaf.shape) > 0 and leaf.shape[0] == samples)


def _inner_shapes(parts: Mapping[str, Any], role: str) -> list[Any]:
    return [(name, parts[name].dtype, tuple(parts[name].shape[1:])) for name in sorted(parts) if name[:-3] == role]


def _concatenated(leaves: Sequence[Any]) -> Any:
    if isinstance(leaves[0], np.ndarray):
        return np.concatenate(leaves)
    return tf.concat(leaves, axis=0) if isinstance(leaves[0], tf.Tensor) else leaves[0]
