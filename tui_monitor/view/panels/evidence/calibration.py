"""Whether the model is right as often as it is sure: a reliability diagram in rows, both sides on one scale."""

import math
from collections.abc import Sequence

from tui_monitor.run_log.events.distributions import Calibration, Reliability
from tui_monitor.units import count, percentage
from tui_monitor.view.panels.evidence.dots import LEGEND, REFERENCE, dots
from tui_monitor.view.text.rows import BLANK, Row, Rows, Run, left, right, wrap

_LABEL = 10
_COUNT, _SHARE = 8, 8
_SMALLEST_SCALE = 11
_SIDE = 11
_SUMMARY = (6, 7, 6, 11)
_CALIBRATED = "within chance"


def calibration_rows(calibration: Calibration, width: int) -> Rows:
    """Return each side's calibration in a sentence, then one row for each range of confidence that occurs.

    Args:
        calibration: what was measured.
        width: cells a row.
    """
    sides = [("Training", calibration.train)]
    if calibration.validation is not None:
        sides.append(("Validation", calibration.validation))
    rows: list[Row] = [*wrap(_sentence(*sides[-1]), width, "headline"), *_summary(sides), BLANK]
    fields = 2 * (_COUNT + _SHARE)
    scale = width - _LABEL - fields - 1
    if scale < _SMALLEST_SCALE:
        scale = 0
    rows += _header(width, scale)
    bins = len(calibration.train.count)
    for index in range(bins):
        if any(side.count[index] for _, side in sides):
            rows.append(_row(index, bins, calibration, scale))
    if scale:
        rows += [BLANK, (*LEGEND, Run(f"  {REFERENCE}", "zero-axis"), Run(" as sure", "muted"))]
    return tuple(rows)


def _sentence(name: str, side: Reliability) -> str:
    verdict = _verdict(side)
    said = "calibrated within chance" if verdict == _CALIBRATED else verdict
    sure, right_ones = percentage(side.mean_confidence, 1), percentage(side.mean_accuracy, 1)
    return f"{name} is {said}: {sure} sure and {right_ones} right on average."


def _verdict(side: Reliability) -> str:
    # Bins too small to tell one by one may tell together.
    spread = math.sqrt(side.mean_confidence * (1 - side.mean_confidence) / max(1, sum(side.count)))
    is_off = abs(side.mean_confidence - side.mean_accuracy) > 2 * spread
    if side.error <= 2 * side.chance and not is_off:
        return _CALIBRATED
    return "overconfident" if side.mean_confidence > side.mean_accuracy else "underconfident"


def _summary(sides: Sequence[tuple[str, Reliability]]) -> Rows:
    names = ("sure", "right", "ECE", "by chance")
    rows: list[Row] = [
        (
            left("points", _SIDE, "muted"),
            *(right(name, size, "muted") for name, size in zip(names, _SUMMARY, strict=True)),
        )
    ]
    for name, side in sides:
        values = (side.mean_confidence, side.mean_accuracy, side.error, side.chance)
        cells = (right(f"{100 * value:.1f}", size) for value, size in zip(values, _SUMMARY, strict=True))
        rows.append((left(name.lower(), _SIDE, "muted"), *cells, left(f"  {_verdict(side)}", 16)))
    return tuple(rows)


def _header(width: int, scale: int) -> Rows:
    sides = (right("training", _COUNT + _SHARE, "strong"), right("validation", _COUNT + _SHARE, "strong"))
    names = [run for _ in range(2) for run in (right("samples", _COUNT, "muted"), right("right", _SHARE, "muted"))]
    gap = Run(" ", "")
    if not scale:
        return (left("", _LABEL), gap, *sides), (left("sure", _LABEL, "muted"), gap, *names)
    ends = left("0 %", scale - 5, "muted"), right("100 %", 5, "muted")
    title = left("right answers", scale, "strong")
    return (left("", _LABEL), title, gap, *sides), (left("sure", _LABEL, "muted"), *ends, gap, *names)


def _row(index: int, bins: int, calibration: Calibration, scale: int) -> Row:
    low, high = 100 * index // bins, 100 * (index + 1) // bins
    train, validation = calibration.train, calibration.validation
    marks: tuple[Run, ...] = ()
    if scale:
        sure = [side.confidence[index] for side in (validation, train) if side is not None]
        reference = next((value for value in sure if value is not None), None)
        beside = validation.accuracy[index] if validation else None
        marks = dots(train.accuracy[index], beside, scale, reference)
    return (
        left(f"{low}–{high} %", _LABEL, "muted"),
        *marks,
        Run(" ", ""),
        *_fields(train, index),
        *_fields(validation, index),
    )


def _fields(side: Reliability | None, index: int) -> tuple[Run, Run]:
    if side is None or not side.count[index]:
        return right("–", _COUNT, "muted"), right("–", _SHARE, "muted")
    accuracy = side.accuracy[index]
    said = "–" if accuracy is None else percentage(accuracy, 1)
    return right(count(side.count[index]), _COUNT), right(said, _SHARE)
