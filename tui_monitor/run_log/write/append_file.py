"""A file that only grows by whole pieces: a piece that does not fit is truncated, never left half."""

import errno
import os
from contextlib import suppress

from tui_monitor.run_log.format.file_id import NO_FILE, file_id


class AppendFile:
    """One file of a run folder, opened for appending and reopened after a fault.

    Not safe across threads; its owner holds a lock where it needs one.
    """

    def __init__(self, name: str, piece: int | None = None) -> None:
        """Name a file; nothing is opened before the first `open`.

        Args:
            name: file name inside the run folder.
            piece: fixed size of a record in bytes, or None for lines of text.
        """
        self.name = name
        self._piece = piece
        self.descriptor = -1
        """What `os.write` takes; −1 while the file is closed, which makes a write fail at once."""
        self._open_descriptor = -1
        self._file_id = NO_FILE

    def open(self, folder_descriptor: int) -> bool:
        """Open or create the file and truncate any half piece at its end; return whether it is the one of before.

        Raises:
            OSError: the file can't be opened or repaired; it stays closed.
        """
        self.close()
        before = self._file_id
        # Never through a symbolic link: what is opened here may be truncated.
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(self.name, flags, 0o600, dir_fd=folder_descriptor)
        try:
            found = os.fstat(descriptor)
            self._file_id = file_id(found)
            self._repair(descriptor, found.st_size)
        except OSError:
            os.close(descriptor)
            raise
        self._open_descriptor = self.descriptor = descriptor
        return self._file_id == before

    def append(self, content: bytes) -> None:
        """Write one piece.

        Raises:
            OSError: it could not be written whole. Nothing of it is left, and the file is closed.
        """
        if self.descriptor >= 0 and not self._is_ours(self.descriptor):
            # A script that closed all descriptors has the number in use for a file of its own by now.
            self._open_descriptor = self.descriptor = -1
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        try:
            # In one call: with O_APPEND a local file system lets nobody's bytes in between; NFS promises no such thing.
            written = os.write(self.descriptor, content)
        except OSError:
            self.close()
            raise
        if written != len(content):
            self._truncate(written)
            self.close()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _is_ours(self, descriptor: int) -> bool:
        try:
            return file_id(os.fstat(descriptor)) == self._file_id
        except OSError:
            return False

    def pieces(self) -> int:
        """Return how many records of a fixed size the open file holds."""
        return os.fstat(self.descriptor).st_size // (self._piece or 1)

    def _truncate(self, written: int) -> None:
        # A half piece may stay where this fails as well; the next `open` repairs it.
        with suppress(OSError):
            os.ftruncate(self.descriptor, os.fstat(self.descriptor).st_size - written)

    def _repair(self, descriptor: int, size: int) -> None:
        if self._piece is not None:
            if size % self._piece:
                os.ftruncate(descriptor, size - size % self._piece)
        # Half a line is ended: it stays a damaged line of its own, which the next event does not continue.
        elif size and os.pread(descriptor, 1, size - 1) != b"\n":
            os.write(descriptor, b"\n")

    def leave_if_replaced(self) -> None:
        """Have a file that was removed or replaced opened anew before the next write. Closes nothing."""
        if self.descriptor >= 0 and not self._is_in_place():
            self.invalidate()

    def _is_in_place(self) -> bool:
        try:
            found = os.fstat(self._open_descriptor)
        except OSError:
            return False
        # A file that was removed can still be written to, and what is written is gone when it is closed.
        return found.st_nlink > 0 and file_id(found) == self._file_id

    def invalidate(self) -> None:
        """Make the next write fail and so reopen the file. Safe from any thread: closes nothing."""
        self.descriptor = -1

    def close(self) -> None:
        """Close the file if it is open and still ours."""
        descriptor, self._open_descriptor, self.descriptor = self._open_descriptor, -1, -1
        if descriptor < 0:
            return
        with suppress(OSError):
            # A script may have closed our descriptor, and its number may by now be a file of the script's own.
            found = os.fstat(descriptor)
            if file_id(found) == self._file_id:
                os.close(descriptor)
