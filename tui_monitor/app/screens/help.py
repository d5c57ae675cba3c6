"""The list of keys, made from the table and from nothing else."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_monitor.app.keys import KEYS, Group
from tui_monitor.app.panels.text import Row, Rows, Run, left, wrap
from tui_monitor.app.styles import COMPONENT_CLASSES
from tui_monitor.app.widgets.cells_view import CellsView

_WIDTH = 72
_KEY = 10


def help_rows(width: int) -> Rows:
    """Return the keys under their headings."""
    rows: list[Row] = []
    for group in Group:
        rows += [(), (Run(group.value, "headline"),)] if rows else [(Run(group.value, "headline"),)]
        for key in (k for k in KEYS if k.group is group):
            lines = wrap(key.help, width - _KEY)
            rows.append((left(key.shown, _KEY, "key-name"), *lines[0]))
            rows += [(left("", _KEY), *line) for line in lines[1:]]
    return tuple(rows)


class HelpScreen(ModalScreen[None]):
    """Keys and what they do; any of the usual ways out closes it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENT_CLASSES)
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,enter,f1", "dismiss", "close")]

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__()
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
        rows = help_rows(min(_WIDTH, max(24, self.size.width - 10)))
        view = self.query_one("#help-rows", CellsView)
        view.styles.height = len(rows)
        view.show(rows)
