"""The batch records of one fit as they are written: what `put` took is with the system when it returns."""

import errno
import os
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import RLock
from typing import Any

from tui_monitor.run_log.format.ring_buffer import (
    NUMBER_SIZE,
    RING_BUFFER_SUFFIX,
    ROOM,
    RingBuffer,
    map_ring_buffer,
    remove_ring_buffer,
    slot_struct,
)
from tui_monitor.run_log.write.append_file import AppendFile

_FLUSH_SECONDS = 0.02
"""Time after which what waits in the ring buffer is appended to the file."""
_RETRY_SECONDS = 0.5


class BatchFile:
    """Appends records to a file, many at a time where shared memory keeps them until then, else each at once.

    `put` belongs to one thread; everything else may be called from any, and from signal handlers.
    """

    def __init__(
        self, name: str, metrics: int, folder: Callable[[], int], lock: RLock, clock: Callable[[], float], begun: float
    ) -> None:
        """Name the file; nothing is opened before the first `open` or `put`.

        Args:
            name: file name inside the run folder.
            metrics: values in a record.
            folder: returns the run folder's descriptor, or raises OSError.
            lock: held while the file is written.
            clock: seconds that never go backwards.
            begun: what it showed when the run began.
        """
        record = struct.Struct("<dII" + "f" * metrics)
        slot = slot_struct(record)
        self.metrics = metrics
        self.trouble: Exception | None = None
        """Why records wait that should have been appended, or None."""
        self._size, self._width = record.size, slot.size
        self._fill: Callable[..., None] = slot.pack_into
        self._slots: Any = bytearray(ROOM * slot.size)
        self._shared: RingBuffer | None = None
        self._file = AppendFile(name, piece=record.size)
        self._folder, self._lock = folder, lock
        self._clock, self._begun = clock, begun
        self._number = self._flushed = 0
        self._room = 0
        self._flush_at = 0.0
        self._is_flushing = False

    @property
    def descriptor(self) -> int:
        """Of the open file; −1 while it is closed."""
        return self._file.descriptor

    @property
    def waiting(self) -> int:
        """Records that are not in the file yet."""
        return self._number - self._flushed

    def put(self, epoch: int, size: int, values: Sequence[float]) -> float:
        """Take the record of a batch that ends now, and return the seconds since the run began.

        Args:
            epoch: from 1.
            size: samples in the batch.
            values: one value for each metric.

        Raises:
            Exception: no room is left for the record, as the file can't be written; mostly an OSError.
            struct.error: a value does not fit into a record.
        """
        seconds = self._clock() - self._begun
        number = self._number
        if number - self._flushed >= self._room:
            self._make_room(seconds)
            number = self._number
        # The number is written last: where a kill comes in between, it does not vouch for half a record.
        self._fill(self._slots, number % ROOM * self._width, seconds, epoch, size, *values, number + 1)
        # Counted on: another thread may have opened a new file, and so begun to count anew.
        self._number += 1
        if seconds >= self._flush_at:
            self.flush(seconds)
        return seconds

    def flush(self, seconds: float | None = None) -> None:
        """Append what waits, or note as `trouble` why it can't be.

        Args:
            seconds: the run's time from which to count until records are sent by `put`; None leaves that as it is.
        """
        try:
            self._append()
        except Exception as error:  # raised on, what a script's signal handler raises would have a record put twice
            self.trouble, pause = error, _RETRY_SECONDS
        else:
            self.trouble, pause = None, 0.0 if self._shared is None else _FLUSH_SECONDS
        if seconds is not None:
            self._flush_at = seconds + pause

    def open(self) -> None:
        """Open the file, and take along what waits.

        Raises:
            OSError: it can't be opened or repaired.
        """
        with self._lock:
            folder = self._folder()
            is_same = self._file.open(folder)
            held = self._file.pieces()
            is_mapped = self._shared is None or self._shared.is_in_place(folder)
            if is_same and is_mapped and self._flushed <= held <= self._number:
                # What a write has left there that was interrupted is not to be written again.
                self._flushed = held
            else:
                self._begin(folder, held)
            self._room = ROOM

    def close(self) -> int:
        """Append what waits and close the file for good; return how many records could be kept nowhere."""
        self.flush()
        lost = self.waiting
        if self._shared is not None:
            with suppress(OSError):
                folder = self._folder()
                if not lost:
                    remove_ring_buffer(folder, self._file.name + RING_BUFFER_SUFFIX)
                # What could not be appended stays in the ring buffer's file, where readers find it.
                elif self._shared.is_in_place(folder):
                    lost = 0
            self._shared.unmap()
        self._file.close()
        self._shared, self._flushed = None, self._number
        self.disown()
        return lost

    def leave_if_replaced(self) -> None:
        """Have a file that was removed or replaced opened anew before anything more is appended."""
        self._file.leave_if_replaced()

    def invalidate(self) -> None:
        """Have the file opened again before anything more is appended."""
        self._file.invalidate()

    def disown(self) -> None:
        """Take nothing more, as a copy in a forked child must not. Touches no lock and no file."""
        self._fill = _refuse
        # More than can ever wait: `put` never asks for room then, and so takes no lock that was forked while held.
        self._room = ROOM + 1
        self._file.invalidate()

    def _make_room(self, seconds: float) -> None:
        # A disk that fails is not tried again for each batch: an attempt may take long, and training waits.
        if self.trouble is not None and seconds < self._flush_at:
            raise self.trouble
        if not self._room:
            try:
                self.open()
            except OSError as error:
                self.trouble, self._flush_at = error, seconds + _RETRY_SECONDS
                raise
        self.flush(seconds)
        if self.trouble is not None and self.waiting >= self._room:
            raise self.trouble

    def _begin(self, folder: int, held: int) -> None:
        """Number what waits from the records that a file holds, in slots of its own."""
        waiting, size = [self._record(number) for number in range(self._flushed, self._number)], len(self._slots)
        if self._shared is not None:
            self._shared.unmap()
        self._shared = map_ring_buffer(folder, self._file.name + RING_BUFFER_SUFFIX, size)
        self._slots = bytearray(size) if self._shared is None else self._shared.memory
        self._number = self._flushed = held
        for record in waiting:
            at = self._number % ROOM * self._width
            self._slots[at : at + self._size] = record
            self._note(self._number, self._number + 1)
            self._number += 1

    def _append(self) -> None:
        with self._lock:
            if self._is_flushing:  # a signal handler came in between
                return
            self._is_flushing = True
            try:
                if self._file.descriptor < 0 and self.waiting:
                    self.open()
                waiting = range(self._flushed, self._number)
                if waiting:
                    self._file.append(b"".join(map(self._record, waiting)))
                    for number in waiting:
                        self._note(number, 0)
                    self._flushed = waiting.stop
            except BaseException:
                # A signal handler may raise when all is written: what the file holds is then looked up.
                self._file.invalidate()
                raise
            finally:
                self._is_flushing = False

    def _record(self, number: int) -> bytes:
        at = number % ROOM * self._width
        return bytes(self._slots[at : at + self._size])

    def _note(self, number: int, content: int) -> None:
        """Write what a record's slot holds as its number; see `slot_struct`."""
        end = (number % ROOM + 1) * self._width
        self._slots[end - NUMBER_SIZE : end] = content.to_bytes(NUMBER_SIZE, "little")


def _refuse(*_: Any) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))
