"""Numbers as people read them: durations, rates, counts, signed amounts, percentages."""

import math
from dataclasses import dataclass

_SAID = 0.005
"""Relative error up to which digits after the point say what a value is."""
_AMOUNT_CELLS = 6
"""Of an amount beside its sign."""
_WIDEST_AMOUNT = 1e5
"""Amounts from here on are written in powers of ten."""
_SMALLEST_AMOUNT = 5e-4
"""Three digits after the point say 0 of an amount below it."""
_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


def duration(seconds: float) -> str:
    """Return a duration in its two largest units, such as `1 h 04 min` or `12 s`.

    Args:
        seconds: any float; NaN, infinite or negative gives `–`.
    """
    if not math.isfinite(seconds) or seconds < 0:
        return "–"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR:02d} h"


def rounded(value: float | None, digits: int = 4) -> str:
    """Return a metric's value: fixed point where it fits, scientific where it would not.

    Args:
        value: any float; None gives `–`, NaN `nan`, infinity `inf`.
        digits: digits after the point in fixed notation.
    """
    if value is None:
        return "–"
    if not math.isfinite(value):
        return str(float(value))
    if value != 0 and not 10.0**-digits <= abs(value) < 1e5:
        return f"{value:.2e}"
    return f"{value:.{digits}f}"


def fitting(value: float | None, width: int, digits: int = 4, *, sign: bool = False) -> str:
    """Return a value in at most so many cells: with as many digits as fit, in powers of ten where those say too little.

    Args:
        value: any float; None gives `–`, NaN `nan`, infinity `inf`.
        width: cells, at least 6.
        digits: after the point at most.
        sign: whether a difference is written, with its sign and a true minus sign.
    """
    if value is None or not math.isfinite(value):
        return rounded(value)
    plus = "+" if sign else ""
    fixed = [f"{value:{plus}.{places}f}" for places in range(digits, -1, -1)]
    powers = [_in_powers(value, places, plus) for places in (2, 1, 0)]
    exact = [text for text in fixed if abs(float(text) - value) <= _SAID * abs(value) or _is_small_beside(text, value)]
    text = next((text for text in (*exact, *powers) if len(text) <= width), powers[-1])
    if not sign:
        return text
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", "−")


def _is_small_beside(text: str, value: float) -> bool:
    """Whether a value is no more than the last digit of a metric near 1: it may as well be written as that."""
    return abs(value) >= 5e-5 and len(text.partition(".")[2]) >= 3


def signed(value: float, digits: int = 3) -> str:
    """Return an amount with its sign and a true minus sign: `+0.189`, `−0.058`, `+1234.5`, `−2.19e8`.

    Args:
        value: any float.
        digits: after the point; fewer where the amount is large, so that it takes eight cells at most up to 10¹⁰⁰.
    """
    if not math.isfinite(value):
        return str(float(value))
    text = _amount(value, digits)
    if float(text) == 0:
        return f"{0:.{digits}f}"
    return ("+" if value > 0 else "") + text.replace("-", "−")


def _amount(value: float, digits: int) -> str:
    """Return a finite value in six cells beside its sign, in powers of ten where its whole digits alone take more."""
    widest = max(_AMOUNT_CELLS, digits + 2)
    for places in range(digits, -1, -1):
        text = f"{value:.{places}f}"
        if len(text.lstrip("-")) <= widest and abs(float(text)) < _WIDEST_AMOUNT:
            return text
    return _in_powers(value, 2)


def _in_powers(value: float, places: int, plus: str = "") -> str:
    """Return a value in powers of ten without the zeros and the plus sign that an exponent needs not: `1.25e-7`."""
    mantissa, _, exponent = f"{value:{plus}.{places}e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


@dataclass(frozen=True)
class AmountUnit:
    """How the amounts of a gap are written: scaled, with their sign, in so many digits."""

    scale: float
    """What stored amounts are multiplied by."""
    digits: int
    suffix: str
    """The unit's name with a blank before it; empty for nats, which need none beside a loss."""

    def amount(self, value: float | None) -> str:
        """Return an amount with its sign, without the unit; `–` for None."""
        return "–" if value is None else signed(value * self.scale, self.digits)

    def amount_with_unit(self, value: float) -> str:
        """Return an amount with its sign and unit: `+0.189`, `−3.8 points`."""
        return f"{self.amount(value)}{self.suffix}"

    def interval(self, low: float | None, high: float | None) -> str:
        """Return `[low, high]` without plus signs, or nothing where an end is not known.

        Ends that are written alike tell no interval: the amount is exact, to the digits it is written with.
        """
        if low is None or high is None:
            return ""
        first, last = (self.amount(end).removeprefix("+") for end in (low, high))
        return "exact" if first == last else f"[{first}, {last}]"


NATS = AmountUnit(1, 3, "")
"""Of losses."""
POINTS = AmountUnit(100, 1, " points")
"""Of accuracies and class shares, stored as fractions: percentage points."""


def magnitude(value: float) -> str:
    """Return a difference of losses without its sign: as `signed`, in powers of ten also where that says 0."""
    size = abs(value)
    if not math.isfinite(size):
        return str(float(size))
    return _in_powers(size, 2) if 0 < size < _SMALLEST_AMOUNT else _amount(size, 3)


def points(value: float, digits: int = 1) -> str:
    """Return a difference of two fractions as percentage points without sign: `3.8 points`."""
    return f"{abs(value) * 100:.{digits}f} points"


def p_value(probability: float, *, named: bool = True) -> str:
    """Return the p-value of a test: `p = 0.034` or `p < 0.001`, without `p` and `=` where a column's title says so."""
    if probability < 0.001:
        return "p < 0.001" if named else "< 0.001"
    return f"p = {probability:.3f}" if named else f"{probability:.3f}"


def percentage(fraction: float, digits: int = 0) -> str:
    """Return a fraction as a percentage: `0.25` is `25 %`."""
    return f"{fraction * 100:.{digits}f} %"


def count(number: int) -> str:
    """Return a whole number with thin groups: `10 708`."""
    return f"{number:,}".replace(",", " ")


def rate(per_second: float | None) -> str:
    """Return a rate in batches a second, or seconds a batch where that is slower than one."""
    if per_second is None or not math.isfinite(per_second) or per_second <= 0:
        return "–"
    if per_second < 1:
        return f"{1 / per_second:.1f} s/batch"
    return f"{per_second:.0f} batches/s" if per_second >= 10 else f"{per_second:.1f} batches/s"


def size(byte_count: float) -> str:
    """Return a number of bytes in binary units: `64.0 MiB`."""
    value = float(byte_count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
