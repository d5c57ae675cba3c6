"""The help page as a dialog."""

from collections.abc import Collection
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_monitor.app.widgets.cells_view import CellsView
from tui_monitor.view.help import help_rows
from tui_monitor.view.key_table import OF_A_RUN, Group
from tui_monitor.view.styles import COMPONENT_CLASSES

_WIDTH = 72


class HelpScreen(ModalScreen[None]):
    """Keys and what they do; any of the usual ways out closes it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENT_CLASSES)
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,enter,f1", "dismiss", "close")]

    def __init__(self, *, ascii_only: bool = False, groups: Collection[Group] = OF_A_RUN) -> None:
        super().__init__()
        self._groups = groups
        self._ascii_only = ascii_only

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with VerticalScroll(id="help"):
            yield Static("Keys", classes="dialog-title", markup=False)
            yield CellsView(id="help-rows", ascii_only=self._ascii_only)

    def on_mount(self) -> None:
        """Fill the list."""
        self._fill()

    def on_resize(self) -> None:
        """Wrap anew."""
        self._fill()

    def _fill(self) -> None:
        rows = help_rows(min(_WIDTH, max(24, self.size.width - 10)), self._groups)
        view = self.query_one("#help-rows", CellsView)
        view.styles.height = len(rows)
        view.show(rows)
