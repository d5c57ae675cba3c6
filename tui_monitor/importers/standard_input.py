"""Bytes that arrive on a pipe go into a run folder, whole and at once, until the pipe ends."""

import os
from collections.abc import Sequence
from contextlib import suppress

from tui_monitor.importers.line_importer import LineImporter, LineParser
from tui_monitor.importers.text.pattern_log import PatternLog
from tui_monitor.importers.text.progress_log import ProgressLog
from tui_monitor.run_log.format.layout import OUTPUT_FILE, State
from tui_monitor.run_log.write.writer import RunWriter

_CHUNK = 2**16


class Pump:
    """Reads one pipe to its end. A reader that falls behind holds up the writer as any pipe does; this one is quick."""

    def __init__(
        self, source: int, writer: RunWriter, passed_on: int | None = None, patterns: Sequence[str] = ()
    ) -> None:
        """Name the two ends.

        Args:
            source: descriptor to read from.
            writer: of the run; closed by its owner.
            passed_on: descriptor to copy the bytes to, or None.
            patterns: that the text is read by; Keras' progress where there are none.
        """
        self._source = source
        self._writer = writer
        self._passed_on = passed_on
        self.has_text = False
        """Whether anything came."""
        parser: LineParser = PatternLog(patterns) if patterns else ProgressLog()
        self._importer = LineImporter(writer, parser)

    @property
    def epochs(self) -> int:
        """Epochs that have ended."""
        return self._importer.recorder.epochs

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was skipped, repaired or guessed, a sentence each."""
        return self._importer.recorder.remarks

    def run(self) -> None:
        """Read until the end. Text is kept first, then read for values; a full disk stops neither."""
        importer = self._importer
        with (self._writer.folder / OUTPUT_FILE).open("ab", buffering=0) as output:
            while content := self._read():
                self.has_text = True
                with suppress(OSError):
                    output.write(content)
                self._writer.mark_output()
                self._pass_on(content)
                importer.feed(content)
        if self.has_text:
            importer.close()
        else:
            self._writer.status(State.STOPPED, "Nothing came on standard input.")

    def _read(self) -> bytes:
        try:
            return os.read(self._source, _CHUNK)
        except OSError as error:
            self._writer.status(State.FAILED, f"Standard input can't be read: {error.strerror}.")
            return b""

    def _pass_on(self, content: bytes) -> None:
        while content and self._passed_on is not None:
            try:
                content = content[os.write(self._passed_on, content) :]
            except OSError:
                self._passed_on = None
