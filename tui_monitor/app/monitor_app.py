"""The program on screen: takes snapshots from its feed, keeps what the user looks at, and has the panels drawn."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.message import Message
from textual.screen import Screen

from tui_monitor.app.command_palette import palette_commands
from tui_monitor.app.feed.baseline_source import PAUSE_SECONDS, BaselineSource
from tui_monitor.app.feed.feed import Feed
from tui_monitor.app.screens.help import HelpScreen
from tui_monitor.app.screens.main_screen import MainScreen
from tui_monitor.app.terminal.pacing import LONGEST_WAIT_SECONDS
from tui_monitor.app.terminal.screen_options import ScreenOptions
from tui_monitor.app.terminal.terminal_app import TerminalApp
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.errors import MonitorError
from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.summary import RunSummary
from tui_monitor.view.enabled_actions import is_enabled
from tui_monitor.view.explanations import outputs_of
from tui_monitor.view.view_state import SMOOTHING, Baseline, View, ViewState

if TYPE_CHECKING:
    from tui_monitor.app.feed.feed import SnapshotSource
    from tui_monitor.history.snapshot import FitSnapshot, Snapshot

USUAL = ScreenOptions()


class PanelsLoaded(Message):
    """All that draws the run is imported."""


class SnapshotArrived(Message):
    """The feed holds a snapshot."""


class ReadingFailed(Message):
    """The run can't be read any more."""

    def __init__(self, error: MonitorError) -> None:
        super().__init__()
        self.error = error


class BaselineArrived(Message):
    """The pinned run was read, or read on."""

    def __init__(self, baseline: Baseline | None) -> None:
        super().__init__()
        self.baseline = baseline
        """None where none is pinned, or it is this run."""


class MonitorApp(TerminalApp):
    """Follows one run until the user leaves. `LiveApp` adds the control of a training, `ReplayApp` a player."""

    CSS_PATH = Path(__file__).with_name("screens") / "splash.tcss"
    TITLE = "tui-monitor"
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        folder: Path,
        *,
        markers: MarkerSet = MarkerSet.BRAILLE,
        view: ViewState | None = None,
        options: ScreenOptions = USUAL,
        opened: RunSummary | None = None,
    ) -> None:
        """Prepare the screen; nothing is read before it runs.

        Args:
            folder: of the run.
            markers: characters to draw curves with.
            view: what to show first.
            options: how to treat the terminal.
            opened: what is known of the run, for the first frame.
        """
        super().__init__()
        self.folder = folder
        self.snapshot: Snapshot | None = None
        """The newest snapshot of the run."""
        self.view = view or ViewState()
        self.feed = Feed(pause_seconds=1 / options.frames_a_second, is_terminal_busy=lambda: self.is_terminal_busy)
        """Where snapshots come from."""
        self.goes_back = False
        """Whether the user left for the table of runs."""
        self._leaving = threading.Event()
        self._is_baseline_read = False
        self._refused, self._refused_until = "", 0.0
        self._opened = opened or RunSummary(folder, folder.name, State.STARTING)
        self._markers = markers
        self._is_coarse = options.low_bandwidth
        self.set_class(markers is MarkerSet.ASCII, "-ascii")
        if options.theme:
            self.theme = options.theme

    def open_source(self) -> SnapshotSource:
        """Return where snapshots come from. Called once, in the reader thread, after the first frame."""
        raise NotImplementedError

    def panels_ready(self) -> None:
        """Called when all that draws the run is imported, before it is laid out."""

    def snapshot_taken(self, snapshot: Snapshot) -> None:
        """Called with each snapshot before it is drawn."""

    def get_default_screen(self) -> MainScreen:
        """Return the one screen there is."""
        self._main = MainScreen(self._opened, self._markers, coarse=self._is_coarse)
        return self._main

    @property
    def main(self) -> MainScreen:
        """The monitor itself, under whatever dialog is open."""
        return self._main

    def on_ready(self) -> None:
        """Import what draws and reads the run, now that the first frame is on its way."""
        self.call_after_refresh(self.run_worker, self._read, thread=True, group="reader", exit_on_error=True)

    def _read(self) -> None:
        # In this thread, so that the event loop shows the first frame and takes keys meanwhile.
        import tui_monitor.app.screens.layout  # noqa: F401, PLC0415 - imported after the first frame

        self.post_message(PanelsLoaded())
        self.call_from_thread(self.run_worker, self._read_baseline, thread=True, group="baseline", exit_on_error=True)
        self.feed.run(
            self.open_source(),
            arrived=lambda: self.post_message(SnapshotArrived()),
            failed=lambda error: self.post_message(ReadingFailed(error)),
        )

    def _read_baseline(self) -> None:
        source, before = BaselineSource(self.folder), self.view.baseline
        while not self._leaving.is_set():
            baseline = source.poll()
            if baseline is not before or not self._is_baseline_read:
                before = baseline
                self.post_message(BaselineArrived(baseline))
            self._leaving.wait(PAUSE_SECONDS)

    def on_baseline_arrived(self, event: BaselineArrived) -> None:
        """Draw the pinned run beside this one."""
        self._is_baseline_read = True
        self.change_view(replace(self.view, baseline=event.baseline))

    async def on_panels_loaded(self) -> None:
        """Lay the panels out."""
        self.panels_ready()
        await self.main.fill()
        self.main.focus_view(self.view.view)

    def on_snapshot_arrived(self) -> None:
        """Draw the newest snapshot, unless the terminal is still busy with the one before."""
        if self.is_terminal_busy:
            self.set_timer(LONGEST_WAIT_SECONDS, self.on_snapshot_arrived)
            return
        snapshot = self.feed.take()
        if snapshot is None:
            return
        self.ask_terminal()
        self.snapshot = snapshot
        self.snapshot_taken(snapshot)
        self._draw()

    def terminal_answered(self) -> None:
        """Draw what came while the terminal was busy, or have the newest read that was not."""
        self.feed.terminal_answered()
        self.on_snapshot_arrived()

    def on_reading_failed(self, event: ReadingFailed) -> None:
        """Leave, with the reason on the terminal."""
        self.exit(return_code=event.error.exit_code, message=str(event.error))

    def on_unmount(self) -> None:
        """Let the threads that read end."""
        self._leaving.set()
        self.feed.stop()

    @property
    def is_settled(self) -> bool:
        """Whether the first snapshot is drawn, with the pinned run, and every chart in its newest state."""
        return self.snapshot is not None and self._is_baseline_read and self.main.is_settled

    def change_view(self, view: ViewState) -> None:
        """Show something else of the same snapshot."""
        if view != self.view:
            self.view = view
            self._draw()

    def refuse(self, reason: str) -> None:
        """Say why a key does nothing, once however often it is pressed."""
        now = time.monotonic()
        if reason == self._refused and now < self._refused_until:
            return
        self._refused, self._refused_until = reason, now + self.NOTIFICATION_TIMEOUT
        self.clear_notifications()
        self.notify(reason, severity="warning", markup=False)

    def _draw(self) -> None:
        if self.snapshot is not None:
            self.main.show(self.snapshot, self.view)
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Refuse actions that would change nothing now; control requests say themselves why none can be sent."""
        if action == "next_metric" and self.main.charts == 1:
            return self._has_further_metrics()
        return action == "control" or self.is_action_enabled(action, parameters)

    def _has_further_metrics(self) -> bool:
        """Whether a chart that is alone can show another metric than the first."""
        from tui_monitor.view.charts.chart_metrics import further_metrics  # noqa: PLC0415 - NumPy, as the panels

        return self._fit is not None and bool(further_metrics(self._fit))

    def is_action_enabled(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Whether an action would change anything now."""
        if self.snapshot is None:
            return self.view.from_table if action == "back_to_runs" else action != "control"
        spelled = f"{action}({', '.join(repr(p) for p in parameters)})" if parameters else action
        return is_enabled(spelled, self.snapshot, self.view)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every enabled action by name, besides the choice of a theme."""
        yield from palette_commands(self, self.is_action_enabled)
        yield SystemCommand("Theme", "Change the colours.", self.action_change_theme)

    def action_show(self, view: str) -> None:
        """Lay the screen out for one of the views."""
        self.view = replace(self.view, view=View(view))
        self._draw()
        self.main.focus_view(self.view.view)

    @property
    def _fit(self) -> FitSnapshot | None:
        return self.view.fit_of(self.snapshot) if self.snapshot is not None else None

    def action_zoom(self, factor: float) -> None:
        """Look at less (below 1) or more of the x axis."""
        from tui_monitor.view.charts.epoch_axis import full_range, newest  # noqa: PLC0415 - NumPy, as the panels

        if (fit := self._fit) is not None:
            self.change_view(self.view.zoomed(factor, full_range(fit), newest(fit)))

    def action_pan(self, fraction: float) -> None:
        """Move the zoomed window by a fraction of its width."""
        from tui_monitor.view.charts.epoch_axis import full_range  # noqa: PLC0415 - NumPy, as the panels

        if (fit := self._fit) is not None:
            self.change_view(self.view.panned(fraction, full_range(fit)))

    def action_whole_axis(self) -> None:
        """Show the whole x axis."""
        self.change_view(replace(self.view, window=None))

    def action_smooth(self) -> None:
        """Step to the next smoothing."""
        self.change_view(replace(self.view, smoothing=(self.view.smoothing + 1) % len(SMOOTHING)))

    def action_toggle_log(self) -> None:
        """Switch between linear and logarithmic y axes."""
        self.change_view(replace(self.view, log_y=not self.view.log_y))

    def action_join_fits(self) -> None:
        """Switch between successive fits of one model as one, and each alone."""
        self.change_view(replace(self.view, joins=not self.view.joins, window=None))

    def action_toggle_extremes(self) -> None:
        """Switch between what is compared and the extremes of the batches."""
        self.change_view(replace(self.view, extremes=not self.view.extremes))

    def action_toggle_baseline(self) -> None:
        """Hide the pinned run, or show it again."""
        self.change_view(replace(self.view, hides_baseline=not self.view.hides_baseline))

    def action_next_metric(self) -> None:
        """Show the next metric in the second chart."""
        self.change_view(replace(self.view, metric=self.view.metric + 1))

    def action_next_output(self) -> None:
        """Explain the next of several outputs."""
        self.change_view(replace(self.view, output=(self.view.output + 1) % (outputs_of(self._fit) + 1)))

    def action_fit(self, step: int) -> None:
        """Show an earlier or later call of fit."""
        if self.snapshot is None:
            return
        count = len(self.snapshot.fits)
        shown = min(max((self.view.fit or count) + step, 1), count)
        self.change_view(replace(self.view, fit=None if shown == count else shown, window=None))

    def action_back_to_runs(self) -> None:
        """Leave for the table of runs, at once: a training goes on, as it does without any screen."""
        self.goes_back = True
        self.exit()

    def action_help(self) -> None:
        """Show the list of keys."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(ascii_only=self._markers is MarkerSet.ASCII))
