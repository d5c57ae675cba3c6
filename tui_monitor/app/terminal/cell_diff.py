"""Sends only the cells that changed: knows what the terminal shows, and forgets it when it can't be sure.

Textual sends every refreshed row whole, from its left edge; over a slow line that is most of what is sent.
"""

import functools
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from rich.cells import cell_len
from rich.color import Color
from rich.console import Console
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from tui_monitor.app.terminal import style_codes

_Cell = tuple[str, str]
"""(text, escape codes of its style); the text is empty in the second half of a wide character."""
_Row = list[_Cell]
"""From the left edge as far as it is known."""
_Piece = tuple[int, int, Strip]
"""(column, row, what is there)."""

_UNKNOWN: _Cell = ("", "?")
"""Stands for a cell between known ones that is not known itself; no style has such codes."""
_DARK_TEXT = 0.45
_BRIGHT_GROUND = 0.35
_LONGEST_BRIDGE = 4
"""Unchanged cells that are sent again rather than jumped over: a jump costs six bytes or more."""


class TerminalMemory:
    """What each cell of the terminal shows, as far as it is known."""

    def __init__(self) -> None:
        self._rows: dict[int, _Row] = {}

    def forget(self) -> None:
        """Know nothing: the terminal was resized or resumed, or the user wants everything drawn again."""
        self._rows.clear()

    def update(self, pieces: Iterable[_Piece], console: Console) -> str:
        """Return the escape sequences that bring pieces of the screen up to date.

        Args:
            pieces: in any order; where two overlap the later one wins.
            console: knows how many colours the terminal has.
        """
        changed: dict[int, set[int]] = {}
        for x, y, strip in pieces:
            row = self._rows.setdefault(y, [])
            cells = _cells(strip, console)
            row += [_UNKNOWN] * (x + len(cells) - len(row))
            before = row[x : x + len(cells)]
            if cells != before:
                row[x : x + len(cells)] = cells
                columns = (x + index for index, (old, new) in enumerate(zip(before, cells, strict=True)) if old != new)
                changed.setdefault(y, set()).update(columns)
        return "".join(self._sequences(changed))

    def _sequences(self, changed: dict[int, set[int]]) -> Iterator[str]:
        style, cursor = "", None
        for y in sorted(changed):
            row = self._rows[y]
            for start, stop in _spans(sorted(changed[y]), row):
                yield _move(cursor, start, y)
                for codes, cells in groupby(row[start:stop], key=itemgetter(1)):
                    text = "".join([text for text, _ in cells])
                    if not (text.isspace() and style_codes.of_blank(style) == codes):
                        yield style_codes.change(style, codes)
                        style = codes
                    yield text
                cursor = (stop, y) if stop < len(row) and all(map(_is_narrow, row[start:stop])) else None
        if style:
            yield "\x1b[m"


def _move(cursor: tuple[int, int] | None, column: int, row: int) -> str:
    """Return the shortest way to a cell.

    Args:
        cursor: column and row where the cursor stands for certain, whatever widths the terminal gives to characters;
            None behind a character that some terminals draw wide, and behind the last column.
        column: from 0.
        row: from 0.
    """
    absolute = f"\x1b[{row + 1};{column + 1}H"
    if cursor is None or row - cursor[1] not in (0, 1):
        return absolute
    down = "\x1b[B" if row > cursor[1] else ""
    across = column - cursor[0]
    sideways = "\b" * -across if across < 0 else "\x1b[C" if across == 1 else f"\x1b[{across}C" if across else ""
    return min(down + sideways, absolute, key=len)


def _is_narrow(cell: _Cell) -> bool:
    return cell[0].isascii() or "\u2800" <= cell[0] <= "\u28ff"


def _spans(columns: list[int], row: _Row) -> Iterator[tuple[int, int]]:
    """Yield the segments to send, each from its first column to behind its last one."""
    start = stop = -1
    for column in columns:
        if column < stop:
            continue
        # A terminal may disagree on the width of anything unusual: address anew behind it.
        if start < 0 or column - stop > _LONGEST_BRIDGE or not _is_plain(row, stop - 1, column):
            if start >= 0:
                yield start, stop
            start = _whole_from(column, row)
        stop = _whole_to(column, row)
    if start >= 0:
        yield start, stop


def _is_plain(row: _Row, start: int, stop: int) -> bool:
    """Return whether some cells each hold one whole character."""
    if stop - start == 1:
        return len(row[start][0]) == 1
    return all(len(text) == 1 for text, _ in row[start:stop])


def _whole_from(column: int, row: _Row) -> int:
    """Return where the character begins that a column is part of."""
    while column > 0 and row[column][0] == "" and row[column - 1] is not _UNKNOWN:
        column -= 1
    return column


def _whole_to(column: int, row: _Row) -> int:
    """Return the column behind the character that a column is part of."""
    column += 1
    while column < len(row) and row[column][0] == "" and row[column] is not _UNKNOWN:
        column += 1
    return column


def _cells(strip: Strip, console: Console) -> list[_Cell]:
    """Return a strip's cells."""
    colours = console._color_system
    cells: list[_Cell] = []
    for text, style, control in strip:
        if control:
            continue
        shown = _colourless(style) if style is not None and console.no_color else style
        codes = "" if shown is None or colours is None else Strip.render_ansi(shown, colours)
        blank = style_codes.of_blank(codes)
        if text.isascii():
            cells += [(character, blank if character == " " else codes) for character in text]
            continue
        for cluster, width in _clusters(text):
            cells.append((cluster, blank if cluster == " " else codes))
            cells += [("", codes)] * (width - 1)
    return cells


@functools.lru_cache(maxsize=1024)
def _colourless(style: Style) -> Style:
    """Return a style without colours: dark text becomes dim, text on a bright ground reversed."""
    is_dim = _brightness(style.color, 1.0) < _DARK_TEXT
    is_reversed = _brightness(style.bgcolor, 0.0) > _BRIGHT_GROUND
    said = Style(dim=True if is_dim and not is_reversed else None, reverse=True if is_reversed else None)
    return style.without_color + said


def _brightness(colour: Color | None, otherwise: float) -> float:
    """Return how bright a colour looks, from 0 to 1, by the weights of Rec. 709."""
    if colour is None or colour.is_default:
        return otherwise
    red, green, blue = colour.get_truecolor()
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255


def _clusters(text: str) -> Iterator[tuple[str, int]]:
    """Yield characters with their width, each together with what combines with it."""
    held, width = "", 0
    for character in text:
        cells = cell_len(character)
        # A combining mark on its own would be sent without the character that it belongs to.
        if cells == 0 and held:
            held += character
            continue
        if held:
            yield held, width
        held, width = character, cells
    if held and width:
        yield held, width


class DiffUpdate(CompositorUpdate):
    """An update that is written as the difference to what the terminal shows."""

    def __init__(self, update: CompositorUpdate, memory: TerminalMemory) -> None:
        self._update = update
        self._memory = memory

    def render_segments(self, console: Console) -> str:
        """Return the escape sequences to write; kinds of update that are not known are written whole."""
        if isinstance(self._update, LayoutUpdate):
            return self._memory.update(_layout_pieces(self._update), console)
        if isinstance(self._update, ChopsUpdate):
            return self._memory.update(_chop_pieces(self._update), console)
        # What it draws is not known here, and a remembered cell that is wrong would never be drawn again.
        self._memory.forget()
        return self._update.render_segments(console)


def _layout_pieces(update: LayoutUpdate) -> Iterator[_Piece]:
    for y, strips in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in strips:
            yield x, y, strip
            x += strip.cell_length


def _chop_pieces(update: ChopsUpdate) -> Iterator[_Piece]:
    for y, x1, x2 in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x <= x2 and end > x1:
                yield x, y, strip
