"""A chart as SVG: the same specification that the terminal draws, in lines instead of dots."""

import math
from collections.abc import Iterable
from html import escape

import numpy as np

from tui_monitor.charts.spec import Band, ChartSpec, FloatArray, Gap, Points

_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 30, 36
_GAP = 70
"""Pixels right of the data where the gap is shown."""
_STYLE = (
    "text{font:12px ui-sans-serif,system-ui,sans-serif;fill:#333}.t{font-weight:600}.g{stroke:#ddd}"
    ".b{fill:#9ec5fe;opacity:.55}.m{fill:none;stroke:#1d4ed8;stroke-width:1.5}.p{fill:#1d4ed8}"
    ".v{fill:none;stroke:#c2570c;stroke-width:1.5;stroke-dasharray:5 3}.d{fill:#c2570c}"
    ".k{fill:none;stroke:#333}.x{fill:#b91c1c}"
)


def chart_svg(spec: ChartSpec, width: int = 720, height: int = 300) -> str:
    """Return a chart as a whole SVG element, without scripts, links or fonts from elsewhere.

    Training is a line over a band with round marks, validation a broken line with diamonds: neither needs its colour.

    Args:
        spec: what to show; values that have no place in it are left out, NaN and infinities marked at the bottom.
        width: pixels, 200 at least.
        height: pixels, 120 at least.
    """
    plane = _Plane(spec, width, height)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{_text(spec.title.strip())}">',
        f"<style>{_STYLE}</style>",
        *_frame(spec, plane),
        *([] if spec.band is None else _band(spec.band, plane)),
        *_curve(spec.validation, plane, "v"),
        *_bracket(spec.gap, plane),
        *_marks(spec.train, plane, "p"),
        *_marks(spec.validation, plane, "d"),
        "</svg>",
    ]
    return "".join(parts)


class _Plane:
    """From data units to pixels."""

    def __init__(self, spec: ChartSpec, width: int, height: int) -> None:
        self.left, self.right = float(_LEFT), float(width - (_RIGHT if spec.gap is None else _GAP))
        self.top, self.bottom = float(_TOP), float(height - _BOTTOM)
        self._spec = spec

    def x(self, values: FloatArray) -> FloatArray:
        """Return pixels from the left."""
        low, high = self._spec.x_range
        return self.left + (values - low) / ((high - low) or 1.0) * (self.right - self.left)

    def y(self, values: FloatArray) -> FloatArray:
        """Return pixels from the top; NaN where a value has no place."""
        low, high = self._spec.y_on_rows or self._spec.y_range
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            if self._spec.log_y:
                values, low, high = np.log10(values), math.log10(low), math.log10(high)
            fraction = (values - low) / ((high - low) or 1.0)
        fraction = np.where(np.isfinite(values), np.clip(fraction, 0.0, 1.0), np.nan)
        return self.bottom - fraction * (self.bottom - self.top)


def _frame(spec: ChartSpec, plane: _Plane) -> Iterable[str]:
    title = [f'<tspan class="t">{_text(spec.title.strip())}</tspan>']
    title += [f'<tspan dx="14">{_text(f"{entry.mark} {entry.text}")}</tspan>' for entry in spec.legend[:2]]
    yield f'<text x="{plane.left:.0f}" y="18">{"".join(title)}</text>'
    for tick in spec.y_ticks:
        y = float(plane.y(np.array([tick.at]))[0])
        if math.isfinite(y):
            yield f'<path class="g" d="M{plane.left:.1f} {y:.1f}H{plane.right:.1f}"/>'
            yield f'<text x="{plane.left - 6:.0f}" y="{y + 4:.1f}" text-anchor="end">{_text(tick.label)}</text>'
    for tick in spec.x_ticks:
        x = float(plane.x(np.array([tick.at]))[0])
        yield f'<text x="{x:.1f}" y="{plane.bottom + 16:.0f}" text-anchor="middle">{_text(tick.label)}</text>'
    label = f"{spec.x_label} {spec.x_end}".strip()
    middle = (plane.left + plane.right) / 2
    yield f'<text x="{middle:.0f}" y="{plane.bottom + 31:.0f}" text-anchor="middle">{_text(label)}</text>'
    yield f'<path class="g" d="M{plane.left:.1f} {plane.bottom:.1f}H{plane.right:.1f}"/>'


def _band(band: Band, plane: _Plane) -> Iterable[str]:
    columns = len(band.mean)
    x = plane.left + (np.arange(columns) + 0.5) / max(columns, 1) * (plane.right - plane.left)
    low, mean, high = plane.y(band.low), plane.y(band.mean), plane.y(band.high)
    for part in _parts(np.isfinite(low) & np.isfinite(high)):
        outline = _points(x[part], high[part]) + " " + _points(x[part][::-1], low[part][::-1])
        yield f'<polygon class="b" points="{outline}"/>'
    for part in _parts(np.isfinite(mean)):
        yield f'<polyline class="m" points="{_points(x[part], mean[part])}"/>'
    for position in x[band.bad]:
        yield f'<rect class="x" x="{position - 1:.1f}" y="{plane.bottom - 4:.1f}" width="2" height="4"/>'


def _curve(points: Points, plane: _Plane, look: str) -> Iterable[str]:
    x, y = plane.x(points.x), plane.y(points.y)
    for part in _parts(np.isfinite(y)):
        yield f'<polyline class="{look}" points="{_points(x[part], y[part])}"/>'


def _bracket(gap: Gap | None, plane: _Plane) -> Iterable[str]:
    if gap is None:
        return
    first, second = plane.y(np.array([gap.train, gap.validation])).tolist()
    if math.isfinite(first) and math.isfinite(second):
        x = plane.right + 4
        yield f'<path class="k" d="M{x:.1f} {first:.1f}h5V{second:.1f}h-5"/>'
        yield f'<text x="{x + 10:.1f}" y="{(first + second) / 2 + 4:.1f}">{_text(gap.label)}</text>'


def _marks(points: Points, plane: _Plane, look: str) -> Iterable[str]:
    for x, y in zip(plane.x(points.x).tolist(), plane.y(points.y).tolist(), strict=True):
        if not math.isfinite(y):
            yield f'<text x="{x:.1f}" y="{plane.bottom - 6:.1f}" text-anchor="middle">!</text>'
        elif look == "p":
            yield f'<circle class="p" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
        else:
            yield f'<path class="d" d="M{x:.1f} {y - 4.5:.1f}l4.5 4.5l-4.5 4.5l-4.5 -4.5z"/>'


def _parts(is_there: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[slice]:
    """Return the segments without a break."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], is_there, [False])).astype(np.int8)))
    return [slice(start, stop) for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)]


def _points(x: FloatArray, y: FloatArray) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))


def _text(text: str) -> str:
    """Return text from outside for XML, without the characters XML has no place for."""
    return escape("".join(c for c in text if c.isprintable()))
