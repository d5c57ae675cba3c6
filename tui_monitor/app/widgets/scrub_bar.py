"""The bar of a replay: shows where it stands, and is clicked or dragged to go elsewhere."""

from dataclasses import dataclass

from textual.events import MouseDown, MouseEvent, MouseMove, MouseUp, Resize
from textual.message import Message

from tui_monitor.app.widgets.cells_view import CellsView
from tui_monitor.history.playback import Playback
from tui_monitor.view.panels.scrub_bar import Scrub, scrub


class ScrubBar(CellsView):
    """One row; hidden by the style sheet while nothing is replayed."""

    @dataclass
    class Sought(Message):
        """The user pointed at a position."""

        position: float
        """As in `Playback`."""

    def __init__(self, *, id: str, ascii_only: bool = False) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, ascii_only=ascii_only)
        self._playback: Playback | None = None
        self._scrub: Scrub | None = None
        self._is_dragged = False

    def show_playback(self, playback: Playback) -> None:
        """Draw where a replay stands."""
        self._playback = playback
        if self.size.width:
            self._scrub = scrub(playback, self.size.width)
            self.show((self._scrub.row,))

    def on_resize(self, event: Resize) -> None:
        """Draw for the new width."""
        if self._playback is not None:
            self.show_playback(self._playback)

    def on_mouse_down(self, event: MouseDown) -> None:
        """Go where the user points, and follow the pointer until it is let go."""
        event.stop()
        self._is_dragged = True
        self.capture_mouse()
        self._seek(event)

    def on_mouse_move(self, event: MouseMove) -> None:
        """Follow the pointer."""
        if self._is_dragged:
            event.stop()
            self._seek(event)

    def on_mouse_up(self, event: MouseUp) -> None:
        """Let go of the pointer."""
        if self._is_dragged:
            event.stop()
            self._is_dragged = False
            self.release_mouse()

    def _seek(self, event: MouseEvent) -> None:
        if self._playback is not None and self._scrub is not None:
            x = round(event.screen_x) - self.region.x
            self.post_message(self.Sought(self._scrub.fraction_at(x) * self._playback.end))
