"""A replay's clock moves as told and never past the end."""

import math

from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.history.playback import (
    SPEEDS,
    PlaybackClock,
    last_before,
    neighbouring_speed,
    next_after,
    usual_speed,
)
from tui_monitor.history.start import FASTEST


def test_the_position_moves_with_time_and_speed() -> None:
    """Twice the speed passes twice the run time; what stands still stays, and the end is never passed."""
    clock = PlaybackClock(since=100.0, speed=2.0)
    assert clock.at(103.0, end=60.0) == 6.0
    assert clock.at(200.0, end=60.0) == 60.0
    stopped = clock.paused(103.0, end=60.0)
    assert stopped.at(500.0, end=60.0) == 6.0
    assert stopped.toggled(500.0, end=60.0).at(501.0, end=60.0) == 8.0
    assert clock.at_speed(FASTEST, 103.0, end=60.0).at(103.0, end=60.0) == 60.0


def test_a_change_of_speed_moves_nothing_by_itself() -> None:
    """At the moment of a change the position is what it was, up to as fast as it reads."""
    clock = PlaybackClock(since=0.0, speed=1.0)
    for speed in (0.25, 8.0, 1000.0):
        assert clock.at_speed(speed, 10.0, end=60.0).at(10.0, end=60.0) == 10.0


def test_playing_on_from_the_end_begins_anew() -> None:
    """At the end the same key that pauses plays the run again."""
    ended = PlaybackClock(since=0.0).paused(90.0, end=60.0)
    assert ended.position == 60.0
    assert ended.toggled(90.0, end=60.0).at(91.0, end=60.0) == 1.0


def test_speeds_go_from_a_quarter_to_as_fast_as_it_reads() -> None:
    """Each key press reaches the next speed, and the ends hold."""
    assert (SPEEDS[0], SPEEDS[-2], SPEEDS[-1]) == (0.25, 1000.0, math.inf)
    assert neighbouring_speed(1.0, 1) == 2.0
    assert neighbouring_speed(0.25, -1) == 0.25
    assert neighbouring_speed(FASTEST, 1) == FASTEST
    assert neighbouring_speed(3.0, -1) == 2.0
    assert usual_speed(30.0) == 1.0
    assert usual_speed(36_000.0) == 1000.0


@given(positions=st.lists(st.integers(0, 20).map(float)).map(sorted), position=st.floats(0, 20))
def test_steps_reach_the_neighbouring_positions(positions: list[float], position: float) -> None:
    """A step on goes to the first later position; a step back to the last before what is shown."""
    later = next_after(positions, position)
    assert later == min((one for one in positions if one > position), default=None)
    shown = [one for one in positions if one <= position]
    earlier = last_before(positions, position)
    assert earlier == max((one for one in positions if shown and one < shown[-1]), default=None)
