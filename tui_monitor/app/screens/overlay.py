"""Marked runs on one chart, live ones moving; Escape leads back to the table."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from textual.app import ComposeResult
from textual.message import Message
from textual.screen import Screen

from tui_monitor.app.bindings import bindings
from tui_monitor.app.feed.live_source import LiveSource
from tui_monitor.app.screens.runs_screen import RunsLayout
from tui_monitor.app.widgets.cells_view import CellsView
from tui_monitor.charts.cells import CellGrid
from tui_monitor.charts.chart import draw_chart
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.charts.raster import LastDrawing
from tui_monitor.errors import MonitorError
from tui_monitor.history.snapshot import FitSnapshot, Snapshot
from tui_monitor.run_log.runs.place import RunsPlace
from tui_monitor.view.charts.overlay import OverlaidRun, OverlayState, Side, XAxis, overlay_metrics, overlay_spec
from tui_monitor.view.footer import footer_rows
from tui_monitor.view.keys.key import Group
from tui_monitor.view.keys.table import KEYS, OF_THE_OVERLAY
from tui_monitor.view.runs.overlay_legend import overlay_legend
from tui_monitor.view.text.rows import heading

_PAUSE_SECONDS = 1.0
Choice = TypeVar("Choice", Side, XAxis)


class OverlayScreen(Screen[None]):
    """Several runs over the same axes."""

    AUTO_FOCUS = ""
    BINDINGS = bindings(OF_THE_OVERLAY)
    GROUPS = OF_THE_OVERLAY

    class Read(Message):
        """The reader thread has read on in the runs."""

        def __init__(self, snapshots: Mapping[str, Snapshot], problem: str) -> None:
            super().__init__()
            self.snapshots = snapshots
            self.problem = problem

    class Drawn(Message):
        """A chart was drawn in a thread."""

        def __init__(self, grid: CellGrid) -> None:
            super().__init__()
            self.grid = grid

    def __init__(self, place: RunsPlace, texts: Mapping[str, str], *, markers: MarkerSet) -> None:
        """Prepare the screen; nothing is read yet.

        Args:
            place: where the runs are.
            texts: name of each run, in their order, to what differs in its arguments.
            markers: characters to draw curves with.
        """
        super().__init__()
        self._place, self._texts, self._markers = place, dict(texts), markers
        is_ascii = markers is MarkerSet.ASCII
        self._state = OverlayState()
        self._overlaid = tuple(OverlaidRun(name, number, None) for number, name in enumerate(texts, 1))
        self._chart = CellsView(id="overlay-chart", ascii_only=is_ascii)
        self._legend = CellsView(id="overlay-legend", ascii_only=is_ascii)
        self._head = CellsView(id="overlay-head", ascii_only=is_ascii)
        self._footer = CellsView(id="footer", ascii_only=is_ascii)
        self._stopping = threading.Event()
        self._last = LastDrawing()
        self._is_drawing = self._is_wanted = False
        self.is_settled = False
        """Whether the newest state of the runs is drawn."""

    @property
    def state(self) -> OverlayState:
        """What the user chose."""
        return self._state

    def compose(self) -> ComposeResult:
        """Lay out the chart above, the legend and the keys below."""
        with RunsLayout(id="main"):
            yield self._head
            yield self._chart
            yield self._legend
            yield self._footer

    def on_mount(self) -> None:
        """Begin to read."""
        self._legend.styles.height = len(self._overlaid) + 1
        self.run_worker(self._read, thread=True, group="overlay", exit_on_error=True)

    def on_unmount(self) -> None:
        """Let the reader thread end."""
        self._stopping.set()

    def _read(self) -> None:
        sources: dict[str, LiveSource] = {}
        newest: dict[str, Snapshot] = {}
        while not self._stopping.is_set():
            problem = ""
            before = dict(newest)
            for name in (run.name for run in self._overlaid):
                try:
                    self._read_on(name, sources, newest)
                except MonitorError as error:
                    problem = str(error)
            if newest != before or problem:
                self.post_message(self.Read(dict(newest), problem))
            if problem or all(snapshot.state.ended for snapshot in newest.values()):
                return
            self._stopping.wait(_PAUSE_SECONDS)

    def _read_on(self, name: str, sources: dict[str, LiveSource], newest: dict[str, Snapshot]) -> None:
        """Read what a run has got since; where it is elsewhere, bring that here first."""
        if name not in newest or not newest[name].state.ended:
            folder = self._place.bring(name)
            source = sources.setdefault(name, LiveSource(folder))
            while (snapshot := source.poll()) is not None and not self._stopping.is_set():
                newest[name] = snapshot

    def on_overlay_screen_read(self, event: Read) -> None:
        """Draw the runs as they are now."""
        if event.problem:
            self.notify(event.problem, severity="warning", markup=False)
        self._overlaid = tuple(
            replace(run, fit=_fit(event.snapshots.get(run.name)), state=_state(event.snapshots.get(run.name)))
            for run in self._overlaid
        )
        self._draw()

    def on_resize(self) -> None:
        """Draw for the new size."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        width = self.size.width
        title = f"{len(self._overlaid)} runs"
        self._head.show((heading(title, f"x: {self._state.x}", width),))
        self._legend.show(overlay_legend(self._overlaid, self._state, tuple(self._texts.values()), width))
        self._footer.show(footer_rows([key for key in KEYS if key.group in (*OF_THE_OVERLAY, Group.PROGRAM)], width))
        self.is_settled = False
        self._is_wanted = True
        self._start()

    def _start(self) -> None:
        if self._is_drawing or not self._is_wanted:
            return
        self._is_drawing, self._is_wanted = True, False
        runs, state, size = self._overlaid, self._state, (self._chart.size.width, self._chart.size.height)
        self.run_worker(lambda: self._drawn(runs, state, size), thread=True, group="chart", exit_on_error=True)

    def _drawn(self, runs: tuple[OverlaidRun, ...], state: OverlayState, size: tuple[int, int]) -> None:
        spec = overlay_spec(runs, state, size, self._markers)
        self.post_message(self.Drawn(draw_chart(spec, *size, self._last)))

    def on_overlay_screen_drawn(self, event: Drawn) -> None:
        """Show the chart, and draw again if something newer is wanted."""
        self._chart.show(event.grid.rows)
        self._is_drawing = False
        self.is_settled = not self._is_wanted and any(run.fit is not None for run in self._overlaid)
        self._start()

    def _change(self, state: OverlayState) -> None:
        if state != self._state:
            self._state = state
            self._draw()

    # Keys

    def action_overlay(self, what: str) -> None:
        """Do what one of the keys of the overlay says."""
        state = self._state
        match what:
            case "metric":
                self._change(replace(state, metric=(state.metric + 1) % len(overlay_metrics(self._overlaid))))
            case "side":
                self._change(replace(state, side=_following(Side, state.side)))
            case "axis":
                self._change(replace(state, x=_following(XAxis, state.x), window=None))
            case "log":
                self._change(replace(state, log_y=not state.log_y))
            case "smooth":
                self._change(state.smoothed())
            case "whole":
                self._change(replace(state, window=None))
            case "back":
                self.dismiss()

    def action_overlay_toggle(self, number: int) -> None:
        """Hide a run, or show it again."""
        if number <= len(self._overlaid):
            self._change(self._state.toggled(number))

    def action_overlay_zoom(self, factor: float) -> None:
        """Look at less (below 1) or more of the x axis."""
        self._change(self._state.zoomed(factor))

    def action_overlay_pan(self, fraction: float) -> None:
        """Move the zoomed window by a fraction of its width."""
        self._change(self._state.panned(fraction))


def _fit(snapshot: Snapshot | None) -> FitSnapshot | None:
    fits = snapshot.fits if snapshot is not None else ()
    return next((fit for fit in reversed(fits) if fit.batches or fit.epochs), None)


def _state(snapshot: Snapshot | None) -> str:
    return str(snapshot.state) if snapshot is not None else "reading"


def _following(kind: type[Choice], now: Choice) -> Choice:
    values = list(kind)
    return values[(values.index(now) + 1) % len(values)]
