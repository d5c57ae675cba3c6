"""Reading a small file at once, as often as ten thousand times for one table."""

import os


def read_file(path: str, most: int, start: int = 0) -> bytes:
    """Return a file's bytes up to its present end.

    `open` takes three more system calls, and `read` of a limit takes memory for all of it, whatever the file holds.

    Args:
        path: of the file.
        most: bytes that are read at most.
        start: bytes that are passed over.

    Raises:
        OSError: it is not there, or can't be read.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        size = min(os.fstat(descriptor).st_size - start, most)
        if start:
            os.lseek(descriptor, start, os.SEEK_SET)
        content = os.read(descriptor, max(size, 0))
        while len(content) < size and (more := os.read(descriptor, size - len(content))):
            content += more
        return content
    finally:
        os.close(descriptor)
