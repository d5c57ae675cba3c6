"""One chart: drawn in a thread, one drawing at a time, from the newest state; the event loop shows finished grids."""

import time
from dataclasses import dataclass

from rich.style import Style
from textual.events import Resize
from textual.message import Message

from tui_monitor.app.terminal.screen_options import COARSE_CHART_SECONDS
from tui_monitor.app.widgets.cells_view import CellsView
from tui_monitor.charts.cells import CellGrid
from tui_monitor.charts.chart import draw_chart
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.charts.raster import LastDrawing
from tui_monitor.charts.scale import Limits
from tui_monitor.history.snapshot import FitSnapshot
from tui_monitor.view.charts.chart_metrics import ChartMetric
from tui_monitor.view.charts.metric_chart import chart_spec
from tui_monitor.view.view_state import ViewState

_LEAST_SECONDS = 0.5
"""Between two drawings that differ in the data alone: a chart costs the cores that train 10 to 80 ms."""
_LEAST_SECONDS_AT_ONCE = 0.1
"""The same where somebody waits for it, as for the next frame of a replay."""


@dataclass(frozen=True)
class _Wanted:
    """All that decides what a chart looks like."""

    fit: FitSnapshot
    metric: ChartMetric
    view: ViewState
    size: tuple[int, int]
    at_once: bool = False

    @property
    def range_key(self) -> tuple[object, ...]:
        """Equal where two differ in the data alone."""
        view = self.view
        shown = (self.fit.info.index, view.joins, self.metric, view.window)
        return (*shown, view.smoothing, view.log_y, view.extremes, view.baseline, view.hides_baseline, self.size)

    @property
    def key(self) -> tuple[object, ...]:
        """Equal where two look the same; cheap to compare."""
        fit, view = self.fit, self.view
        return (
            fit.info,
            fit.batches,
            len(fit.epochs),
            self.metric,
            (view.window, view.smoothing, view.log_y, view.extremes, view.baseline, view.hides_baseline),
            self.size,
        )


class ChartView(CellsView):
    """The chart of one metric."""

    @dataclass
    class Drawn(Message):
        """A chart was drawn in a thread."""

        chart: "ChartView"
        grid: CellGrid
        limits: Limits

        @property
        def control(self) -> "ChartView":
            """The chart drawn."""
            return self.chart

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - Textual's name
        markers: MarkerSet,
        ascii_only: bool = False,
        coarse: bool = False,
    ) -> None:
        super().__init__(id=id, ascii_only=ascii_only)
        self._markers = markers
        self._least_seconds = COARSE_CHART_SECONDS if coarse else _LEAST_SECONDS
        self._wanted: _Wanted | None = None
        self._drawn_key: tuple[object, ...] | None = None
        self._under_way = False
        self._limits: Limits | None = None
        self._drawn_range: tuple[object, ...] | None = None
        self._drawn_at = 0.0
        self._waits = False
        self._last_drawing = LastDrawing()

    @property
    def is_settled(self) -> bool:
        """Whether the newest state is drawn."""
        return not self._under_way and (self._wanted is None or self._wanted.key == self._drawn_key)

    def show_metric(self, fit: FitSnapshot, metric: ChartMetric, view: ViewState, *, at_once: bool = False) -> None:
        """Draw a metric as soon as the drawing under way is done.

        Args:
            fit: what ran so far.
            metric: the metric.
            view: what the user chose.
            at_once: whether the user waits for it, as when a replay is moved.
        """
        self._wanted = _Wanted(fit, metric, view, (self.size.width, self.size.height), at_once)
        # Panels first, they are cheap: the chart's thread and the event loop take turns in one interpreter.
        self.call_after_refresh(self._start)

    def base_style(self, index: int) -> Style:
        """Return the look of a heading for the title row."""
        return self.rich_style + self.style_of("heading-row") if index == 0 else self.rich_style

    def on_resize(self, event: Resize) -> None:
        """Draw for the new size."""
        if self._wanted is not None:
            wanted = self._wanted
            self.show_metric(wanted.fit, wanted.metric, wanted.view, at_once=wanted.at_once)

    def _start(self) -> None:
        wanted = self._wanted
        if wanted is None or self._under_way or wanted.key == self._drawn_key:
            return
        if min(wanted.size) < 1:
            self._drawn_key = wanted.key
            return
        is_data_alone = wanted.range_key == self._drawn_range
        least = _LEAST_SECONDS_AT_ONCE if wanted.at_once else self._least_seconds
        wait = least - (time.monotonic() - self._drawn_at)
        if is_data_alone and wait > 0:
            if not self._waits:
                self._waits = True
                self.set_timer(wait, self._start_again)
            return
        # Limits are kept from frame to frame only while the same range of the same metric is shown.
        previous = self._limits if is_data_alone else None
        self._under_way = True
        self._drawn_key, self._drawn_range, self._drawn_at = wanted.key, wanted.range_key, time.monotonic()
        self.run_worker(lambda: self._draw(wanted, previous), thread=True, group="chart", exit_on_error=True)

    def _start_again(self) -> None:
        self._waits = False
        self._start()

    def _draw(self, wanted: _Wanted, previous: Limits | None) -> None:
        width, height = wanted.size
        spec = chart_spec(wanted.fit, wanted.metric, wanted.view, wanted.size, previous=previous, markers=self._markers)
        grid = draw_chart(spec, width, height, self._last_drawing)
        self.post_message(self.Drawn(self, grid, spec.y_range))

    def on_chart_view_drawn(self, event: Drawn) -> None:
        """Show the grid, and draw again if something newer is wanted."""
        event.stop()
        self._under_way = False
        self._limits = event.limits
        self.show(event.grid.rows)
        self._start()
