"""Reading a file that grows: what was taken stays taken, and a file that is not the same any more is noticed."""

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tui_monitor.run_log.format.file_id import NO_FILE, FileId, file_id

_ANCHOR_BYTES = 32


class ReplacedError(Exception):
    """The file is another one, or shorter than what was already taken from it."""


class Tail:
    """How far one file has been read. Use it as a context manager around each poll of the file.

    The file is opened for each poll: that alone makes a network file system say how long it is by now.
    It is read, not mapped: a mapped file that somebody truncates ends the process with SIGBUS.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.offset = 0
        """Bytes taken so far."""
        self.size = 0
        """Bytes in the file as of this poll; 0 while there is no file."""
        self._descriptor = -1
        self._file_id: FileId | None = None
        self._anchor = b""

    @property
    def file_id(self) -> FileId:
        """Of the file as of this poll; `NO_FILE` where there never was one."""
        return self._file_id or NO_FILE

    @property
    def waiting(self) -> int:
        """Bytes in the file that were not taken yet."""
        return max(self.size - self.offset, 0)

    def __enter__(self) -> Self:
        """Open the file if it is there.

        Raises:
            ReplacedError: what was taken before is not what the file begins with now.
        """
        try:
            # Not blocking: where a named pipe has that name, opening it would wait for a writer for ever.
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            self._descriptor, self.size = -1, 0
            if self.offset:
                raise ReplacedError from None
            return self
        try:
            self._recognise()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def read(self, limit: int) -> bytes:
        """Return the next bytes without taking them; empty at the end, or where the file can't be read."""
        return self.peek(self.offset, min(limit, self.waiting))

    def peek(self, start: int, length: int) -> bytes:
        """Return bytes of any part of the file without taking them, as many as can be read."""
        if length <= 0 or self._descriptor < 0:
            return b""
        try:
            return os.pread(self._descriptor, length, start)
        except OSError:
            return b""

    def take(self, content: bytes) -> None:
        """Count bytes that `read` returned, from their first on, as taken."""
        if content:
            self.offset += len(content)
            self._anchor = (self._anchor + content[-_ANCHOR_BYTES:])[-_ANCHOR_BYTES:]

    def skip(self, length: int) -> None:
        """Count the next bytes as taken unread; nothing happens where the last of them can't be read."""
        end = self.offset + length
        anchor = self.peek(max(end - _ANCHOR_BYTES, 0), min(_ANCHOR_BYTES, end))
        if length > 0 and len(anchor) == min(_ANCHOR_BYTES, end):
            self.offset, self._anchor = end, anchor

    def _recognise(self) -> None:
        found = os.fstat(self._descriptor)
        found_id = file_id(found)
        self.size = found.st_size
        is_same = self._file_id in (None, found_id) and self.size >= self.offset
        self._file_id = found_id
        # A file rewritten in place, as by `rsync --inplace`, keeps its identity and may be no shorter than before.
        if is_same and self._anchor:
            # A disk that can't be read at the moment does not make it another file.
            with suppress(OSError):
                before = os.pread(self._descriptor, len(self._anchor), self.offset - len(self._anchor))
                is_same = before == self._anchor
        if not is_same:
            raise ReplacedError

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
