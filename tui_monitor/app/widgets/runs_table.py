"""The rows of the table of runs: only those in the window are ever made."""

from textual.events import Click, MouseScrollDown, MouseScrollUp, Resize
from textual.message import Message

from tui_monitor.app.widgets.cells_view import CellsView

_WHEEL = 3
"""Runs that one turn of the wheel moves."""


class RunsTable(CellsView):
    """A window of rows; says where it was pointed at."""

    class Pointed(Message):
        """A row of the window was clicked."""

        def __init__(self, row: int, *, twice: bool) -> None:
            super().__init__()
            self.row = row
            self.twice = twice

    class Moved(Message):
        """The wheel was turned."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    class Resized(Message):
        """Another number of rows fits."""

    def on_resize(self, event: Resize) -> None:
        """Have the rows made anew."""
        self.post_message(self.Resized())

    def on_click(self, event: Click) -> None:
        """Say which row was clicked."""
        self.post_message(self.Pointed(event.y, twice=event.chain > 1))

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Move the cursor instead of the rows, which are all in the window."""
        event.stop()
        self.post_message(self.Moved(_WHEEL))

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Likewise, up."""
        event.stop()
        self.post_message(self.Moved(-_WHEEL))
