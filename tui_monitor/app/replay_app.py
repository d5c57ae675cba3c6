"""The monitor on a run under a playback clock: the same screen, with a bar and keys that move through time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.app.feed.follow import SnapshotSource
from tui_monitor.app.monitor_app import USUAL, MonitorApp
from tui_monitor.app.screens.entry import EntryScreen
from tui_monitor.app.terminal.screen_options import ScreenOptions
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.history.start import Start
from tui_monitor.run_log.runs.summary import RunSummary
from tui_monitor.view.view_state import ViewState

if TYPE_CHECKING:
    from tui_monitor.app.feed.replay_source import ReplaySource
    from tui_monitor.app.widgets.scrub_bar import ScrubBar
    from tui_monitor.history.playback import Moments


class ReplayApp(MonitorApp):
    """Replays one run. It asks nothing of any training, not even of one that still goes on."""

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
            opened: what is known of the run, for the first picture.
        """
        super().__init__(folder, markers=markers, view=view, options=options, opened=opened)
        self._replay = source
        self._start = start

    def open_source(self) -> SnapshotSource:
        """Return the replay. Called once, in the reader thread."""
        from tui_monitor.app.feed.replay_source import ReplaySource  # noqa: PLC0415 - imported after the first picture

        if self._replay is None:
            self._replay = ReplaySource(self.folder, start=self._start)
        return self._replay

    def action_replay(self, what: str) -> None:
        """Move through time as one of the keys asks for."""
        replay = self._replay
        if replay is None:
            return
        match what:
            case "toggle":
                replay.toggle()
            case "slower" | "faster":
                replay.change_speed(1 if what == "faster" else -1)
            case "batch_back" | "batch_on":
                replay.step_batch(1 if what == "batch_on" else -1)
            case "epoch_back" | "epoch_on":
                replay.step_epoch(1 if what == "epoch_on" else -1)
            case "event_back" | "event_on":
                replay.step_event(1 if what == "event_on" else -1)
            case "start":
                replay.seek(0.0)
            case "end":
                replay.seek_end()
            case "jump":
                self._ask_for_epoch()
        self.look_again()

    def tell_from_thread(self, sentence: str) -> None:
        """Show a sentence that another thread has to say."""
        if self.is_running:
            self.call_from_thread(self.notify, sentence, severity="warning", markup=False)

    def on_scrub_bar_sought(self, event: ScrubBar.Sought) -> None:
        """Go where the bar was pointed at."""
        if self._replay is not None:
            self._replay.seek(event.position)
            self.look_again()

    def _ask_for_epoch(self) -> None:
        playback = self.snapshot.playback if self.snapshot is not None else None
        if playback is not None and playback.moments.numbers and not isinstance(self.screen, EntryScreen):
            numbers = playback.moments.numbers
            self.push_screen(
                EntryScreen(
                    "Go to the end of epoch",
                    f"Epochs {min(numbers)} to {max(numbers)} have ended.",
                    lambda text: _complaint(text, playback.moments),
                    longest=12,
                    hint="Enter goes there, Escape does not.",
                ),
                self._jump,
            )

    def _jump(self, text: str | None) -> None:
        playback = self.snapshot.playback if self.snapshot is not None else None
        place = playback.moments.of_epoch(int(text)) if playback is not None and text is not None else None
        if place is not None and self._replay is not None:
            self._replay.seek(place)
            self.look_again()


def _complaint(text: str, moments: Moments) -> str:
    """Return why a text is no epoch to go to; empty when it is one."""
    is_known = text.strip().isdecimal() and moments.of_epoch(int(text)) is not None
    return "" if is_known else "No epoch of that number has ended."
