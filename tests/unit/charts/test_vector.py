"""A chart as SVG holds its data, whatever they are, and nothing that a viewer would run or load."""

from xml.etree import ElementTree

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tui_monitor.charts.spec import Band, ChartSpec, LegendEntry, Points, Tick
from tui_monitor.charts.vector import chart_svg

SVG = "{http://www.w3.org/2000/svg}"
ANY = arrays(np.float64, st.integers(0, 6), elements=st.floats(width=64))


@given(values=ANY, text=st.text(), log_y=st.booleans())
def test_any_data_gives_well_formed_svg(values: np.ndarray, text: str, log_y: bool) -> None:
    """NaN, infinities, huge and negative values and hostile names give a chart with finite positions only."""
    band = Band(values, values, values, ~np.isfinite(values))
    points = Points(np.arange(len(values), dtype=np.float64), values)
    spec = ChartSpec(
        text, (0.0, 5.0), (0.1, 1.0), (Tick(1, text),), (Tick(0.5, text),), band=band, train=points, validation=points,
        legend=(LegendEntry("●", text, "train"),), log_y=log_y,
    )  # fmt: skip
    svg = chart_svg(spec)
    root = ElementTree.fromstring(svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "style", "text", "tspan", "path", "polygon", "polyline", "circle", "rect",
    }  # fmt: skip
    assert "nan" not in "".join(element.get("points", "") + element.get("d", "") for element in root.iter())


def test_markers_lie_where_the_values_are() -> None:
    """Each epoch's value has its marker, at its position on both axes; a NaN is marked, not hidden."""
    train = Points(np.array([1.0, 2.0]), np.array([0.75, 0.5]))
    validation = Points(np.array([1.0, 2.0]), np.array([0.25, np.nan]))
    spec = ChartSpec("loss", (0.0, 2.0), (0.0, 1.0), train=train, validation=validation)
    root = ElementTree.fromstring(chart_svg(spec, 264, 166))
    circles = [(float(c.get("cx", "")), float(c.get("cy", ""))) for c in root.iter(f"{SVG}circle")]
    assert circles == [(152.0, 55.0), (252.0, 80.0)]
    assert sum(path.get("class") == "d" for path in root.iter(f"{SVG}path")) == 1
    assert [text.text for text in root.iter(f"{SVG}text")].count("!") == 1
