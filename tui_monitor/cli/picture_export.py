"""`export` as pictures and reports: the dashboard or one chart as SVG or text, or the whole run in one file."""

import asyncio
import re
from pathlib import Path

from tui_monitor.charts.chart import GUTTER, dot_columns, draw_chart
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.charts.spec import ChartSpec
from tui_monitor.charts.vector import chart_svg
from tui_monitor.errors import NothingMeasured, UsageError
from tui_monitor.history.load import load
from tui_monitor.history.snapshot import PhaseSnapshot, Snapshot
from tui_monitor.view.charts.chart_metrics import further_metrics, quantity
from tui_monitor.view.charts.metric_chart import chart_spec
from tui_monitor.view.explanations import newest_explanation
from tui_monitor.view.view_state import ViewState

_SIZE = re.compile(r"(\d{2,3})[x×](\d{2,3})")
_SMALLEST, _LARGEST = (60, 20), (400, 200)
_FILE_SIZE = (96, 24)
"""Cells by which ticks of a chart in a file are chosen."""
_SLICES = 160
_MOST_CHARTS = 4


def picture(folder: Path, form: str, *, chart: str | None, size: str) -> str:
    """Return the dashboard, or one chart, as SVG or as text.

    Args:
        folder: of the run.
        form: `svg` or `text`.
        chart: metric to draw alone, or None for the dashboard.
        size: columns and rows of the dashboard or of a chart as text, such as `120x40`.

    Raises:
        UsageError: the size is none, or the run has no such metric.
        NothingMeasured: the run has nothing to draw a chart of.
        MonitorError: the run can't be read.
    """
    columns, rows = _cells(size)
    if chart is None:
        from tui_monitor.app.pictures.screenshot import screen_text, screenshot

        draw = screenshot if form == "svg" else screen_text
        return asyncio.run(draw(folder, (columns, rows)))
    phase = _phase(load(folder))
    if chart not in ("loss", *further_metrics(phase)):
        known = ", ".join(("loss", *further_metrics(phase)))
        raise UsageError(f"{folder.name} has no metric {chart!r}. It has: {known}.")
    if form == "svg":
        return chart_svg(_spec(phase, chart, _FILE_SIZE, _SLICES)) + "\n"
    area = (columns - GUTTER, rows - 3)
    spec = _spec(phase, chart, area, dot_columns(columns, MarkerSet.BRAILLE))
    return draw_chart(spec, columns, rows).text + "\n"


def report(folder: Path, *, as_markdown: bool) -> str:
    """Return a run as one self-contained Markdown or HTML file.

    Raises:
        MonitorError: the run can't be read.
    """
    from tui_monitor.export.report import Report, report_html, report_markdown

    snapshot = load(folder)
    phase = snapshot.phase
    metrics = ("loss", *further_metrics(phase))[:_MOST_CHARTS] if phase is not None else ()
    slices = dot_columns(88, MarkerSet.BRAILLE) if as_markdown else _SLICES
    charts = tuple(_spec(phase, name, _FILE_SIZE, slices) for name in metrics) if phase is not None else ()
    content = Report(snapshot, newest_explanation(snapshot, phase), charts)
    return report_markdown(content) if as_markdown else report_html(content)


def _spec(phase: PhaseSnapshot, name: str, area: tuple[int, int], slices: int) -> ChartSpec:
    return chart_spec(phase, quantity(name), ViewState(), area, slices)


def _phase(snapshot: Snapshot) -> PhaseSnapshot:
    if snapshot.phase is None or not (snapshot.phase.batches or snapshot.phase.epochs):
        raise NothingMeasured(f"{snapshot.run.name} holds no figures to draw (yet).")
    return snapshot.phase


def _cells(size: str) -> tuple[int, int]:
    match = _SIZE.fullmatch(size.strip())
    cells = (int(match[1]), int(match[2])) if match else (0, 0)
    if not all(low <= value <= high for low, value, high in zip(_SMALLEST, cells, _LARGEST, strict=True)):
        raise UsageError(f"No such size: {size!r}. Name columns and rows from 60x20 to 400x200, such as 120x40.")
    return cells
