"""Summaries of batch records, 256 to a block, in a file of their own: with them a long run opens without its records.

They are only ever worked out from the records, and never needed: where they are missing, torn or don't fit, the
records are read in their place, with the same result to the last bit.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_monitor.run_log.format.batch_records import Records, is_plausible
from tui_monitor.run_log.format.layout import FitInfo
from tui_monitor.run_log.format.pyramid_level import FACTOR, blocks_of_one, downsampled

BLOCK = FACTOR**2
"""Batches in one block: two levels of the pyramid, so that one begins where the other ends."""

_MULTIPLIER = np.uint32(2654435761)

Blocks = NDArray[np.void]
"""Blocks of one fit in their order, with its `block_type`, shape (blocks,)."""


def block_type(fit: FitInfo) -> np.dtype[Any]:
    """Return the NumPy type of one block of a fit, packed, little-endian."""
    metrics = (len(fit.metrics),)
    return np.dtype(
        [
            ("seconds", "<f8"),  # latest time of its batches
            ("first_seconds", "<f8"),  # time of its first batch
            ("changed_seconds", "<f8"),  # time of the batch at `changed_at`
            ("first_epoch", "<u4"),
            ("last_epoch", "<u4"),
            ("changes", "<u4"),  # batches of another epoch than the one before, within the block
            ("changed_at", "<u4"),  # the first of them, from the block's beginning; 0 where there is none
            ("low", "<f4", metrics),  # as in `PyramidLevel`
            ("high", "<f4", metrics),
            ("total", "<f8", metrics),
            ("count", "<u4", metrics),
            ("records_check", "<u4"),  # of the records' bytes
            ("check", "<u4"),  # of all before it, and the block's number
        ]
    )


def summarise(records: Records, fit: FitInfo, first: int) -> Blocks:
    """Return the blocks of consecutive records, up to one that holds a record no training can have written.

    Args:
        records: of whole blocks, shape (blocks × `BLOCK`,).
        fit: theirs.
        first: number of the first block, from 0.
    """
    is_good = is_plausible(records)
    records = records[: (len(records) if is_good.all() else int(is_good.argmin())) // BLOCK * BLOCK]
    blocks = np.zeros(len(records) // BLOCK, block_type(fit))
    epochs, times = records["epoch"].reshape(-1, BLOCK), records["time"].reshape(-1, BLOCK)
    has_changed = epochs[:, 1:] != epochs[:, :-1]
    blocks["seconds"], blocks["first_seconds"] = times.max(axis=1), times[:, 0]
    blocks["first_epoch"], blocks["last_epoch"] = epochs[:, 0], epochs[:, -1]
    blocks["changes"] = has_changed.sum(axis=1)
    blocks["changed_at"] = np.where(has_changed.any(axis=1), has_changed.argmax(axis=1) + 1, 0)
    blocks["changed_seconds"] = times[np.arange(len(times)), blocks["changed_at"]]
    for index, metric in enumerate(fit.metrics):
        level = downsampled(downsampled(blocks_of_one(records[metric])))
        for name, values in zip(("low", "high", "total", "count"), level.buffers, strict=True):
            blocks[name][:, index] = values
    blocks["records_check"] = _checks(_rows(records, BLOCK))
    blocks["check"] = _block_checks(blocks, first)
    return blocks


def is_of(block: Any, records: Records) -> bool:
    """Return whether a block summarises just these records."""
    return len(records) == BLOCK and bool(block["records_check"] == _checks(_rows(records, BLOCK))[0])


def are_whole(blocks: Blocks) -> NDArray[np.bool_]:
    """Return which blocks are as they were written, the first being the fit's first."""
    is_whole: NDArray[np.bool_] = blocks["check"] == _block_checks(blocks, 0)
    return is_whole


def _block_checks(blocks: Blocks, first: int) -> NDArray[np.uint32]:
    numbers = np.arange(first + 1, first + 1 + len(blocks), dtype=np.uint32)
    checks: NDArray[np.uint32] = _checks(_rows(blocks, 1)[:, :-1]) + numbers * _MULTIPLIER
    return checks


def _rows(records: NDArray[np.void], entries: int) -> NDArray[np.uint32]:
    """Return the bytes of each so many entries as a row of words."""
    words: NDArray[np.uint32] = np.ascontiguousarray(records).view("<u4")
    return words.reshape(len(records) // entries, entries * records.dtype.itemsize // 4)


def _checks(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return a sum of each row that any one changed word changes, and nearly any other change: all at once."""
    weights = np.arange(1, 2 * words.shape[1], 2, dtype=np.uint32) * _MULTIPLIER
    checks: NDArray[np.uint32] = words @ weights
    return checks
