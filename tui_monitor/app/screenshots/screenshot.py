"""The screen as a file: what a terminal of that size would show, whatever fonts the viewer has."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tui_monitor.app.feed.feed import SnapshotSource
from tui_monitor.app.feed.live_source import LiveSource
from tui_monitor.app.feed.replay_source import ReplaySource
from tui_monitor.app.feed.runs_session import RunsSession
from tui_monitor.app.live_app import LiveApp
from tui_monitor.app.monitor_app import MonitorApp
from tui_monitor.app.replay_app import ReplayApp
from tui_monitor.app.runs_app import RunsApp
from tui_monitor.app.screenshots.exact_svg import exact_svg
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.view.view_state import ViewState

_TURNS = 2000
"""Turns of the event loop after which a screen that does not settle is drawn as it is."""


def save_screenshot(
    folder: Path,
    size: tuple[int, int],
    path: Path,
    *,
    view: ViewState | None = None,
    keys: tuple[str, ...] = (),
    markers: MarkerSet = MarkerSet.BRAILLE,
    source: SnapshotSource | None = None,
) -> None:
    """Write the screen of a run, as it stands, as an SVG file.

    Args:
        folder: of the run.
        size: columns and rows of the terminal.
        path: of the SVG file to write.
        view: what to show.
        keys: pressed before the screenshot is taken, in Textual's names.
        markers: characters to draw curves with.
        source: where snapshots come from; by default the folder, read to its end once.

    Raises:
        MonitorError: the run can't be read.
    """
    svg = asyncio.run(screenshot(folder, size, view=view, keys=keys, markers=markers, source=source))
    path.write_text(svg, encoding="utf-8")


async def screenshot(
    folder: Path,
    size: tuple[int, int],
    *,
    view: ViewState | None = None,
    keys: tuple[str, ...] = (),
    markers: MarkerSet = MarkerSet.BRAILLE,
    source: SnapshotSource | None = None,
) -> str:
    """Return the screen of a run as SVG text. Arguments and errors as for `save_screenshot`."""
    app = _app(folder, source or _Once(folder), view, markers)
    async with _shown(app, size, keys):
        return exact_svg(app.export_screenshot(title=f"tui-monitor: {folder.name}"))


def save_table_screenshot(runs: Path, size: tuple[int, int], path: Path, *, keys: tuple[str, ...] = ()) -> None:
    """Write the table of runs, or what its keys open, as an SVG file.

    Args:
        runs: the runs folder.
        size: columns and rows of the terminal.
        path: of the SVG file to write.
        keys: pressed before the screenshot is taken, in Textual's names.
    """

    async def drawn() -> str:
        app = RunsApp(RunsSession.over(runs))
        async with _shown(app, size, keys):
            return exact_svg(app.export_screenshot(title="tui-monitor"))

    path.write_text(asyncio.run(drawn()), encoding="utf-8")


async def screen_text(folder: Path, size: tuple[int, int]) -> str:
    """Return the screen of a run as lines of text without trailing blanks. Errors as for `save_screenshot`."""
    app = _app(folder, _Once(folder), None, MarkerSet.BRAILLE)
    async with _shown(app, size, ()):
        strips = app.screen._compositor.render_strips()
        lines = ("".join(segment.text for segment in strip).rstrip() for strip in strips)
        return "\n".join(lines) + "\n"


def _app(folder: Path, source: SnapshotSource, view: ViewState | None, markers: MarkerSet) -> MonitorApp:
    if isinstance(source, ReplaySource):
        return ReplayApp(folder, source=source, view=view, markers=markers)
    return LiveApp(folder, source=source, view=view, markers=markers)


@asynccontextmanager
async def _shown(app: MonitorApp | RunsApp, size: tuple[int, int], keys: tuple[str, ...]) -> AsyncIterator[None]:
    """Run the screen, drawn as it stands once the keys are pressed.

    Raises:
        MonitorError: the run can't be read.
    """
    async with app.run_test(size=size) as pilot:
        await _settle(app)
        if keys:
            await pilot.press(*keys)
            await pilot.pause()
            await _settle(app)
        yield


async def _settle(app: MonitorApp | RunsApp) -> None:
    quiet = 0
    for _ in range(_TURNS):
        await asyncio.sleep(0.005)
        quiet = quiet + 1 if app.is_settled else 0
        if quiet >= 4:
            return


class _Once:
    """Reads a folder to its end and returns that one snapshot."""

    def __init__(self, folder: Path) -> None:
        self._live = LiveSource(folder)
        self._is_done = False

    def poll(self) -> Snapshot | None:
        """Return the newest snapshot, once."""
        if self._is_done:
            return None
        self._is_done = True
        newest = None
        while (snapshot := self._live.poll()) is not None:
            newest = snapshot
        return newest

    def close(self) -> None:
        """Close the folder's files."""
        self._live.close()
