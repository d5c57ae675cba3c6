"""How far the batch records of one fit have been read: a long one's first batches are taken by their summaries."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tui_monitor.run_log.format.batch_records import Records, is_plausible
from tui_monitor.run_log.format.block_summaries import BLOCK
from tui_monitor.run_log.format.layout import FitInfo, blocks_file
from tui_monitor.run_log.read.block_reader import Summaries, read_blocks
from tui_monitor.run_log.read.stored_records import StoredRecords
from tui_monitor.run_log.read.tail import Tail
from tui_monitor.run_log.read.unflushed_records import UnflushedRecords

READ_WHOLE = 2**18
"""Batches of a fit up to which all its records are read, which takes a few milliseconds."""
LEAST_READ = 1024
"""Newest records that are read in any case: they tell the pace."""

_RECORDS_AT_ONCE = 65_536


class FitRecords:
    """The reader's position in one fit. Not safe across threads."""

    def __init__(self, info: FitInfo, folder: Path, read_whole: float) -> None:
        """Begin before the first record.

        Args:
            info: of the fit.
            folder: of the run; the fit's file need not be there yet.
            read_whole: batches up to which all records are read.
        """
        self.info = info
        self.more_waits = False
        self.is_through = False
        """Read to its end after the next fit had begun, so that nothing more can come."""
        self.torn_bytes = 0
        self._folder = folder
        self._tail = Tail(folder / info.batches)
        self._dtype = info.dtype
        self._unflushed = UnflushedRecords(folder / info.batches, info.dtype)
        self._read_whole = read_whole
        self._is_begun = False
        self._stored_count = 0
        self._has_skipped = False

    @property
    def stored(self) -> StoredRecords:
        """Where the batches so far lie."""
        return StoredRecords(self._folder / self.info.batches, self._dtype, self._tail.file_id, self._stored_count)

    def take_summaries(self) -> Summaries | None:
        """Return the summaries of the first batches, at the first call that finds any records; else None."""
        if self._is_begun:
            return None
        with self._tail as tail:
            records = tail.size // self._dtype.itemsize
            self._is_begun = records > 0
            if records <= self._read_whole:
                return None
            path = self._folder / blocks_file(self.info.batches)
            blocks = read_blocks(path, self.info, records - LEAST_READ, self._block)
            tail.skip(len(blocks) * BLOCK * self._dtype.itemsize)
            self._stored_count = tail.offset // self._dtype.itemsize
        return Summaries(blocks, self.stored) if self._stored_count else None

    def take(self, is_late: Callable[[], bool], max_records: int) -> list[tuple[Records, int]]:
        """Return pieces of (good records, number of bad ones).

        Args:
            is_late: whether no further piece is to be begun.
            max_records: at most, bad ones included.
        """
        width = self._dtype.itemsize
        pieces: list[tuple[Records, int]] = []
        with self._tail as tail:
            self.more_waits = tail.waiting >= width
            # At least one piece is read however late it is, or a slow disk would never be read to its end.
            while max_records > 0 and self.more_waits and not (pieces and is_late()):
                content = tail.read(min(_RECORDS_AT_ONCE, max_records) * width)
                content = content[: len(content) // width * width]
                if not content:
                    self.more_waits = False
                    break
                known = self._unflushed.known(content)
                tail.take(content)
                self.more_waits = tail.waiting >= width
                records: Records = np.frombuffer(content[known:], self._dtype)
                max_records -= len(records)
                pieces += self._good(records)
                self._count_stored(len(content) // width)
            # Slots continue where the file ends, so they count only once the file was read to its end.
            if max_records > 0 and not self.more_waits:
                unflushed = self._unflushed.take(tail.offset // width, max_records)
                self.more_waits = len(unflushed) == max_records
                pieces += self._good(unflushed)
            self.more_waits |= max_records <= 0
            self.torn_bytes = tail.waiting % width
        self._is_begun |= bool(pieces)
        return pieces

    def _block(self, number: int) -> Records:
        width = self._dtype.itemsize
        content = self._tail.peek(number * BLOCK * width, BLOCK * width)
        return np.frombuffer(content, self._dtype, len(content) // width)

    def _good(self, records: Records) -> list[tuple[Records, int]]:
        """Return the good ones of some records and the number of bad ones, or nothing where there are none."""
        if not len(records):
            return []
        is_good = is_plausible(records)
        if is_good.all():
            return [(records, 0)]
        self._has_skipped = True
        return [(records[is_good], int((~is_good).sum()))]

    def _count_stored(self, records: int) -> None:
        # From the first one left out, a batch's number is not that of its record any more.
        if not self._has_skipped:
            self._stored_count += records
