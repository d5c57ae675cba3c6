"""The fewest codes that lead from one style of a terminal to another: ECMA-48, 8.3.117, `SGR`.

A style is written as Rich writes it, its codes in one string: attributes, then colours, as in `1;38;5;75;48;5;233`.
"""

import functools
from dataclasses import dataclass

_ENDING = {"1": "22", "2": "22", "3": "23", "4": "24", "7": "27", "9": "29"}
"""What ends an attribute without a reset; bold and dim end together."""
_SEEN_ON_BLANKS = frozenset({"4", "7", "9", "21", "51", "52", "53"})
"""Underlined, reversed, struck out, twice underlined, framed, encircled, overlined."""
_NO_FOREGROUND, _NO_BACKGROUND = "39", "49"
_COLOUR_FORMS = {"5": 3, "2": 5}
"""How many numbers make a colour, by the second of them: one of 256, or red, green and blue."""


@dataclass(frozen=True)
class _Style:
    attributes: frozenset[str]
    foreground: str
    background: str


@functools.lru_cache(maxsize=4096)
def of_blank(codes: str) -> str:
    """Return the codes that a blank of a style needs: its ground, or all of them where it shows more than that."""
    style = _parsed(codes)
    return codes if style.attributes & _SEEN_ON_BLANKS else style.background


@functools.lru_cache(maxsize=4096)
def change(before: str, after: str) -> str:
    """Return the escape sequence that brings a terminal from one style to another; empty where it has it.

    It says what differs, or resets and says the whole, where that is shorter or the only way.

    Args:
        before: codes of the style that the terminal has.
        after: codes of the style that it is to have.
    """
    old, new = _parsed(before), _parsed(after)
    if old == new:
        return ""
    whole = f"\x1b[0;{after}m" if after else "\x1b[m"
    ended = old.attributes - new.attributes
    # A terminal that knows colours knows the ends of attributes, too; one of 1978 knows only the reset.
    has_colours = bool(new.foreground or new.background)
    if ended and not (has_colours and ended <= _ENDING.keys()):
        return whole
    ends = {_ENDING[attribute] for attribute in ended}
    begun = {each for each in new.attributes if each not in old.attributes or _ENDING.get(each) in ends}
    colours = [
        now or none
        for was, now, none in (
            (old.foreground, new.foreground, _NO_FOREGROUND),
            (old.background, new.background, _NO_BACKGROUND),
        )
        if was != now
    ]
    parts = [*sorted(ends), *sorted(begun), *colours]
    return min(f"\x1b[{';'.join(parts)}m", whole, key=len)


def _parsed(codes: str) -> _Style:
    numbers = codes.split(";") if codes else []
    attributes, colours = set(), {"3": "", "4": ""}
    index = 0
    while index < len(numbers):
        number = numbers[index]
        length = _COLOUR_FORMS.get("".join(numbers[index + 1 : index + 2]), 1) if number in ("38", "48") else 1
        if length > 1:
            colours[number[0]] = ";".join(numbers[index : index + length])
        elif len(number) > 1 and number[:-1] in ("3", "4", "9", "10"):
            colours["3" if number[:-1] in ("3", "9") else "4"] = number
        else:
            attributes.add(number)
        index += length
    return _Style(frozenset(attributes), colours["3"], colours["4"])
