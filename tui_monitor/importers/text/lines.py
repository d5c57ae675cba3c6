"""Bytes in any common encoding become lines of text: the same lines however the bytes were cut."""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from tui_monitor.history.state.output import OutputLines

LONGEST_LINE = 16_384
"""Characters kept of one line; a binary file may hold none that ends."""

_SNIFFED = 4
_STEPS_BACK = re.compile("\b+\r")
_COLOURS = re.compile("\x1b\\[[0-9;]*m")
_CARETS = re.compile(r"\^M(?=[\s\d^\[])|\^H|\^\[(?=\[)")
_CARET_BEGUN = re.compile(r"(?:\^M?|\^\[)\Z")
_CONTROL = {"^M": "\r", "^H": "\b", "^[": "\x1b"}
_STARTS = re.compile(r"(?<![A-Za-z])Epoch \d|(?<![\d.])[\d.]+/\d+ (?=[\[━╸])")
"""Where a line that is too long can be cut without tearing what it tells."""


@dataclass
class TextDamage:
    """What of a text is not as it should be."""

    stray_bytes: int = 0
    """Bytes that are not in the encoding; each was read as Latin-1."""
    first_stray: int | None = None
    """Line, from 1, with the first of them."""
    control_characters: int = 0
    """NULs and other characters that no log holds."""
    carets: int = 0
    """Carriage returns, backspaces and escapes that were written out as `^M`, `^H` and `^[`."""
    left_out: int = 0
    """Characters of lines that were too long to be kept whole."""
    ends_within_character: bool = False

    def sentences(self) -> Iterator[str]:
        """Yield what is to be said of it; nothing of a text that is whole."""
        if self.stray_bytes:
            yield (
                f"{_counted(self.stray_bytes, 'byte')} outside the text's encoding, first in line {self.first_stray}: "
                "read as Windows-1252."
            )
        if self.control_characters:
            yield f"{_counted(self.control_characters, 'character')} that no text holds, left out."
        if self.carets:
            yield f"{_counted(self.carets, 'control character')} written out as ^M, ^H or ^[: read as what they mean."
        if self.left_out:
            yield f"{_counted(self.left_out, 'character')} of lines longer than {LONGEST_LINE} characters, left out."
        if self.ends_within_character:
            yield "The text ends in the middle of a character."


class Line(NamedTuple):
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
        self._damage_at_line = replace(self.damage)
        self._consumed = consumed
        self._is_terminal = is_terminal
        self._terminal = _Terminal(self.damage) if is_terminal else _Plain(self.damage)
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
            yield from self._write(piece)
            yield Line(self._finished(), None)
        yield from self._write(rest)

    def _feed_narrow(self, content: bytes) -> Iterator[Line]:
        start = 0
        while (stop := content.find(b"\n", start)) >= 0:
            text = self._narrow.decode(content[start:stop])
            if not self._narrow.waiting and self._terminal.passes(text):
                self.lines += 1
                self._consumed += stop + 1 - start
                start = stop + 1
                if self.damage.stray_bytes != self._damage_at_line.stray_bytes:
                    self._damage_at_line = replace(self.damage)
                yield Line(text.rstrip() if self._is_terminal else text, self._consumed)
                continue
            if self._narrow.waiting:
                text += self._narrow.close()
            for part in self._terminal.write(text):
                yield Line(part, None)
            self._consumed += stop + 1 - start
            yield Line(self._finished(), self._consumed)
            start = stop + 1
        self._consumed += len(content) - start
        yield from self._write(self._narrow.decode(content[start:]))

    def _write(self, text: str) -> Iterator[Line]:
        """Add to the line under way, and yield what it has grown too long for."""
        for part in self._terminal.write(text):
            yield Line(part, None)

    def _finished(self) -> str:
        self.lines += 1
        text = self._terminal.finish()
        if self.damage != self._damage_at_line:
            self._damage_at_line = replace(self.damage)
        return text

    @property
    def damage_at_line(self) -> TextDamage:
        """The damage up to the last line's end."""
        return replace(self._damage_at_line)


class _Utf8:
    """Decodes UTF-8 cut anywhere; a byte that does not fit is read as Latin-1 and counted."""

    def __init__(self, owner: TextLines) -> None:
        self._owner = owner
        self.waiting = b""
        """The beginning of a character that has not arrived whole."""

    def decode(self, content: bytes) -> str:
        """Return the text of the next bytes; a character cut at their end waits for the rest."""
        if self.waiting:
            content, self.waiting = self.waiting + content, b""
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
        try:
            return content.decode("cp1252")
        except UnicodeDecodeError:
            return content.decode("latin-1")


class _Plain:
    """Text as it stands."""

    def __init__(self, damage: TextDamage) -> None:
        self._damage = damage
        self._text = ""
        self._pieces: list[str] = []
        self._length = 0

    @property
    def has_text(self) -> bool:
        """Whether the line holds anything."""
        return self._length > 0

    def passes(self, text: str) -> bool:
        """Return whether a whole line is what it is: nothing in it is to be taken out."""
        return not self._length and "\0" not in text and len(text) <= LONGEST_LINE

    def write(self, text: str) -> Sequence[str]:
        """Take text that comes next on the line, as far as a line may grow."""
        kept = text[: max(LONGEST_LINE * 16 - self._length, 0)]
        if kept:
            self._pieces.append(kept)
            self._length += len(kept)
        self._damage.left_out += len(text) - len(kept)
        return ()

    def finish(self) -> str:
        """Return the line, and begin the next."""
        text = "".join(self._pieces)
        self._pieces, self._length = [], 0
        self._damage.control_characters += text.count("\0")
        return text.replace("\0", "")


class _Terminal:
    """Text as a terminal shows it. A line without anything to obey, by far the most common, is not drawn."""

    def __init__(self, damage: TextDamage) -> None:
        self._damage = damage
        # What is left behind text drawn over a line is of another moment: values of both are not to be read as one.
        self._lines = OutputLines(most_lines=1, longest_line=LONGEST_LINE, erases=True)
        self._plain = ""
        self._has_drawn = False
        self._may_be_in_sequence = False
        """Whether what was drawn on this line may end within an escape sequence."""
        self._caret = ""
        """What may be the beginning of a control character that is written out."""

    @property
    def has_text(self) -> bool:
        """Whether the line holds anything."""
        return self._has_drawn or bool((self._plain + self._caret).strip())

    def passes(self, text: str) -> bool:
        """Return whether a whole line is shown as it is: nothing on it is to be obeyed."""
        is_free = not (self._has_drawn or self._plain or self._caret)
        return is_free and text.isprintable() and "^" not in text and len(text) <= LONGEST_LINE

    def write(self, text: str) -> Sequence[str]:
        """Take text that comes next, with what a terminal obeys in it; return parts of a line that is too long."""
        if self._caret or "^" in text:
            text = self._without_carets(text)
        if not text:
            return ()
        if self._has_drawn or not text.isprintable():
            return self._draw_from_first_special(text)
        self._plain += text
        return self._overlong() if len(self._plain) > LONGEST_LINE else ()

    def finish(self) -> str:
        """Return the line, and begin the next."""
        caret, self._caret = self._caret, ""
        if caret == "^M":
            self._damage.carets += 1
        elif caret and self._has_drawn:
            self._draw(caret)
        else:
            self._plain += caret
        if self._has_drawn:
            self._lines.feed(b"\n")
            self._has_drawn = self._may_be_in_sequence = False
            return self._lines.lines()[-1]
        text, self._plain = self._plain, ""
        return text.rstrip()

    def _without_carets(self, text: str) -> str:
        text, count = _CARETS.subn(lambda found: _CONTROL[found[0]], self._caret + text)
        self._damage.carets += count
        begun = _CARET_BEGUN.search(text)
        self._caret = begun[0] if begun else ""
        return text[: begun.start()] if begun else text

    def _draw_from_first_special(self, text: str) -> Sequence[str]:
        """Draw the line; what precedes the first character to obey is cut as it is where nothing is to be obeyed."""
        parts: Sequence[str] = ()
        if not self._has_drawn:
            special = next(position for position, character in enumerate(text) if not character.isprintable())
            self._plain += text[:special]
            parts, text = self._overlong(), self._plain + text[special:]
            special = len(self._plain)
            self._plain = ""
            self._damage.control_characters += sum(text.count(character, special) for character in _NEVER)
        elif not text.isprintable():
            self._damage.control_characters += sum(map(text.count, _NEVER))
        self._draw(text)
        return parts

    def _overlong(self) -> list[str]:
        """Return what can be read of a line before its end; without a bar in it, only its end is kept."""
        parts = []
        while len(self._plain) > LONGEST_LINE:
            starts = [found.start() for found in _STARTS.finditer(self._plain, 1, LONGEST_LINE)]
            if starts:
                parts.append(self._plain[: starts[-1]].rstrip())
                self._plain = self._plain[starts[-1] :]
            else:
                self._plain = self._plain[LONGEST_LINE // 2 :]
                self._damage.left_out += LONGEST_LINE // 2
        return parts

    def _draw(self, text: str) -> None:
        self._has_drawn = True
        simple = None if self._may_be_in_sequence else _without_overdrawn(text)
        if simple is None:
            self._may_be_in_sequence = True
        self._lines.feed((text if simple is None else simple).encode("utf-8", errors="replace"))


def _without_overdrawn(text: str) -> str | None:
    """Return what draws the same line, or None where that can't be told.

    A bar that is drawn over need not be drawn: most of a captured log is such bars.
    """
    first, *drawn = _COLOURS.sub("", _STEPS_BACK.sub("\r", text)).split("\r")
    if not first.replace("\b", "").isprintable() or not all(map(str.isprintable, drawn)):
        return None
    if not drawn:
        return first
    newest = next((piece for piece in reversed(drawn) if piece), "")
    return (f"\r{newest}" if newest else first) + ("" if drawn[-1] else "\r")


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
