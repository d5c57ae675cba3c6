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
    fraction = (value - low) / (high - low) if high > low else 0.0
    return _HEIGHTS[round(fraction * (len(_HEIGHTS) - 1))]
