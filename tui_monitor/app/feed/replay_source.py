"""A run under a playback clock: every poll gives the run as it stood at the clock's position."""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tui_monitor.history.playback import (
    Mode,
    Playback,
    PlaybackClock,
    last_before,
    neighbouring_speed,
    next_after,
    usual_speed,
)
from tui_monitor.history.replay.recorded_output import RecordedOutput
from tui_monitor.history.replay.recording import Recording
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.history.start import Start
from tui_monitor.run_log.read.cluster_reader import ClusterReader
from tui_monitor.run_log.runs.liveness import concluded_state, observe_run
from tui_monitor.run_log.runs.workers import workers_liveness

_READ_SECONDS = 0.08
_CHECK_SECONDS = 1.0
"""Between two checks of a folder that was read to its end."""

Move = Callable[[float], None]
"""A move of the clock that a key wants; called by the reader thread with the time."""


class ReplaySource:
    """Gives the run at the clock's position.

    Methods that move the clock may be called from the event loop. Each leaves its move in a queue that the next poll
    empties: a deque is safe across threads, and the event loop never waits for a file.
    """

    def __init__(
        self, folder: Path, *, start: Start | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Name the folder; nothing is read yet.

        Args:
            folder: of the run; it may still be growing.
            start: where to begin.
            clock: seconds that never fall.
        """
        self._folder = folder
        self._now = clock
        self._start: Start | None = start or Start()
        self._reader = ClusterReader(folder)
        self._recording = Recording(folder.name)
        self._output = RecordedOutput(folder)
        self._clock = PlaybackClock(since=clock())
        self._moves: deque[Move] = deque()
        self._checked_at = -math.inf
        self._is_read = False
        self._shown: Playback | None = None
        self._revision = 0

    def toggle(self) -> None:
        """Play or pause; play from the start again at the end."""
        self._later(lambda now: self._set(self._clock.toggled(now, self._recording.end)))

    def change_speed(self, step: int) -> None:
        """Go on that many speeds faster, or slower below 0."""
        self._later(
            lambda now: self._set(
                self._clock.at_speed(neighbouring_speed(self._clock.speed, step), now, self._recording.end)
            )
        )

    def seek(self, position: float) -> None:
        """Go to a position, playing on from there if it played."""
        self._later(lambda now: self._set(self._clock.sought(min(position, self._recording.end), now)))

    def seek_end(self) -> None:
        """Go to the newest record."""
        self.seek(math.inf)

    def step_batch(self, step: int) -> None:
        """Pause, one batch later, or earlier below 0; by epochs where the run has no batches."""
        self._later(lambda now: self._step(self._neighbouring_batch, step, now))

    def step_epoch(self, step: int) -> None:
        """Pause, one epoch later, or earlier below 0."""
        self._later(lambda now: self._step(self._neighbouring_epoch, step, now))

    def step_event(self, step: int) -> None:
        """Pause at the next event, or at the one before below 0."""
        self._later(lambda now: self._step(self._neighbouring_event, step, now))

    def poll(self) -> Snapshot | None:
        """Read what is new, apply the moves, and return the snapshot to show, or None if it is shown already.

        Raises:
            RunUnreadable: `run.json` is damaged or of a newer format.
        """
        has_grown = self._read()
        now = self._now()
        self._begin(now)
        # No lock: this thread alone takes moves out, so a queue that is not empty can't become empty here.
        while self._moves:
            self._moves.popleft()(now)
        playback = self._playback(now)
        if playback == self._shown and not has_grown:
            return None
        self._shown = playback
        self._revision += 1
        is_newest = playback.position >= playback.end
        lines, total = self._output.all() if is_newest else self._output.at(playback.position)
        moment = self._recording.at(playback.position)
        return replace(moment, revision=self._revision, output=lines, output_lines=total, playback=playback)

    def close(self) -> None:
        """Do nothing: no file stays open between polls."""

    def _later(self, move: Move) -> None:
        self._moves.append(move)

    def _set(self, clock: PlaybackClock) -> None:
        self._clock = clock

    def _read(self) -> bool:
        """Read on for some milliseconds; a run that was read to its end is checked every second."""
        now = self._now()
        is_growing = not self._recording.is_over
        if self._is_read and not is_growing and now - self._checked_at < _CHECK_SECONDS:
            return False
        liveness = None
        if is_growing and now - self._checked_at >= _CHECK_SECONDS:
            # Checked before reading: what a process wrote before it ended is then read before the run is called lost.
            liveness = observe_run(self._folder, self._recording.info)
        if self._is_read and now - self._checked_at >= _CHECK_SECONDS:
            self._checked_at = now
        arrival = self._reader.poll(max_seconds=_READ_SECONDS)
        has_grown = self._recording.fold(arrival)
        if arrival.workers and (liveness is not None or (arrival.complete and not self._is_read)):
            has_grown |= self._recording.mark_workers(workers_liveness(self._folder))
        self._is_read = arrival.complete
        if has_grown:
            self._output.refresh()
        if liveness is not None and arrival.complete:
            has_grown |= self._recording.conclude(concluded_state(self._recording.state, liveness))
        return has_grown

    def _begin(self, now: float) -> None:
        """Take the position to start from, once all is read that there is."""
        start, end = self._start, self._recording.end
        if start is None:
            return
        # Reading is not playing: the clock stands still until all records that there are have been read.
        self._clock = replace(self._clock, since=now)
        if not self._is_read or self._recording.info is None:
            return
        self._start = None
        position = end * start.fraction if start.fraction is not None else start.seconds
        if start.epoch is not None:
            found = self._recording.markers.of_epoch(start.epoch)
            position = end if found is None else found
        speed = (1.0 if self._recording.in_epochs else usual_speed(end)) if start.speed is None else start.speed
        self._clock = PlaybackClock(min(position, end), now, speed, start.is_playing)

    def _playback(self, now: float) -> Playback:
        recording, end = self._recording, self._recording.end
        position = self._clock.at(now, end)
        # At the end of a run that still grows the clock plays on, and so follows the newest record.
        if self._clock.is_playing and position >= end and self._is_read and recording.is_over and self._start is None:
            self._clock = self._clock.paused(now, end)
        mode = Mode.PAUSED
        if self._clock.is_playing:
            mode = Mode.LIVE if position >= end and self._is_read and self._start is None else Mode.PLAYING
        # Markers are collected from all events, so they are collected again only when there may be new ones.
        known = self._shown
        is_same = known is not None and known.end == end and known.is_read == self._is_read
        return Playback(
            position=position,
            end=end,
            speed=self._clock.speed,
            mode=mode,
            markers=known.markers if known is not None and is_same else recording.markers,
            in_epochs=recording.in_epochs,
            is_read=self._is_read,
            output_is_timed=self._output.is_timed,
        )

    def _step(self, neighbouring: Callable[[float, int], float | None], step: int, now: float) -> None:
        end = self._recording.end
        position = self._clock.at(now, end)
        found = neighbouring(position, step)
        target = (end if step > 0 else 0.0) if found is None else found
        self._clock = self._clock.paused(now, end).sought(target, now)

    def _neighbouring_batch(self, position: float, step: int) -> float | None:
        if not self._recording.has_batches:
            return self._neighbouring_epoch(position, step)
        return self._recording.batch_after(position) if step > 0 else self._recording.batch_before(position)

    def _neighbouring_epoch(self, position: float, step: int) -> float | None:
        return _neighbouring(self._recording.markers.epochs, position, step)

    def _neighbouring_event(self, position: float, step: int) -> float | None:
        markers = self._recording.markers
        found = _neighbouring(markers.events, position, step)
        # With no event left on that side a replay stays where it is.
        return position if found is None and step > 0 else found


def _neighbouring(positions: tuple[float, ...], position: float, step: int) -> float | None:
    return next_after(positions, position) if step > 0 else last_before(positions, position)
