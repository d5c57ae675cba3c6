"""Limits and ticks in round numbers: limits move in steps, so that a chart holds still while data arrives."""

import math

import numpy as np

from tui_monitor.charts.spec import Band, FloatArray, Tick

Limits = tuple[float, float]

_ENOUGH_FOR_QUANTILES = 20
_EARLY_REACH = 0.35
_KEEP_FRACTION = 0.6
_LARGEST = 1e300


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


def data_limits(band: Band | None, *markers: FloatArray) -> Limits | None:
    """Return the range a chart should show, or None when there is no finite value.

    Every finite marker is inside. Of per-batch values the extremes of a few slices may be outside: the first
    batches of a run are often many times higher than all that follows.

    Args:
        band: per-batch values.
        markers: epoch values of both sides; NaN and infinities don't count.
    """
    values = np.concatenate([_finite(m) for m in markers]) if markers else np.empty(0)
    if band is not None:
        values = np.concatenate([values, _settled(band), _early(band)])
    return (float(values.min()), float(values.max())) if len(values) else None


def _finite(values: FloatArray) -> FloatArray:
    values = np.asarray(values, dtype=np.float64)
    return np.clip(values[np.isfinite(values)], -_LARGEST, _LARGEST)


def _settled(band: Band) -> FloatArray:
    """Return the extremes of what follows the first slices: every mean, and the band without its spikes."""
    start = _early_slices(band)
    parts = [_finite(band.mean[start:])]
    for values, quantile in ((band.low, 0.02), (band.high, 0.96)):
        kept = _finite(values[start:])
        if len(kept):
            parts.append(np.quantile(kept, [quantile], method="nearest").astype(np.float64))
    return np.concatenate(parts)


def _early(band: Band) -> FloatArray:
    """Return the first slices' means, drawn in towards what follows them."""
    settled = _settled(band)
    early = _finite(band.mean[: _early_slices(band)])
    if not len(settled):
        return early
    reach = (settled.max() - settled.min()) * _EARLY_REACH
    return np.clip(early, settled.min() - reach, settled.max() + reach)


def _early_slices(band: Band) -> int:
    held = np.flatnonzero(np.isfinite(band.mean))
    if len(held) < _ENOUGH_FOR_QUANTILES:
        return 0
    return int(held[max(1, len(held) // 10)])


def stepped_limits(wanted: Limits | None, previous: Limits | None = None, *, ceiling: float = math.inf) -> Limits:
    """Return limits in round numbers that hold what is wanted, kept as they were while they still fit.

    Args:
        wanted: range of the data, or None when there is none.
        previous: the limits last shown.
        ceiling: a bound the metric can't exceed, such as 1 for accuracy.
    """
    if wanted is None:
        return previous or (0.0, 1.0)
    low, high = wanted
    if previous and previous[0] <= low and high <= previous[1]:
        kept = (high - low) / (previous[1] - previous[0])
        if kept >= _KEEP_FRACTION:
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
    positions = (i * step for i in range(int(first), int(last) + 1))
    return tuple(Tick(min(max(position, limits[0]), limits[1]), _label(position, step)) for position in positions)


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


def _label(value: float, step: float) -> str:
    if (value != 0 and not 1e-4 <= max(abs(value), step) < 1e5) or step < 1e-4:
        mantissa, _, exponent = f"{value:.0e}".partition("e")
        return f"{mantissa}e{int(exponent)}" if value else "0"
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:.{digits}f}".replace("-", "−")
