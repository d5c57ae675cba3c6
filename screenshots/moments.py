"""A recorded run as the live screen showed it at a moment, and several moments as one animated picture."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tui_monitor.app.screenshots.screenshot import screenshot
from tui_monitor.history.replay.recording import Recording
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.run_log.read.cluster_reader import ClusterReader

_LAST_SECONDS = 4.0
"""For which the last frame of an animation stays."""


class Moment:
    """A source of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot: Snapshot | None = snapshot

    def poll(self) -> Snapshot | None:
        """Return the snapshot, once."""
        snapshot, self._snapshot = self._snapshot, None
        return snapshot

    def close(self) -> None:
        """Do nothing: no file is open."""


def recording_of(run: Path) -> Recording:
    """Read a run to its end."""
    recording, reader = Recording(run.name), ClusterReader(run)
    while True:
        arrival = reader.poll(max_seconds=10)
        recording.fold(arrival)
        if arrival.complete:
            return recording


def moment_after(recording: Recording, epochs: int) -> float:
    """Return the position in the middle of the epoch that follows so many."""
    ends = recording.markers.epochs
    return (ends[epochs - 1] + ends[epochs]) / 2


def animation(run: Path, positions: Sequence[float], size: tuple[int, int], seconds: float) -> str:
    """Return the screen at several moments as one SVG that shows them in turn, for ever.

    Args:
        run: its folder.
        positions: run times, rising.
        size: columns and rows of the terminal.
        seconds: for which each frame stays, the last one longer.
    """
    recording = recording_of(run)
    frames = []
    for index, position in enumerate(positions):
        snapshot = replace(recording.at(position), revision=index + 1)
        frames.append(asyncio.run(screenshot(run, size, source=Moment(snapshot))))
    return _in_turn(frames, seconds)


def _in_turn(frames: Sequence[str], seconds: float) -> str:
    whole = seconds * (len(frames) - 1) + _LAST_SECONDS
    opening = re.search(r"<svg[^>]*>", frames[0])
    assert opening is not None
    parts, rules = [], []
    for index, frame in enumerate(frames):
        start = 100 * seconds * index / whole
        stop = 100 * seconds * (index + 1) / whole if index + 1 < len(frames) else 100.0
        rules.append(
            f"@keyframes f{index}{{0%{{opacity:0}}{start:.3f}%{{opacity:1}}{stop:.3f}%{{opacity:0}}100%{{opacity:0}}}}"
            f".f{index}{{opacity:0;animation:f{index} {whole:g}s step-end infinite}}"
        )
        parts.append(f'<g class="f{index}">{frame}</g>')
    # Who wants no motion sees the last frame.
    still = "".join(f".f{i}{{animation:none;opacity:{int(i + 1 == len(frames))}}}" for i in range(len(frames)))
    style = f"<style>{''.join(rules)}@media(prefers-reduced-motion:reduce){{{still}}}</style>"
    return f"{opening[0]}{style}{''.join(parts)}</svg>\n"
