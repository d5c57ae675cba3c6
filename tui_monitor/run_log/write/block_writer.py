"""Adds summaries of batch records to their file, outside the training thread; lost ones can be worked out again."""

import os
from typing import Any

import numpy as np

from tui_monitor.run_log.format.batch_records import Records
from tui_monitor.run_log.format.block_summaries import BLOCK, block_type, is_of, summarise
from tui_monitor.run_log.format.layout import FitInfo, blocks_file
from tui_monitor.run_log.write.append_file import AppendFile

LEAST_ADDED = 64
"""Blocks worth adding at once: 64 cost little more than one, and until then reading their records takes 2 ms."""

_BLOCKS_AT_ONCE = 256
_MOST_AT_ONCE = 2**12
"""Blocks that one call adds: a million batches, in a fraction of a second."""


def extend_blocks(folder_descriptor: int, fit: FitInfo, least: int = LEAST_ADDED) -> bool:
    """Add the blocks that a fit's records have filled since the last time.

    They end for good before a record that no training can have written.

    Args:
        folder_descriptor: of the run folder.
        fit: one of the run's.
        least: blocks that must have been filled for any to be added.

    Returns:
        Whether more could be added at once.

    Raises:
        OSError: a file can't be read or written; the blocks that were added are whole.
    """
    try:
        records = os.open(fit.batches, os.O_RDONLY, dir_fd=folder_descriptor)
    except FileNotFoundError:
        return False
    try:
        filled = os.fstat(records).st_size // (fit.dtype.itemsize * BLOCK)
        held = _size(folder_descriptor, blocks_file(fit.batches)) // block_type(fit).itemsize
        # Fewer filled than held means that the records were begun anew: the blocks must be, too.
        if 0 <= filled - held < least:
            return False
        return _extend(folder_descriptor, fit, records, filled)
    finally:
        os.close(records)


def cut_blocks(folder_descriptor: int, fit: FitInfo, batches: int) -> None:
    """Truncate the blocks of batches beyond a number.

    Raises:
        OSError: the file can't be cut. Where there is none, nothing is.
    """
    name, size = blocks_file(fit.batches), batches // BLOCK * block_type(fit).itemsize
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


def _extend(folder_descriptor: int, fit: FitInfo, records: int, filled: int) -> bool:
    kind = block_type(fit)
    file = AppendFile(blocks_file(fit.batches), piece=kind.itemsize)
    file.open(folder_descriptor)
    try:
        held = os.fstat(file.descriptor).st_size // kind.itemsize
        if held and not _is_continued(file.descriptor, held, kind, records, fit):
            # The records were begun anew.
            os.ftruncate(file.descriptor, 0)
            held = 0
        last = min(filled, held + _MOST_AT_ONCE)
        while held < last:
            wanted = min(last - held, _BLOCKS_AT_ONCE)
            added = summarise(_records_of(records, fit, held, wanted), fit, held)
            if len(added):
                file.append(added.tobytes())
            if len(added) < wanted:
                return False
            held += len(added)
        return held < filled
    finally:
        file.close()


def _is_continued(descriptor: int, held: int, kind: np.dtype[Any], records: int, fit: FitInfo) -> bool:
    """Whether the last block in a file is that of the records in its place."""
    content = os.pread(descriptor, kind.itemsize, (held - 1) * kind.itemsize)
    return is_of(np.frombuffer(content, kind)[0], _records_of(records, fit, held - 1, 1))


def _records_of(descriptor: int, fit: FitInfo, first: int, blocks: int) -> Records:
    """Return the records of so many blocks, fewer where the file ends before."""
    width = fit.dtype.itemsize * BLOCK
    content = os.pread(descriptor, blocks * width, first * width)
    return np.frombuffer(content[: len(content) // width * width], fit.dtype)
