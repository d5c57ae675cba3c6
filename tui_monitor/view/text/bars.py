"""Bars of exactly the given width, whose length can be read without their colour."""

import math
from collections.abc import Sequence

from tui_monitor.view.text.rows import Run

_FULL, _EMPTY, _AXIS = "█", "░", "│"
_HEIGHTS = "▁▂▃▄▅▆▇█"
_EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")


def progress_bar(fraction: float, width: int) -> tuple[Run, Run]:
    """Return a bar filled from the left.

    Args:
        fraction: from 0 to 1; clipped.
        width: cells.
    """
    filled = int(min(1.0, max(0.0, fraction)) * width)
    return Run(_FULL * filled, "bar"), Run(_EMPTY * (width - filled), "bar-rest")


def signed_bar(value: float | None, largest: float, width: int) -> tuple[Run, ...]:
    """Return a bar that begins at a zero axis in the middle and goes right when positive, left when negative.

    Args:
        value: amount; None draws the axis alone.
        largest: amount that fills half the width.
        width: odd number of cells.
    """
    half = width // 2
    axis = Run(_AXIS, "zero-axis")
    eighths = round(abs(value) / largest * half * 8) if value is not None and largest > 0 else 0
    full, part = divmod(min(eighths, half * 8), 8)
    free = Run(" " * (half - full - bool(part)), "")
    if value is None or value >= 0:
        return Run(" " * half, ""), axis, Run(_FULL * full + _EIGHTHS[part], "bar-raises"), free
    # There are no blocks filled from the right: the rest of the cell is drawn in the colour of the ground.
    edge = (Run(_EIGHTHS[8 - part], "bar-lowers-edge"),) if part else ()
    return free, *edge, Run(_FULL * full, "bar-lowers"), axis, Run(" " * half, "")


def level_bar(value: float, largest: float, width: int) -> str:
    """Return a bar from the left, of exactly `width` cells.

    Args:
        value: at least 0.
        largest: value that fills the width; 0 or less draws nothing.
        width: cells.
    """
    eighths = round(min(value / largest, 1.0) * width * 8) if largest > 0 else 0
    # A value that is not 0 can be seen.
    full, part = divmod(max(eighths, 1 if value > 0 and largest > 0 else 0), 8)
    return (_FULL * full + _EIGHTHS[part]).ljust(width)


def level_strip(values: Sequence[float | None], width: int, largest: float) -> str:
    """Return values as one row of upright bars that fills `width`, from 0 to the largest; blank where there is none.

    Args:
        values: in order, from 0; None where there is none.
        width: cells; each value takes as many as there are for it.
        largest: value of a full bar; 0 or less draws the lowest bar alone.
    """
    shown = [values[cell * len(values) // width] for cell in range(width)] if values else []
    return "".join(" " if value is None else _level(value, largest) for value in shown)


def _level(value: float, largest: float) -> str:
    if value <= 0 or largest <= 0:
        return "·"
    return _HEIGHTS[min(len(_HEIGHTS) - 1, int(value / largest * len(_HEIGHTS)))]


def sparkline(values: Sequence[float], width: int) -> str:
    """Return a curve as one row of bars of at most `width` cells, the lowest value as the lowest bar.

    Args:
        values: in order; one that is not finite is drawn as `×`.
        width: cells.
    """
    if len(values) > width:
        values = [values[(index + 1) * len(values) // width - 1] for index in range(width)]
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    return "".join(_height(value, low, high) for value in values)


def _height(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return "×"
    # Halved, as the greatest float less the least is no float.
    fraction = (value / 2 - low / 2) / (high / 2 - low / 2) if high / 2 > low / 2 else 0.0
    return _HEIGHTS[round(fraction * (len(_HEIGHTS) - 1))]
