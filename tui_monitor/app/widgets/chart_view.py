"""One chart: drawn in a thread from the newest wish, one at a time; the event loop only shows finished grids."""

import time
from dataclasses import dataclass

from rich.style import Style
from textual.events import Resize
from textual.message import Message

from tui_monitor.app.terminal.screen_options import COARSE_CHART_SECONDS
from tui_monitor.app.widgets.cells_view import CellsView
from tui_monitor.charts.cells import CellGrid
from tui_monitor.charts.chart import GUTTER, dot_columns, draw_chart
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.charts.raster import LastDrawing
from tui_monitor.charts.scale import Limits
from tui_monitor.history.snapshot import PhaseSnapshot
from tui_monitor.view.charts.chart_metrics import Quantity
from tui_monitor.view.charts.metric_chart import chart_spec
from tui_monitor.view.view_state import ViewState

_LEAST_SECONDS = 0.5
"""Between two drawings that differ in the data alone: a chart costs the cores that train 10 to 80 ms."""
_LEAST_SECONDS_AT_ONCE = 0.1
"""The same where somebody waits for the picture."""


@dataclass(frozen=True)
class _Wish:
    """All that decides a chart's picture."""

    phase: PhaseSnapshot
    shown: Quantity
    view: ViewState
    size: tuple[int, int]
    at_once: bool = False

    @property
    def looks_at(self) -> tuple[object, ...]:
        """Equal for wishes that differ in the data alone."""
        view = self.view
        return (self.phase.info.index, self.shown, view.window, view.smoothing, view.log_y, self.size)

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for wishes that give the same picture, cheap to compare."""
        phase, view = self.phase, self.view
        return (
            phase.info,
            phase.batches,
            len(phase.epochs),
            self.shown,
            (view.window, view.smoothing, view.log_y),
            self.size,
        )


class ChartView(CellsView):
    """A chart of one quantity."""

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
        self._wish: _Wish | None = None
        self._drawn_key: tuple[object, ...] | None = None
        self._under_way = False
        self._limits: Limits | None = None
        self._drawn_looks: tuple[object, ...] | None = None
        self._drawn_at = 0.0
        self._waits = False
        self._last_drawing = LastDrawing()

    @property
    def is_settled(self) -> bool:
        """Whether the picture shown is the newest one wished for."""
        return not self._under_way and (self._wish is None or self._wish.key == self._drawn_key)

    def show_quantity(self, phase: PhaseSnapshot, shown: Quantity, view: ViewState, *, at_once: bool = False) -> None:
        """Draw a quantity as soon as the drawing under way is done.

        Args:
            phase: what ran so far.
            shown: the quantity.
            view: what the user chose.
            at_once: whether the user waits for it, as when a replay is moved.
        """
        self._wish = _Wish(phase, shown, view, (self.size.width, self.size.height), at_once)
        # What is cheap comes first: the interpreter lets the two threads run in turns alone.
        self.call_after_refresh(self._start)

    def base_style(self, index: int) -> Style:
        """Return the look of a heading for the title row."""
        return self.rich_style + self.look("heading-row") if index == 0 else self.rich_style

    def on_resize(self, event: Resize) -> None:
        """Draw for the new size."""
        if self._wish is not None:
            wish = self._wish
            self.show_quantity(wish.phase, wish.shown, wish.view, at_once=wish.at_once)

    def _start(self) -> None:
        wish = self._wish
        if wish is None or self._under_way or wish.key == self._drawn_key:
            return
        if min(wish.size) < 1:
            self._drawn_key = wish.key
            return
        is_data_alone = wish.looks_at == self._drawn_looks
        least = _LEAST_SECONDS_AT_ONCE if wish.at_once else self._least_seconds
        wait = least - (time.monotonic() - self._drawn_at)
        if is_data_alone and wait > 0:
            if not self._waits:
                self._waits = True
                self.set_timer(wait, self._start_again)
            return
        # Limits are kept from frame to frame only while the same thing is looked at.
        previous = self._limits if is_data_alone else None
        self._under_way = True
        self._drawn_key, self._drawn_looks, self._drawn_at = wish.key, wish.looks_at, time.monotonic()
        self.run_worker(lambda: self._draw(wish, previous), thread=True, group="chart", exit_on_error=True)

    def _start_again(self) -> None:
        self._waits = False
        self._start()

    def _draw(self, wish: _Wish, previous: Limits | None) -> None:
        width, height = wish.size
        columns = dot_columns(width, self._markers)
        area = (max(1, width - GUTTER), max(1, height - 3))
        spec = chart_spec(wish.phase, wish.shown, wish.view, area, columns, previous=previous, markers=self._markers)
        grid = draw_chart(spec, width, height, self._last_drawing)
        self.post_message(self.Drawn(self, grid, spec.y_range))

    def on_chart_view_drawn(self, event: Drawn) -> None:
        """Show the grid, and draw again if there is a newer wish."""
        event.stop()
        self._under_way = False
        self._limits = event.limits
        self.show(event.grid.rows)
        self._start()
