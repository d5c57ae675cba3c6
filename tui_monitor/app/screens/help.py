"""The help page as a dialog."""

from collections.abc import Collection
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui_monitor.app.widgets.cells_view import CellsView
from tui_monitor.view.help import help_rows
from tui_monitor.view.keys.key import Group
from tui_monitor.view.keys.table import OF_A_RUN
from tui_monitor.view.styles import COMPONENT_CLASSES

_WIDTH = 72


class _Search(Input):
    """The search line; while it is empty, the keys that close other pages close this one."""

    def on_key(self, event: Key) -> None:
        """Close instead of typing what closes."""
        if not self.value and event.key in ("q", "question_mark"):
            event.prevent_default()
            event.stop()
            self.screen.dismiss()


class HelpScreen(ModalScreen[None]):
    """Keys and what they do; any of the usual ways out closes it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENT_CLASSES)
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1", "dismiss", "close")]

    def __init__(self, *, ascii_only: bool = False, groups: Collection[Group] = OF_A_RUN) -> None:
        super().__init__()
        self._groups = groups
        self._ascii_only = ascii_only

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with VerticalScroll(id="help"):
            yield Static("Keys   (type to search; arrows scroll; Escape closes)", classes="dialog-title", markup=False)
            yield _Search(id="help-search", placeholder="search", select_on_focus=False)
            yield CellsView(id="help-rows", ascii_only=self._ascii_only)

    def on_mount(self) -> None:
        """Fill the list, and let letters search it."""
        self._fill()
        self.query_one(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the keys that the search finds."""
        self._fill()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close."""
        self.dismiss()

    def on_resize(self) -> None:
        """Wrap anew."""
        self._fill()

    def _fill(self) -> None:
        rows = help_rows(min(_WIDTH, max(24, self.size.width - 10)), self._groups, self.query_one(Input).value)
        view = self.query_one("#help-rows", CellsView)
        view.styles.height = len(rows)
        view.show(rows)
