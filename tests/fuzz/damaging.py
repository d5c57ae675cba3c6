"""Real layouts, cut, glued, interleaved and re-encoded by chance; and what must hold of whatever comes of them."""

import math
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from tests.unit.importers.layouts import layouts
from tui_monitor.errors import MonitorError
from tui_monitor.history.load import load
from tui_monitor.importers.importing import import_runs

Choose = Callable[[int], int]
"""Returns a number from 0 to below its argument."""

_CASES = Path(__file__).parents[1] / "unit" / "importers" / "logs"
_NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_TOKEN = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
_COLOURS = re.compile(r"(?:\x1b|\\x1b|\\u001b|\^\[|\u241b)?\[[\d;]*[A-Za-z]")
_FAR_SIGN = re.compile(r"-\s+(?=[\d.])")
_UNSEEN = re.compile(r"[\x00\ufeff\u200b-\u200f]")
_ENCODINGS = ("utf-8", "utf-16", "utf-16-le", "latin-1", "cp1252", "utf-8-sig")
_JUNK = (
    "\x1b[2K\r",
    "\x00",
    "\r",
    "\b" * 5,
    "^M",
    "^H",
    "[0m",
    "Epoch 1/9\n",
    "\n",
    " - ",
    "nan",
    "é",
    "\ufeff",
    ",",
    "{",
    '"',
)


@cache
def seeds() -> tuple[str, ...]:
    """Return the text of every handed log and every layout, in a fixed order."""
    handed = [path for path in sorted(_CASES.rglob("*")) if path.is_file() and ".expected" not in path.name]
    texts = [path.read_text(errors="replace") for path in handed]
    for _, layout in layouts():
        texts += [content.decode("utf-8", errors="replace") for content in layout.files.values() if len(content) < 9000]
    return tuple(dict.fromkeys(texts))


def damaged(choose: Choose) -> bytes:
    """Return a log that was damaged as the choices say."""
    text = _seed(choose)
    for _ in range(choose(5)):
        text = _OPERATIONS[choose(len(_OPERATIONS))](text, choose)
    content = text.encode(_ENCODINGS[choose(len(_ENCODINGS))], errors="replace")
    return content[: choose(len(content) + 1)] if choose(4) == 0 else content


def _seed(choose: Choose) -> str:
    return seeds()[choose(len(seeds()))]


def _cut(text: str, choose: Choose) -> str:
    start = choose(len(text) + 1)
    return text[start : start + 1 + choose(len(text) + 1)]


def _remove(text: str, choose: Choose) -> str:
    start = choose(len(text) + 1)
    return text[:start] + text[start + choose(40) :]


def _glue(text: str, choose: Choose) -> str:
    return text + _cut(_seed(choose), choose)


def _insert(text: str, choose: Choose) -> str:
    position = choose(len(text) + 1)
    return text[:position] + _JUNK[choose(len(_JUNK))] + text[position:]


def _interleave(text: str, choose: Choose) -> str:
    lines, others = text.splitlines(keepends=True), _seed(choose).splitlines(keepends=True)
    mixed = []
    while lines or others:
        take = lines if lines and (not others or choose(2)) else others
        mixed.append(take.pop(0))
    return "".join(mixed)


def _join_lines(text: str, choose: Choose) -> str:
    lines = text.splitlines(keepends=True)
    position = choose(len(lines) + 1)
    return "".join(line.rstrip("\r\n") if number == position else line for number, line in enumerate(lines))


def _wrap(text: str, choose: Choose) -> str:
    width = 20 + choose(100)
    return "".join(
        f"{line[start : start + width]}\n" for line in text.splitlines() for start in range(0, max(len(line), 1), width)
    )


_OPERATIONS = (_cut, _remove, _glue, _insert, _interleave, _join_lines, _wrap)


def check(content: bytes) -> None:
    """Import bytes as a file and check what must hold of any.

    Raises:
        AssertionError: a value is not in the input and no mean that is said, or a refusal left a run.
    """
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        source, runs = folder / "source", folder / "runs"
        source.write_bytes(content)
        try:
            imported = import_runs(source, runs, _NOW)
        except MonitorError:
            assert not runs.exists() or not list(runs.iterdir()), "a refusal left a run"
            return
        said = " ".join(sentence for one in imported for sentence in one.remarks)
        values = [
            value
            for one in imported
            for fit in load(one.folder).fits
            for row in fit.epochs
            for value in row.metrics.values()
        ]
        assert values, "a run without a value"
        if "mean of its readings" not in said:
            invented = {value for value in values if math.isfinite(value)} - _numbers(content)
            assert not invented, f"not in the input: {invented}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _numbers(content: bytes) -> set[float]:
    """Return every number that a text can be read to hold, however its lines are wrapped."""
    held: set[float] = set()
    for encoding in ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp1252"):
        text = content.decode(encoding, errors="replace").replace("\0", "")
        for variant in _variants(text):
            for found in _TOKEN.finditer(variant):
                held |= _readings(found[0])
    return held


def _variants(text: str) -> Iterator[str]:
    plain = _COLOURS.sub("", _UNSEEN.sub("", text))
    yield from (text, plain, _DECIMAL_COMMA.sub(".", text), _FAR_SIGN.sub("-", plain))
    # A console breaks lines within values, and quotes or numbers may stand before what goes on.
    yield from (re.sub(r"\s*\n\s*", joint, plain) for joint in ("", " "))
    yield re.sub(r"\n(?:\s|[>#|*\"'/]|\d+[:\t])*", "", plain)


def _readings(token: str) -> set[float]:
    """Return the numbers of a token: itself, without what is glued behind four decimals, and behind a sign."""
    readings = {float(token), abs(float(token))}
    glued = re.match(r"[-+]?\d+\.\d{4}", token)
    return readings | ({float(glued[0])} if glued else set())
