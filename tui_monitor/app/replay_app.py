"""The screen of a run under a playback clock: has a player, and a bar to drag."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.app.bindings import bindings
from tui_monitor.app.monitor_app import USUAL, MonitorApp
from tui_monitor.app.player import Player
from tui_monitor.app.terminal.screen_options import ScreenOptions
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.history.start import Start
from tui_monitor.run_log.runs.summary import RunSummary
from tui_monitor.view.control_requests import why_no_request
from tui_monitor.view.view_state import ViewState

if TYPE_CHECKING:
    from tui_monitor.app.feed.feed import SnapshotSource
    from tui_monitor.app.feed.replay_source import ReplaySource
    from tui_monitor.app.widgets.scrub_bar import ScrubBar


class ReplayApp(MonitorApp):
    """Replays one run. It controls no training, not even one that still goes on."""

    BINDINGS = bindings()

    def __init__(
        self,
        folder: Path,
        *,
        source: ReplaySource | None = None,
        start: Start | None = None,
        markers: MarkerSet = MarkerSet.BRAILLE,
        view: ViewState | None = None,
        options: ScreenOptions = USUAL,
        opened: RunSummary | None = None,
    ) -> None:
        """Prepare the screen; nothing is read before it runs.

        Args:
            folder: of the run.
            source: the replay; by default of the folder.
            start: where such a replay begins.
            markers: characters to draw curves with.
            view: what to show first.
            options: how to treat the terminal.
            opened: what is known of the run, for the first frame.
        """
        super().__init__(folder, markers=markers, view=view, options=options, opened=opened)
        self._source = source
        self._start = start
        self._player: Player | None = None

    def open_source(self) -> SnapshotSource:
        """Return the replay. Called once, in the reader thread."""
        from tui_monitor.app.feed.replay_source import ReplaySource  # noqa: PLC0415 - imported after the first frame

        source = self._source or ReplaySource(self.folder, start=self._start)
        self._player = Player(self, source)
        return source

    def action_replay(self, what: str) -> None:
        """Move through time as one of the keys says."""
        if self._player is not None:
            self._player.perform(what)

    def action_control(self, what: str) -> None:
        """Say why the keys of a live run do nothing here."""
        if self.snapshot is not None:
            self.refuse(why_no_request(self.snapshot))

    def action_leave(self) -> None:
        """Leave: a replay leaves nothing behind to ask about."""
        self.exit()

    def action_interrupt(self) -> None:
        """Leave, as `q` does."""
        self.exit()

    def on_scrub_bar_sought(self, event: ScrubBar.Sought) -> None:
        """Go where the bar was pointed at."""
        if self._player is not None:
            self._player.seek(event.position)

    def notify_from_thread(self, sentence: str) -> None:
        """Show a sentence from another thread, such as why a remote run can't be fetched."""
        if self.is_running:
            self.call_from_thread(self.notify, sentence, severity="warning", markup=False)
