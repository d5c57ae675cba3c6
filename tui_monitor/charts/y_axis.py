"""The y axis of a chart: from the range of what is shown to limits, ticks and the rows on which these stand."""

import math
from dataclasses import dataclass

from tui_monitor.charts.scale import Limits, logarithmic_limits, logarithmic_ticks, on_rows, stepped_limits
from tui_monitor.charts.spec import Tick


@dataclass(frozen=True)
class YAxis:
    """One axis, as `ChartSpec` has it."""

    limits: Limits
    ticks: tuple[Tick, ...]
    on_rows: Limits | None = None


def linear_axis(
    wanted: Limits | None,
    rows: int,
    *,
    previous: Limits | None = None,
    needed: Limits | None = None,
    ceiling: float = math.inf,
) -> YAxis:
    """Return an axis in round numbers.

    Args:
        wanted: range of the data, or None when there is none.
        rows: of cells that the data have.
        previous: limits last shown, see `stepped_limits`; so are the next two.
        needed: the part of `wanted` that must be inside.
        ceiling: a bound the metric can't exceed.
    """
    limits = stepped_limits(wanted, previous, needed=needed, ceiling=ceiling)
    drawn, ticks = on_rows(limits, rows, ceiling)
    return YAxis(limits, ticks, drawn)


def logarithmic_axis(wanted: Limits | None, rows: int, *, previous: Limits | None = None) -> YAxis:
    """Return a logarithmic axis.

    Args:
        wanted: range of the data's logarithms to base 10, or None when there is none.
        rows: of cells that the data have.
        previous: limits last shown, kept while they still fit.
    """
    powers = None if wanted is None else (10.0 ** wanted[0], 10.0 ** wanted[1])
    limits = logarithmic_limits(powers, previous)
    return YAxis(limits, logarithmic_ticks(limits, max(2, rows // 2)))
