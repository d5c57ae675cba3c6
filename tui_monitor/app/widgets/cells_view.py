"""Shows rows of styled text: redraws only rows that changed, and scrolls when there are more than fit."""

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from tui_monitor.charts.cells import Row, Run
from tui_monitor.view import styles


class CellsView(ScrollView):
    """A window onto rows. Wheel and scroll keys move it once it has the focus.

    Something around it declares the component classes of `styles`: one set for many views, since each costs time.
    """

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, ascii_only: bool = False) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.can_focus = False
        self._rows: tuple[Row, ...] = ()
        self._ascii_only = ascii_only
        self._styles: dict[str, Style] = {}

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows shown, top first."""
        return self._rows

    @property
    def text(self) -> str:
        """The characters shown, one line a row."""
        return "\n".join("".join(run.text for run in row) for row in self._rows)

    def show(self, rows: tuple[Row, ...], *, to_end: bool = False) -> None:
        """Show rows in place of those shown before.

        Args:
            rows: top first.
            to_end: whether to stay at the end if the view is there now.
        """
        was_at_end = self.scroll_offset.y >= self.max_scroll_y
        before, self._rows = self._rows, rows
        if len(rows) != len(before):
            self.virtual_size = Size(self.size.width, len(rows))
            self.refresh()
        else:
            self._refresh_changed(before)
        if to_end and was_at_end:
            self.call_after_refresh(self.scroll_end, animate=False)

    def _refresh_changed(self, before: tuple[Row, ...]) -> None:
        top, height = self.scroll_offset.y, self.size.height
        changed = [
            Region(0, index - top, self.size.width, 1)
            for index in range(top, min(top + height, len(before)))
            if before[index] != self._rows[index]
        ]
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        """Return one line of the window."""
        index = y + self.scroll_offset.y
        width = self.size.width
        base = self.base_style(index)
        if index >= len(self._rows):
            return Strip.blank(width, base)
        segments = [Segment(self._characters(run), base + self.style_of(run.style)) for run in self._rows[index]]
        return Strip(segments).crop(self.scroll_offset.x, self.scroll_offset.x + width).extend_cell_length(width, base)

    def base_style(self, index: int) -> Style:
        """Return the style under a row's own ones."""
        return self.rich_style

    def notify_style_update(self) -> None:
        """Forget styles when the theme or a class changes."""
        self._styles.clear()
        super().notify_style_update()

    def _characters(self, run: Run) -> str:
        return styles.to_ascii(run.text) if self._ascii_only else run.text

    def style_of(self, name: str) -> Style:
        """Return how a symbolic style looks in the theme of the moment."""
        if not name:
            return Style.null()
        style = self._styles.get(name)
        if style is None:
            style = self._declaring(f"cells--{name}").get_component_rich_style(f"cells--{name}", partial=True)
            self._styles[name] = style
        return style

    def _declaring(self, component: str) -> Widget:
        """Return the nearest widget around this one that declares a component class."""
        around = (node for node in self.ancestors_with_self if isinstance(node, Widget))
        return next((widget for widget in around if component in widget.COMPONENT_CLASSES), self.screen)
