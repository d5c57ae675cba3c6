"""Numbers fit their place: columns do not run together, and ticks differ from one another."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.charts.scale import stepped_limits, ticks
from tui_monitor.units import NATS, POINTS, fitting, magnitude, signed


@given(
    value=st.floats(-1e300, 1e300) | st.sampled_from([math.nan, math.inf]),
    width=st.integers(6, 12),
    digits=st.integers(0, 4),
    sign=st.booleans(),
)
def test_a_value_fits_its_cells(value: float, width: int, digits: int, sign: bool) -> None:
    """Any float does, and what it says is near to what it is: to 5 %, or within a digit of metrics near 1."""
    text = fitting(value, width, digits, sign=sign)
    assert len(text) <= width or abs(value) >= 1e100 or 0 < abs(value) < 1e-99
    if math.isfinite(value):
        said = float(text.replace("−", "-"))
        assert said == pytest.approx(value, rel=0.5, abs=5e-4)
        assert said != 0 or abs(value) < 5e-4


@pytest.mark.parametrize(
    ("value", "width", "digits", "text"),
    [
        (0.5, 8, 4, "0.5000"),
        (152.0, 5, 3, "152.0"),
        (152.0, 8, 4, "152.0000"),
        (1_234_567.0, 8, 4, "1234567"),
        (1_234_567.0, 5, 3, "1.2e6"),
        (1.25e-7, 8, 4, "1.25e-7"),
        (-1.25e-7, 5, 3, "-1e-7"),
        (-0.5, 5, 3, "-0.50"),
        (math.nan, 5, 3, "nan"),
        (None, 5, 3, "–"),
    ],
)
def test_a_value_is_written_with_as_many_digits_as_fit(value: float | None, width: int, digits: int, text: str) -> None:
    """Large and small losses go in powers of ten, counts lose digits behind the point."""
    assert fitting(value, width, digits) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.189, "+0.189"), (-0.058, "−0.058"), (-2.5e6, "−2.5e6"), (1e-7, "+1e−7"), (0.0, "0.000")]
)
def test_a_difference_has_its_sign(value: float, text: str) -> None:
    """A true minus sign; zero has none."""
    assert fitting(value, 6, 3, sign=True) == text


@given(value=st.floats(-1e99, 1e99), digits=st.integers(0, 4))
def test_an_amount_takes_eight_cells(value: float, digits: int) -> None:
    """Sign included, whatever its size; what it says is right to its last digit."""
    text = signed(value, digits)
    assert len(text) <= 8
    said = float(text.replace("−", "-"))
    assert said == pytest.approx(value, rel=0.006, abs=0.5 * 10.0**-digits)


@pytest.mark.parametrize(
    ("value", "amount", "points", "size"),
    [
        (0.1894, "+0.189", "+18.9", "0.189"),
        (-1.0, "−1.000", "−100.0", "1.000"),
        (1234.567, "+1234.6", "+1.23e5", "1234.6"),
        (-219_073_932.15, "−2.19e8", "−2.19e10", "2.19e8"),
        (2e-6, "0.000", "0.0", "2.00e-6"),
        (math.inf, "inf", "inf", "inf"),
    ],
)
def test_amounts_of_a_ledger(value: float, amount: str, points: str, size: str) -> None:
    """Large losses go in powers of ten; without its sign even the smallest amount is not said to be 0."""
    assert (NATS.amount(value), POINTS.amount(value), magnitude(value)) == (amount, points, size)


@given(middle=st.floats(-1e12, 1e12), span=st.floats(1e-9, 1e9), count=st.integers(2, 8))
def test_ticks_differ_from_one_another(middle: float, span: float, count: int) -> None:
    """Whatever the values: a large offset is said once, at the first tick."""
    low, high = middle, middle + span
    if high - low < 1e-9 * max(abs(low), abs(high)):
        return
    labels = [tick.label for tick in ticks(stepped_limits((low, high)), count)]
    assert len(set(labels)) == len(labels)


def test_losses_of_a_million_have_ticks_that_tell_them_apart() -> None:
    """The first says what all begin with, the others how much more they are."""
    assert [tick.label for tick in ticks((1_000_000.0, 1_000_400.0), 4)] == ["1e6", "+100", "+200", "+300", "+400"]
