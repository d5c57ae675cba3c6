"""When a script had printed how much, as its output index says."""

from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tui_monitor.run_log.format.layout import OUTPUT_INDEX_FILE
from tui_monitor.run_log.format.output_index import MARK

_MARK_TYPE = np.dtype([("time", "<f8"), ("bytes", "<u8")])
"""What `MARK` packs."""


def read_output_index(folder: Path) -> NDArray[np.void]:
    """Return a run's marks in the order of writing, shape (marks,); empty where there are none."""
    content = b""
    with suppress(OSError):
        content = (folder / OUTPUT_INDEX_FILE).read_bytes()
    marks = np.frombuffer(content[: len(content) // MARK.size * MARK.size], _MARK_TYPE)
    finite: NDArray[np.void] = marks[np.isfinite(marks["time"])]
    return finite
