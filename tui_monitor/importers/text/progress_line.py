"""One line of Keras' progress text: what it counts, what it reports, and whether it breaks off."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from tui_monitor.importers.text.places import HEADER

_KERAS_DECIMALS = 4
_MOST_STARTS = 8

_START = re.compile(
    r"(?<![\w./-])(?P<at>\d{1,12})/(?P<of>\d{1,12}|Unknown)"
    r"(?:(?=\s*$)|\s*(?P<bar>\[[=>.]*(?:\]|\s*$)|[━╸╺─]+)|\s+)"
)
_UNCOUNTED = re.compile(r"^\s*(?:\d+:?\s)?\s*(?:-\s+(?P<seconds>\d{1,9})s(?=\s|$)|(?P<bare>\d{1,9})s(?=\s+-\s))")
_TIMING = re.compile(
    r"\s*(?:-\s*)?(?P<eta>ETA:\s*)?"
    r"(?:(?P<seconds>\d{1,9})s|\d+:\d\d(?::\d\d)?|\d+(?:\.\d+)?(?:ms|us|s)/(?P<unit>\w+))(?=\s|-\s|$)"
)
_VALUE = r"[-+]?(?:\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|nan|inf)"
_METRIC = re.compile(
    rf"\s*-\s*(?P<name>(?!\d+(?:m?s|us|:)?(?:[\s/]|$))[^\s:-](?:(?!\s-\s)[^:]){{0,80}}?)\s?:\s*(?:"
    rf"(?P<value>{_VALUE})(?=\s|$|-\s|-$)"
    rf"|(?P<glued>{_VALUE})(?=[^\s\w.:/%+-])"
    rf"|(?P<text>[-+]?\d+\.\d{{4}}(?:[eE][-+]\d\d)?|nan|inf)(?=(?!ms\b|us\b|s\b|[eE][-+]?\d)[A-Za-z_]|/[A-Za-z])"
    rf"|(?P<dated>[-+]?\d+\.\d{{4}})(?=\d{{4}}[-/]\d\d[-/]\d\d|\d\d:\d\d:\d\d))",
    re.IGNORECASE,
)
_NO_VALUE = re.compile(
    r"\s*-\s*[^\s:\d-][^:\[\]]{0,80}?:\s*(?:\[[^\[\]]*\]|\([^()]*\)|None|[-+]?\d+(?:\.\d+)?\s?%)(?=\s+-\s|\s*$)"
)
_PARTIAL_METRIC = re.compile(r"\s*-\s*(?:[^\s:]*|[^\s:]+:\s*[-+.\deEnaif]*)\s*$")
_PARTIAL_WORD = re.compile(r"\s*(?:-\s*)?[^\s:]*(?::\s*[-+.\deEnaif]*)?\s*$")
_CONTINUED = re.compile(r"\s*(?:-(?:\s|$)|[=>.]*\]|[━╸╺─])")


@dataclass(frozen=True)
class ProgressLine:
    """What Keras printed at one moment of an epoch."""

    at: int | None
    """Batches (or samples) done; None where the line does not count."""
    of: int | None
    """Batches (or samples) in the epoch; None where it is unknown."""
    metrics: Mapping[str, float]
    """Metric to value, exactly as printed."""
    seconds: float | None = None
    """Seconds the line reports: elapsed on a finished line."""
    has_bar: bool = False
    has_eta: bool = False
    """Whether it says how long it will still take: then the epoch goes on."""
    unit: str = ""
    """What it counts, where it says so: `step`, `sample`, `epoch`; else empty."""
    rest: str = ""
    """What follows the part that was understood."""
    ends_in_value: bool = False
    is_cut: bool = False
    """Whether it breaks off within a word or a value, as a wrapped or a torn line does."""
    is_glued: bool = False
    """Whether other text touches a value."""
    without_value: int = 0
    """Metrics printed with something else than one number, left out."""

    @property
    def is_full(self) -> bool:
        """Whether it reports values of as much as the epoch has, validation perhaps still to come."""
        return bool(self.metrics) and (self.of is None or (self.at is not None and self.at >= self.of))

    @property
    def is_surely_over(self) -> bool:
        """Whether nothing on the line says that the epoch goes on."""
        return self.is_full and not self.has_eta and (self.of is not None or self.at is None)


def parse_header(text: str) -> tuple[int, int] | None:
    """Return the epoch and the number of epochs that a line announces, or None."""
    found = HEADER.search(text)
    return (int(found["epoch"]), int(found["epochs"])) if found and not text[found.end() :].strip() else None


@lru_cache(maxsize=64)
def parse_progress(text: str) -> ProgressLine | None:
    """Return the last progress with values that a line shows, else the first without, or None."""
    starts = list(_START.finditer(text)) if "/" in text else []
    if not starts:
        uncounted = _UNCOUNTED.search(text)
        return _parse_body(text, uncounted, is_counted=False) if uncounted else None
    parsed = [_parse_body(text, start, is_counted=True) for start in starts[-_MOST_STARTS:]]
    return next((progress for progress in reversed(parsed) if progress.metrics), parsed[0])


def continue_line(line: str, following: str) -> str | None:
    """Return a wrapped progress line joined with the line after it, or None where that does not belong to it.

    Args:
        line: as shown, without trailing spaces.
        following: the next line.
    """
    before = parse_progress(line)
    if before is None or not following.strip() or HEADER.search(following) or _starts_anew(following):
        return None
    joints: tuple[str, ...] = (" ", "") if before.ends_in_value and not before.is_cut else ("", " ")
    best: tuple[int, str] | None = None
    if line.endswith("-"):
        # A dash between metrics, and not the sign of a value that was wrapped behind it.
        joints = (" ",)
    for joint in joints:
        joined = line + joint + following
        after = parse_progress(joined)
        if after is None or not _continues(before, after, following):
            continue
        score = 2 * len(after.metrics) - bool(after.rest.strip())
        if best is None or score > best[0]:
            best = (score, joined)
    return best[1] if best else None


def _continues(before: ProgressLine, after: ProgressLine, following: str) -> bool:
    if before.metrics and (after.at, after.of) != (before.at, before.of):
        return False
    kept = list(before.metrics.items())[: -1 if before.ends_in_value and before.is_cut else None]
    if any(after.metrics.get(name) != value and not math.isnan(value) for name, value in kept):
        return False
    if after.rest.strip() and not after.is_cut and not after.is_glued:
        return False
    is_expected = before.is_cut or not before.metrics or bool(_CONTINUED.match(following))
    return len(after.metrics) > len(before.metrics) or is_expected


def _starts_anew(text: str) -> bool:
    found = _START.search(text)
    is_counted = found is not None and (found["bar"] is not None or " - " in text[found.end() :])
    return is_counted or _UNCOUNTED.match(text) is not None


@dataclass
class _Body:
    """What has been read of a line behind its count."""

    position: int
    seconds: float | None
    has_eta: bool = False
    unit: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    printed: list[str] = field(default_factory=list)
    ends_in_value: bool = False
    is_glued: bool = False
    without_value: int = 0

    def read(self, text: str) -> None:
        """Take timings and metrics as far as they follow each other."""
        while not self.is_glued:
            # Times come before the first metric, but for those that some versions add behind the last.
            first, second = (self._metric, self._timing) if self.metrics else (self._timing, self._metric)
            if not (first(text) or second(text)):
                return

    def _timing(self, text: str) -> bool:
        timing = _TIMING.match(text, self.position)
        if timing is None:
            return False
        self.has_eta |= timing["eta"] is not None
        self.unit = self.unit if self.unit == "sample" else timing["unit"] or self.unit
        if timing["seconds"] and self.seconds is None:
            self.seconds = float(timing["seconds"])
        self.position, self.ends_in_value = timing.end(), False
        return True

    def _metric(self, text: str) -> bool:
        metric = _METRIC.match(text, self.position)
        if metric is None:
            unread = _NO_VALUE.match(text, self.position)
            if unread is not None:
                self.position, self.ends_in_value = unread.end(), False
                self.without_value += 1
            return unread is not None
        if metric["name"] in self.metrics:
            return False
        value = metric["value"]
        self.is_glued = value is None
        value = value or metric["glued"] or metric["text"] or metric["dated"]
        self.metrics[metric["name"]] = float(value)
        self.printed.append(value)
        self.position, self.ends_in_value = metric.end(), True
        return True


def _parse_body(text: str, start: re.Match[str], *, is_counted: bool) -> ProgressLine:
    elapsed = None if is_counted else start["seconds"] or start["bare"]
    body = _Body(start.end(), None if elapsed is None else float(elapsed))
    body.read(text)
    rest = text[body.position :]
    has_rest = bool(rest.strip())
    partial = _PARTIAL_METRIC if body.ends_in_value else _PARTIAL_WORD
    is_value_cut = body.ends_in_value and not has_rest and not _is_whole(body.printed)
    return ProgressLine(
        at=int(start["at"]) if is_counted else None,
        of=int(start["of"]) if is_counted and start["of"] != "Unknown" else None,
        metrics=body.metrics,
        seconds=body.seconds,
        has_bar=is_counted and start["bar"] is not None,
        has_eta=body.has_eta,
        unit=body.unit,
        rest=rest,
        ends_in_value=body.ends_in_value and not has_rest,
        is_cut=is_value_cut or (has_rest and not body.is_glued and partial.match(rest) is not None),
        is_glued=body.is_glued,
        without_value=body.without_value,
    )


def _is_whole(printed: list[str]) -> bool:
    """Return whether the last value has all its digits.

    Keras prints four decimals. On a line where no other value has, somebody shortened them: there the last one is cut
    only where it has fewer than all others.
    """
    *others, last = (value.lower() for value in printed)
    if last.lstrip("+-") in ("nan", "inf"):
        return True
    mantissa, _, exponent = last.partition("e")
    if "e" in last and len(exponent.lstrip("+-")) < 2:
        return False
    decimals, usual = _decimals(mantissa), {_decimals(value.partition("e")[0]) for value in others}
    return decimals == _KERAS_DECIMALS or (bool(usual) and _KERAS_DECIMALS not in usual and decimals >= min(usual))


def _decimals(mantissa: str) -> int:
    return len(mantissa.partition(".")[2])
