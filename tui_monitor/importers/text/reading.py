"""Text that is held as a whole is read like text that arrives."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui_monitor.importers.records import Record, Remark
from tui_monitor.importers.text.lines import TextLines

if TYPE_CHECKING:
    from tui_monitor.importers.line_importer import LineParser


def text_records(text: str, parser: "LineParser") -> Iterator[Record]:
    """Yield the records of a text, to its end.

    Args:
        text: the whole of it.
        parser: of its lines, at its beginning.
    """
    lines = TextLines(is_terminal=parser.is_terminal)
    for line in lines.feed(text.encode("utf-8", errors="replace")):
        yield from parser.line(line.text)
    *ended, rest = ["", *(line.text for line in lines.close())]
    for line_text in ended[1:]:
        yield from parser.line(line_text)
    yield from (Remark(sentence) for sentence in lines.damage.sentences())
    yield from parser.close(rest)
