"""The row that shows where a replay stands in its run: state, speed, markers on a bar, position and length."""

import math
from dataclasses import dataclass

from tui_monitor.charts.cells import Cell, row_of
from tui_monitor.history.playback import Mode, Playback
from tui_monitor.view.text.rows import Row, Run, cell_len

_HANDLE, _ALERT, _CHANGE = "●", "▲", "◆"
_PLAYED, _PLAYED_EPOCH, _REST, _REST_EPOCH = "━", "┿", "─", "┼"
_MARKS = (1, 2, 5)
_CELLS_A_MARK = 3


@dataclass(frozen=True)
class Scrub:
    """The row, and where its bar lies in it."""

    row: Row
    start: int
    """First cell of the bar."""
    width: int
    """Cells of the bar, at least 1."""

    def fraction_at(self, x: int) -> float:
        """Return which part of the run a cell of the row stands for, from 0 to 1."""
        return min(max((x - self.start) / max(self.width - 1, 1), 0.0), 1.0)


def scrub(playback: Playback, width: int) -> Scrub:
    """Return the row.

    Args:
        playback: where the replay stands.
        width: cells, 20 at least.
    """
    word = playback.mode.value if playback.is_read else "reading"
    start = f" {word.upper()} {speed_text(playback)} "
    end = f" {position_text(playback)} "
    room = max(width - cell_len(start) - cell_len(end), 1)
    style = "state-paused" if playback.mode is Mode.PAUSED else "state-training"
    row = (Run(start, style), *_bar(playback, room), Run(end, "muted"))
    return Scrub(row, cell_len(start), room)


def speed_text(playback: Playback) -> str:
    """Return the speed, such as `4×` or `max`."""
    return "max" if math.isinf(playback.speed) else f"{playback.speed:g}×"


def position_text(playback: Playback) -> str:
    """Return position and length, such as `1:04.0 / 12:30.5`, or `3 / 5 epochs`."""
    if playback.in_epochs:
        return f"{math.floor(playback.position)} / {playback.end:g} epochs"
    return f"{clock_text(playback.position)} / {clock_text(playback.end)}"


def clock_text(seconds: float) -> str:
    """Return a run time as `m:ss.s`, or as `h:mm:ss` from an hour on."""
    whole = math.floor(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}.{math.floor((seconds - whole) * 10)}"


def _bar(playback: Playback, width: int) -> Row:
    def cell(position: float) -> int:
        """Return the cell of the bar that a position falls in."""
        fraction = position / playback.end if playback.end > 0 else 0.0
        return min(max(round(fraction * (width - 1)), 0), width - 1)

    handle = cell(playback.position)
    cells = [Cell(_PLAYED, "bar") if index <= handle else Cell(_REST, "bar-rest") for index in range(width)]
    for position in _thinned(playback.markers.epochs, width):
        index = cell(position)
        cells[index] = Cell(_PLAYED_EPOCH, "bar") if index <= handle else Cell(_REST_EPOCH, "bar-rest")
    for position in playback.markers.changes:
        cells[cell(position)] = Cell(_CHANGE, "caution")
    for position in playback.markers.alerts:
        cells[cell(position)] = Cell(_ALERT, "alert")
    cells[handle] = Cell(_HANDLE, "strong")
    return row_of(cells)


def _thinned(positions: tuple[float, ...], width: int) -> tuple[float, ...]:
    """Return every position, or every second, fifth, tenth..., so that markers stay apart."""
    most = max(width // _CELLS_A_MARK, 1)
    steps = (mark * 10**power for power in range(9) for mark in _MARKS)
    step = next((step for step in steps if len(positions) / step <= most), len(positions) or 1)
    return positions[step - 1 :: step]
