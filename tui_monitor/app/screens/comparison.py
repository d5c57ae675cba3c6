"""A comparison of two runs over the whole screen; Escape leads back to the table."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from tui_monitor.app.screens.runs_screen import RunsLayout
from tui_monitor.app.widgets.cells_view import CellsView
from tui_monitor.compare.comparison import Comparison
from tui_monitor.view.runs.comparison_rows import comparison_rows
from tui_monitor.view.text.rows import Row, Run, cell_len, heading

_WIDEST = 120
_KEYS = (("Escape", "back to the table"), ("↑ ↓ PgUp PgDn", "scroll"))


class ComparisonScreen(Screen[None]):
    """Why the second run differs from the first."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,b", "dismiss", "back")]

    def __init__(self, comparison: Comparison, *, ascii_only: bool = False) -> None:
        """Prepare the screen.

        Args:
            comparison: what is shown.
            ascii_only: whether the terminal lacks UTF-8.
        """
        super().__init__()
        self._comparison = comparison
        self._title_row = CellsView(id="comparison-head", ascii_only=ascii_only)
        self._body = CellsView(id="comparison-body", ascii_only=ascii_only)
        self._keys = CellsView(id="footer", ascii_only=ascii_only)

    def compose(self) -> ComposeResult:
        """Lay out the title, the rows and the keys."""
        with RunsLayout(id="main"):
            yield self._title_row
            yield self._body
            yield self._keys

    def on_mount(self) -> None:
        """Let the keys that scroll do so."""
        self._body.can_focus = True
        self.set_focus(self._body)

    def on_resize(self) -> None:
        """Wrap anew."""
        width = self.size.width
        names = f"{self._comparison.second} against {self._comparison.first}"
        title = names if cell_len(names) + 3 <= width else "Two runs"
        self._title_row.show((heading(title, "", width),))
        self._body.show(comparison_rows(self._comparison, min(_WIDEST, max(20, width - 3))))
        self._keys.show((_footer(),))


def _footer() -> Row:
    return tuple(run for key, label in _KEYS for run in (Run(f" {key} ", "key"), Run(f"{label} ", "muted")))
