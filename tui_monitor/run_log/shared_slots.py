"""Room for the newest batch records, shared with the system: what is put there outlives the process at no system call.

Next to a small training step a system call costs more than all else that recording a batch does.
"""

import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np

ROOM: Final = 64
"""Records that the slots hold, the newest ones."""
SLOTS_SUFFIX: Final = ".newest"
"""Follows the name of the phase's batch records in the name of the file that is mapped."""
_NUMBER: Final = "<u8"
_SAFE_TO_MAP: Final = frozenset({"ext2", "ext3", "ext4", "xfs", "tmpfs"})
"""File systems on which writing to a page with room reserved can't fail; elsewhere it may end the process (SIGBUS)."""
_MOUNTS: Final = Path("/proc/self/mountinfo")
_left: list[mmap.mmap] = []


def slot_type(record: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type of a slot: a record, then its number, which is written last and so vouches for it.

    Numbers count the phase's records from 1; 0 is a slot never used. No slot crosses the boundary of a page.
    """
    size = 1 << (record.itemsize + 7).bit_length()
    return np.dtype({"names": ["record", "number"], "formats": [record, _NUMBER], "offsets": [0, size - 8]})


def slot_struct(record: struct.Struct) -> struct.Struct:
    """Return what packs a record's values and its number into a slot of `slot_type`."""
    size = 1 << (record.size + 7).bit_length()
    return struct.Struct(f"{record.format}{size - 8 - record.size}xQ")


def map_slots(folder: int, name: str, size: int) -> mmap.mmap | None:
    """Return a new, empty file of a folder as shared memory, or None where that is not safe or can't be had.

    Args:
        folder: its descriptor.
        name: of the file, replaced if it is there.
        size: in bytes.
    """
    with suppress(OSError, ValueError, AttributeError):
        if not _is_safe_to_map(folder):
            return None
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        remove_slots(folder, name)
        descriptor = os.open(name, flags, 0o600, dir_fd=folder)
        try:
            os.posix_fallocate(descriptor, 0, size)
            return mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)
    return None


def unmap(slots: mmap.mmap) -> None:
    """Give shared memory back. Where a script has closed our descriptor, and may use its number, it is only left."""
    with suppress(OSError):
        if slots.size() == len(slots):
            slots.close()
            return
    _left.append(slots)


def remove_slots(folder: int, name: str) -> None:
    """Remove a file that was mapped, if it is there."""
    with suppress(OSError):
        os.unlink(name, dir_fd=folder)


def _is_safe_to_map(folder: int) -> bool:
    device = os.fstat(folder).st_dev
    return _mounted(f"{os.major(device)}:{os.minor(device)}") in _SAFE_TO_MAP


def _mounted(device: str) -> str:
    return next((kind for found, kind in _mounts() if found == device), "")


def _mounts() -> Iterator[tuple[str, str]]:
    """Yield the device and the file system's type of each mount; proc(5) has the lines' format."""
    for line in _MOUNTS.read_text(errors="replace").splitlines():
        place, _, source = line.partition(" - ")
        yield place.split()[2], source.split()[0]
