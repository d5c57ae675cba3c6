"""What tells a file from another one under the same name: its device and inode."""

import os

FileId = tuple[int, int]
NO_FILE: FileId = (0, 0)
"""Of no file at all."""


def file_id(found: os.stat_result) -> FileId:
    """Return a file's identity, as long as it is not removed."""
    return found.st_dev, found.st_ino


def open_file_id(descriptor: int) -> FileId:
    """Return the identity of an open file.

    Raises:
        OSError: the descriptor is closed.
    """
    return file_id(os.fstat(descriptor))
