"""The one screen: a first picture of what is opened, then the panels in its place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static

from tui_monitor.app.widgets.splash import Opening
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.run_log.runs.summary import RunSummary
from tui_monitor.view.charts.chart_metrics import further_metrics
from tui_monitor.view.view_state import EVIDENCE, View, ViewState

if TYPE_CHECKING:
    from tui_monitor.app.screens.layout import Arrangement
    from tui_monitor.history.snapshot import Snapshot

SMALLEST = (60, 20)
"""Columns and rows below which the screen says so instead of drawing."""
_STYLES = Path(__file__).with_name("monitor.tcss")


class MainScreen(Screen[None]):
    """The monitor."""

    # Textual declares these as attributes of the instance, which rules out ClassVar.
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-cut"),
        (SMALLEST[0], "-narrow"),
        (112, "-wide"),
        (170, "-vast"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-flat"),
        (SMALLEST[1], "-low"),
        (36, "-tall"),
        (52, "-lofty"),
    ]

    def __init__(self, opened: RunSummary, markers: MarkerSet, *, coarse: bool = False) -> None:
        """Prepare the first picture.

        Args:
            opened: what is known of the run before it is read.
            markers: characters to draw curves with.
            coarse: whether charts are drawn less often.
        """
        super().__init__()
        self._opening = Opening(opened, ascii_only=markers is MarkerSet.ASCII)
        self._coarse = coarse
        self._markers = markers
        self._shown: tuple[Snapshot, ViewState] | None = None
        self.set_classes(class_name for class_name, holds in _classes(None, ViewState()).items() if holds)
        self._arrangement: Arrangement | None = None

    def compose(self) -> ComposeResult:
        """Lay out the first picture alone: it waits for no panel."""
        yield self._opening
        yield Static(id="too-small", markup=False)

    async def fill(self) -> None:
        """Lay out the panels behind the first picture, which stays until there is something to show."""
        from tui_monitor.app.screens.layout import Arrangement  # noqa: PLC0415 - most of what there is to import

        self.app.stylesheet.read(_STYLES)
        self.app.stylesheet.parse()
        self.app.stylesheet.update(self)
        arrangement = Arrangement(self._markers, coarse=self._coarse)
        await self.mount(arrangement, before=0)
        self._arrangement = arrangement
        if self._shown is not None:
            self.show(*self._shown)

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
        if self._arrangement is not None:
            self.update_classes(_classes(snapshot, view))
            self._draw()
            if self._opening.is_attached:
                self._opening.remove()

    @property
    def is_settled(self) -> bool:
        """Whether all charts show what they were last asked for."""
        return self._arrangement is not None and self._arrangement.is_settled

    def focus_view(self, view: View) -> None:
        """Give the scroll keys to the panel that fills the screen, or to none."""
        if self._arrangement is not None and not self._arrangement.focus_view(view):
            self.set_focus(None)

    def _draw(self) -> None:
        if self._arrangement is not None and self._shown is not None:
            self._arrangement.show(*self._shown)


def _classes(snapshot: Snapshot | None, view: ViewState) -> dict[str, bool]:
    """Return which classes of the style sheet hold for a moment of the run; None before the first."""
    phase = view.phase_of(snapshot) if snapshot is not None else None
    return {
        **{f"view-{name.value}": view.view is name for name in View},
        "evidence": view.view in EVIDENCE,
        "no-phase": phase is None,
        "one-metric": phase is None or not further_metrics(phase),
        "replaying": snapshot is not None and snapshot.playback is not None,
    }
