"""What opening the ledger and the checks have found, to be seen: one section for each thing that is there."""

from collections.abc import Sequence

from tui_monitor.charts.markers import MarkerSet
from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.events.opened import (
    ChannelMoments,
    CopyPlaces,
    FoundLeak,
    Histogram,
    InputScale,
    MovedClasses,
    OpenedEvidence,
)
from tui_monitor.units import count, percentage
from tui_monitor.view.panels.evidence.found_causes import batch_norm_rows, fresh_rows
from tui_monitor.view.panels.evidence.order import order_rows
from tui_monitor.view.text.bars import level_bar, level_strip
from tui_monitor.view.text.rows import BLANK, Row, Rows, Run, left, plain, right, wrap

_NOTHING = "No copies, no other scale and no moved classes were found, and validation is too small to show its order."
_RANGE = 17
_SHARE = 8
_LARGEST_BAR = 30
_MOST_COPIES = 8
_FIELD, _LABEL = 12, 12


def found_rows(explanation: Explanation, width: int, markers: MarkerSet) -> Rows:
    """Return the sections, what was found first; the order of samples comes last, found or not.

    Args:
        explanation: what was measured.
        width: cells a row.
        markers: characters to draw curves with.
    """
    held = explanation.opened or OpenedEvidence()
    sections = [
        _moved(held.moved, width) if held.moved is not None else (),
        _copies(held.leak, held.copies, width) if held.leak is not None and held.copies is not None else (),
        _scale(held.scale, width) if held.scale is not None else (),
        batch_norm_rows(held.batch_norm, explanation, width) if held.batch_norm is not None else (),
        fresh_rows(held.fresh, explanation, width) if held.fresh is not None else (),
        order_rows(held.order, explanation, width, markers) if held.order is not None else (),
    ]
    rows: list[Row] = []
    for section in sections:
        rows += [BLANK, *section] if rows and section else section
    return tuple(rows) or wrap(_NOTHING, width)


def _moved(moved: MovedClasses, width: int) -> Rows:
    rows: list[Row] = [
        *wrap(
            f"{len(moved.moved)} classes mean others in validation: accuracy is {percentage(moved.accuracy, 1)}, and "
            f"{percentage(moved.accuracy_mapped, 1)} when they are mapped.",
            width,
            "headline",
        )
    ]
    rows += _two_sides("class", ("right", "as other"), width)
    for one in moved.moved:
        values = (one.train_own, one.train_said, one.validation_own, one.validation_said)
        fields = ["–" if value is None else percentage(value, 1) for value in values]
        rows.append(_line(f"{plain(one.own)} as {plain(one.said)}", fields, width))
    return tuple(rows)


def _copies(leak: FoundLeak, places: CopyPlaces, width: int) -> Rows:
    known = [part for part in places.parts if part is not None]
    most = max(known, default=0.0)
    rows: list[Row] = [
        *wrap(
            f"{count(leak.copies)} of {count(leak.compared)} validation samples stand in training. Where, in the order "
            f"of validation (full height: {percentage(most)} of a part):",
            width,
            "headline",
        ),
        (Run(level_strip(places.parts, width, most), "validation"),),
        _ends("sample 0", f"sample {count(places.samples - 1)}", width),
    ]
    if not leak.examples:
        return tuple(rows)
    rows.append((left("validation sample", 20, "muted"), Run("trained on as", "muted")))
    for example in leak.examples[:_MOST_COPIES]:
        where = f"epoch {example.epoch}, batch {count(example.batch)}, sample {count(example.row)} of it"
        rows.append((left(count(example.validation), 20), Run(where, "")))
    rest = leak.copies - min(len(leak.examples), _MOST_COPIES)
    return (*rows, *(wrap(f"and {count(rest)} more", width, "muted") if rest > 0 else ()))


def _ends(first: str, last: str, width: int) -> Row:
    return (left(first, width - len(last), "muted"), Run(last, "muted"))


def _scale(scale: InputScale, width: int) -> Rows:
    what = scale.pattern_name or "are scaled differently"
    few = scale.of_channels > 1
    which = f": {count(scale.differing)} of {count(scale.of_channels)} features differ" if few else ""
    rows: list[Row] = [*wrap(f"Validation's inputs {what}{which}.", width, "headline")]
    rows += _moments(scale.channels[:4], width)
    if scale.histogram is not None and scale.channels:
        rows += [BLANK, *_histogram(scale.histogram, scale.channels[0], width)]
    return tuple(rows)


def _moments(channels: Sequence[ChannelMoments], width: int) -> Rows:
    rows = [*_two_sides("feature", ("mean", "deviation"), width)]
    for one in channels:
        values = (one.train_mean, one.train_deviation, one.validation_mean, one.validation_deviation)
        rows.append(_line(_name(one), [f"{value:.4g}" for value in values], width))
    return tuple(rows)


def _two_sides(name: str, columns: tuple[str, str], width: int) -> Rows:
    """Return the head of a table with two columns for each side."""
    label, field = _sizes(width)
    sides = (left("", label), right("training", 2 * field, "strong"), right("validation", 2 * field, "strong"))
    return sides, (left(name, label, "muted"), *(right(column, field, "muted") for column in (*columns, *columns)))


def _line(name: str, fields: Sequence[str], width: int) -> Row:
    label, field = _sizes(width)
    return (left(name, label), *(right(value, field) for value in fields))


def _sizes(width: int) -> tuple[int, int]:
    """Return the cells of a table's label and of each of its four fields."""
    field = min(_FIELD, (width - _LABEL) // 4)
    return max(_LABEL, min(30, width - 4 * field)), field


def _name(channel: ChannelMoments) -> str:
    return f"{channel.channel} of input {channel.input}" if channel.input else str(channel.channel)


def _histogram(histogram: Histogram, channel: ChannelMoments, width: int) -> Rows:
    """Return both sides' histograms, a row for each range that holds anything."""
    bar = min(_LARGEST_BAR, (width - _RANGE - 2 * _SHARE - 2) // 2)
    largest = max((*histogram.train, *histogram.validation), default=0.0)
    side = bar + 1 + _SHARE
    rows: list[Row] = [
        (
            left(f"feature {_name(channel)}", _RANGE, "muted"),
            left("training", side, "strong"),
            left("validation", side, "strong"),
        )
    ]
    pairs = zip(histogram.train, histogram.validation, strict=True)
    for low, high, (train, other) in zip(histogram.edges, histogram.edges[1:], pairs, strict=False):
        cells: list[Run] = [left(f"{low:.3g} to {high:.3g}", _RANGE, "muted")]
        for value, style in ((train, "train-mark"), (other, "validation")):
            cells += [Run(level_bar(value, largest, bar), style), right(percentage(value), _SHARE - 1), Run("  ", "")]
        rows.append(tuple(cells))
    return tuple(rows)
