"""A log that is read line by line becomes a run, as its bytes arrive."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from tui_monitor.explain.watch.alerts import AlertWatch
from tui_monitor.importers.progress_log import ProgressLog
from tui_monitor.importers.records import Record, Recorder, Remark, RunSink
from tui_monitor.importers.text_lines import TextDamage, TextLines


class LineParser(Protocol):
    """Turns lines into records."""

    is_terminal: bool
    """Whether lines are to be read as a terminal shows them."""

    def line(self, text: str) -> Iterator[Record]:
        """Yield what a line completes; nothing here may depend on lines to come."""

    def close(self, rest: str) -> Iterator[Record]:
        """Yield what the end completes; `rest` is the text after the last line's end."""

    def save(self) -> dict[str, Any]:
        """Return the state after the last line, as plain JSON types."""


@dataclass(frozen=True)
class LineState:
    """Where reading can be taken up again: the end of a line."""

    consumed: int = 0
    """Bytes read for good."""
    lines: int = 0
    damage: Mapping[str, Any] | None = None
    parser: Mapping[str, Any] | None = None


class LineImporter:
    """Feeds a parser with lines and a run with its records.

    However the bytes are cut, the same records come; those of a shorter log are the first of a longer one's,
    up to `close`.
    """

    def __init__(
        self,
        sink: RunSink,
        parser: LineParser,
        *,
        move_clock: Callable[[float | None, float], None] | None = None,
        state: LineState | None = None,
        reached: Callable[[int], object] = lambda _consumed: None,
        alerts: AlertWatch | None = None,
    ) -> None:
        """Begin with the first byte, or where another one left off.

        Args:
            sink: the run to write.
            parser: of the lines; in the state that goes with `state`.
            move_clock: as in `Recorder`; left out where the sink has a clock of its own.
            state: what `state` returned.
            reached: called after a line that gave records, with the bytes read up to its end.
            alerts: as in `Recorder`; left out where the run holds no epochs yet.
        """
        state = state or LineState()
        self._parser = parser
        self._reached = reached
        self._recorder = Recorder(sink, alerts=alerts or AlertWatch())
        if move_clock is not None:
            self._recorder.move_clock = move_clock
        self._text = TextLines(
            is_terminal=parser.is_terminal,
            consumed=state.consumed,
            lines=state.lines,
            damage=TextDamage(**state.damage) if state.damage else None,
        )
        self._consumed = state.consumed
        self._is_resumable = True

    @property
    def state(self) -> LineState:
        """Where reading can be taken up again; the beginning, where the encoding does not tell."""
        if not self._is_resumable:
            return LineState()
        return LineState(self._consumed, self._text.lines, asdict(self._text.damage_at_line), self._parser.save())

    def feed(self, content: bytes) -> None:
        """Take in the next bytes, cut anywhere.

        Raises:
            OSError: the sink can't write, where it is one that says so.
        """
        for line in self._text.feed(content):
            if line.end is None:
                self._is_resumable = False
            else:
                self._consumed = line.end
            if self._take(self._parser.line(line.text)) and line.end is not None:
                self._reached(line.end)

    def close(self) -> None:
        """Record what the end of the log completes, and what is damaged.

        Raises:
            OSError: as `feed`.
        """
        *ended, rest = ["", *(line.text for line in self._text.close())]
        for text in ended[1:]:
            self._take(self._parser.line(text))
        for sentence in self._text.damage.sentences():
            self._recorder.take(Remark(sentence))
        self._take(self._parser.close(rest))

    def _take(self, records: Iterator[Record]) -> bool:
        """Record what comes, and return whether anything did."""
        has_any = False
        for record in records:
            self._recorder.take(record)
            has_any = True
        return has_any


class TextImporter(LineImporter):
    """Brings Keras' progress text into a run, as it arrives on standard input or from a file."""

    def __init__(self, writer: RunSink) -> None:
        """Begin with the first byte.

        Args:
            writer: of the run; it has a clock of its own.
        """
        super().__init__(writer, ProgressLog())
