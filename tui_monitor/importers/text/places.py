"""What the places a log was pasted from add to its lines: colours, quotes, numbers, times, and lines glued together."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

_ESCAPE = r"(?:\x1b|\\x1b|\\033|\\e|\\u001b|[␛←\ufffd])"
_COLOURS = re.compile(rf"{_ESCAPE}?\[(?:\d{{1,3}}(?:;\d{{1,3}})*)?[mK]|{_ESCAPE}\[[\d;]*[A-Za-z]", re.IGNORECASE)
_MAY_HOLD_COLOURS = re.compile(r"\[[\d;]*[A-Za-z]")
_PREFIX = re.compile(
    r"""(?:
      \s+
    | [>#|*;%"'`“”‘’│┃]+ | //+ | --+(?=\s)                              # quoted, commented, in a frame
    | \d+(?:[:|.)\]│](?=\s)|\t)                                         # numbered
    | \[[^\]\[=>.━][^\]\[]{0,60}\](?!\s*-\s\d+s)                        # a time or a name in brackets
    | \(?\d{4}[-/]\d\d[-/]\d\d[T\s_]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?\)?
    | \d{1,2}:\d\d:\d\d(?:[.,]\d+)?(?:\s?[AaPp][Mm])?(?=\s)
    | [A-Z][a-z]{2}\s+\d{1,2}\s\d\d:\d\d:\d\d\s\S+\s[\w./-]+(?:\[\d+\])?:(?=\s)   # syslog
    | [\[({]?[\w./-]+\.py:\d+[\])}]?:?(?=\s)                             # a line of code
    | (?:DEBUG|INFO|WARNING|ERROR)\b[:\s]*(?:(?![\w.]+\.py:\d)[\w.]+:)?(?:\s*-(?=\s\d))?   # logging
    | [IWEF]\d{4}\s\d\d:\d\d:\d\d\.\d+\s+\d+\s\S+\]                      # absl
    | [\w.-]+\s+\|\s                                                    # docker compose
    | std(?:out|err)\s[FP]\s                                            # Kubernetes
    | -\s(?=\d{4}-|[A-Z])
    )+""",
    re.VERBOSE,
)
_SLASHES_OF_A_BAR = 2
_SUFFIX = re.compile(r"""(?:\\[nr]|<br\s*/?>|\\b|["'`“”|│┃,\\]|\s)+$""")
_BEFORE_VALUES = re.compile(r"[–—](?=\s)")

HEADER = re.compile(r"(?:(?<![A-Za-z])|(?<=nan)|(?<=inf))Epoch:? *(?P<epoch>\d{1,9}) ?/ ?(?P<epochs>\d{1,9})")
_PLAIN_BAR = re.compile(r"\s*\d+/\d+ (?:\[=*[>.\]]|━)")
_GLUED_BAR = re.compile(r"/(\d+) *[\[━]")
_HEADER_ALONE = re.compile(r"Epoch \d{1,9}/\d{1,9}")
MESSAGE = re.compile(r"(?:(?<![A-Za-z])|(?<=nan)|(?<=inf))Epoch (?P<number>\d{1,9}): (?=[A-Za-z])")
_BAR = re.compile(
    r"(?P<run>(?<![\d./-])(?:\d+\.)?\d+)/(?P<of>\d{1,12}|Unknown)(?=\s+(?:\[[=>.]|[━╸╺─]|-\s+(?:ETA|\d+(?:s|:\d\d)))|\s?\[=*>?\.*\])"
)
_DECIMALS = re.compile(r"\d+\.\d{4}(?=\d)")


class Cleaned(NamedTuple):
    """A line without what its place added."""

    text: str
    repairs: tuple[str, ...] = ()
    """What was done that changes more than blanks, in words; often empty."""


def begins_plainly(text: str) -> bool:
    """Return whether a line is a header or a bar without anything around it; quick, for most lines are."""
    return text.startswith("Epoch ") or (_PLAIN_BAR.match(text) is not None and "[0m" not in text)


def without_colours(text: str) -> str:
    """Return a line without codes of colours, whether or not they lost their escape byte."""
    return _COLOURS.sub("", text) if "[" in text and _MAY_HOLD_COLOURS.search(text) else text


def clean(text: str) -> Cleaned:
    """Return a line without colours and without what frames, quotes or numbers it."""
    repairs: tuple[str, ...] = ()
    without = without_colours(text)
    if without != text:
        text, repairs = without, ("colour codes without their escape byte were taken out",)
    if ":" not in text and "/" not in text:
        return Cleaned(text, repairs)
    begun = None if text.startswith("Epoch ") else _PREFIX.match(text)
    start = begun.end() if begun else 0
    prefix = text[:start].strip()
    text = text[start:]
    if text and not text[-1].isalnum() and (ended := _SUFFIX.search(text)):
        prefix += text[ended.start() :].strip()
        text = text[: ended.start()]
    if "–" in text or "—" in text:
        text = _BEFORE_VALUES.sub("-", text)
    if prefix:
        repairs = (*repairs, "quotes, numbers or times around lines were taken off")
    return Cleaned(text, repairs)


def segments(text: str) -> Iterator[str]:
    """Yield the parts of a line that each tell one thing: a header, a callback's message, a bar, or other text."""
    if "Epoch" not in text and text.count("/") <= _SLASHES_OF_A_BAR and text.count("[") <= 1:
        yield text
        return
    if _HEADER_ALONE.fullmatch(text):
        yield text
        return
    cuts = {found.start() for found in MESSAGE.finditer(text)}
    for found in HEADER.finditer(text):
        cuts |= {found.start(), _end_of_header(text, found)}
    cuts |= {start for found in _BAR.finditer(text) if (start := _start_of_bar(found, text)) is not None}
    edges = [0, *sorted(cuts), len(text)]
    parts = [text[start:stop] for start, stop in pairwise(edges)]
    yield from (part for part in parts if part.strip()) if len(parts) > 1 else parts


def _end_of_header(text: str, header: re.Match[str]) -> int:
    """Return where a header ends, even where a bar is glued behind it: `Epoch 1/216/64 [====]`."""
    glued = _GLUED_BAR.match(text, header.end())
    digits = header["epochs"]
    if glued and len(digits) > len(glued[1]):
        return header.end() - len(glued[1])
    return header.end()


def _start_of_bar(bar: re.Match[str], text: str) -> int | None:
    """Return where a bar begins, behind a value that it may be glued to; None where it is a header's."""
    run, of = bar["run"], bar["of"]
    start = bar.start()
    header = HEADER.search(text, max(start - 12, 0), bar.end())
    if header is not None and header.end() > start:
        return None
    if "." not in run:
        glued = len(run) > len(of) and run.endswith(of)
        return start + len(run) - len(of) if glued else start
    decimals = _DECIMALS.match(run)
    if decimals is not None and (of == "Unknown" or int(run[decimals.end() :]) <= int(of)):
        return start + decimals.end()
    return start + len(run) - len(of) if run.endswith(of) else None
