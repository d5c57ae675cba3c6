"""What a validation said of each of its samples, kept of the last and the best epoch, so that runs can be compared."""

import io
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LAST_FILE = "validation-last.npz"
"""Of the last epoch that was kept."""
BEST_FILE = "validation-best.npz"
"""Of the epoch with the lowest validation loss."""
MOST_SAMPLES = 200_000
"""Samples of the largest validation that is kept: some 4 MB."""

_FIELDS = ("loss", "correct", "label", "key")


@dataclass(frozen=True, eq=False)
class ValidationSamples:
    """Every sample of one validation, in the order in which it was validated. Arrays have shape (samples,)."""

    fit: int
    """Call of `fit`, from 1."""
    epoch: int
    """From 1."""
    loss: NDArray[np.float32]
    """In nats, unweighted, penalties left out; may hold NaN and the infinities."""
    correct: NDArray[np.float32] | None
    """1 where it is right, 0 where it is wrong, or a fraction; None where the run reports no accuracy."""
    label: NDArray[np.int32]
    """Class index, or -1."""
    key: NDArray[np.uint64] | None
    """Made of the sample's data and target, so that two runs' samples can be matched; None where there is none."""


def samples_to_bytes(samples: ValidationSamples) -> bytes:
    """Return the content of a file of samples."""
    arrays = {name: value for name in _FIELDS if (value := getattr(samples, name)) is not None}
    buffer = io.BytesIO()
    np.savez(buffer, fit=np.int64(samples.fit), epoch=np.int64(samples.epoch), **arrays)
    return buffer.getvalue()


def read_samples(path: Path) -> ValidationSamples | None:
    """Return the samples that a file holds; None where there is none, or it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as held:
            found: dict[str, Any] = {name: held[name] for name in held.files}
        samples = ValidationSamples(
            fit=int(found["fit"]),
            epoch=int(found["epoch"]),
            loss=found["loss"].astype(np.float32),
            correct=found["correct"].astype(np.float32) if "correct" in found else None,
            label=found["label"].astype(np.int32),
            key=found["key"].astype(np.uint64) if "key" in found else None,
        )
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, NotImplementedError):
        return None
    arrays = [samples.loss, samples.label, samples.correct, samples.key]
    is_whole = all(array is None or array.shape == samples.loss.shape for array in arrays)
    return samples if is_whole and samples.loss.ndim == 1 and math.prod(samples.loss.shape) else None
