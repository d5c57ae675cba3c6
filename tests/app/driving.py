"""Drives the screen in tests: waits for what it does, never for time to pass."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rich.cells import cell_len
from textual.pilot import Pilot

from tests.app.snapshots import ListSource
from tui_monitor.app.live_app import LiveApp
from tui_monitor.app.monitor_app import MonitorApp
from tui_monitor.app.widgets.cells_view import CellsView
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.view.view_state import ViewState

_PATIENCE_SECONDS = 60


async def turns(pilot: Pilot[None]) -> AsyncIterator[None]:
    """Yield after each turn of the screen's loop, for as long as a busy machine may need."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        await pilot.pause()
        await asyncio.sleep(0)
        yield


async def settle(pilot: Pilot[None]) -> None:
    """Return when the newest snapshot is drawn and nothing is under way."""
    app = pilot.app
    assert isinstance(app, MonitorApp)
    quiet = 0
    async for _ in turns(pilot):
        quiet = quiet + 1 if app.is_settled else 0
        if quiet >= 3:
            return
    raise AssertionError("the screen did not settle")


async def arrive(pilot: Pilot[None], revision: int) -> None:
    """Return when the snapshot of that revision is drawn."""
    app = pilot.app
    assert isinstance(app, MonitorApp)
    async for _ in turns(pilot):
        if app.snapshot is not None and app.snapshot.revision >= revision:
            await settle(pilot)
            return
    raise AssertionError(f"revision {revision} did not arrive")


@asynccontextmanager
async def screen_of(
    *snapshots: Snapshot,
    size: tuple[int, int] = (120, 40),
    folder: Path = Path("run"),
    markers: MarkerSet = MarkerSet.BRAILLE,
    view: ViewState | None = None,
    source: ListSource | None = None,
) -> AsyncIterator[Pilot[None]]:
    """Run the screen on prepared snapshots, the last of them drawn."""
    app = LiveApp(folder, source=source or ListSource(snapshots), markers=markers, view=view)
    async with app.run_test(size=size) as pilot:
        if snapshots:
            await arrive(pilot, snapshots[-1].revision)
        yield pilot


def shown(pilot: Pilot[None]) -> list[str]:
    """Return what the terminal shows, one string a row."""
    width, height = pilot.app.size
    strips = pilot.app.screen._compositor.render_strips()
    lines = ["".join(segment.text for segment in strip) for strip in strips]
    assert len(lines) == height
    assert all(cell_len(line) >= width for line in lines)
    return lines


def text_of(pilot: Pilot[None]) -> str:
    """Return what the terminal shows."""
    return "\n".join(line.rstrip() for line in shown(pilot))


def rows_of(pilot: Pilot[None], selector: str) -> str:
    """Return the rows of one view, those scrolled out too."""
    app = pilot.app
    assert isinstance(app, MonitorApp)
    return app.main.query_one(selector, CellsView).text
