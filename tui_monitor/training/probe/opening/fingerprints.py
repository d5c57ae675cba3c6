"""Fingerprints of samples' input bytes, to find the same sample again; TensorFlow computes them (FarmHash, 64 bits).

`tf.fingerprint` takes a whole batch at once: 6 µs for 32 × 32 × 3 floats where BLAKE2b takes 48 µs, and the package
is there already. Of a million samples on each side, two different ones share a fingerprint in one case of 37 million.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Fingerprints = NDArray[np.uint64]
Places = NDArray[np.int64]

MOST_KEPT: Final = 1_000_000
"""Different training samples that are remembered, at 24 bytes each."""
_MOST_BYTES: Final = 2**18
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
"""Odd number near 2^64 divided by the golden ratio (Knuth, The art of computer programming, volume 3, 6.4)."""


def fingerprints(leaves: Sequence[Any], most_bytes: int = _MOST_BYTES) -> Fingerprints:
    """Return a fingerprint of each sample, shape (n,).

    Args:
        leaves: tensors or arrays with a row for each sample, at least one; their order counts.
        most_bytes: of a leaf's sample that are taken into account; of a larger one, values at equal distances.
    """
    return mixed([_of_rows(tf.convert_to_tensor(leaf), most_bytes) for leaf in leaves])


def mixed(parts: Sequence[Fingerprints]) -> Fingerprints:
    """Return one fingerprint made of several, sample by sample; at least one, whose order counts."""
    total = parts[0]
    for part in parts[1:]:
        # Wraps around at 2^64, as it should: NumPy warns of that in scalars alone, not in arrays.
        total = total * _MIX + part
    return total


def _of_rows(values: tf.Tensor, most_bytes: int) -> Fingerprints:
    rows = tf.reshape(values, [values.shape[0], -1])
    if values.dtype.size and rows.shape[1] * values.dtype.size > most_bytes:
        # Where the tensor lies: a whole batch of images need not leave its device.
        rows = rows[:, :: -(-rows.shape[1] * values.dtype.size // most_bytes)]
    # `tf.fingerprint` has a kernel for the processor alone.
    with tf.device("CPU:0"):
        prints: Fingerprints = tf.fingerprint(rows).numpy().view(np.uint64)[:, 0]
    return prints


@dataclass(frozen=True)
class KnownSamples:
    """Different training samples, by fingerprint. Arrays are sorted by it, shape (n,) each."""

    inputs: Fingerprints
    labels: Fingerprints
    """Fingerprints of their labels."""
    places: Places
    """Epoch, batch and row in which each was first seen, as from `packed`."""

    @staticmethod
    def none() -> "KnownSamples":
        """Return an empty set."""
        empty = np.zeros(0, dtype=np.uint64)
        return KnownSamples(empty, empty, empty.astype(np.int64))

    def find(self, wanted: Fingerprints) -> tuple[NDArray[np.bool_], Places]:
        """Return which fingerprints are known, and the index of each that is; shape (m,) each."""
        if not self.inputs.size:
            return np.zeros(wanted.size, dtype=bool), np.zeros(wanted.size, dtype=np.int64)
        # What is larger than all would be behind the last one: compared with that, it differs.
        index = np.minimum(np.searchsorted(self.inputs, wanted), self.inputs.size - 1)
        return self.inputs[index] == wanted, index

    def joined(self, inputs: Fingerprints, labels: Fingerprints, places: Places) -> "KnownSamples":
        """Return the set with samples added that are not in it, up to `MOST_KEPT` in all."""
        inputs, first = np.unique(inputs, return_index=True)
        is_new = ~self.find(inputs)[0]
        room = max(0, MOST_KEPT - self.inputs.size)
        chosen = np.flatnonzero(is_new)[:room]
        if not chosen.size:
            return self
        added = first[chosen]
        everything = np.concatenate([self.inputs, inputs[chosen]])
        order = np.argsort(everything, kind="stable")
        return KnownSamples(
            everything[order],
            np.concatenate([self.labels, labels[added]])[order],
            np.concatenate([self.places, places[added]])[order],
        )


def packed(epoch: int, batch: int, rows: int) -> Places:
    """Return where each sample of a batch stands, as one number each, shape (rows,)."""
    # 20 bits for the row, 28 for the batch, the rest for the epoch: what was trained on later is a larger number.
    return (epoch << 48) + (batch << 20) + np.arange(rows, dtype=np.int64)


def unpacked(place: int) -> tuple[int, int, int]:
    """Return epoch, batch and row of what `packed` returned."""
    return place >> 48, (place >> 20) & 0xFFFFFFF, place & 0xFFFFF


def repeated_pairs(values: Fingerprints) -> int:
    """Return how many pairs among some fingerprints are equal."""
    counts = np.unique(values, return_counts=True)[1].astype(np.int64)
    return int((counts * (counts - 1) // 2).sum())
