"""Batch records in their file, read again where they are asked for: what is not kept in memory is not lost."""

import itertools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_monitor.run_log.level import IntArray

Records = NDArray[np.void]
"""Batch records of one phase, with the phase's `dtype`, shape (batches,)."""

_WORTH_READING_THROUGH = 256
"""Records between two that are asked for, up to which one read of both is cheaper than two."""


@dataclass(frozen=True)
class StoredRecords:
    """Where the records of a phase's first batches lie."""

    path: Path
    dtype: np.dtype[Any]
    inode: tuple[int, int]
    """Of the file: another one in its place holds other records."""
    count: int
    """The file's first so many records are the phase's first so many batches, none left out."""

    def column(self, name: str, batches: IntArray) -> NDArray[Any]:
        """Return the values of one column, shape (batches,).

        They are read, not mapped: a mapped file that somebody truncates ends the process with SIGBUS.

        Args:
            name: of the column.
            batches: their indices from 0, in pieces that rise.

        Returns:
            NaN, or 0 in a column of whole numbers, where a record is damaged or can't be read.
        """
        records = self._records(batches)
        values: NDArray[Any] = records[name].copy()
        is_bad = ~is_plausible(records)
        if is_bad.any():
            values[is_bad] = np.nan if values.dtype.kind == "f" else 0
        return values

    def _records(self, batches: IntArray) -> Records:
        """Return the records, zeros where they can't be read."""
        records = np.zeros(len(batches), self.dtype)
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            return records
        try:
            found = os.fstat(descriptor)
            if (found.st_dev, found.st_ino) == self.inode:
                for piece in _pieces(batches):
                    self._fill(records[piece], descriptor, batches[piece])
        except OSError:
            pass  # a disk that fails here leaves zeros, which are told as damage
        finally:
            os.close(descriptor)
        return records

    def _fill(self, out: Records, descriptor: int, batches: IntArray) -> None:
        start, width = int(batches[0]), self.dtype.itemsize
        content = os.pread(descriptor, (int(batches[-1]) + 1 - start) * width, start * width)
        held = np.frombuffer(content, self.dtype, len(content) // width)
        places = batches - start
        is_held = places < len(held)
        out[is_held] = held[places[is_held]]


def is_plausible(records: Records) -> NDArray[np.bool_]:
    """Return which records a training can have written: not those zeroed by a crash or overwritten."""
    times = records["time"]
    is_good: NDArray[np.bool_] = np.isfinite(times) & (times >= 0) & (records["epoch"] > 0)
    return is_good


def _pieces(batches: IntArray) -> list[slice]:
    """Return the slices that rise without a long gap."""
    if not len(batches):
        return []
    steps = np.diff(batches)
    ends = np.flatnonzero((steps < 0) | (steps > _WORTH_READING_THROUGH)) + 1
    return [slice(*edges) for edges in itertools.pairwise((0, *ends.tolist(), len(batches)))]
