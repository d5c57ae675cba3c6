"""A panel draws itself anew from the newest snapshot, the view and its own size, and from nothing else."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Resize

from tui_monitor.app.widgets.cells_view import CellsView
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.view.text.rows import Rows
from tui_monitor.view.view_state import ViewState

Inputs = Callable[[Snapshot, ViewState], object]
"""What of a snapshot and a view decides a panel's text, in a form that is cheap to compare."""
Draw = Callable[[Snapshot, ViewState, int, int], Rows]
"""(snapshot, view, width, height) to rows. A panel that scrolls may return more rows than its height."""


class Panel(Vertical):
    """A head that stays, and a body that may scroll."""

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - Textual's name
        body: Draw,
        inputs: Inputs,
        head: Draw | None = None,
        head_rows: int = 1,
        to_end: bool = False,
        ascii_only: bool = False,
    ) -> None:
        super().__init__(id=id)
        self._body, self._head, self._head_rows, self._to_end = body, head, head_rows, to_end
        self._inputs = inputs
        self._shown: tuple[Snapshot, ViewState] | None = None
        self._drawn: tuple[object, ...] | None = None
        self._head_view = CellsView(ascii_only=ascii_only)
        self._head_view.add_class("panel-head", f"rows-{head_rows}")
        self.body = CellsView(ascii_only=ascii_only)
        """The part that scrolls."""
        self.body.add_class("panel-body")

    def compose(self) -> ComposeResult:
        """Lay out head and body."""
        if self._head is not None:
            yield self._head_view
        yield self.body

    @property
    def text(self) -> str:
        """The characters shown."""
        return "\n".join(view.text for view in self.query(CellsView))

    def show(self, snapshot: Snapshot, view: ViewState) -> None:
        """Draw a moment of the run."""
        self._shown = (snapshot, view)
        self._redraw()

    def on_resize(self, event: Resize) -> None:
        """Draw again: what fits has changed."""
        self._redraw()

    def _redraw(self) -> None:
        if self._shown is None or not self.display or not self.is_mounted:
            return
        snapshot, view = self._shown
        body = self.body
        region = body.scrollable_content_region
        width, height = region.width, region.height
        drawn = (self._inputs(snapshot, view), view.view, self.size, width, height)
        if width < 1 or height < 1 or drawn == self._drawn:
            return
        self._drawn = drawn
        if self._head is not None:
            head_width = self._head_view.size.width
            self._head_view.show(self._head(snapshot, view, head_width, self._head_rows))
        body.show(self._body(snapshot, view, width, height), to_end=self._to_end)
