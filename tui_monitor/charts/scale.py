"""Limits and ticks in round numbers: limits move in steps, so that a chart holds still while data arrives."""

import math
from collections.abc import Sequence

import numpy as np

from tui_monitor.charts.spec import Band, FloatArray, Tick

Limits = tuple[float, float]

_EARLIER_REACH = 3.0
"""How far earlier values may widen the range on either side, in spans of what is compared."""
_LEAST_REACH = 0.25
"""The same as a fraction of all values' span: where the newer ones hardly move, how they came there still shows."""
_KEEP_FRACTION = 0.5
_SLACK = 0.15
_LARGEST = 1e300
_ROWS_FOR_THREE = 8
_LONGEST_LABEL = 6
"""Cells beside a chart for what stands at a tick."""


def round_step(span: float, count: int) -> float:
    """Return the step of 1, 2 or 5 times a power of ten that cuts a span into at most about `count` parts.

    Args:
        span: finite; 0 or less gives 1.
        count: parts wanted, at least 1.
    """
    if not math.isfinite(span) or span <= 0:
        return 1.0
    rough = span / max(count, 1)
    power = 10.0 ** max(-300, math.floor(math.log10(rough))) if rough > 0 else 1e-300
    return next((m * power for m in (1, 2, 5) if m * power >= rough * 0.999), 10 * power)


def data_limits(band: Band | None, *marks: FloatArray) -> Limits | None:
    """Return the range a chart should show, or None when there is no finite value.

    What is compared makes it: the newer half of each side's epoch values, nearly all means in the newer half of the
    batches, and the newest of them. What came before counts as far as it does not squeeze them, and the band does not
    count at all.

    Args:
        band: per-batch values.
        marks: epoch values of each side, in order; NaN and infinities don't count.
    """
    finite = [_finite(side) for side in marks]
    recent = [side[len(side) // 2 :] for side in finite]
    earlier = [side[: len(side) // 2] for side in finite]
    if band is not None:
        means = _finite(band.mean)
        recent.append(_inner(means[len(means) // 2 :], 0.05))
        recent.append(np.median(means[-3:], keepdims=True) if len(means) else means)
        earlier.append(_inner(means, 0.05))
    compared, before = np.concatenate(recent or [np.empty(0)]), np.concatenate(earlier or [np.empty(0)])
    if not len(compared):
        return None
    low, high = float(compared.min()), float(compared.max())
    if not len(before):
        return low, high
    whole = min(low, float(before.min())), max(high, float(before.max()))
    reach = max(_EARLIER_REACH * (high - low), _LEAST_REACH * (whole[1] - whole[0]))
    return max(whole[0], low - reach), min(whole[1], high + reach)


def whole_limits(band: Band | None, *marks: FloatArray) -> Limits | None:
    """Return the range that holds every finite value, the band's ends too; None when there is none.

    Args:
        band: per-batch values.
        marks: epoch values of each side.
    """
    parts = [_finite(side) for side in marks]
    if band is not None:
        parts += [_finite(band.low), _finite(band.mean), _finite(band.high)]
    values = np.concatenate(parts or [np.empty(0)])
    return (float(values.min()), float(values.max())) if len(values) else None


def _finite(values: FloatArray) -> FloatArray:
    values = np.asarray(values, dtype=np.float64)
    return np.clip(values[np.isfinite(values)], -_LARGEST, _LARGEST)


def _inner(values: FloatArray, fraction: float) -> FloatArray:
    """Return the ends of values without a fraction at each side; all of a few."""
    if not len(values):
        return values
    return np.quantile(values, [fraction, 1 - fraction], method="nearest").astype(np.float64)


def stepped_limits(
    wanted: Limits | None,
    previous: Limits | None = None,
    *,
    needed: Limits | None = None,
    ceiling: float = math.inf,
) -> Limits:
    """Return limits in round numbers that hold what is wanted, kept as they were while they still fit.

    Args:
        wanted: range of the data, or None when there is none.
        previous: the limits last shown.
        needed: the part of `wanted` that must be inside; the rest may stick out a little before limits move. All of
            it by default.
        ceiling: a bound the metric can't exceed, such as 1 for accuracy.
    """
    if wanted is None:
        return previous or (0.0, 1.0)
    low, high = wanted
    if previous and _still_fits(wanted, previous, needed or wanted):
        return previous
    span = high - low
    if span <= 1e-9 * max(abs(low), abs(high)) or span <= 0:
        span = abs(high) * 0.2 or 1.0
        low, high = low - span / 2, high + span / 2
    step = round_step(span, 5)
    bottom, top = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    if wanted[0] >= 0:
        bottom = max(bottom, 0.0)
    if wanted[1] <= ceiling:
        top = min(top, ceiling)
    return (bottom, top) if top > bottom else (low, high)


def _still_fits(wanted: Limits, previous: Limits, needed: Limits) -> bool:
    height = previous[1] - previous[0]
    if needed[0] < previous[0] or needed[1] > previous[1] or wanted[1] - wanted[0] < _KEEP_FRACTION * height:
        return False
    slack = _SLACK * height
    return previous[0] - slack <= wanted[0] and wanted[1] <= previous[1] + slack


def logarithmic_limits(wanted: Limits | None, previous: Limits | None = None) -> Limits:
    """Return limits for a logarithmic axis: positive, each 1, 2 or 5 times a power of ten.

    Args:
        wanted: range of the positive data, or None when there is none.
        previous: the limits last shown, kept while they still fit.
    """
    if wanted is None or wanted[1] <= 0:
        return previous if previous and previous[0] > 0 else (0.1, 1.0)
    high = max(wanted[1], 1e-300)
    low = min(max(wanted[0], high * 1e-12, 1e-300), high)
    if previous and 0 < previous[0] <= low and high <= previous[1]:
        kept = math.log(max(high / low, 1.01)) / math.log(previous[1] / previous[0])
        if kept >= _KEEP_FRACTION:
            return previous
    bottom, top = _round_down(low), _round_up(high)
    return (bottom, top) if top > bottom else (bottom, _round_up(bottom * 1.5))


def _round_down(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return max((m * power for m in (1, 2, 5) if m * power <= value * 1.000001), default=power)


def _round_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return min((m * power for m in (1, 2, 5, 10) if m * power >= value * 0.999999), default=10 * power)


def ticks(limits: Limits, count: int) -> tuple[Tick, ...]:
    """Return ticks at round numbers inside limits, all written with the same number of digits.

    Args:
        limits: low before high.
        count: parts to cut the axis into, about; it is cut finer where fewer than three ticks would be inside.
    """
    low, high = limits
    for parts in (max(1, count), 2 * max(1, count)):
        step = round_step(high - low, parts)
        first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
        if last - first >= 2:
            break
    if last - first > 1000:
        return ()
    # Far from zero a multiple of the step rounds to a float outside the axis.
    positions = [i * step for i in range(int(first), int(last) + 1)]
    inside = (min(max(position, limits[0]), limits[1]) for position in positions)
    return tuple(Tick(position, label) for position, label in zip(inside, _labels(positions, step), strict=True))


def on_rows(limits: Limits, rows: int, ceiling: float = math.inf) -> tuple[Limits, tuple[Tick, ...]]:
    """Return a slightly wider range, and ticks in round numbers that all stand equally far apart.

    A chart in cells draws a tick in one of its rows, and marks in others: they agree where each row stands for a
    multiple of one value, which is in the row's middle.

    Args:
        limits: to be held, low before high.
        rows: of cells.
        ceiling: a bound the metric can't exceed, above which no tick stands.
    """
    low, high = limits
    # In a low chart a third tick would take more of the range than it tells.
    fewest, most = (3, min(8, (rows + 1) // 2)) if rows >= _ROWS_FOR_THREE else (2, 3)
    best: tuple[float, float] | None = None
    for step in _round_steps(high - low):
        for apart in range(1, rows):
            unit = step / apart
            bottom = math.floor(low / unit + 1e-9) * unit
            count = _multiples_within(bottom, bottom + (rows - 1) * unit, step)
            fits = bottom + (rows - 1) * unit >= high - 1e-9 * step and fewest <= count <= most
            if fits and (best is None or unit < best[0] * 0.999):
                best = unit, step
    if best is None:
        return limits, ticks(limits, max(1, rows // 3))
    unit, step = best
    bottom = math.floor(low / unit + 1e-9) * unit
    top = bottom + (rows - 1) * unit
    first, last = math.ceil(bottom / step - 1e-6), math.floor(top / step + 1e-6)
    positions = [i * step for i in range(int(first), int(last) + 1) if i * step <= ceiling * (1 + 1e-9)]
    found = tuple(Tick(position, label) for position, label in zip(positions, _labels(positions, step), strict=True))
    return (bottom - unit / 2, top + unit / 2), found


def _round_steps(span: float) -> list[float]:
    if not (math.isfinite(span) and span > 0):
        return []
    power = 10.0 ** math.floor(math.log10(span))
    return [m * power * scale for scale in (0.1, 1, 10) for m in (1, 2, 5)]


def _multiples_within(low: float, high: float, step: float) -> int:
    return math.floor(high / step + 1e-6) - math.ceil(low / step - 1e-6) + 1


def epoch_ticks(limits: Limits, count: int) -> tuple[Tick, ...]:
    """Return ticks at whole epochs inside limits."""
    low, high = limits
    step = max(1, round(round_step(high - low, max(1, count))))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(Tick(float(i * step), str(i * step)) for i in range(first, last + 1))


def logarithmic_ticks(limits: Limits, count: int) -> tuple[Tick, ...]:
    """Return ticks at powers of ten, and at their doubles and halves where there is room."""
    low, high = limits
    if not 0 < low < high:
        return ()
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for multiples in ((1, 2, 5), (1,)):
        positions = [m * 10.0**p for p in powers for m in multiples]
        positions = [position for position in positions if low * 0.999999 <= position <= high * 1.000001]
        if len(positions) <= max(2, count):
            break
    stride = max(1, math.ceil(len(positions) / max(2, count)))
    return tuple(Tick(position, _label(position, position)) for position in positions[::stride])


def _labels(positions: Sequence[float], step: float) -> list[str]:
    """Return what tells ticks apart: their values, or beside the first how much more each of the others is."""
    labels = [_label(position, step) for position in positions]
    if len(set(labels)) == len(labels) and max(map(len, labels), default=0) <= _LONGEST_LABEL:
        return labels
    first = positions[0]
    return [_nearly(first, step), *(f"+{_label(position - first, step)}" for position in positions[1:])]


def _nearly(value: float, step: float) -> str:
    """Return a value in powers of ten, behind `~` where three digits say less than the step tells apart."""
    text = _in_powers(value, step)
    is_near = abs(float(text.replace("−", "-")) - value) < step / 2
    return text if is_near else f"~{_in_powers(value, abs(value))}"


def _in_powers(value: float, step: float) -> str:
    """Return a value in powers of ten, with three digits at most and no more than the step needs."""
    text = "0"
    for digits in range(3) if value else ():
        mantissa, _, exponent = f"{value:.{digits}e}".partition("e")
        text = f"{mantissa}e{int(exponent)}"
        if abs(float(text) - value) < step / 2:
            break
    return text.replace("-", "−")


def _label(value: float, step: float) -> str:
    if (value != 0 and not 1e-4 <= max(abs(value), step) < 1e5) or step < 1e-4:
        return _in_powers(value, step)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:.{digits}f}".replace("-", "−")
