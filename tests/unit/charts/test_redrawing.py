"""What changed of a chart is drawn over the last one, and nothing tells the difference."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.charts.specs import any_spec, plain_spec
from tui_monitor.charts.chart import draw_chart
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.charts.raster import LastDrawing
from tui_monitor.charts.spec import Band, ChartSpec, Points


@st.composite
def growing_specs(draw: st.DrawFn) -> tuple[ChartSpec, ChartSpec]:
    """Two charts of one run, the second of them later: more columns, a newest one that changed, more epochs."""
    columns = draw(st.integers(2, 110))
    values = st.floats(0, 1.2) | st.sampled_from([np.nan, 0.0])
    mean = np.array(draw(st.lists(values, min_size=columns, max_size=columns)))
    epochs = np.array(draw(st.lists(values, max_size=12)))
    cuts = sorted(draw(st.lists(st.integers(0, columns), min_size=2, max_size=2)))
    markers = draw(st.sampled_from(MarkerSet))
    specs = []
    for cut, part in zip(cuts, (0.4, 1.0), strict=True):
        shown = np.where(np.arange(columns) < cut, mean, np.nan)
        if cut:
            shown[cut - 1] *= part
        ended = epochs[: len(epochs) * cut // columns]
        x = np.arange(1.0, len(ended) + 1)
        specs.append(
            plain_spec(
                band=Band(shown * 0.8, shown, shown * 1.3, np.zeros(columns, dtype=bool)),
                train=Points(x, ended),
                validation=Points(x, ended * 0.9),
                x_range=(0.0, max(1.0, float(len(epochs)))),
                markers=markers,
            )
        )
    return specs[0], specs[1]


@settings(deadline=None)
@given(growing_specs(), st.integers(12, 70), st.integers(5, 20))
def test_drawing_what_changed_gives_the_whole_picture(
    specs: tuple[ChartSpec, ChartSpec], width: int, height: int
) -> None:
    """A chart drawn over the last one, forwards or backwards in time, is the chart drawn from nothing."""
    for order in (specs, specs[::-1]):
        last = LastDrawing()
        for spec in (*order, order[0]):
            assert draw_chart(spec, width, height, last) == draw_chart(spec, width, height)


@settings(deadline=None, max_examples=30)
@given(any_spec(), any_spec())
def test_whatever_was_drawn_last_does_not_show(first: ChartSpec, second: ChartSpec) -> None:
    """Two charts that have nothing in common leave nothing of one in the other."""
    last = LastDrawing()
    for spec in (first, second, first):
        assert draw_chart(spec, 40, 12, last) == draw_chart(spec, 40, 12)
