"""Moments of the inputs as fed to the model, per channel; and inputs mapped to other moments."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import tensorflow as tf

from tui_monitor.explain.evidence.input_scale import Mapping, SideMoments
from tui_monitor.explain.samples.probes import FloatArray
from tui_monitor.training.probe.batches import UnpackedBatch, concatenate, same_shapes

MOST_SAMPLES: Final = 1024
"""Samples of a side whose moments are taken: enough to tell a fifth of a deviation from chance."""
_AT_ONCE, _BYTES_AT_ONCE = 256, 2**20
"""Samples that are taken together, or more of them where they are small."""
_MOST_CHANNELS: Final = 4096
_SHOWN_SAMPLES: Final = 64
_SHOWN_POSITIONS: Final = 64


def moments(batches: Sequence[UnpackedBatch], number: int) -> SideMoments | None:
    """Return the moments of one input over batches, or None where it holds no numbers to speak of.

    Args:
        batches: at least one.
        number: of the input among the model's, from 0.
    """
    means: list[FloatArray] = []
    squares: list[FloatArray] = []
    values: list[FloatArray] = []
    is_whole = True
    a_sample = sum(int(np.prod(leaf.shape[1:])) * 8 for leaf in batches[0].inputs["x"])
    for group in same_shapes(batches, max(_AT_ONCE, _BYTES_AT_ONCE // max(a_sample, 1))):
        # Together: a call for many samples costs little more than for one.
        batch = concatenate(group)
        leaf = tf.convert_to_tensor(batch.inputs["x"][number])
        if not (leaf.dtype.is_floating or leaf.dtype.is_integer) or not leaf.shape.num_elements():
            return None
        rows = _by_channel(leaf)
        if rows.shape[2] > _MOST_CHANNELS:
            return None
        means.append(tf.reduce_mean(rows, axis=1).numpy())
        squares.append(tf.reduce_mean(tf.square(rows), axis=1).numpy())
        if len(values) * batch.samples < _SHOWN_SAMPLES:
            step = max(1, rows.shape[1] // _SHOWN_POSITIONS)
            some = rows[:_SHOWN_SAMPLES, ::step].numpy().reshape(-1, rows.shape[2])
            values.append(some)
            is_whole = is_whole and bool((some == np.round(some)).all())
    mean, square = np.concatenate(means).astype(np.float64), np.concatenate(squares).astype(np.float64)
    if len(mean) < 2 or not np.isfinite(mean).all() or not np.isfinite(square).all():
        return None
    return SideMoments(mean, square, is_whole, np.concatenate(values).astype(np.float64))


def _by_channel(leaf: tf.Tensor) -> tf.Tensor:
    """Return an input in float64, shape (samples, positions, channels)."""
    channels = int(leaf.shape[-1]) if leaf.shape.rank > 1 else 1
    # In float64, as a variance is the small difference of two large means.
    return tf.reshape(tf.cast(leaf, tf.float64), [leaf.shape[0], -1, channels])


def mapped(batch: UnpackedBatch, mappings: dict[int, Mapping]) -> UnpackedBatch:
    """Return a batch whose inputs are mapped.

    Args:
        batch: as it was fed.
        mappings: of the inputs that are to be mapped, by their numbers.
    """
    leaves = [
        leaf if number not in mappings else _mapped_leaf(tf.convert_to_tensor(leaf), mappings[number])
        for number, leaf in enumerate(batch.inputs["x"])
    ]
    return replace(batch, inputs={**batch.inputs, "x": tuple(leaves)})


def _mapped_leaf(leaf: tf.Tensor, mapping: Mapping) -> Any:
    values = tf.cast(leaf, tf.float64)
    channels = tf.reshape(values, [leaf.shape[0], -1, len(mapping.factor)])
    result = tf.reshape(channels * mapping.factor + mapping.offset, leaf.shape)
    return tf.cast(tf.round(result) if leaf.dtype.is_integer else result, leaf.dtype)
