"""A panel draws itself anew from the newest snapshot, the view and its own size, and from nothing else."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Resize

from tui_monitor.app.widgets.cells_view import CellsView
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.view.panels.panel_table import PanelContent
from tui_monitor.view.view_state import ViewState


class Panel(Vertical):
    """A head that stays, and a body that may scroll."""

    def __init__(self, content: PanelContent, *, ascii_only: bool = False) -> None:
        super().__init__(id=content.id)
        self._content = content
        self._shown: tuple[Snapshot, ViewState] | None = None
        self._drawn: tuple[object, ...] | None = None
        self._head_view = CellsView(ascii_only=ascii_only)
        self._head_view.add_class("panel-head", f"rows-{content.head_rows}")
        self.body = CellsView(ascii_only=ascii_only)
        """The part that scrolls."""
        self.body.add_class("panel-body")

    def compose(self) -> ComposeResult:
        """Lay out head and body."""
        if self._content.head is not None:
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
        content, body = self._content, self.body
        region = body.scrollable_content_region
        width, height = region.width, region.height
        drawn = (content.inputs(snapshot, view), view.view, self.size, width, height)
        if width < 1 or height < 1 or drawn == self._drawn:
            return
        self._drawn = drawn
        if content.head is not None:
            head_width = self._head_view.size.width
            self._head_view.show(content.head(snapshot, view, head_width, content.head_rows))
        body.show(content.body(snapshot, view, width, height), to_end=content.stays_at_end)
