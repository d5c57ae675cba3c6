"""Limits and ticks: round, steady, and honest about markers."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.charts.scale import (
    data_limits,
    epoch_ticks,
    logarithmic_limits,
    logarithmic_ticks,
    on_rows,
    round_step,
    stepped_limits,
    ticks,
)
from tui_monitor.charts.spec import Band


def band(mean: np.ndarray, spread: float = 0.05) -> Band:
    """Return a band around a mean."""
    return Band(mean - spread, mean, mean + spread, ~np.isfinite(mean))


@given(st.floats(1e-200, 1e200), st.integers(1, 20))
def test_steps_are_one_two_or_five(span: float, count: int) -> None:
    """A step is 1, 2 or 5 times a power of ten, and cuts the span into at most the parts asked for."""
    step = round_step(span, count)
    mantissa = step / 10.0 ** math.floor(math.log10(step) + 1e-9)
    assert any(math.isclose(mantissa, m, rel_tol=1e-6) for m in (1, 2, 5, 10))
    assert span / step <= count * 1.01


def test_wild_first_batches_do_not_flatten_the_rest() -> None:
    """A loss a hundred times higher in its first batches leaves the axis to what follows."""
    mean = np.concatenate([np.full(3, 60.0), np.linspace(0.9, 0.4, 100)])
    low, high = stepped_limits(data_limits(band(mean)))
    assert high <= 2
    assert low >= 0


def test_a_loss_that_explodes_late_is_shown() -> None:
    """Only the beginning may leave the chart: divergence at the end never does."""
    mean = np.concatenate([np.linspace(0.9, 0.4, 100), np.full(3, 60.0)])
    assert stepped_limits(data_limits(band(mean)))[1] >= 60


def test_validation_markers_are_never_outside() -> None:
    """However far a validation value is from training, it is inside the limits."""
    low, high = stepped_limits(data_limits(band(np.full(200, 0.5)), np.array([3.7, np.nan])))
    assert low <= 0.5
    assert high >= 3.7


def test_limits_hold_still_while_data_arrives() -> None:
    """Over a long noisy run the limits change a few times, not with every frame."""
    rng = np.random.default_rng(3)
    mean = 0.4 + 0.6 * np.exp(-np.arange(400) / 90) + rng.normal(0, 0.02, 400)
    limits, changes = None, 0
    for end in range(20, 400):
        newest = stepped_limits(data_limits(band(mean[:end])), limits)
        changes += newest != limits
        limits = newest
    assert changes <= 8


def test_an_accuracy_axis_ends_at_one() -> None:
    """A metric with a ceiling gets no room above it."""
    assert stepped_limits((0.62, 0.97), ceiling=1.0)[1] == 1.0


def test_a_constant_gets_room_around_it() -> None:
    """A line that never moves stands inside the axis, not on its edge."""
    low, high = stepped_limits((0.5, 0.5))
    assert low < 0.5 < high


def test_nothing_yet_is_an_axis_all_the_same() -> None:
    """Without data the axis is 0 to 1, or what it was before."""
    assert stepped_limits(None) == (0.0, 1.0)
    assert stepped_limits(None, (2.0, 4.0)) == (2.0, 4.0)


def test_ticks_are_written_alike() -> None:
    """Labels of one axis have the same number of digits."""
    assert [tick.label for tick in ticks((0.4, 1.0), 3)] == ["0.4", "0.6", "0.8", "1.0"]
    assert [tick.label for tick in ticks((-0.05, 0.05), 2)] == ["−0.05", "0.00", "0.05"]


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(1, 10))
def test_ticks_are_inside_and_rise(low: float, span: float, count: int) -> None:
    """Ticks never leave the axis, and rise."""
    positions = [tick.at for tick in ticks((low, low + span), count)]
    slack = span * 1e-3
    assert all(low - slack <= position <= low + span + slack for position in positions)
    assert positions == sorted(positions)


@pytest.mark.parametrize(("limits", "labels"), [((0, 10), "0 2 4 6 8 10"), ((3.2, 5.1), "4 5"), ((0, 1), "0 1")])
def test_epochs_are_whole(limits: tuple[float, float], labels: str) -> None:
    """Ticks of the x axis are whole epochs."""
    assert " ".join(tick.label for tick in epoch_ticks(limits, 5)) == labels


def test_a_logarithmic_axis_counts_in_decades() -> None:
    """Over several decades ticks are powers of ten; limits hold all positive data."""
    limits = logarithmic_limits((0.0023, 740.0))
    assert limits == (0.002, 1000.0)
    assert [tick.label for tick in logarithmic_ticks(limits, 6)] == ["0.01", "0.1", "1", "10", "100", "1000"]
    assert logarithmic_limits((-3.0, -1.0)) == (0.1, 1.0)


@given(
    st.floats(-1e6, 1e6, allow_subnormal=False),
    st.floats(-4, 6).map(lambda power: 10.0**power),
    st.integers(4, 60),
    st.sampled_from([1.0, math.inf]),
)
def test_ticks_stand_on_rows_that_are_equally_far_apart(low: float, span: float, rows: int, ceiling: float) -> None:
    """Any range is held, and each tick lies in the middle of a row, as many rows from the last as the one before."""
    (bottom, top), found = on_rows((low, low + span), rows, ceiling)
    assert bottom <= low
    assert low + span <= top
    if low + span - low < span * 0.5 or abs(low) > span * 1e6:
        return
    at = [(tick.at - bottom) / (top - bottom) * rows - 0.5 for tick in found]
    assert at == pytest.approx([round(row) for row in at], abs=1e-3)
    assert len({round(second - first) for first, second in pairwise(at)}) <= 1
    assert all(tick.at <= ceiling * (1 + 1e-6) for tick in found)
    assert (top - bottom) * (rows - 1) / rows < 4 * span
