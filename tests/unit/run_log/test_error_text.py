"""Whatever an exception says, a run can hold it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.run_log.format.error_text import in_a_line, in_words, text_of


class OddError(Exception):
    """An exception that can't say what it is."""

    def __str__(self) -> str:
        raise KeyError("no text")


@pytest.mark.parametrize(
    ("error", "words", "line"),
    [
        (ValueError("no such column"), "ValueError: no such column", "ValueError: no such column"),
        (
            ValueError("Graph error:\n\n  at node x."),
            "ValueError: Graph error:\n\n  at node x.",
            "ValueError: Graph error: at node x",
        ),
        (NotImplementedError(), "NotImplementedError", "NotImplementedError"),
        (RuntimeError(" \n"), "RuntimeError", "RuntimeError"),
        (OddError(), "OddError", "OddError"),
        (ValueError("caf\udce9"), "ValueError: caf\\udce9", "ValueError: caf\\udce9"),
    ],
)
def test_an_exception_in_words(error: Exception, words: str, line: str) -> None:
    """As Python ends a traceback; inside a sentence on one line and without an end of its own."""
    assert (in_words(error), in_a_line(error)) == (words, line)


@given(st.text(st.characters(), max_size=5000))
def test_any_text_fits(text: str) -> None:
    """It can be written as UTF-8, is not without end, and is one line where it must be."""
    error = ValueError(text)
    line = in_a_line(error)
    assert (line + text_of(error)).encode()
    assert len(text_of(error)) <= 4000
    assert len(line) <= 300
    assert len(line.splitlines()) == 1
