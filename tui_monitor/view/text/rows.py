"""Rows of styled text by display width: nothing here interprets markup, and words are never cut in the middle."""

import textwrap
import unicodedata
from collections.abc import Iterable

from tui_monitor.charts.cells import Row, Run
from tui_monitor.view.text.width import cell_len, set_cell_size

__all__ = [
    "BLANK",
    "Row",
    "Rows",
    "Run",
    "cell_len",
    "heading",
    "joined",
    "left",
    "plain",
    "right",
    "spread",
    "width_of",
    "wrap",
    "wrap_output",
]

Rows = tuple[Row, ...]

BLANK: Row = ()
_BOUND = "\u00a0"
_BREAK_REACH = 24
"""Cells from the end of a row within which a blank is searched to break at."""


def plain(text: str) -> str:
    """Return text from outside without control characters, tabs as blanks."""
    text = text.expandtabs(8)
    if text.isprintable():
        return text
    return "".join(c for c in text if not unicodedata.category(c).startswith("C"))


def width_of(row: Iterable[Run]) -> int:
    """Return how many cells a row takes."""
    return sum(cell_len(run.text) for run in row)


def left(text: str, width: int, style: str = "") -> Run:
    """Return text at the left of a field of exactly `width` cells."""
    return Run(set_cell_size(text, max(0, width)), style)


def end_of(name: str, width: int) -> str:
    """Return as much of a run's name as fits: names that are made differ at their end."""
    return name if cell_len(name) <= width else "…" + name[len(name) + 1 - max(width, 1) :]


def right(text: str, width: int, style: str = "") -> Run:
    """Return text at the right of a field of exactly `width` cells."""
    missing = width - cell_len(text)
    return Run(" " * missing + text if missing >= 0 else set_cell_size(text, max(0, width)), style)


def spread(start: Row, end: Row, width: int) -> Row:
    """Return two pieces at the two ends of a row; the end is left out where both don't fit."""
    gap = width - width_of(start) - width_of(end)
    return (*start, Run(" " * gap, ""), *end) if gap >= 1 else start


def wrap(text: str, width: int, style: str = "", *, indent: str = "") -> Rows:
    """Return text in rows of at most `width` cells, broken between words; further rows begin with `indent`."""
    # A number and its unit stay together.
    bound = plain(text).replace(" %", _BOUND + "%")
    lines = textwrap.wrap(
        bound, max(1, width), subsequent_indent=indent, break_on_hyphens=False, replace_whitespace=True
    )
    return tuple((Run(line.replace(_BOUND, " "), style),) for line in lines)


def wrap_output(text: str, width: int, style: str = "") -> Rows:
    """Return a line of foreign output in rows of at most `width` cells, whole, broken after a blank if one is near."""
    text = plain(text)
    rows: list[Row] = []
    while cell_len(text) > width:
        cut = _fitting(text, max(1, width))
        blank = text.rfind(" ", max(1, cut - _BREAK_REACH), cut)
        cut = blank + 1 if blank > 0 and text[:blank].strip() else cut
        rows.append((Run(text[:cut], style),))
        text = text[cut:]
    return (*rows, (Run(text, style),))


def _fitting(text: str, width: int) -> int:
    """Return how many characters take at most `width` cells, at least one."""
    taken = 0
    for index, character in enumerate(text[: width + 1]):
        taken += cell_len(character)
        if taken > width:
            return max(1, index)
    return min(len(text), width)


def joined(items: Iterable[str], width: int, style: str = "", separator: str = " · ") -> Rows:
    """Return items in as few rows as hold them whole, each row's items parted by `separator`."""
    rows: list[str] = []
    for item in items:
        if rows and cell_len(rows[-1]) + cell_len(separator) + cell_len(item) <= width:
            rows[-1] += separator + item
        else:
            rows.append(item)
    return tuple(row for text in rows for row in wrap(text, width, style))


def heading(title: str, note: str, width: int) -> Row:
    """Return a panel's title row: the title at the left, a remark at the right, filled to the full width."""
    start = (Run(f" {title} ", "heading"),)
    end = (Run(f"{note} ", "heading-note"),) if note else ()
    gap = width - width_of(start) - width_of(end)
    if gap < 1:
        return (left(f" {title} ", width, "heading"),)
    return (*start, Run(" " * gap, "heading"), *end)
