"""What a replay can do: keys and the bar become moves of its clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_monitor.app.screens.entry import EntryScreen

if TYPE_CHECKING:
    from tui_monitor.app.feed.replay_source import ReplaySource
    from tui_monitor.app.monitor_app import MonitorApp
    from tui_monitor.history.playback import Markers, Playback


class Player:
    """Moves one replay through time. The source applies them in the reader thread, so the screen waits for no file."""

    def __init__(
        self,
        app: MonitorApp,
        source: ReplaySource,
    ) -> None:
        """Take a replay over.

        Args:
            app: shows the replay and the dialog.
            source: of the replay.
        """
        self._app = app
        self._source = source

    def perform(self, what: str) -> None:
        """Move as one of the keys of the table says.

        Args:
            what: the parameter of its `replay` action.
        """
        source = self._source
        match what:
            case "toggle":
                source.toggle()
            case "slower" | "faster":
                source.change_speed(1 if what == "faster" else -1)
            case "batch_back" | "batch_on":
                source.step_batch(1 if what == "batch_on" else -1)
            case "epoch_back" | "epoch_on":
                source.step_epoch(1 if what == "epoch_on" else -1)
            case "event_back" | "event_on":
                source.step_event(1 if what == "event_on" else -1)
            case "start":
                source.seek(0.0)
            case "end":
                source.seek_end()
            case "jump":
                self._enter_epoch()
        self._app.feed.poll_now()

    def seek(self, position: float) -> None:
        """Go to a position, as in `Playback`."""
        self._source.seek(position)
        self._app.feed.poll_now()

    def _playback(self) -> Playback | None:
        snapshot = self._app.snapshot
        return snapshot.playback if snapshot is not None else None

    def _enter_epoch(self) -> None:
        playback = self._playback()
        if playback is None or not playback.markers.numbers or isinstance(self._app.screen, EntryScreen):
            return
        numbers = playback.markers.numbers
        screen = EntryScreen(
            "Go to the end of epoch",
            f"Epochs {min(numbers)} to {max(numbers)} have ended.",
            lambda text: _complaint(text, playback.markers),
            longest=12,
            hint="Enter goes there, Escape does not.",
        )
        self._app.push_screen(screen, self._jump)

    def _jump(self, text: str | None) -> None:
        # Looked up again: a live run may have gone on while the dialog was open.
        playback = self._playback()
        position = playback.markers.of_epoch(int(text)) if playback is not None and text is not None else None
        if position is not None:
            self.seek(position)


def _complaint(text: str, markers: Markers) -> str:
    """Return why a text is no epoch to go to; empty when it is one."""
    is_known = text.strip().isdecimal() and markers.of_epoch(int(text)) is not None
    return "" if is_known else "No epoch of that number has ended."
