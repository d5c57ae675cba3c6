"""One line of Keras' progress text: what it counts, what it reports, and whether it breaks off."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

_KERAS_DECIMALS = 4
_MOST_STARTS = 8

_HEADER = re.compile(r"(?:^|[^A-Za-z])Epoch:? +(\d{1,9})/(\d{1,9})\s*$")
_START = re.compile(
    r"(?<![\w./-])(?P<at>\d{1,12})/(?P<of>\d{1,12}|Unknown)"
    r"(?:(?=\s*$)|\s+(?P<bar>\[[=>.]*(?:\]|\s*$)|[━╸╺─]+)?)"
)
_UNCOUNTED = re.compile(r"^\s*(?:\d+:\s)?\s*- (?P<seconds>\d{1,9})s(?=\s|$)")
_TIMING = re.compile(
    r"\s*(?:-\s*)?(?P<eta>ETA:\s*)?"
    r"(?:(?P<seconds>\d{1,9})s|\d+:\d\d(?::\d\d)?|\d+(?:\.\d+)?(?:ms|us|s)/(?P<unit>\w+))(?=\s|$)"
)
_METRIC = re.compile(
    r"\s*- (?P<name>[^\s:](?:(?! - )[^:])*?):\s+(?P<figure>[-+]?(?:\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|nan|inf))(?=\s|$)"
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
    figures: Mapping[str, float]
    """Metric to figure, exactly as printed."""
    seconds: float | None = None
    """Seconds the line reports: elapsed on a finished line."""
    has_bar: bool = False
    has_eta: bool = False
    """Whether it says how long it will still take: then the epoch goes on."""
    counts_samples: bool = False
    rest: str = ""
    """What follows the part that was understood."""
    ends_in_figure: bool = False
    is_cut: bool = False
    """Whether it breaks off within a word or a figure, as a wrapped or a torn line does."""

    @property
    def is_finished(self) -> bool:
        """Whether it reports the whole epoch."""
        return not self.has_eta and bool(self.figures) and (self.of is None or self.at == self.of)


def parse_header(text: str) -> tuple[int, int] | None:
    """Return the epoch and the number of epochs that a line announces, or None."""
    found = _HEADER.search(text)
    return (int(found[1]), int(found[2])) if found else None


def parse_progress(text: str) -> ProgressLine | None:
    """Return the last progress with figures that a line shows, else the first without, or None."""
    starts = list(_START.finditer(text))
    if not starts:
        uncounted = _UNCOUNTED.search(text)
        return _parse_body(text, uncounted, is_counted=False) if uncounted else None
    parsed = [_parse_body(text, start, is_counted=True) for start in starts[-_MOST_STARTS:]]
    return next((progress for progress in reversed(parsed) if progress.figures), parsed[0])


def continue_line(line: str, following: str) -> str | None:
    """Return a wrapped progress line joined with the line after it, or None where that does not belong to it.

    Args:
        line: as shown, without trailing spaces.
        following: the next line.
    """
    before = parse_progress(line)
    if before is None or not following.strip() or parse_header(following) or _starts_anew(following):
        return None
    joints = (" ", "") if before.ends_in_figure and not before.is_cut else ("", " ")
    best: tuple[int, str] | None = None
    for joint in joints:
        joined = line + joint + following
        after = parse_progress(joined)
        if after is None or not _continues(before, after, following):
            continue
        score = 2 * len(after.figures) - bool(after.rest.strip())
        if best is None or score > best[0]:
            best = (score, joined)
    return best[1] if best else None


def _continues(before: ProgressLine, after: ProgressLine, following: str) -> bool:
    if before.figures and (after.at, after.of) != (before.at, before.of):
        return False
    kept = list(before.figures.items())[: -1 if before.ends_in_figure and before.is_cut else None]
    if any(after.figures.get(name) != value and not math.isnan(value) for name, value in kept):
        return False
    if after.rest.strip() and not after.is_cut:
        return False
    is_expected = before.is_cut or not before.figures or bool(_CONTINUED.match(following))
    return len(after.figures) > len(before.figures) or is_expected


def _starts_anew(text: str) -> bool:
    found = _START.search(text)
    is_counted = found is not None and (found["bar"] is not None or " - " in text[found.end() :])
    return is_counted or _UNCOUNTED.match(text) is not None


def _parse_body(text: str, start: re.Match[str], *, is_counted: bool) -> ProgressLine:
    position = start.end()
    seconds = None if is_counted else float(start["seconds"])
    has_eta = counts_samples = False
    figures: dict[str, float] = {}
    printed: list[str] = []
    ends_in_figure = False
    while True:
        if timing := _TIMING.match(text, position):
            has_eta |= timing["eta"] is not None
            counts_samples |= timing["unit"] == "sample"
            if timing["seconds"] and seconds is None:
                seconds = float(timing["seconds"])
            position, ends_in_figure = timing.end(), False
        elif metric := _METRIC.match(text, position):
            figures[metric["name"]] = float(metric["figure"])
            printed.append(metric["figure"])
            position, ends_in_figure = metric.end(), True
        else:
            break
    rest = text[position:]
    has_rest = bool(rest.strip())
    partial = _PARTIAL_METRIC if ends_in_figure else _PARTIAL_WORD
    is_figure_cut = ends_in_figure and not has_rest and not _is_whole(printed)
    return ProgressLine(
        at=int(start["at"]) if is_counted else None,
        of=int(start["of"]) if is_counted and start["of"] != "Unknown" else None,
        figures=figures,
        seconds=seconds,
        has_bar=is_counted and start["bar"] is not None,
        has_eta=has_eta,
        counts_samples=counts_samples,
        rest=rest,
        ends_in_figure=ends_in_figure and not has_rest,
        is_cut=is_figure_cut or (has_rest and partial.match(rest) is not None),
    )


def _is_whole(printed: list[str]) -> bool:
    """Return whether the last figure has all its digits: Keras prints four decimals, others as many each time."""
    last = printed[-1].lower()
    if last.lstrip("+-") in ("nan", "inf"):
        return True
    mantissa, _, exponent = last.partition("e")
    if "e" in last and len(exponent.lstrip("+-")) < 2:
        return False
    decimals = _decimals(mantissa)
    return decimals == _KERAS_DECIMALS or (len(printed) > 1 and decimals == _decimals(printed[0].partition("e")[0]))


def _decimals(mantissa: str) -> int:
    return len(mantissa.partition(".")[2])
