"""Bytes in any common encoding become lines of text: the same lines however the bytes were cut."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tui_monitor.history.state.output import OutputLines

LONGEST_LINE = 16_384
"""Characters kept of one line; a binary file may hold none that ends."""

_SNIFFED = 4
_STEPS_BACK = re.compile("\b+\r")
_COLOURS = re.compile("\x1b\\[[0-9;]*m")


@dataclass
class TextDamage:
    """What of a text is not as it should be."""

    stray_bytes: int = 0
    """Bytes that are not in the encoding; each was read as Latin-1."""
    first_stray: int | None = None
    """Line, from 1, with the first of them."""
    control_characters: int = 0
    """NULs and other characters that no log holds."""
    ends_within_character: bool = False

    def sentences(self) -> Iterator[str]:
        """Yield what is to be said of it; nothing of a text that is whole."""
        if self.stray_bytes:
            yield (
                f"{_counted(self.stray_bytes, 'byte')} outside the text's encoding, first in line {self.first_stray}: "
                "read as Latin-1."
            )
        if self.control_characters:
            yield f"{_counted(self.control_characters, 'character')} that no text holds, left out."
        if self.ends_within_character:
            yield "The text ends in the middle of a character."


@dataclass(frozen=True)
class Line:
    """One line of text."""

    text: str
    """Without its end."""
    end: int | None
    """Bytes of the source up to and including its end; None where the encoding does not tell."""


class TextLines:
    """Cuts a stream of bytes into lines. UTF-8, or UTF-16 recognised by its mark or its zero bytes."""

    def __init__(
        self, *, is_terminal: bool, consumed: int = 0, lines: int = 0, damage: TextDamage | None = None
    ) -> None:
        r"""Begin at the start of a line.

        Args:
            is_terminal: apply carriage returns, backspaces and escape sequences as a terminal does; otherwise
                a carriage return before the line's end stays.
            consumed: bytes of the source before this line.
            lines: lines before this line.
            damage: counted before this line.
        """
        self.damage = damage or TextDamage()
        self.lines = lines
        """Lines ended so far."""
        self._damage_at_line = (self.damage.stray_bytes, self.damage.first_stray, self.damage.control_characters)
        self._consumed = consumed
        self._terminal = _Terminal() if is_terminal else _Plain()
        self._head: bytes | None = None if consumed else b""
        self._wide: codecs.IncrementalDecoder | None = None
        self._narrow = _Utf8(self)

    def feed(self, content: bytes) -> Iterator[Line]:
        """Yield the lines that end in the next bytes."""
        if self._head is not None:
            self._head += content
            if len(self._head) < _SNIFFED:
                return
            content = self._begin(self._head)
        if self._wide is not None:
            yield from self._feed_wide(self._wide.decode(content))
        else:
            yield from self._feed_narrow(content)

    def close(self) -> Iterator[Line]:
        """Yield the lines that only the end of the source completes, and the text behind the last line's end."""
        if self._head is not None:
            content = self._begin(self._head)
            yield from self._feed_narrow(content)
        self.damage.ends_within_character = bool(self._wide.decode(b"", True) if self._wide else self._narrow.waiting)
        if self._terminal.has_text:
            self._terminal.break_off()
            yield Line(self._finished(), None)

    def _begin(self, head: bytes) -> bytes:
        self._head = None
        encoding, mark = _sniffed(head)
        if encoding is not None:
            self._wide = codecs.getincrementaldecoder(encoding)(errors="replace")
        else:
            self._consumed += mark
        return head[mark:]

    def _feed_wide(self, text: str) -> Iterator[Line]:
        *ended, rest = text.split("\n")
        for piece in ended:
            self._terminal.write(piece)
            yield Line(self._finished(), None)
        self._terminal.write(rest)

    def _feed_narrow(self, content: bytes) -> Iterator[Line]:
        start = 0
        while (stop := content.find(b"\n", start)) >= 0:
            self._terminal.write(self._narrow.decode(content[start:stop]) + self._narrow.close())
            self._consumed += stop + 1 - start
            yield Line(self._finished(), self._consumed)
            start = stop + 1
        self._consumed += len(content) - start
        self._terminal.write(self._narrow.decode(content[start:]))

    def _finished(self) -> str:
        self.lines += 1
        text, strange = self._terminal.finish()
        self.damage.control_characters += strange
        self._damage_at_line = (self.damage.stray_bytes, self.damage.first_stray, self.damage.control_characters)
        return text

    @property
    def damage_at_line(self) -> TextDamage:
        """The damage up to the last line's end."""
        return TextDamage(*self._damage_at_line)


class _Utf8:
    """Decodes UTF-8 cut anywhere; a byte that does not fit is read as Latin-1 and counted."""

    def __init__(self, owner: TextLines) -> None:
        self._owner = owner
        self.waiting = b""
        """The beginning of a character that has not arrived whole."""

    def decode(self, content: bytes) -> str:
        """Return the text of the next bytes; a character cut at their end waits for the rest."""
        content = self.waiting + content
        self.waiting = b""
        try:
            return content.decode()
        except UnicodeDecodeError:
            return self._decode_slowly(content)

    def _decode_slowly(self, content: bytes) -> str:
        parts, start = [], 0
        while start < len(content):
            try:
                parts.append(content[start:].decode())
                break
            except UnicodeDecodeError as error:
                parts.append(content[start : start + error.start].decode())
                if error.reason == "unexpected end of data":
                    self.waiting = content[start + error.start :]
                    break
                stray = content[start + error.start : start + error.end]
                parts.append(self._stray(stray))
                start += error.end
        return "".join(parts)

    def close(self) -> str:
        """Return what is left of a character that broke off."""
        waiting, self.waiting = self.waiting, b""
        return self._stray(waiting) if waiting else ""

    def _stray(self, content: bytes) -> str:
        damage = self._owner.damage
        damage.stray_bytes += len(content)
        if damage.first_stray is None:
            damage.first_stray = self._owner.lines + 1
        return content.decode("latin-1")


class _Plain:
    """Text as it stands."""

    def __init__(self) -> None:
        self._text = ""
        self._pieces: list[str] = []
        self._length = 0

    @property
    def has_text(self) -> bool:
        """Whether the line holds anything."""
        return self._length > 0

    def write(self, text: str) -> None:
        """Take text that comes next on the line, as far as a line may grow."""
        room = LONGEST_LINE * 16 - self._length
        if text and room > 0:
            self._pieces.append(text[:room])
            self._length += min(len(text), room)

    def break_off(self) -> None:
        """Take the line as it stands."""

    def finish(self) -> tuple[str, int]:
        """Return the line with its number of characters that no text holds, and begin the next."""
        text = "".join(self._pieces)
        self._pieces, self._length = [], 0
        strange = text.count("\0")
        return text.replace("\0", ""), strange


class _Terminal:
    """Text as a terminal shows it. A line without anything to obey, by far the most common, is not drawn."""

    def __init__(self) -> None:
        self._lines = OutputLines(most_lines=1, longest_line=LONGEST_LINE)
        self._plain = ""
        self._has_drawn = False
        self._newest = ""
        self._may_be_in_sequence = False
        """Whether what was drawn on this line may end within an escape sequence."""
        self._strange = 0

    @property
    def has_text(self) -> bool:
        """Whether the line holds anything."""
        return self._has_drawn or bool(self._plain.strip())

    def write(self, text: str) -> None:
        """Take text that comes next, with what a terminal obeys in it."""
        if not text:
            return
        if not self._has_drawn and text.isprintable() and len(self._plain) + len(text) <= LONGEST_LINE:
            self._plain += text
            return
        self._strange += sum(map(text.count, _NEVER)) if not text.isprintable() else 0
        self._draw(self._plain + text)
        self._plain = ""

    def break_off(self) -> None:
        """Drop what is left of a bar behind the one that was being drawn over it: it is of another moment."""
        if self._has_drawn and self._newest not in ("\r", "\b"):
            self._draw("\x1b[K")

    def finish(self) -> tuple[str, int]:
        """Return the line with its number of characters that no text holds, and begin the next."""
        strange, self._strange = self._strange, 0
        if self._has_drawn:
            self._lines.feed(b"\n")
            self._has_drawn = self._may_be_in_sequence = False
            return self._lines.lines()[-1], strange
        text, self._plain = self._plain, ""
        return text.rstrip(), strange

    def _draw(self, text: str) -> None:
        self._has_drawn, self._newest = True, text[-1]
        simple = None if self._may_be_in_sequence else _without_overdrawn(text)
        if simple is None:
            self._may_be_in_sequence = True
        self._lines.feed((text if simple is None else simple).encode("utf-8", errors="replace"))


def _without_overdrawn(text: str) -> str | None:
    """Return what draws the same line, or None where that can't be told.

    A bar that is drawn over by a later one of its length need not be drawn: most of a captured log is such bars.
    """
    first, *drawn = _COLOURS.sub("", _STEPS_BACK.sub("\r", text)).split("\r")
    if not first.replace("\b", "").isprintable() or not all(map(str.isprintable, drawn)):
        return None
    if len(drawn) > 1:
        lengths = [len(piece) for piece in drawn]
        drawn = drawn[len(lengths) - 1 - lengths[::-1].index(max(lengths)) :]
    return "\r".join((first, *drawn))


_NEVER = tuple(chr(code) for code in range(32) if chr(code) not in "\a\b\t\n\v\f\r\x0e\x0f\x1b")


def _sniffed(head: bytes) -> tuple[str | None, int]:
    """Return the wide encoding of a text, None for UTF-8, and the length of its mark."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if head.startswith(mark):
            return encoding, len(mark)
    if head.startswith(codecs.BOM_UTF8):
        return None, len(codecs.BOM_UTF8)
    zeros = [byte == 0 for byte in head[:_SNIFFED]]
    if zeros == [False, True, False, True]:
        return "utf-16-le", 0
    if zeros == [True, False, True, False]:
        return "utf-16-be", 0
    return None, 0


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
