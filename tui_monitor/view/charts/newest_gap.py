"""The gap that a chart writes at its right edge: of the newest epoch in view that has both sides."""

import numpy as np

from tui_monitor.charts.spec import Gap, Points
from tui_monitor.units import signed

_WIDEST = 1e4
"""Gaps from here on are written with an exponent."""
_NARROWEST = 5e-4


def newest_gap(train: Points, validation: Points, x_range: tuple[float, float]) -> Gap | None:
    """Return the gap to show, or None where no epoch in view has a finite value on both sides.

    Args:
        train: training's epoch values.
        validation: validation's.
        x_range: the epochs in view.
    """
    both = np.intersect1d(_shown(train, x_range), _shown(validation, x_range))
    if not len(both):
        return None
    trained, validated = (float(points.y[points.x == both[-1]][-1]) for points in (train, validation))
    return Gap(trained, validated, gap_label(trained - validated), float(both[-1]))


def gap_label(gap: float) -> str:
    """Return a gap with its sign, in nine characters at most."""
    if gap and not _NARROWEST <= abs(gap) < _WIDEST:
        mantissa, _, exponent = f"{gap:+.1e}".partition("e")
        return f"{mantissa.replace('-', '−')}e{int(exponent)}"
    return signed(gap, max(0, 3 - max(0, int(np.log10(abs(gap) or 1)))))


def _shown(points: Points, x_range: tuple[float, float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    is_shown = (points.x >= x_range[0]) & (points.x <= x_range[1]) & np.isfinite(points.y)
    return points.x[is_shown]
