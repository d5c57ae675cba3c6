"""The pace follows the usual batch, and the time left follows the plan."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tui_monitor.history.state.pace import (
    WINDOW_SECONDS,
    Remaining,
    batches_per_second,
    epoch_overhead,
    seconds_left,
)

TIMES = hnp.arrays(np.float64, st.integers(0, 60), elements=st.floats(allow_nan=True, allow_infinity=True))


@given(times=TIMES)
def test_any_times_give_a_positive_pace_or_none(times: np.ndarray) -> None:
    """NaN, infinities, backward and equal times never raise and never give a pace that can't be."""
    pace = batches_per_second(times)
    assert pace is None or (pace > 0 and np.isfinite(pace))


def test_even_batches_give_their_rate() -> None:
    """Ten batches a second are ten batches a second."""
    assert batches_per_second(np.arange(100) / 10) == pytest.approx(10)


def test_a_validation_gap_is_left_out() -> None:
    """A pause of seconds between two epochs does not make training look slower."""
    times = np.concatenate([np.arange(50) / 10, 30 + np.arange(50) / 10])
    assert batches_per_second(times) == pytest.approx(10)


def test_a_change_of_speed_is_followed() -> None:
    """The newest `WINDOW_SECONDS` decide, so a slower model shows its own pace."""
    slow = np.linspace(0, 99.5, 200)
    times = np.concatenate([np.arange(1000) / 10, 100 + slow])
    assert batches_per_second(times) == pytest.approx(2)
    assert slow[-1] > WINDOW_SECONDS


def test_slow_batches_have_a_pace_too() -> None:
    """Batches of a minute each are averaged over a handful, not over an empty window."""
    assert batches_per_second(np.arange(20) * 60.0) == pytest.approx(1 / 60)


def test_bursts_keep_their_mean() -> None:
    """Batches that end in pairs count both."""
    times = np.repeat(np.arange(100) / 10, 2)
    assert batches_per_second(times) == pytest.approx(20, rel=0.02)


def test_time_left_counts_batches_and_epoch_ends() -> None:
    """Half an epoch and two whole ones, with 3 s of validation at each of their ends."""
    remaining = Remaining(batches=50, epochs=2, steps_per_epoch=100)
    assert seconds_left(remaining, 10.0, overhead=3.0) == pytest.approx(25 + 9)
    assert seconds_left(remaining, None) is None
    assert seconds_left(Remaining(0, 0, 100), 10.0, overhead=3.0) == 0


def test_overhead_is_the_usual_epochs_rest() -> None:
    """One epoch that also saved a huge file does not count for all."""
    assert epoch_overhead([12.0, 13.0, 400.0], [100, 100, 100], 10.0) == pytest.approx(3.0)
    assert epoch_overhead([400.0, 13.0], [100, 100], 10.0) == pytest.approx(3.0)
    assert epoch_overhead([5.0], [100], 10.0) == 0
    assert epoch_overhead([], [], 10.0) == 0
    assert epoch_overhead([float("nan")], [10], 10.0) == 0
