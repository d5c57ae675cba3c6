"""Charts of a run outside the screen: one as SVG or text, or all that a report shows."""

from pathlib import Path

from tui_monitor.charts.chart import draw_chart
from tui_monitor.charts.spec import ChartSpec
from tui_monitor.charts.vector import chart_svg
from tui_monitor.errors import NothingMeasured, UsageError
from tui_monitor.history.load import load
from tui_monitor.history.snapshot import FitSnapshot, Snapshot
from tui_monitor.view.charts.chart_metrics import chart_metric, every_metric
from tui_monitor.view.charts.metric_chart import chart_spec
from tui_monitor.view.view_state import ViewState

_FILE_SIZE = (96, 24)
"""Cells by which ticks of a chart in a file are chosen."""
_SLICES = 160
"""Slices of the x axis of a chart in a file."""
_TEXT_ROWS = 16
_MOST_CHARTS = 4


def chart_picture(folder: Path, form: str, metric: str, size: tuple[int, int]) -> str:
    """Return the chart of one metric of the newest call of fit.

    Args:
        folder: of the run.
        form: `svg` or `text`.
        metric: canonical name.
        size: columns and rows of the text; SVG scales by itself.

    Raises:
        UsageError: the run has no such metric.
        NothingMeasured: the run has nothing to draw a chart of.
        MonitorError: the run can't be read.
    """
    fit = _fit(load(folder))
    names = _metrics(fit)
    if metric not in names:
        raise UsageError(f"{folder.name} has no metric {metric!r}. It has: {', '.join(names)}.")
    if form == "svg":
        return chart_svg(_spec(fit, metric, _FILE_SIZE, _SLICES)) + "\n"
    return draw_chart(_spec(fit, metric, size), *size).text + "\n"


def report_charts(fit: FitSnapshot | None, columns: int | None) -> tuple[ChartSpec, ...]:
    """Return the charts of a report: the loss first, then further metrics, a few at most.

    Args:
        fit: the call of fit to draw; None gives no chart.
        columns: cells a row of charts in characters; None for charts as shapes.
    """
    if fit is None:
        return ()
    size, slices = (_FILE_SIZE, _SLICES) if columns is None else ((columns, _TEXT_ROWS), None)
    return tuple(_spec(fit, name, size, slices) for name in _metrics(fit)[:_MOST_CHARTS])


def _metrics(fit: FitSnapshot) -> tuple[str, ...]:
    return every_metric(fit)


def _spec(fit: FitSnapshot, name: str, size: tuple[int, int], slices: int | None = None) -> ChartSpec:
    return chart_spec(fit, chart_metric(name), ViewState(), size, columns=slices)


def _fit(snapshot: Snapshot) -> FitSnapshot:
    if snapshot.fit is None or not (snapshot.fit.batches or snapshot.fit.epochs):
        raise NothingMeasured(f"{snapshot.run.name} holds no values to draw (yet).")
    return snapshot.fit
