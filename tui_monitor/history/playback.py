"""Where a replay stands: a clock that takes the time as an argument, and what the screen needs to know of it."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from tui_monitor.history.start import FASTEST

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 125.0, 250.0, 500.0, 1000.0, FASTEST)
"""Seconds of the run that pass in one second, slowest first."""

_USUAL_SECONDS = 60.0


class Mode(StrEnum):
    """What a replay does, in the word the screen uses."""

    PLAYING = "playing"
    PAUSED = "paused"
    LIVE = "live"
    """At the end of a run that still grows: what comes is shown as it comes."""


@dataclass(frozen=True)
class Markers:
    """Positions on a run's time axis, each list in rising order."""

    epochs: tuple[float, ...] = ()
    """End of each epoch, with what is measured and said of it then."""
    numbers: tuple[int, ...] = ()
    """The epochs' numbers, beside `epochs`."""
    alerts: tuple[float, ...] = ()
    changes: tuple[float, ...] = ()
    """Where the explanation names other main causes than before."""
    events: tuple[float, ...] = ()
    """Alerts, notes, requests, changes of state, explanations."""

    def of_epoch(self, number: int) -> float | None:
        """Return the end of the last epoch of that number, or None where there is none."""
        held = [end for end, epoch in zip(self.epochs, self.numbers, strict=True) if epoch == number]
        return held[-1] if held else None


@dataclass(frozen=True)
class Playback:
    """A replay at one moment."""

    position: float
    """Seconds since the run began; epochs where `in_epochs`."""
    end: float
    """Position of the newest record."""
    speed: float
    mode: Mode
    markers: Markers = Markers()
    in_epochs: bool = False
    """The run holds no times: each epoch counts as one second."""
    is_read: bool = True
    """Whether all there is has been read."""
    output_is_timed: bool = True
    """Whether the run says when its output was printed; if not, all of it is shown."""


@dataclass(frozen=True)
class PlaybackClock:
    """A position that moves while playing. Never changes; the caller gives the time, in seconds of any origin."""

    position: float = 0.0
    """At `since`."""
    since: float = 0.0
    speed: float = 1.0
    is_playing: bool = True

    def at(self, now: float, end: float) -> float:
        """Return the position now, at most `end`."""
        if not self.is_playing:
            return min(self.position, end)
        if math.isinf(self.speed):
            return end
        return min(self.position + max(now - self.since, 0.0) * self.speed, end)

    def sought(self, position: float, now: float) -> "PlaybackClock":
        """Return the clock moved to a position, playing or not as before."""
        return replace(self, position=max(position, 0.0), since=now)

    def paused(self, now: float, end: float) -> "PlaybackClock":
        """Return the clock, standing where it is."""
        return replace(self, position=self.at(now, end), since=now, is_playing=False)

    def toggled(self, now: float, end: float) -> "PlaybackClock":
        """Return the clock paused, or playing on; from the start where it stood at the end."""
        if self.is_playing:
            return self.paused(now, end)
        return replace(self, position=0.0 if self.position >= end else self.position, since=now, is_playing=True)

    def at_speed(self, speed: float, now: float, end: float) -> "PlaybackClock":
        """Return the clock going on from here at another speed."""
        return replace(self, position=self.at(now, end), since=now, speed=speed)


def neighbouring_speed(speed: float, step: int) -> float:
    """Return the speed that many steps faster (or slower, below 0) in `SPEEDS`, at most its ends."""
    index = bisect_left(SPEEDS, speed)
    return SPEEDS[min(max(index + step, 0), len(SPEEDS) - 1)]


def usual_speed(end: float) -> float:
    """Return the slowest speed of at least 1 that plays a run of that length within a minute."""
    return next((speed for speed in SPEEDS if speed >= 1 and end / speed <= _USUAL_SECONDS), 1000.0)


def next_after(positions: Sequence[float], position: float) -> float | None:
    """Return the first of rising positions after one, or None."""
    index = bisect_right(positions, position)
    return positions[index] if index < len(positions) else None


def last_before(positions: Sequence[float], position: float) -> float | None:
    """Return the one before the last that is at or before a position, or None: the last is what a position shows."""
    shown = bisect_right(positions, position)
    if not shown:
        return None
    index = bisect_left(positions, positions[shown - 1])
    return positions[index - 1] if index else None
