"""Every panel there is: what of a snapshot each redraws for, its head and its body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tui_monitor.charts.markers import MarkerSet
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.view.charts.chart_metrics import every_metric
from tui_monitor.view.explanations import newest_answer
from tui_monitor.view.panels.epochs import HEADER_ROWS, table_header, table_rows
from tui_monitor.view.panels.evidence.panel import evidence_head, evidence_inputs, evidence_rows
from tui_monitor.view.panels.gap.age import age_of, dated
from tui_monitor.view.panels.gap.empty_state import empty_state_sentences
from tui_monitor.view.panels.gap.panel import alert_rows, described_gap_rows, description_rows, gap_rows, panel_heading
from tui_monitor.view.panels.header import header_rows
from tui_monitor.view.panels.output import output_note, output_rows
from tui_monitor.view.panels.timeline import alerts_of, timeline_note, timeline_rows
from tui_monitor.view.panels.workers import workers_note, workers_rows
from tui_monitor.view.text.rows import BLANK, Row, Rows, heading, wrap
from tui_monitor.view.view_state import View, ViewState

Inputs = Callable[[Snapshot, ViewState], object]
"""What of a snapshot and a view state decides a panel's text, in a form that is cheap to compare."""
Draw = Callable[[Snapshot, ViewState, int, int], Rows]
"""(snapshot, view state, width, height) to rows. A panel that scrolls may return more rows than its height."""

_ROOM_FOR_ALERTS = 20
"""Rows of the gap panel from which it shows the newest alert; below, the header alone does."""


@dataclass(frozen=True)
class PanelContent:
    """What one panel shows."""

    id: str
    """Name in the style sheet, which decides where the panel is and in which views it shows."""
    inputs: Inputs
    body: Draw
    """The part that may scroll."""
    head: Draw | None = None
    """The part that stays, if there is one."""
    head_rows: int = 1
    stays_at_end: bool = False
    """Whether the panel follows its last row, as a terminal does."""


def panel_table(markers: MarkerSet) -> tuple[PanelContent, ...]:
    """Return every panel, in the order in which the screen composes them.

    Args:
        markers: characters to draw curves with.
    """

    def evidence(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
        return evidence_rows(snapshot, view, width, height, markers)

    return (
        PanelContent("header", inputs=_everything, body=_header),
        PanelContent(
            "epochs",
            inputs=_epochs_inputs,
            head=_epochs_head,
            head_rows=1 + HEADER_ROWS,
            body=_epochs,
            stays_at_end=True,
        ),
        PanelContent("output", inputs=_output_inputs, head=_output_head, body=_output, stays_at_end=True),
        PanelContent("timeline", inputs=_timeline_inputs, head=_timeline_head, body=_timeline, stays_at_end=True),
        PanelContent("workers", inputs=_workers_inputs, head=_workers_head, body=_workers),
        PanelContent("gap", inputs=_gap_inputs, head=_gap_head, body=_gap),
        PanelContent("evidence", inputs=evidence_inputs, head=_evidence_head, body=evidence),
    )


def _everything(snapshot: Snapshot, view: ViewState) -> object:
    return snapshot.revision, view


def _header(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
    return header_rows(snapshot, view, width)


def _epochs_inputs(snapshot: Snapshot, view: ViewState) -> object:
    fit = view.fit_of(snapshot)
    return fit and (fit.info, len(fit.epochs))


def _output_inputs(snapshot: Snapshot, view: ViewState) -> object:
    is_timed = snapshot.playback is None or snapshot.playback.output_is_timed
    return snapshot.output_lines, snapshot.output[-1:], is_timed


def _timeline_inputs(snapshot: Snapshot, view: ViewState) -> object:
    return snapshot.timeline


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
    fit = view.fit_of(snapshot)
    if fit is None or not fit.explanations:
        return empty_state_sentences(snapshot, fit), alerts_of(snapshot), fit and fit.info.index
    newest = fit.explanations[-1]
    return (
        alerts_of(snapshot),
        fit.info.index,
        len(fit.explanations),
        newest.epoch,
        newest.batch,
        newest.seconds,
        age_of(snapshot, fit),
        view.output,
    )


def _epochs_head(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
    fit = view.fit_of(snapshot)
    metrics = every_metric(fit) if fit else ("loss",)
    ended = f"{len(fit.epochs)} ended" if fit and fit.epochs else ""
    return (heading("Epochs", ended, width), *table_header(metrics, width))


def _epochs(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
    fit = view.fit_of(snapshot)
    metrics = every_metric(fit) if fit else ("loss",)
    return table_rows(fit, metrics, width, None if view.view is View.EPOCHS else height)


def _output_head(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
    return (heading("Output of the script", output_note(snapshot), width),)


def _output(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
    return output_rows(snapshot, width, None if view.view is View.OUTPUT else height)


def _gap_head(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
    explanation = newest_answer(snapshot, view.fit_of(snapshot)).explanation
    if explanation is None:
        return (heading("Why training and validation differ", "", width),)
    return (panel_heading(explanation, width, age_of(snapshot, view.fit_of(snapshot)), view.output),)


def _evidence_head(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
    return (evidence_head(snapshot, view, width),)


def _gap(snapshot: Snapshot, view: ViewState, width: int, height: int) -> Rows:
    fit = view.fit_of(snapshot)
    found = newest_answer(snapshot, fit)
    explanation = found.explanation and dated(found.explanation.of_output(view.output), fit, ended=snapshot.state.ended)
    alerts = alert_rows(snapshot, fit.info.index if fit is not None else None, width)
    if explanation is None:
        rows: list[Row] = [*alerts, BLANK] if height > 6 else []
        for sentence in (found.why_none,) if found.held else empty_state_sentences(snapshot, fit):
            rows += wrap(sentence, width)
        described = description_rows(snapshot.run.description, width)
        return (*rows, BLANK, *described) if len(rows) + 1 + len(described) <= height else tuple(rows)
    described = description_rows(snapshot.run.description, width)
    if view.view is View.GAP:
        return (*alerts, *described, *gap_rows(explanation, width, None))
    if height < _ROOM_FOR_ALERTS:
        alerts = ()
    return (*alerts, *described_gap_rows(explanation, described, width, height - len(alerts)))
