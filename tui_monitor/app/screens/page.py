"""An answer over the whole screen, opened from the table of runs: it scrolls, and Escape leads back."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.screen import Screen

from tui_monitor.app.bindings import bindings
from tui_monitor.app.screens.runs_screen import RunsLayout
from tui_monitor.app.widgets.cells_view import CellsView
from tui_monitor.view.footer import footer_rows
from tui_monitor.view.keys.key import Group
from tui_monitor.view.keys.table import KEYS, OF_A_PAGE
from tui_monitor.view.text.rows import Rows, cell_len, heading


class PageScreen(Screen[None]):
    """A title, rows that scroll, and the keys. What it says is made by those who inherit it."""

    AUTO_FOCUS = ""
    BINDINGS = bindings(OF_A_PAGE)
    GROUPS: ClassVar[tuple[Group, ...]] = OF_A_PAGE
    """Of the keys that it has beside the program's own."""
    WIDEST: ClassVar[int] = 120
    """Cells of its rows at most: longer ones of text read badly."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        """Prepare the screen.

        Args:
            ascii_only: whether the terminal lacks UTF-8.
        """
        super().__init__()
        self._head = CellsView(id="page-head", ascii_only=ascii_only)
        self._body = CellsView(id="page-body", ascii_only=ascii_only)
        self._keys = CellsView(id="footer", ascii_only=ascii_only)

    def titles(self) -> tuple[str, ...]:
        """Return what may stand above, the longest first."""
        raise NotImplementedError

    def rows(self, width: int) -> Rows:
        """Return what the page says in rows of at most `width` cells."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Lay out the title, the rows and the keys."""
        with RunsLayout(id="main"):
            yield self._head
            yield self._body
            yield self._keys

    def on_resize(self) -> None:
        """Wrap anew."""
        self.fill()

    def fill(self) -> None:
        """Draw everything for the present size."""
        width = self.size.width
        titles = self.titles()
        title = next((title for title in titles if cell_len(title) + 3 <= width), titles[-1])
        self._head.show((heading(title, "", width),))
        self._body.show(self.rows(min(self.WIDEST, max(20, width - 3))))
        self._keys.show(footer_rows([key for key in KEYS if key.group in (*self.GROUPS, Group.PROGRAM)], width))

    def action_page_back(self) -> None:
        """Go back to the table."""
        self.dismiss()

    def action_page_scroll(self, where: str) -> None:
        """Scroll by a row or a page, or to an end."""
        body = self._body
        match where:
            case "up":
                body.scroll_up(animate=False)
            case "down":
                body.scroll_down(animate=False)
            case "page_up":
                body.scroll_page_up(animate=False)
            case "page_down":
                body.scroll_page_down(animate=False)
            case "home":
                body.scroll_home(animate=False)
            case "end":
                body.scroll_end(animate=False)
