"""All panels, laid out once: classes on the screen decide which of them show, and where."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container, Vertical

from tui_monitor.app.widgets.cells_view import CellsView
from tui_monitor.app.widgets.chart_view import ChartView
from tui_monitor.app.widgets.panel import Panel
from tui_monitor.app.widgets.scrub_bar import ScrubBar
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.view.charts.chart_metrics import further_metrics, quantity
from tui_monitor.view.enabled_actions import footer_keys
from tui_monitor.view.explanations import newest_explanation
from tui_monitor.view.footer import footer_rows
from tui_monitor.view.panels.epochs import HEADER_ROWS, table_header, table_rows
from tui_monitor.view.panels.evidence.panel import evidence_head, evidence_inputs, evidence_rows
from tui_monitor.view.panels.gap.age import age_of
from tui_monitor.view.panels.gap.empty_state import waiting_sentences
from tui_monitor.view.panels.gap.panel import alert_rows, described_gap_rows, description_rows, gap_rows, panel_heading
from tui_monitor.view.panels.header import header_rows
from tui_monitor.view.panels.output import output_note, output_rows
from tui_monitor.view.panels.timeline import alerts_of, timeline_note, timeline_rows
from tui_monitor.view.panels.workers import workers_note, workers_rows
from tui_monitor.view.styles import COMPONENT_CLASSES
from tui_monitor.view.text.rows import BLANK, Row, Rows, heading, wrap
from tui_monitor.view.view_state import EVIDENCE, View, ViewState

_ROOM_FOR_ALERTS = 20
"""Rows of the gap panel from which the newest alert is told in it; below, the header alone tells it."""


class Arrangement(Vertical):
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
        self._markers = markers
        self._header = Panel(id="header", inputs=_everything, body=_header, ascii_only=is_ascii)
        self._charts = tuple(
            ChartView(id=name, markers=markers, ascii_only=is_ascii, coarse=coarse) for name in ("loss", "second")
        )
        self._epochs = Panel(
            id="epochs",
            inputs=_epochs_inputs,
            head=_epochs_head,
            head_rows=1 + HEADER_ROWS,
            body=_epochs,
            to_end=True,
            ascii_only=is_ascii,
        )
        self._output = Panel(
            id="output", inputs=_output_inputs, head=_output_head, body=_output, to_end=True, ascii_only=is_ascii
        )
        self._right = (
            Panel(
                id="timeline",
                inputs=_timeline_inputs,
                head=_timeline_head,
                body=_timeline,
                to_end=True,
                ascii_only=is_ascii,
            ),
            Panel(id="workers", inputs=_workers_inputs, head=_workers_head, body=_workers, ascii_only=is_ascii),
            Panel(id="gap", inputs=_gap_inputs, head=_gap_head, body=_gap, ascii_only=is_ascii),
            Panel(id="evidence", inputs=evidence_inputs, head=_evidence_head, body=self._evidence, ascii_only=is_ascii),
        )
        self._panels = (self._header, self._epochs, self._output, *self._right)
        self._scrub = ScrubBar(id="scrub", ascii_only=is_ascii)
        self._footer = CellsView(id="footer", ascii_only=is_ascii)

    def compose(self) -> ComposeResult:
        """Lay out everything there is."""
        yield self._header
        with Container(id="body"):
            with Container(id="left"):
                with Container(id="charts"):
                    yield from self._charts
                yield self._epochs
                yield self._output
            yield from self._right
        yield self._scrub
        yield self._footer

    def _evidence(self, snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
        return evidence_rows(snapshot, view, width, height, self._markers)

    @property
    def is_settled(self) -> bool:
        """Whether all charts show what they were last asked for."""
        return all(chart.is_settled for chart in self._charts if chart.display)

    def focus_view(self, view: View) -> bool:
        """Give the scroll keys to the panel that fills the screen; return whether one does."""
        filling = "evidence" if view in EVIDENCE else view.value
        for panel in self._panels:
            panel.body.can_focus = panel.id == filling
        if view not in (View.GAP, View.EPOCHS, View.OUTPUT, View.TIMELINE, View.WORKERS, *EVIDENCE):
            return False
        body = self.query_one(f"#{filling}", Panel).body
        body.focus(scroll_visible=False)
        if view in EVIDENCE:
            self.call_after_refresh(body.scroll_home, animate=False)
        elif view not in (View.GAP, View.WORKERS):
            self.call_after_refresh(body.scroll_end, animate=False)
        return True

    def show(self, snapshot: Snapshot, view: ViewState) -> None:
        """Draw a moment of the run."""
        for panel in self._panels:
            panel.show(snapshot, view)
        self._footer.show(footer_rows(footer_keys(snapshot, view), self.screen.size.width))
        if snapshot.playback is not None:
            self._scrub.show_playback(snapshot.playback)
        phase = view.phase_of(snapshot)
        if phase is None:
            return
        further = further_metrics(phase)
        names = ["loss"] + ([further[view.metric % len(further)]] if further else [])
        for chart, name in zip(self._charts, names, strict=False):
            if chart.display:
                chart.show_quantity(phase, quantity(name), view, at_once=snapshot.playback is not None)


def _everything(snapshot: Snapshot, view: ViewState) -> object:
    return snapshot.revision, view


def _epochs_inputs(snapshot: Snapshot, view: ViewState) -> object:
    phase = view.phase_of(snapshot)
    return phase and (phase.info, len(phase.epochs))


def _output_inputs(snapshot: Snapshot, view: ViewState) -> object:
    is_timed = snapshot.playback is None or snapshot.playback.output_is_timed
    return snapshot.output_lines, snapshot.output[-1:], is_timed


def _timeline_inputs(snapshot: Snapshot, view: ViewState) -> object:
    return len(snapshot.timeline), snapshot.timeline[-1:]


def _timeline_head(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
    return (heading("Timeline", timeline_note(snapshot), width),)


def _timeline(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
    return timeline_rows(snapshot, width)


def _workers_inputs(snapshot: Snapshot, view: ViewState) -> object:
    return snapshot.workers, snapshot.covered


def _workers_head(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
    return (heading("Workers", workers_note(snapshot), width),)


def _workers(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
    return workers_rows(snapshot, width)


def _gap_inputs(snapshot: Snapshot, view: ViewState) -> object:
    phase = view.phase_of(snapshot)
    if phase is None or not phase.explanations:
        return waiting_sentences(snapshot, phase), len(alerts_of(snapshot))
    newest = phase.explanations[-1]
    return (
        len(alerts_of(snapshot)),
        phase.info.index,
        len(phase.explanations),
        newest.epoch,
        newest.batch,
        newest.seconds,
        age_of(snapshot, phase),
    )


def _header(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
    return header_rows(snapshot, view, width)


def _epochs_head(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
    phase = view.phase_of(snapshot)
    metrics = further_metrics(phase) if phase else ()
    ended = f"{len(phase.epochs)} ended" if phase and phase.epochs else ""
    return (heading("Epochs", ended, width), *table_header(metrics, width))


def _epochs(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
    phase = view.phase_of(snapshot)
    metrics = further_metrics(phase) if phase else ()
    return table_rows(phase, metrics, width, None if view.view is View.EPOCHS else height)


def _output_head(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
    return (heading("Output of the script", output_note(snapshot), width),)


def _output(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
    return output_rows(snapshot, width, None if view.view is View.OUTPUT else height)


def _gap_head(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
    explanation = newest_explanation(snapshot, view.phase_of(snapshot))
    if explanation is None:
        return (heading("Why training and validation differ", "", width),)
    return (panel_heading(explanation, width, age_of(snapshot, view.phase_of(snapshot))),)


def _evidence_head(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
    return (evidence_head(snapshot, view, width),)


def _gap(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
    phase = view.phase_of(snapshot)
    explanation = newest_explanation(snapshot, phase)
    alerts = alert_rows(snapshot, width)
    if explanation is None:
        rows: list[Row] = [*alerts, BLANK] if height > 6 else []
        for sentence in waiting_sentences(snapshot, phase):
            rows += wrap(sentence, width)
        described = description_rows(snapshot.run.description, width)
        return (*rows, BLANK, *described) if len(rows) + 1 + len(described) <= height else tuple(rows)
    described = description_rows(snapshot.run.description, width)
    if view.view is View.GAP:
        return (*alerts, *described, *gap_rows(explanation, width, None))
    if height < _ROOM_FOR_ALERTS:
        alerts = ()
    return (*alerts, *described_gap_rows(explanation, described, width, height - len(alerts)))
