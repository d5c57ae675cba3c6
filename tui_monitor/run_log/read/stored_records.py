"""Batch records in their file, read again where they are asked for: what is not kept in memory is not lost."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_monitor.run_log.format.batch_records import Records, is_plausible
from tui_monitor.run_log.format.file_id import FileId, open_file_id
from tui_monitor.run_log.format.pyramid_level import IntArray

_WORTH_READING_THROUGH = 512
"""Records between two that are asked for, up to which one read of both is cheaper than two."""


@dataclass(frozen=True)
class StoredRecords:
    """Where the records of a fit's first batches lie."""

    path: Path
    dtype: np.dtype[Any]
    file_id: FileId
    """Of the file: another one in its place holds other records."""
    count: int
    """The file's first so many records are the fit's first so many batches, none left out."""

    def column(self, name: str, batches: IntArray) -> NDArray[Any]:
        """Return the values of one column, shape (batches,).

        They are read, not mapped: a mapped file that somebody truncates ends the process with SIGBUS.

        Args:
            name: of the column.
            batches: their indices from 0, in pieces that rise.

        Returns:
            NaN, or 0 in a column of whole numbers, where a record is damaged or can't be read.
        """
        firsts, lasts = _pieces(batches)
        lengths = batches[lasts] - batches[firsts] + 1
        heads = np.cumsum(lengths) - lengths
        records = self._read(batches[firsts], heads, lengths)
        indices = batches + np.repeat(heads - batches[firsts], lasts - firsts + 1)
        values: NDArray[Any] = records[name][indices]
        is_bad = ~is_plausible(records)
        if is_bad.any():
            values[is_bad[indices]] = np.nan if values.dtype.kind == "f" else 0
        return values

    def _read(self, starts: IntArray, heads: IntArray, lengths: IntArray) -> Records:
        """Return pieces of the file one after the other, zeros where they can't be read."""
        records = np.zeros(int(lengths.sum()), self.dtype)
        content, width = records.view(np.uint8).data, self.dtype.itemsize
        edges = np.column_stack((starts, heads, heads + lengths)) * width
        try:
            # Not blocking: where a named pipe has that name, opening it would wait for a writer for ever.
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            return records
        try:
            if open_file_id(descriptor) == self.file_id:
                for start, head, end in edges.tolist():
                    # Fewer bytes than wanted leave zeros behind, which no training writes: they count as damaged.
                    os.preadv(descriptor, [content[head:end]], start)
        except OSError:
            pass  # a disk that fails here leaves zeros, which are told as damage
        finally:
            os.close(descriptor)
        return records


def _pieces(batches: IntArray) -> tuple[IntArray, IntArray]:
    """Return the first and the last index of each piece that rises without a long gap."""
    steps = np.diff(batches)
    ends = np.flatnonzero((steps < 0) | (steps > _WORTH_READING_THROUGH))
    is_any = np.arange(min(len(batches), 1))
    return np.concatenate((is_any, ends + 1)), np.concatenate((ends, is_any + len(batches) - 1))
