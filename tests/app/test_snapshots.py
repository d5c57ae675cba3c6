"""The frame itself, at the three sizes that are promised; a change here is a change someone should look at."""

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.app.driving import arrive, settle
from tests.app.snapshots import OUTPUT, ListSource, fit, snapshot
from tui_monitor.app.live_app import LiveApp
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.run_log.format.layout import State

Compare = Callable[..., bool]


def compare(snap_compare: Compare, shot: Snapshot, size: tuple[int, int]) -> bool:
    """Return whether the screen of a snapshot is the frame stored for this test."""
    app = LiveApp(Path("run"), source=ListSource([shot]))
    return snap_compare(app, terminal_size=size, run_before=lambda pilot: arrive(pilot, shot.revision))


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_run_in_its_fourth_epoch(snap_compare: Compare, size: tuple[int, int]) -> None:
    """The overview of a live run is the frame a person has looked at and found right."""
    assert compare(snap_compare, snapshot(), size)


def test_a_run_that_failed(snap_compare: Compare) -> None:
    """A failed run shows its state, its exit code and the end of its output."""
    trace = ("Traceback (most recent call last):", '  File "train.py", line 9, in <module>', "ValueError: no data")
    failed = snapshot(State.FAILED, fit(epochs=1, batch=0), output=(*OUTPUT, *trace), output_lines=10, exit_code=1)
    assert compare(snap_compare, failed, (80, 24))


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_what_was_found(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Moved classes, copies by place, both sides of an input, and the order, as a person has found them right."""
    shot = snapshot()
    app = LiveApp(Path("run"), source=ListSource([shot]))

    async def show(pilot: Pilot[None]) -> None:
        await arrive(pilot, shot.revision)
        await pilot.press("7")
        await settle(pilot)

    assert snap_compare(app, terminal_size=size, run_before=show)
