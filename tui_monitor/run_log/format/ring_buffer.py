"""A ring buffer of the newest batch records in shared memory: what is put there outlives the process.

Next to a small training step a system call costs more than all else that recording a batch does.
"""

import errno
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from tui_monitor.run_log.format.file_id import file_id, open_file_id

ROOM: Final = 64
"""Records that the slots hold, the newest ones."""
RING_BUFFER_SUFFIX: Final = ".newest"
"""Follows the name of the fit's batch records in the name of the file that is mapped."""
NUMBER_SIZE: Final = 8
"""Bytes of a record's number, the last of its slot."""
_SAFE_TO_MAP: Final = frozenset({"ext2", "ext3", "ext4", "xfs", "tmpfs"})
"""File systems on which writing to a page with room reserved can't fail; elsewhere it may end the process (SIGBUS)."""
_MOUNTS: Final = Path("/proc/self/mountinfo")
_DESCRIPTORS: Final = "/proc/self/fd"
_left: list[mmap.mmap] = []


def slot_struct(record: struct.Struct) -> struct.Struct:
    """Return what packs a slot: a record's values, then its number, which is written last and so vouches for it.

    Numbers count the fit's records from 1; 0 is a slot never used. No slot crosses the boundary of a page.
    """
    padding = slot_size(record.size) - NUMBER_SIZE - record.size
    return struct.Struct(f"{record.format}{padding}xQ")


def slot_size(record_size: int) -> int:
    """Return the size of a slot in bytes: the least power of two that has room for a record and its number."""
    return 1 << (record_size + NUMBER_SIZE - 1).bit_length()


class RingBuffer:
    """A file of a run folder as shared memory."""

    def __init__(self, folder: int, name: str, size: int) -> None:
        """Create and map the file, empty, in place of any that is there.

        Args:
            folder: its descriptor.
            name: of the file.
            size: in bytes.

        Raises:
            OSError: that is not safe there, or can't be had.
        """
        if not _is_safe_to_map(folder):
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
        self._name = name
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        remove_ring_buffer(folder, name)
        # Read-only to what opens it later: a mapped file that is truncated ends the process with SIGBUS.
        descriptor = os.open(name, flags, 0o400, dir_fd=folder)
        try:
            os.posix_fallocate(descriptor, 0, size)
            self.memory = mmap.mmap(descriptor, size)
            self._file_id = open_file_id(descriptor)
            self._descriptor = _other_descriptor(descriptor)
        except OSError:
            remove_ring_buffer(folder, name)
            raise
        finally:
            os.close(descriptor)

    def is_in_place(self, folder: int) -> bool:
        """Return whether the file is still in a folder, under its name."""
        try:
            found = os.stat(self._name, dir_fd=folder, follow_symlinks=False)
        except OSError:
            return False
        return file_id(found) == self._file_id

    def unmap(self) -> None:
        """Give the memory back. Where a script has closed our descriptor, and may use its number, it is only left."""
        with suppress(OSError):
            if open_file_id(self._descriptor) == self._file_id:
                self.memory.close()
                return
        _left.append(self.memory)


def map_ring_buffer(folder: int, name: str, size: int) -> RingBuffer | None:
    """Return a new, empty file of a folder as shared memory, or None where that is not safe or can't be had."""
    try:
        return RingBuffer(folder, name, size)
    except OSError:
        return None


def remove_ring_buffer(folder: int, name: str) -> None:
    """Remove a file that was mapped, if it is there."""
    with suppress(OSError):
        os.unlink(name, dir_fd=folder)


def _other_descriptor(descriptor: int) -> int:
    """Return another descriptor of this process for the same file: that of its mapping, which Python does not name."""
    wanted = open_file_id(descriptor)
    for number in map(int, os.listdir(_DESCRIPTORS)):  # noqa: PTH208
        with suppress(OSError):
            if number != descriptor and open_file_id(number) == wanted:
                return number
    return -1


def _is_safe_to_map(folder: int) -> bool:
    device = os.fstat(folder).st_dev
    return _mounted(f"{os.major(device)}:{os.minor(device)}") in _SAFE_TO_MAP


def _mounted(device: str) -> str:
    return next((kind for found, kind in _mounts() if found == device), "")


def _mounts() -> Iterator[tuple[str, str]]:
    """Yield the device and the file system's type of each mount; proc(5) has the lines' format."""
    for line in _MOUNTS.read_text(errors="replace").splitlines():
        mount, _, source = line.partition(" - ")
        yield mount.split()[2], source.split()[0]
