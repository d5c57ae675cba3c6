"""Records in a training's ring buffer that are not in the file yet: after a kill they are nowhere else."""

from pathlib import Path
from typing import Any

import numpy as np

from tui_monitor.run_log.format.batch_records import Records
from tui_monitor.run_log.format.pyramid_level import IntArray
from tui_monitor.run_log.format.ring_buffer import NUMBER_SIZE, RING_BUFFER_SUFFIX, ROOM, slot_size
from tui_monitor.run_log.read.tail import ReplacedError


class UnflushedRecords:
    """What a reader of one fit has taken from the slots; the file must hold the same once it was flushed."""

    def __init__(self, batches: Path, record: np.dtype[Any]) -> None:
        """Begin with nothing taken.

        Args:
            batches: path of the fit's batch records.
            record: type of one.
        """
        self._path = batches.with_name(batches.name + RING_BUFFER_SUFFIX)
        self._record = record
        self._taken = b""

    def known(self, content: bytes) -> int:
        """Return how many of the file's next bytes were taken from the slots already.

        Raises:
            ReplacedError: what was taken from the slots differs from them.
        """
        count = min(len(content), len(self._taken))
        # What was shown already can't be taken back one by one: the reader begins anew.
        if content[:count] != self._taken[:count]:
            raise ReplacedError
        self._taken = self._taken[count:]
        return count

    def take(self, in_file: int, most: int) -> Records:
        """Return the records that follow all that is known, oldest first.

        Args:
            in_file: records that were read from the file.
            most: to return.
        """
        records = self._after(in_file + len(self._taken) // self._record.itemsize)[:most]
        self._taken += records.tobytes()
        return records

    def _after(self, count: int) -> Records:
        wanted = count + np.arange(ROOM)
        is_there = self._slots(wanted % ROOM)["number"] == wanted + 1
        if not is_there[0]:
            return np.empty(0, self._record)
        # Read again: a number vouches for a record that is read after it, while training goes on writing.
        found = self._slots(wanted % ROOM)
        is_there &= found["number"] == wanted + 1
        return found["record"][: ROOM if is_there.all() else int(is_there.argmin())].astype(self._record)

    def _slots(self, indices: IntArray) -> Records:
        """Return some of the slots as they are now, all unused where they can't be read."""
        kind = _slot_type(self._record)
        try:
            content = self._path.read_bytes()
        except OSError:
            content = b""
        # Not made whole yet, or of another fit's metrics: its slots would be read from wrong places.
        if len(content) != ROOM * kind.itemsize:
            return np.zeros(len(indices), kind)
        return np.frombuffer(content, kind)[indices]


def _slot_type(record: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type of what `slot_struct` packs."""
    size = slot_size(record.itemsize)
    return np.dtype({"names": ["record", "number"], "formats": [record, "<u8"], "offsets": [0, size - NUMBER_SIZE]})
