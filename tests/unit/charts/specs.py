"""Charts to test with: of anything at all, and a plain one."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from tui_monitor.charts.markers import MarkerSet
from tui_monitor.charts.scale import epoch_ticks, ticks
from tui_monitor.charts.spec import Band, ChartSpec, Gap, LegendEntry, Points, Tick

ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from(
    [0.0, -0.0, 1e308, -1e308, 5e-324, -5e-324, float("nan"), float("inf"), -float("inf")]
)


def arrays(least: int = 0, most: int = 40) -> st.SearchStrategy[np.ndarray]:
    """Arrays of any floats."""
    return st.lists(ANY_FLOAT, min_size=least, max_size=most).map(lambda v: np.array(v, dtype=np.float64))


@st.composite
def any_spec(draw: st.DrawFn) -> ChartSpec:
    """Charts of anything at all."""
    count = draw(st.integers(0, 40))
    band = None
    if draw(st.booleans()):
        low, mean, high = (draw(arrays(count, count)) for _ in range(3))
        band = Band(
            low,
            mean,
            high,
            np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)), dtype=bool),
            is_outline=draw(st.booleans()),
        )
    points = []
    for _ in range(2):
        x = draw(arrays())
        points.append(Points(x, draw(arrays(len(x), len(x)))))
    places = draw(st.lists(ANY_FLOAT, max_size=4))
    return ChartSpec(
        title=draw(st.text(alphabet="loss [b]é", max_size=90)),
        x_range=(draw(ANY_FLOAT), draw(ANY_FLOAT)),
        y_range=(draw(ANY_FLOAT), draw(ANY_FLOAT)),
        x_ticks=tuple(Tick(place, "12345678"[: draw(st.integers(1, 8))]) for place in places),
        y_ticks=tuple(Tick(place, "12345678"[: draw(st.integers(1, 8))]) for place in places),
        x_markers=tuple(places),
        band=band,
        train=points[0],
        validation=points[1],
        gap=draw(st.none() | st.builds(Gap, ANY_FLOAT, ANY_FLOAT, st.just("+0.125"), ANY_FLOAT)),
        legend=(LegendEntry("●", "train", "train"), LegendEntry("◆", "validation", "validation")),
        log_y=draw(st.booleans()),
        markers=draw(st.sampled_from(MarkerSet)),
    )


def plain_spec(**changes: object) -> ChartSpec:
    """Return a chart over ten epochs and values from 0 to 1, changed as asked for."""
    spec = ChartSpec("loss", (0.0, 10.0), (0.0, 1.0), epoch_ticks((0, 10), 8), ticks((0.0, 1.0), 4))
    return replace(spec, **changes)  # type: ignore[arg-type]
