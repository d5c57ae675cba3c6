"""Laws of reading: how the bytes arrive does not matter, and less of a log is the beginning of more of it."""

from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.importers.printed_progress import QUESTION, keras_3_text
from tests.unit.importers.reading import epochs_of, records_of
from tui_monitor.history.state.output import OutputLines
from tui_monitor.importers.line_importer import LineParser
from tui_monitor.importers.records import Record, Remark
from tui_monitor.importers.tables.csv_table import CsvTable
from tui_monitor.importers.text.lines import TextLines
from tui_monitor.importers.text.progress_log import ProgressLog

TABLE = "epoch,loss,val_loss\r\n" + "".join(f"{n},{0.5 / (n + 1)!r},{0.7 / (n + 1)!r}\r\n" for n in range(6))
NOISE = ("\xe9\x1b[31m\xe9\r\b" * 3 + QUESTION).encode("latin-1") + b"\0\xff Traceback (most"
LOGS: dict[str, tuple[bytes, type[LineParser]]] = {
    "keras 2": (QUESTION.encode(), ProgressLog),
    "keras 3": (keras_3_text("\b" * 30 + "\r").encode(), ProgressLog),
    "wide": (QUESTION.encode("utf-16"), ProgressLog),
    "noise": (NOISE, ProgressLog),
    "table": (TABLE.encode(), CsvTable),
}


@cache
def _whole(name: str, *, is_closed: bool = True) -> list[Record]:
    content, parser = LOGS[name]
    return records_of(content, parser(), is_closed=is_closed)


CUTS = st.lists(st.integers(0, 6000), max_size=12)


@pytest.mark.parametrize("name", LOGS)
@given(cuts=CUTS)
def test_pieces_do_not_matter(name: str, cuts: list[int]) -> None:
    """However the bytes of a log are cut, the same records come."""
    content, parser = LOGS[name]
    assert records_of(content, parser(), cuts) == _whole(name)


@pytest.mark.parametrize("name", LOGS)
@given(cut=st.integers(0, 6000))
def test_the_beginning_of_a_log_reads_as_the_beginning_of_the_whole(name: str, cut: int) -> None:
    """Until a log is known to have ended, any cut of it gives the first of the records that the whole gives."""
    content, parser = LOGS[name]
    part = records_of(content[:cut], parser(), is_closed=False)
    assert _whole(name, is_closed=False)[: len(part)] == part


@pytest.mark.parametrize("name", LOGS)
@given(cut=st.integers(0, 6000))
def test_a_log_that_ends_anywhere_invents_nothing(name: str, cut: int) -> None:
    """The end of a cut log adds at most one epoch, with values of the whole, or says that the last may be torn."""
    content, parser = LOGS[name]
    part = records_of(content[:cut], parser())
    whole = epochs_of(_whole(name))
    epochs = epochs_of(part)
    assert epochs[:-1] == whole[: max(len(epochs) - 1, 0)]
    says_so = any(isinstance(record, Remark) for record in part)
    assert not epochs or says_so or epochs[-1][1].items() <= whole[len(epochs) - 1][1].items()


@given(st.binary(max_size=400), CUTS)
def test_no_bytes_at_all_can_stop_the_reading(content: bytes, cuts: list[int]) -> None:
    """Any bytes are read to their end by every parser, the same in any pieces."""
    for parser in (ProgressLog, CsvTable):
        assert repr(records_of(content, parser(), cuts)) == repr(records_of(content, parser()))


PLAUSIBLE = (
    *QUESTION.splitlines(),
    "",
    "\r",
    "1/67 [>...] - ETA: 3s - loss: 0.7",
    "67/67 - 3s - val_loss: 0.1",
    "epoch,loss",
    "3,0.5",
    "Traceback (most recent call last):",
    "x" * 99,
)


@given(st.lists(st.sampled_from(PLAUSIBLE)))
def test_lines_in_any_order_are_read(lines: list[str]) -> None:
    """Plausible lines in an implausible order do no harm, and the state between them can be saved and restored."""
    for parser_class in (ProgressLog, CsvTable):
        straight, resumed = parser_class(), parser_class()
        for line in lines:
            expected = list(straight.line(line))
            assert list(resumed.line(line)) == expected
            resumed = parser_class(resumed.save())
        assert list(resumed.close("")) == list(straight.close(""))


DRAWN = st.text(st.sampled_from("ab━ \r\b\t\x1b[mK0;2\n"), max_size=80)


@given(DRAWN, st.lists(st.integers(0, 80), max_size=3))
def test_bars_that_were_drawn_over_are_left_out_without_a_trace(text: str, cuts: list[int]) -> None:
    """Lines read as on a terminal that draws every character and forgets what stood behind it, however it is cut."""
    edges = sorted({0, *(min(cut, len(text)) for cut in cuts), len(text)})
    lines = TextLines(is_terminal=True)
    read = [line.text for a, b in pairwise(edges) for line in lines.feed(text[a:b].encode())]
    terminal = OutputLines(erases=True)
    terminal.feed(text.encode())
    assert read == list(terminal.lines())[: len(read)]
    assert len(read) == text.count("\n") or len(text.encode()) < 4
