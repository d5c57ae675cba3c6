"""A file is replaced whole or not at all, whatever happens while it is written."""

import os
from pathlib import Path

import pytest

from tui_monitor.run_log.format.replace_file import replace_file, replaced


def test_a_replaced_file_is_whole_and_the_owners(tmp_path: Path) -> None:
    """By path or beside an open folder, the new content is there, nothing else is, and others can't read it."""
    (tmp_path / "a").write_bytes(b"old")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        replace_file(tmp_path / "a", b"new" * 10_000)
        replace_file("b", b"beside", folder)
    finally:
        os.close(folder)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"new" * 10_000, "b": b"beside"}
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt])
def test_what_is_broken_off_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    """An error or an interrupt in the middle leaves the old content and no half file behind."""
    (tmp_path / "a").write_bytes(b"old")

    def break_off() -> None:
        with replaced(tmp_path / "a") as temporary:
            Path(temporary).write_bytes(b"ne")
            raise error

    with pytest.raises(error):
        break_off()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old"}


def test_replacing_within_replacing_keeps_both_whole(tmp_path: Path) -> None:
    """A signal handler that replaces the same file in between gets a file of its own; the last one renamed stays."""
    with replaced(tmp_path / "a") as temporary:
        Path(temporary).write_bytes(b"first")
        replace_file(tmp_path / "a", b"handler")
        assert (tmp_path / "a").read_bytes() == b"handler"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"first"}
