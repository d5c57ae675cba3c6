"""Output becomes the same safe lines however it arrives."""

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.history.state.output import LONGEST_LINE, MOST_LINES, OutputLines

PIECES = st.sampled_from(
    [
        b"loss 0.5",
        b"\r",
        b"\n",
        b"\b",
        b"\t",
        b"\x1b[K",
        b"\x1b[2K",
        b"\x1b[1K",
        b"\x1b[1;31m",
        b"\x1b]0;title\x07",
        b"\x1b]8;;http://x\x1b\\",
        b"\x1bPq#0\x1b\\",
        b"\x1b(B",
        b"\x9b31m",
        b"\xc2\x9b31m",
        "é—漢🎉".encode(),
        b"\xff\xfe",
        b"\xe2\x80",
        b"\x00\x07\x7f",
        b"\x1b",
        b"\x1b[",
        b"\x1b]never ended",
    ]
)
OUTPUT = st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=40).map(b"".join))


def shown(*pieces: bytes) -> tuple[str, ...]:
    """Return the lines that some output makes."""
    output = OutputLines()
    for piece in pieces:
        output.feed(piece)
    return output.lines()


@given(output=OUTPUT, data=st.data())
def test_any_cut_gives_the_same_lines(output: bytes, data: st.DataObject) -> None:
    """A cut inside a character, an escape sequence or a line makes no difference."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(output)), max_size=6)))
    positions = [0, *cuts, len(output)]
    pieces = [output[start:stop] for start, stop in itertools.pairwise(positions)]
    assert shown(*pieces) == shown(output)
    assert shown(*[output[i : i + 1] for i in range(len(output))]) == shown(output)


@given(output=OUTPUT)
def test_no_control_character_survives(output: bytes) -> None:
    """Whatever a script prints, its lines hold nothing that a terminal would obey."""
    for line in shown(output):
        assert not any(unicodedata.category(character) == "Cc" for character in line)
        assert not any("\u202a" <= character <= "\u202e" for character in line)


@pytest.mark.parametrize(
    ("output", "lines"),
    [
        (b"a\nb\n", ("a", "b")),
        (b"a\nb", ("a", "b")),
        (b"dos\r\n", ("dos",)),
        (b"10%\r20%\r100%\ndone", ("100%", "done")),
        (b"long text\rshort", ("shorttext",)),
        (b"long text\r\x1b[Kshort", ("short",)),
        (b"abc\b\bX", ("aXc",)),
        (b"\b\b\ba", ("a",)),
        (b"a\tb", ("a       b",)),
        (b"\x1b[1;31mred\x1b[0m", ("red",)),
        (b"\x1b]0;title\x07text", ("text",)),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", ("link",)),
        (b"\x1bPdata\x1b\\after", ("after",)),
        (b"\x1b]never ended\nnext line", ("", "next line")),
        (b"\x1b[12\nnext", ("", "next")),
        (b"\x1b(Bascii", ("ascii",)),
        (b"\xffx", ("\ufffdx",)),
        ("漢字".encode(), ("漢字",)),
        (b"\n\n", ("", "")),
        (b"", ()),
    ],
)
def test_lines_read_as_on_a_terminal(output: bytes, lines: tuple[str, ...]) -> None:
    """Rewriting, erasing and colouring come out as a terminal's last state of the line."""
    assert shown(output) == lines


def test_a_keras_progress_bar_ends_as_one_line() -> None:
    """A hundred redrawn bars leave the last one."""
    bars = b"".join(b"\r\x1b[1m%3d/100\x1b[0m \x1b[32m----\x1b[0m loss: 0.%02d" % (i, i) for i in range(100))
    assert shown(bars + b"\n") == (" 99/100 ---- loss: 0.99",)


def test_memory_is_bounded() -> None:
    """Only the newest lines are kept, each cut; all are counted."""
    output = OutputLines()
    for _ in range(20):
        output.feed(b"x" * (3 * LONGEST_LINE) + b"\n" + b"y\n" * 1000)
    output.feed(b"\x1b]" + b"z" * 1_000_000)
    assert output.total == 20 * 1001
    assert len(output.lines()) == MOST_LINES
    assert max(map(len, output.lines())) == LONGEST_LINE


def test_skipped_lines_count() -> None:
    """Lines that were never read still count, and a half line before them is closed."""
    output = OutputLines()
    output.feed(b"first\nhalf \xe2\x1b[")
    output.skip(10)
    output.feed(b"last\n")
    assert output.lines() == ("first", "half \ufffd", "last")
    assert output.total == 1 + 10 + 1
