"""The first frame: what is opened and which keys there are, drawn before anything heavy is imported."""

from typing import ClassVar

from rich.style import Style
from textual.strip import Strip

from tui_monitor.app.widgets.cells_view import CellsView
from tui_monitor.run_log.runs.summary import RunSummary
from tui_monitor.view.enabled_actions import splash_keys
from tui_monitor.view.footer import footer_rows
from tui_monitor.view.splash import splash_rows
from tui_monitor.view.view_state import ViewState


class Splash(CellsView):
    """Covers the screen until the run is read."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"cells--{name}" for name in ("heading-row", "key", "muted", "state-starting", "strong")
    }

    def __init__(self, opened: RunSummary, *, ascii_only: bool = False) -> None:
        super().__init__(id="splash", ascii_only=ascii_only)
        self._opened = opened
        self._drawn_size = (0, 0)

    def render_line(self, y: int) -> Strip:
        """Return one line, from rows made for the present size: the first frame already shows them."""
        width, height = size = (self.size.width, self.size.height)
        if size != self._drawn_size:
            self._drawn_size = size
            rows = splash_rows(self._opened, width, max(0, height - 1))
            self._rows = (*rows, *footer_rows(splash_keys(ViewState()), width))
        return super().render_line(y)

    def base_style(self, index: int) -> Style:
        """Return the style of a heading for the row of keys."""
        is_footer = index == self.size.height - 1
        return self.rich_style + self.style_of("heading-row") if is_footer else self.rich_style
