"""The one screen: a splash of what is opened, then the panels in its place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static

from tui_monitor.app.widgets.splash import Splash
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.run_log.runs.summary import RunSummary
from tui_monitor.view.layout import HEIGHT_CLASSES, SMALLEST, WIDTH_CLASSES, expected_classes, screen_classes
from tui_monitor.view.view_state import View, ViewState

if TYPE_CHECKING:
    from tui_monitor.app.screens.layout import PanelLayout
    from tui_monitor.history.snapshot import Snapshot

_STYLES = Path(__file__).with_name("monitor.tcss")


class MainScreen(Screen[None]):
    """The monitor."""

    # Textual declares these as attributes of the instance, which rules out ClassVar.
    HORIZONTAL_BREAKPOINTS = list(WIDTH_CLASSES)  # noqa: RUF012
    VERTICAL_BREAKPOINTS = list(HEIGHT_CLASSES)  # noqa: RUF012

    def __init__(self, opened: RunSummary, markers: MarkerSet, *, coarse: bool = False) -> None:
        """Prepare the first frame.

        Args:
            opened: what is known of the run before it is read.
            markers: characters to draw curves with.
            coarse: whether charts are drawn less often.
        """
        super().__init__()
        self._splash = Splash(opened, ascii_only=markers is MarkerSet.ASCII)
        self._coarse = coarse
        self._markers = markers
        self._shown: tuple[Snapshot, ViewState] | None = None
        # Panels are laid out for what is known: those that the first snapshot moves are styled and drawn twice.
        expected = expected_classes(opened, ViewState())
        self.set_classes(class_name for class_name, holds in expected.items() if holds)
        self._panels: PanelLayout | None = None

    def compose(self) -> ComposeResult:
        """Lay out the splash alone: the first frame waits for no panel."""
        yield self._splash
        yield Static(id="too-small", markup=False)

    async def fill(self) -> None:
        """Lay out the panels behind the splash, which stays until there is something to show."""
        from tui_monitor.app.screens.layout import PanelLayout  # noqa: PLC0415 - most of what there is to import

        self.app.stylesheet.read(_STYLES)
        self.app.stylesheet.parse()
        self.app.stylesheet.update(self)
        layout = PanelLayout(self._markers, coarse=self._coarse)
        await self.mount(layout, before=0)
        # Only now: a snapshot that arrives while panels are being mounted must not be drawn on half of them.
        self._panels = layout
        if self._shown is not None:
            self.show(*self._shown)

    @property
    def charts(self) -> int:
        """How many charts are laid out; 0 before the panels are."""
        return self._panels.charts if self._panels is not None else 0

    def on_resize(self) -> None:
        """Keep the sentence about the size true, and the footer full."""
        text = (
            f"The monitor needs {SMALLEST[0]}×{SMALLEST[1]} characters; "
            f"this terminal has {self.size.width}×{self.size.height}. Training is not affected."
        )
        self.query_one("#too-small", Static).update(text)
        if self._shown is not None:
            self.call_after_refresh(self._draw)

    def show(self, snapshot: Snapshot, view: ViewState) -> None:
        """Draw a moment of the run, as soon as there are panels to draw it."""
        self._shown = (snapshot, view)
        if self._panels is not None:
            self.update_classes(screen_classes(snapshot, view))
            self._draw()
            if self._splash.is_attached:
                self._splash.remove()

    @property
    def is_settled(self) -> bool:
        """Whether all charts show what they were last asked for."""
        return self._panels is not None and self._panels.is_settled

    def focus_view(self, view: View) -> None:
        """Give the scroll keys to the panel that fills the screen, or to none."""
        if self._panels is not None and not self._panels.focus_view(view):
            self.set_focus(None)

    def _draw(self) -> None:
        if self._panels is not None and self._shown is not None:
            self._panels.show(*self._shown)
