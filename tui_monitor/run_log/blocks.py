"""Summaries of batch records, 256 to a block, in a file of their own: who has them needs not read the records.

They are only ever worked out from the records, and never needed: where they are missing, torn or don't fit, the
records are read in their place, with the same result to the last bit.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_monitor.run_log.append_file import AppendFile
from tui_monitor.run_log.format import PhaseInfo, blocks_file
from tui_monitor.run_log.level import FACTOR, Float64Array, Level, folded, summarised
from tui_monitor.run_log.stored_records import Records, StoredRecords, is_plausible

BLOCK = FACTOR**2
"""Batches in one block: two levels of the pyramid, so that one begins where the other ends."""

LEAST_ADDED = 64
"""Blocks that are worth adding: many at once cost little more than one, and reading as many records takes 2 ms."""

_BLOCKS_AT_ONCE = 256
_MOST_AT_ONCE = 2**12
"""Blocks that one call adds: a million batches, in a fraction of a second."""
_SAMPLED = 8
"""Blocks whose records are compared, spread over the file and at its end, before any are believed."""
_MULTIPLIER = np.uint32(2654435761)

Blocks = NDArray[np.void]
"""Blocks of one phase in their order, with its `block_type`, shape (blocks,)."""


@dataclass(frozen=True)
class Summaries:
    """The first batches of a phase, whole blocks of them, without their records."""

    blocks: Blocks
    stored: StoredRecords
    """Where the records are."""

    @property
    def batches(self) -> int:
        """Number of batches told of."""
        return len(self.blocks) * BLOCK

    @property
    def seconds(self) -> Float64Array:
        """Latest run time in each block, shape (blocks,)."""
        return np.ascontiguousarray(self.blocks["seconds"])

    def level(self, metric: int) -> Level:
        """Return the figures of one metric, the phase's first being 0."""
        low, high, total, count = (self.blocks[name][:, metric] for name in ("low", "high", "total", "count"))
        return Level(low.copy(), high.copy(), total.copy(), count.astype(np.int64))

    def epochs(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Float64Array]:
        """Return where epochs begin: batch by index, number of the epoch, time of the batch; all of shape (epochs,)."""
        blocks = self.blocks
        starts = np.arange(len(blocks)) * BLOCK
        before = np.concatenate(([-1], blocks["last_epoch"][:-1].astype(np.int64)))
        edge = blocks["first_epoch"] != before
        once, often = blocks["changes"] == 1, np.flatnonzero(blocks["changes"] > 1)
        found = [
            (starts[edge], blocks["first_epoch"][edge], blocks["first_seconds"][edge]),
            (starts[once] + blocks["changed_at"][once], blocks["last_epoch"][once], blocks["changed_seconds"][once]),
            *(self._epochs_within(int(start)) for start in starts[often]),
        ]
        places, numbers, seconds = (np.concatenate(parts) for parts in zip(*found, strict=True))
        order = np.argsort(places)
        return places[order], numbers[order].astype(np.int64), seconds[order]

    def _epochs_within(self, start: int) -> tuple[NDArray[Any], ...]:
        """Return the epochs that begin in a block after its first batch, from the records."""
        batches = np.arange(start, start + BLOCK)
        epochs = self.stored.column("epoch", batches)
        places = np.flatnonzero((epochs[1:] != epochs[:-1]) & (epochs[1:] > 0)) + 1
        return start + places, epochs[places], self.stored.column("time", batches[places])


def block_type(phase: PhaseInfo) -> np.dtype[Any]:
    """Return the NumPy type of one block of a phase, packed, little-endian."""
    metrics = (len(phase.metrics),)
    return np.dtype(
        [
            ("seconds", "<f8"),  # latest time of its batches
            ("first_seconds", "<f8"),  # time of its first batch
            ("changed_seconds", "<f8"),  # time of the batch at `changed_at`
            ("first_epoch", "<u4"),
            ("last_epoch", "<u4"),
            ("changes", "<u4"),  # batches of another epoch than the one before, within the block
            ("changed_at", "<u4"),  # the first of them, from the block's beginning; 0 where there is none
            ("low", "<f4", metrics),  # as in `Level`
            ("high", "<f4", metrics),
            ("total", "<f8", metrics),
            ("count", "<u4", metrics),
            ("records_check", "<u4"),  # of the records' bytes
            ("check", "<u4"),  # of all before it, and the block's number
        ]
    )


def extend_blocks(folder_descriptor: int, phase: PhaseInfo, least: int = LEAST_ADDED) -> bool:
    """Add the blocks that a phase's records have filled since the last time.

    They end for good before a record that no training can have written.

    Args:
        folder_descriptor: of the run folder.
        phase: one of the run's.
        least: blocks that must have been filled for any to be added.

    Returns:
        Whether more could be added at once.

    Raises:
        OSError: a file can't be read or written; the blocks that were added are whole.
    """
    try:
        records = os.open(phase.batches, os.O_RDONLY, dir_fd=folder_descriptor)
    except FileNotFoundError:
        return False
    try:
        filled = os.fstat(records).st_size // (phase.dtype.itemsize * BLOCK)
        held = _size(folder_descriptor, blocks_file(phase.batches)) // block_type(phase).itemsize
        if 0 <= filled - held < least:
            return False
        return _extend(folder_descriptor, phase, records, filled)
    finally:
        os.close(records)


def cut_blocks(folder_descriptor: int, phase: PhaseInfo, batches: int) -> None:
    """Take back the blocks of batches beyond a number.

    Raises:
        OSError: the file can't be cut. Where there is none, nothing is.
    """
    name, size = blocks_file(phase.batches), batches // BLOCK * block_type(phase).itemsize
    if _size(folder_descriptor, name) > size:
        descriptor = os.open(name, os.O_WRONLY, dir_fd=folder_descriptor)
        try:
            os.ftruncate(descriptor, size)
        finally:
            os.close(descriptor)


def _size(folder_descriptor: int, name: str) -> int:
    try:
        return os.stat(name, dir_fd=folder_descriptor).st_size
    except FileNotFoundError:
        return 0


def _extend(folder_descriptor: int, phase: PhaseInfo, records: int, filled: int) -> bool:
    kind = block_type(phase)
    file = AppendFile(blocks_file(phase.batches), piece=kind.itemsize)
    file.open(folder_descriptor)
    try:
        held = os.fstat(file.descriptor).st_size // kind.itemsize
        if held and not _is_continued(file.descriptor, held, kind, records, phase):
            # The records were begun anew.
            os.ftruncate(file.descriptor, 0)
            held = 0
        last = min(filled, held + _MOST_AT_ONCE)
        while held < last:
            wanted = min(last - held, _BLOCKS_AT_ONCE)
            added = summarise(_records_of(records, phase, held, wanted), phase, held)
            if len(added):
                file.append(added.tobytes())
            if len(added) < wanted:
                return False
            held += len(added)
        return held < filled
    finally:
        file.close()


def _is_continued(descriptor: int, held: int, kind: np.dtype[Any], records: int, phase: PhaseInfo) -> bool:
    """Whether the last block in a file is that of the records in its place."""
    content = os.pread(descriptor, kind.itemsize, (held - 1) * kind.itemsize)
    return _fits(np.frombuffer(content, kind)[0], _records_of(records, phase, held - 1, 1))


def _records_of(descriptor: int, phase: PhaseInfo, first: int, blocks: int) -> Records:
    """Return the records of so many blocks, fewer where the file ends before."""
    width = phase.dtype.itemsize * BLOCK
    content = os.pread(descriptor, blocks * width, first * width)
    return np.frombuffer(content[: len(content) // width * width], phase.dtype)


def summarise(records: Records, phase: PhaseInfo, first: int) -> Blocks:
    """Return the blocks of consecutive records, up to one that holds a record no training can have written.

    Args:
        records: of whole blocks, shape (blocks × `BLOCK`,).
        phase: theirs.
        first: number of the first block, from 0.
    """
    is_good = is_plausible(records)
    records = records[: (len(records) if is_good.all() else int(is_good.argmin())) // BLOCK * BLOCK]
    blocks = np.zeros(len(records) // BLOCK, block_type(phase))
    epochs, times = records["epoch"].reshape(-1, BLOCK), records["time"].reshape(-1, BLOCK)
    has_changed = epochs[:, 1:] != epochs[:, :-1]
    blocks["seconds"], blocks["first_seconds"] = times.max(axis=1), times[:, 0]
    blocks["first_epoch"], blocks["last_epoch"] = epochs[:, 0], epochs[:, -1]
    blocks["changes"] = has_changed.sum(axis=1)
    blocks["changed_at"] = np.where(has_changed.any(axis=1), has_changed.argmax(axis=1) + 1, 0)
    blocks["changed_seconds"] = times[np.arange(len(times)), blocks["changed_at"]]
    for index, metric in enumerate(phase.metrics):
        level = folded(folded(summarised(records[metric])))
        for name, values in zip(("low", "high", "total", "count"), level.buffers, strict=True):
            blocks[name][:, index] = values
    blocks["records_check"] = _checks(_rows(records, BLOCK))
    blocks["check"] = _block_checks(blocks, first)
    return blocks


def read_blocks(path: Path, phase: PhaseInfo, batches: int, read: Callable[[int], Records]) -> Blocks:
    """Return the blocks of a phase's first batches, as many as are whole and fit their records.

    Args:
        path: of the blocks' file.
        phase: theirs.
        batches: use no block of batches beyond this number.
        read: returns the records of a block by its number, fewer than `BLOCK` where they can't be read.
    """
    kind = block_type(phase)
    try:
        content = path.read_bytes()
    except OSError:
        content = b""
    blocks = np.frombuffer(content, kind, min(len(content) // kind.itemsize, max(batches, 0) // BLOCK))
    is_whole = blocks["check"] == _block_checks(blocks, 0)
    blocks = blocks if is_whole.all() else blocks[: int(is_whole.argmin())]
    spread = np.linspace(0, len(blocks) - 1, _SAMPLED).astype(int) if len(blocks) else np.array([], int)
    sampled = {*spread.tolist(), *range(max(len(blocks) - _SAMPLED, 0), len(blocks))}
    return blocks if all(_fits(blocks[number], read(number)) for number in sampled) else blocks[:0]


def _fits(block: Any, records: Records) -> bool:
    return len(records) == BLOCK and bool(block["records_check"] == _checks(_rows(records, BLOCK))[0])


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
