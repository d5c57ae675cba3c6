"""Every panel and chart, laid out once: classes on the screen decide which of them show, and where."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container, Vertical

from tui_monitor.app.widgets.cells_view import CellsView
from tui_monitor.app.widgets.chart_view import ChartView
from tui_monitor.app.widgets.panel import Panel
from tui_monitor.app.widgets.scrub_bar import ScrubBar
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.view.charts.chart_metrics import shown_metrics
from tui_monitor.view.enabled_actions import footer_keys
from tui_monitor.view.footer import footer_rows
from tui_monitor.view.layout import filling_panel
from tui_monitor.view.panels.panel_table import panel_table
from tui_monitor.view.styles import COMPONENT_CLASSES
from tui_monitor.view.view_state import View, ViewState

_LEFT = ("epochs", "output")
"""Panels under the charts; the header is above, all others are beside."""
_ANCHORED = (View.EPOCHS, View.OUTPUT, View.TIMELINE)
"""Views that open at their newest row."""


class PanelLayout(Vertical):
    """Every panel there is."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENT_CLASSES)

    def __init__(self, markers: MarkerSet, *, coarse: bool = False) -> None:
        """Prepare the layout.

        Args:
            markers: characters to draw curves with.
            coarse: whether charts are drawn less often.
        """
        super().__init__(id="main")
        is_ascii = markers is MarkerSet.ASCII
        self._charts = tuple(
            ChartView(id=name, markers=markers, ascii_only=is_ascii, coarse=coarse) for name in ("loss", "second")
        )
        self._panels = {content.id: Panel(content, ascii_only=is_ascii) for content in panel_table(markers)}
        self._scrub = ScrubBar(id="scrub", ascii_only=is_ascii)
        self._footer = CellsView(id="footer", ascii_only=is_ascii)

    def compose(self) -> ComposeResult:
        """Lay out everything there is."""
        yield self._panels["header"]
        with Container(id="body"):
            with Container(id="left"):
                with Container(id="charts"):
                    yield from self._charts
                for name in _LEFT:
                    yield self._panels[name]
            for name, panel in self._panels.items():
                if name not in ("header", *_LEFT):
                    yield panel
        yield self._scrub
        yield self._footer

    @property
    def charts(self) -> int:
        """How many charts there is room for."""
        return sum(chart.display for chart in self._charts)

    @property
    def is_settled(self) -> bool:
        """Whether all charts show what they were last asked for."""
        return all(chart.is_settled for chart in self._charts if chart.display)

    def focus_view(self, view: View) -> bool:
        """Give the scroll keys to the panel that fills the screen; return whether one does."""
        filling = filling_panel(view)
        for name, panel in self._panels.items():
            panel.body.can_focus = name == filling
        if filling is None:
            return False
        body = self._panels[filling].body
        body.focus(scroll_visible=False)
        if filling == "evidence":
            self.call_after_refresh(body.scroll_home, animate=False)
        elif view in _ANCHORED:
            self.call_after_refresh(body.scroll_end, animate=False)
        return True

    def show(self, snapshot: Snapshot, view: ViewState) -> None:
        """Draw a moment of the run."""
        for panel in self._panels.values():
            panel.show(snapshot, view)
        self._footer.show(footer_rows(footer_keys(snapshot, view), self.screen.size.width))
        if snapshot.playback is not None:
            self._scrub.show_playback(snapshot.playback)
        fit = view.fit_of(snapshot)
        if fit is None:
            return
        shown = [chart for chart in self._charts if chart.display]
        for chart, metric in zip(shown, shown_metrics(fit, view, len(shown)), strict=False):
            chart.show_metric(fit, metric, view, at_once=snapshot.playback is not None)
