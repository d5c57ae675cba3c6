"""Numbers that stand for samples: equal where data and target are, so that two runs' samples can be matched."""

from collections.abc import Mapping
from typing import Any, Final

import tensorflow as tf

from tui_monitor.training.probe.opening.fingerprints import Fingerprints, fingerprints

_MOST_BYTES: Final = 512
"""Of a sample's leaf: all of validation is looked at, beside the budget."""


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
    """Whether a leaf holds numbers, a row for each sample."""
    dtype = tf.as_dtype(leaf.dtype)
    is_number = dtype.is_floating or dtype.is_integer or dtype.is_bool
    return is_number and len(leaf.shape) > 0 and leaf.shape[0] == samples
