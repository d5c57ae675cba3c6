"""What a script printed, as lines that are safe to show: the same lines however the bytes were cut."""

import codecs
import re
from collections import deque

LONGEST_LINE = 2000
"""Characters kept of one line."""
MOST_LINES = 2000
"""Newest lines kept."""

_TAB_STOP = 8
_LONGEST_PARAMETERS = 16

_SPECIAL = r"\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
"""Control characters, and those that reorder or hide text on a screen."""
_IS_SPECIAL = re.compile(f"[{_SPECIAL}]")
_TOKEN = re.compile(rf"[^{_SPECIAL}]+|\x08+|\x1b\[[\x20-\x3f]*[\x40-\x7e]|[{_SPECIAL}]")
"""A run of text, of backspaces, a whole control sequence, or a single special character."""
_STRING_OPENERS = frozenset("P]X^_")
_STRING_OPENERS_C1 = frozenset("\x90\x98\x9d\x9e\x9f")
_STRING_END = re.compile(r"[\x07\x18\x1a\x1b\x9c]")

_TEXT, _ESCAPE, _INTERMEDIATE, _CONTROL, _STRING = range(5)


class OutputLines:
    """A terminal of one line: carriage returns and backspaces rewrite it, escape sequences are dropped.

    Memory is bounded by `MOST_LINES` × `LONGEST_LINE` characters, whatever comes.
    """

    def __init__(self, most_lines: int = MOST_LINES, longest_line: int = LONGEST_LINE) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._longest = longest_line
        self._lines: deque[str] = deque(maxlen=most_lines)
        self._ended = 0
        self._line = ""
        self._column = 0
        self._mode = _TEXT
        self._parameters = ""

    @property
    def total(self) -> int:
        """Lines seen in all, the unfinished one included if anything is on it."""
        return self._ended + bool(self._shown_line())

    def lines(self) -> tuple[str, ...]:
        """Return the newest lines, oldest first, without trailing spaces; the last may be unfinished."""
        unfinished = self._shown_line()
        lines = (*self._lines, unfinished) if unfinished else tuple(self._lines)
        return lines[-(self._lines.maxlen or 0) :]

    def skip(self, lines: int) -> None:
        """Count lines that were passed over unread, and begin anew after them."""
        if lines > 0:
            self._end_line()
            self._decode(b"", True)
            self._ended += lines - 1

    def feed(self, output: bytes) -> None:
        """Take in the next bytes, cut anywhere, even within a character or an escape sequence."""
        first, *others = self._decode(output).split("\n")
        self._feed_line(first)
        for text in others:
            self._end_line()
            self._feed_line(text)

    def _feed_line(self, text: str) -> None:
        if self._mode == _TEXT and not self._column and not self._line and not _IS_SPECIAL.search(text):
            self._line, self._column = text[: self._longest], len(text)
            return
        position = 0
        while position < len(text):
            position = self._step(text, position)

    def _step(self, text: str, position: int) -> int:
        if self._mode == _TEXT:
            return self._read_text(text, position)
        if self._mode == _STRING:
            return self._read_string(text, position)
        character = text[position]
        if character in "\r\b\x18\x1a\x1b":
            # What breaks off a sequence is read again as text: no broken one swallows what follows.
            self._mode = _TEXT
            return position
        if self._mode == _CONTROL:
            self._read_control(character)
        elif "\x20" <= character <= "\x2f":
            self._mode = _INTERMEDIATE
        elif self._mode == _ESCAPE and character == "[":
            self._begin_control()
        elif self._mode == _ESCAPE and character in _STRING_OPENERS:
            self._mode = _STRING
        else:
            self._mode = _TEXT
        return position + 1

    def _read_text(self, text: str, position: int) -> int:
        """Read until a sequence begins whose end is not in sight; return where."""
        for token in _TOKEN.finditer(text, position):
            piece = token.group()
            if not _IS_SPECIAL.match(piece):
                self._write(piece)
            elif len(piece) > 1 and piece[0] == "\x1b":
                if piece[-1] == "K":
                    self._erase(piece[2:-1])
            else:
                self._obey(piece)
                if self._mode != _TEXT:
                    return token.end()
        return len(text)

    def _read_string(self, text: str, position: int) -> int:
        found = _STRING_END.search(text, position)
        if found is None:
            return len(text)
        self._mode = _TEXT
        return found.start() + (text[found.start()] != "\x1b")

    def _read_control(self, character: str) -> None:
        if "\x40" <= character <= "\x7e":
            self._mode = _TEXT
            if character == "K":
                self._erase(self._parameters)
        elif len(self._parameters) < _LONGEST_PARAMETERS:
            self._parameters += character

    def _begin_control(self) -> None:
        self._mode, self._parameters = _CONTROL, ""

    def _obey(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character[0] == "\b":
            # Keras prints a hundred at once: they come as one run.
            self._column = max(self._column - len(character), 0)
        elif character == "\t":
            self._write(" " * (_TAB_STOP - self._column % _TAB_STOP))
        elif character == "\x1b":
            self._mode = _ESCAPE
        elif character == "\x9b":
            self._begin_control()
        elif character in _STRING_OPENERS_C1:
            self._mode = _STRING

    def _write(self, text: str) -> None:
        column = self._column
        self._column = column + len(text)
        room = self._longest - column
        if room <= 0:
            return
        written = text[:room]
        line = self._line
        if column > len(line):
            line = line.ljust(column)
        self._line = line[:column] + written + line[column + len(written) :]

    def _erase(self, parameters: str) -> None:
        if parameters in ("", "0"):
            self._line = self._line[: self._column]
        elif parameters == "1":
            width = min(self._column + 1, len(self._line))
            self._line = " " * width + self._line[width:]
        elif parameters == "2":
            self._line = ""

    def _end_line(self) -> None:
        self._lines.append(self._shown_line())
        self._ended += 1
        self._line, self._column, self._mode = "", 0, _TEXT

    def _shown_line(self) -> str:
        return self._line.rstrip()
