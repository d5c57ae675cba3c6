"""What a script had printed by any moment: read from the file where it is asked for, never whole."""

import os
from bisect import bisect_right
from pathlib import Path

from tui_monitor.history.state.output import MOST_LINES, OutputLines
from tui_monitor.run_log.format.layout import OUTPUT_FILE
from tui_monitor.run_log.read.output_index import read_output_index

_WINDOW_BYTES = 2**20
"""Read at most for one frame; what is older is counted only."""
_COUNTED_BYTES = 2**16

Lines = tuple[tuple[str, ...], int]
"""The newest lines, and the number of lines in all."""


class RecordedOutput:
    """The output of one run folder. Not safe across threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._forget()

    def _forget(self) -> None:
        self._counts = [0]
        self._shown: tuple[int, OutputLines] = (0, OutputLines())
        self._times: list[float] = []
        self._sizes: list[int] = []

    def refresh(self) -> None:
        """Take the marks that came since, and count the lines that did."""
        marks = read_output_index(self._folder)
        if len(marks) < len(self._times) or self._size() < self._shown[0]:
            self._forget()
        added = marks[len(self._times) :]
        for seconds, held in zip(added["time"].tolist(), added["bytes"].tolist(), strict=True):
            self._times.append(max(seconds, self._times[-1] if self._times else 0.0))
            self._sizes.append(held)

    @property
    def is_timed(self) -> bool:
        """Whether the run says when anything was printed; a run that printed nothing needs not."""
        return (bool(self._times) and self._times[-1] > 0) or not self._size()

    def at(self, seconds: float) -> Lines:
        """Return what had been printed by a run time; everything where the run has no markers."""
        if not self.is_timed:
            return self.all()
        index = bisect_right(self._times, seconds)
        return self._up_to(min(self._sizes[index - 1], self._size()) if index else 0)

    def all(self) -> Lines:
        """Return what is printed by now."""
        return self._up_to(self._size())

    def _up_to(self, end: int) -> Lines:
        shown, lines = self._shown
        if not shown <= end <= shown + _WINDOW_BYTES:
            start = self._line_start(end)
            lines = OutputLines()
            lines.skip(self._lines_before(start))
            shown = start
        lines.feed(self._read(shown, end))
        self._shown = (end, lines)
        return lines.lines(), lines.total

    def _line_start(self, end: int) -> int:
        """Return where the newest lines before `end` begin, as many as are kept and not further than the window."""
        start = max(end - _WINDOW_BYTES, 0)
        content = self._read(start, end)
        at = len(content)
        for _ in range(MOST_LINES + 1):
            at = content.rfind(b"\n", 0, at)
            if at < 0:
                break
        if at >= 0:
            return start + at + 1
        return start + content.find(b"\n") + 1 if start else 0

    def _lines_before(self, end: int) -> int:
        """Return the line ends before a position; blocks are counted once."""
        while len(self._counts) <= end // _COUNTED_BYTES:
            start = (len(self._counts) - 1) * _COUNTED_BYTES
            self._counts.append(self._counts[-1] + self._read(start, start + _COUNTED_BYTES).count(b"\n"))
        block = end // _COUNTED_BYTES
        return self._counts[block] + self._read(block * _COUNTED_BYTES, end).count(b"\n")

    def _size(self) -> int:
        try:
            return (self._folder / OUTPUT_FILE).stat().st_size
        except OSError:
            return 0

    def _read(self, start: int, end: int) -> bytes:
        if end <= start:
            return b""
        try:
            descriptor = os.open(self._folder / OUTPUT_FILE, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            return b""
        try:
            return os.pread(descriptor, end - start, start)
        except OSError:
            return b""
        finally:
            os.close(descriptor)
