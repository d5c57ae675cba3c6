"""The screen with the table of runs: draws a state of it, and has the line in which a filter is typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Input, Static

from tui_monitor.app.widgets.cells_view import CellsView
from tui_monitor.app.widgets.runs_table import RunsTable
from tui_monitor.run_log.runs.entry import RunEntry
from tui_monitor.view.footer import footer_rows, typing_rows
from tui_monitor.view.keys.table import KEYS, OF_THE_TABLE
from tui_monitor.view.layout import HEIGHT_CLASSES, SMALLEST, WIDTH_CLASSES
from tui_monitor.view.runs.columns import Column
from tui_monitor.view.runs.prepared import PreparedRuns
from tui_monitor.view.runs.table import detail_rows, empty_rows, head_rows, layout_of, table_rows
from tui_monitor.view.runs.table_state import TableState
from tui_monitor.view.styles import COMPONENT_CLASSES


class RunsLayout(Vertical):
    """Everything on the screen: one set of component classes for all."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENT_CLASSES)


class RunsScreen(Screen[None]):
    """The table, a row about the run under the cursor, and the keys."""

    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = list(WIDTH_CLASSES)  # noqa: RUF012 - Textual declares it for the instance
    VERTICAL_BREAKPOINTS = list(HEIGHT_CLASSES)  # noqa: RUF012

    def __init__(self, where: str, *, ascii_only: bool = False) -> None:
        """Prepare the screen.

        Args:
            where: the runs folder as it is shown.
            ascii_only: whether the terminal lacks UTF-8.
        """
        super().__init__()
        self._where = where
        self._head = CellsView(id="table-head", ascii_only=ascii_only)
        self._table = RunsTable(id="table-rows", ascii_only=ascii_only)
        self._detail = CellsView(id="table-detail", ascii_only=ascii_only)
        self._footer = CellsView(id="footer", ascii_only=ascii_only)
        self._filter = Input(id="filter", placeholder="text, state:live, val_loss<0.4, lr=0.1", select_on_focus=False)
        self._laid_out: tuple[PreparedRuns, frozenset[str], int] | None = None
        self._columns: tuple[tuple[Column, int], ...] = ()

    def compose(self) -> ComposeResult:
        """Lay out the table and what is around it."""
        with RunsLayout(id="main"):
            yield self._head
            yield self._table
            yield self._detail
            yield self._filter
            yield self._footer
        yield Static(id="too-small", markup=False)

    def on_mount(self) -> None:
        """Leave the keys to the table until a filter is typed."""
        self._filter.display = False
        self.set_focus(None)

    def on_resize(self) -> None:
        """Keep the sentence about the size true, and the footer full."""
        text = (
            f"The table needs {SMALLEST[0]}×{SMALLEST[1]} characters; this terminal has "
            f"{self.size.width}×{self.size.height}. No training is affected."
        )
        self.query_one("#too-small", Static).update(text)
        self._show_keys()

    def _show_keys(self) -> None:
        if self.is_typing:
            self._footer.show(typing_rows(("Enter", "back to the table"), ("Escape", "clear the filter")))
        else:
            keys = [key for key in KEYS if key.group in OF_THE_TABLE]
            self._footer.show(footer_rows(keys, self.size.width))

    @property
    def height(self) -> int:
        """Runs that the window holds."""
        return max(1, self._table.size.height)

    @property
    def is_typing(self) -> bool:
        """Whether keys go into the filter."""
        return bool(self._filter.display)

    def type_filter(self, text: str) -> None:
        """Open the line in which the filter is typed."""
        self._filter.display = True
        self._filter.value = text
        self._filter.cursor_position = len(text)
        self.set_focus(self._filter)
        self._show_keys()

    def end_typing(self) -> None:
        """Close that line; the filter stays."""
        self._filter.display = False
        self.set_focus(None)
        self._show_keys()

    def show(self, prepared: PreparedRuns, shown: Sequence[RunEntry], names: Sequence[str], state: TableState) -> None:
        """Draw the table.

        Args:
            prepared: all runs.
            shown: those that fit the filter.
            names: of these.
            state: what the user chose.
        """
        width = self.size.width
        laid_out = (prepared, state.hidden, width)
        if self._laid_out is None or self._laid_out[0] is not prepared or self._laid_out[1:] != laid_out[1:]:
            self._laid_out = laid_out
            self._columns = layout_of(prepared, state, width)
        self._head.show(head_rows(prepared, shown, state, self._columns, self._where, width))
        if shown:
            cursor = state.index_in(names)
            self._table.show(table_rows(prepared, shown, state, self._columns, self.height, cursor))
        else:
            self._table.show(empty_rows(prepared, state, self._where, width))
        under = shown[state.index_in(names)] if shown else None
        self._detail.show(detail_rows(under, prepared, state, width))
