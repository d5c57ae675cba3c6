"""A file is replaced by a whole one or not at all: it is written under another name, then renamed over the old."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_numbers = itertools.count(1)


@contextmanager
def replaced(path: str | os.PathLike[str], folder: int | None = None) -> Iterator[str]:
    """Yield the path to write to; the file is replaced by it at the end, or left as it is where anything was raised.

    Args:
        path: of the file.
        folder: descriptor of the open folder that the path is relative to.

    Raises:
        OSError: it can't be renamed.
    """
    head, name = os.path.split(path)
    # A name of its own: a signal handler, or another process, may replace the same file while this does.
    temporary = os.path.join(head, f".{name}.{os.getpid()}.{next(_numbers)}")  # noqa: PTH118
    try:
        yield temporary
        os.replace(temporary, path, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise


def replace_file(path: str | os.PathLike[str], content: bytes, folder: int | None = None) -> None:
    """Replace a file's content; the new file is its owner's alone.

    Args:
        path: of the file.
        content: all of it.
        folder: descriptor of the open folder that the path is relative to.

    Raises:
        OSError: the folder is gone, full or not writable; the file is untouched.
    """
    with replaced(path, folder) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
        try:
            while content:
                content = content[os.write(descriptor, content) :]
        finally:
            os.close(descriptor)
