"""What happens inside `put` leaves each batch recorded once."""

import os
import threading
from pathlib import Path

from tui_monitor.run_log.write.batch_file import BatchFile

RECORD_BYTES = 20


def test_what_is_raised_while_records_are_sent_puts_none_twice(tmp_path: Path) -> None:
    """A signal handler of the script may raise anything there, when the record is counted already."""
    now, raised = [0.0], [ValueError("raised by a handler")]
    folder = os.open(tmp_path, os.O_RDONLY)

    def descriptor() -> int:
        if now[0] >= 1.0 and raised:
            raise raised.pop()
        return folder

    file = BatchFile("batches.bin", 1, descriptor, threading.RLock(), lambda: now[0], 0.0)
    file.put(1, 36, [0.25])
    file.distrust()
    now[0] = 1.0
    assert file.put(1, 36, [0.5]) == 1.0
    assert isinstance(file.trouble, ValueError)
    now[0] = 2.0
    file.put(1, 36, [0.75])
    # mypy does not know that a put may change what `trouble` was.
    assert (file.close(), file.trouble) == (0, None)  # type: ignore[comparison-overlap]
    content = (tmp_path / "batches.bin").read_bytes()
    assert [content[at + 16 : at + 20] for at in range(0, len(content), RECORD_BYTES)] == [
        b"\x00\x00\x80>",
        b"\x00\x00\x00?",
        b"\x00\x00@?",
    ]
    os.close(folder)
