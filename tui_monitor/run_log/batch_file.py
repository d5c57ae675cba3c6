"""The batch records of one phase as they are written: what `put` took is with the system when it returns."""

import os
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import RLock
from typing import Any

from tui_monitor.run_log.append_file import AppendFile
from tui_monitor.run_log.shared_slots import ROOM, SLOTS_SUFFIX, map_slots, remove_slots, slot_struct, unmap

_SEND_SECONDS = 0.02
"""Time after which what waits in the shared slots is appended to the file."""
_RETRY_SECONDS = 0.5


class BatchFile:
    """Appends records to a file, many at a time where shared memory keeps them until then, else each at once.

    `put` belongs to one thread; everything else may be called from any, and from signal handlers.
    """

    def __init__(self, name: str, metrics: int, folder: Callable[[], int], lock: RLock) -> None:
        """Name the file; nothing is opened before the first `open` or `put`.

        Args:
            name: file name inside the run folder.
            metrics: figures in a record.
            folder: returns the run folder's descriptor, or raises OSError.
            lock: held while the file is written.
        """
        record = struct.Struct("<dII" + "f" * metrics)
        slot = slot_struct(record)
        self.metrics = metrics
        self.trouble: OSError | None = None
        """Why records wait that should have been appended, or None."""
        self._size, self._width = record.size, slot.size
        self._fill: Callable[..., None] = slot.pack_into
        self._slots: Any = bytearray(ROOM * slot.size)
        self._is_shared = False
        self._file = AppendFile(name, piece=record.size)
        self._folder, self._lock = folder, lock
        self._number = self._sent = 0
        self._room = 0
        self._send_at = 0.0
        self._is_sending = False

    @property
    def descriptor(self) -> int:
        """Of the open file; −1 while it is closed."""
        return self._file.descriptor

    @property
    def waiting(self) -> int:
        """Records that are not in the file yet."""
        return self._number - self._sent

    def put(self, seconds: float, epoch: int, size: int, values: Sequence[float]) -> None:
        """Take one record.

        Args:
            seconds: since the run began.
            epoch: from 1.
            size: samples in the batch.
            values: one figure for each metric.

        Raises:
            OSError: the file can't be written and no more room is left for the record.
            struct.error: a value is none that a record has room for.
        """
        number = self._number
        if number - self._sent >= self._room:
            self._make_room(seconds)
            number = self._number
        self._fill(self._slots, number % ROOM * self._width, seconds, epoch, size, *values, number + 1)
        self._number = number + 1
        if seconds >= self._send_at:
            self.send(seconds)

    def send(self, seconds: float | None = None) -> None:
        """Append what waits, or note as `trouble` why it can't be.

        Args:
            seconds: the run's time from which to count until records are sent by `put`; None leaves that as it is.
        """
        try:
            self._append()
        except OSError as error:
            self.trouble, pause = error, _RETRY_SECONDS
        else:
            self.trouble, pause = None, _SEND_SECONDS if self._is_shared else 0.0
        if seconds is not None:
            self._send_at = seconds + pause

    def open(self) -> None:
        """Open the file, and take along what waits.

        Raises:
            OSError: it can't be opened or repaired.
        """
        with self._lock:
            folder = self._folder()
            self._file.open(folder)
            waiting, size = [self._record(number) for number in range(self._sent, self._number)], len(self._slots)
            if self._is_shared:
                unmap(self._slots)
            shared = map_slots(folder, self._file.name + SLOTS_SUFFIX, size)
            self._is_shared = shared is not None
            self._slots = bytearray(size) if shared is None else shared
            self._number = self._sent = self._file.pieces()
            self._room = ROOM
            for record in waiting:
                at = self._number % ROOM * self._width
                self._slots[at : at + self._size] = record
                self._note(self._number, self._number + 1)
                self._number += 1

    def close(self) -> int:
        """Append what waits and close the file; return how many records could not be appended."""
        self.send()
        if self._is_shared:
            unmap(self._slots)
            self._slots, self._is_shared = bytearray(), False
            if not self.waiting:
                with suppress(OSError):
                    remove_slots(self._folder(), self._file.name + SLOTS_SUFFIX)
        self._file.close()
        return self.waiting

    def is_in_place(self) -> bool:
        """Return whether the open file is still the one it was, and still in a folder."""
        return self._file.descriptor < 0 or self._file.is_in_place()

    def distrust(self) -> None:
        """Have the file opened again before anything more is appended."""
        self._file.distrust()

    def disown(self) -> None:
        """Take nothing more: this is a copy in a forked child. Touches no lock and no file."""
        self._fill = _refuse
        self._room = ROOM + 1
        self._file.distrust()

    def _make_room(self, seconds: float) -> None:
        if self.trouble is not None and seconds < self._send_at:
            raise self.trouble
        if not self._room:
            self.open()
        self.send(seconds)
        if self.trouble is not None and self.waiting >= self._room:
            raise self.trouble

    def _append(self) -> None:
        with self._lock:
            if self._is_sending:  # a signal handler came in between
                return
            self._is_sending = True
            try:
                if self._file.descriptor < 0 and self.waiting:
                    self.open()
                waiting = range(self._sent, self._number)
                if waiting:
                    self._file.append(b"".join(map(self._record, waiting)))
                    for number in waiting:
                        self._note(number, 0)
                    self._sent = waiting.stop
            finally:
                self._is_sending = False

    def _record(self, number: int) -> bytes:
        at = number % ROOM * self._width
        return bytes(self._slots[at : at + self._size])

    def _note(self, number: int, content: int) -> None:
        """Write what a record's slot holds as its number; see `slot_type`."""
        end = (number % ROOM + 1) * self._width
        self._slots[end - 8 : end] = content.to_bytes(8, "little")


def _refuse(*_: Any) -> None:
    raise OSError(os.strerror(1))
