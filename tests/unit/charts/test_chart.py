"""Charts: any data draws, finite data lands where it belongs, and nothing is told by colour alone."""

import threading
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.charts.specs import any_spec, arrays, plain_spec
from tui_monitor.charts.cells import CellGrid
from tui_monitor.charts.chart import GUTTER, data_area, dot_columns, draw_chart
from tui_monitor.charts.markers import MarkerSet, glyphs
from tui_monitor.charts.scale import data_limits, stepped_limits, ticks
from tui_monitor.charts.spec import Band, ChartSpec, Gap, LegendEntry, Points


def check_shape(grid: CellGrid, width: int, height: int) -> None:
    """Fail unless every row is exactly as wide as asked for."""
    assert (grid.width, grid.height, len(grid.rows)) == (width, height, height)
    assert [sum(1 for _ in grid.cells(row)) for row in range(height)] == [width] * height


@settings(max_examples=150, deadline=None)
@given(any_spec(), st.integers(1, 90), st.integers(1, 30))
def test_no_input_can_stop_the_screen(spec: ChartSpec, width: int, height: int) -> None:
    """Whatever a run logs, a chart of the asked size comes out: no exception, no dead process."""
    check_shape(draw_chart(spec, width, height), width, height)


@settings(max_examples=60, deadline=None)
@given(arrays(most=30), arrays(most=30))
def test_any_data_gets_limits_that_can_be_drawn(first: np.ndarray, second: np.ndarray) -> None:
    """Limits chosen from any data are finite, in order, and hold the newer half of the finite marks up to 1e300."""
    band = Band(first, first, first, np.isnan(first))
    low, high = stepped_limits(data_limits(band, second))
    assert np.isfinite(low)
    assert np.isfinite(high)
    assert low < high
    marks = second[np.isfinite(second)]
    marks = marks[len(marks) // 2 :]
    marks = marks[np.abs(marks) < 1e300]
    slack = 1e-6 * max(1e-300, abs(low), abs(high))
    assert np.all((marks >= low - slack) & (marks <= high + slack))
    assert len(ticks((low, high), 4)) < 100


def columns_of(grid: CellGrid, style: str) -> set[int]:
    """Return the columns of the data area in which a style occurs."""
    return {
        column - GUTTER
        for row in range(1, grid.height - 2)
        for column, cell in enumerate(grid.cells(row))
        if cell.style == style
    }


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 999), st.floats(0, 1), st.sampled_from(MarkerSet), st.integers(20, 120))
def test_a_validation_mark_stands_over_its_epoch(thousandths: int, y: float, markers: MarkerSet, width: int) -> None:
    """A mark is in the column that its x says, and in no other, in every marker set."""
    x = thousandths / 100
    spec = plain_spec(validation=Points(np.array([x]), np.array([y])), markers=markers)
    grid = draw_chart(spec, width, 12)
    found = columns_of(grid, "validation")
    assert found == {int(x / 10 * (width - GUTTER) + 1e-9)}


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.sampled_from([MarkerSet.BRAILLE, MarkerSet.BLOCKS]))
def test_a_run_half_done_fills_half_the_axis(held: int, markers: MarkerSet) -> None:
    """The mean line and the band are drawn over exactly the columns that hold data."""
    width = 60
    slices = dot_columns(width, markers)
    mean = np.full(slices, np.nan)
    mean[:held] = 0.5
    spec = plain_spec(band=Band(mean - 0.2, mean, mean + 0.2, np.zeros(slices, bool)), markers=markers)
    grid = draw_chart(spec, width, 15)
    last = (held - 1) // glyphs(markers).columns
    assert columns_of(grid, "train") == set(range(last + 1))
    assert max(columns_of(grid, "train-band")) == last


def test_a_broken_batch_is_marked_and_breaks_the_line() -> None:
    """Where a batch was NaN the chart shows a mark, and no line is drawn across."""
    slices = dot_columns(60, MarkerSet.BRAILLE)
    mean = np.full(slices, 0.5)
    bad = np.zeros(slices, bool)
    mean[40:60], bad[40:60] = np.nan, True
    grid = draw_chart(plain_spec(band=Band(mean, mean, mean, bad)), 60, 15)
    assert columns_of(grid, "alert") == set(range(20, 30))
    assert not columns_of(grid, "train") & set(range(20, 30))
    assert "×" in grid.text


def test_a_validation_figure_that_is_nan_is_marked() -> None:
    """An epoch whose validation figure is NaN shows an alert mark over its end."""
    spec = plain_spec(validation=Points(np.array([1.0, 2.0, 3.0]), np.array([0.5, np.nan, 0.4])))
    assert len(columns_of(draw_chart(spec, 60, 12), "alert")) == 1


def test_training_and_validation_differ_without_colour() -> None:
    """Both sides have marks of their own, in every marker set, and the legend shows them."""
    for markers in MarkerSet:
        glyph = glyphs(markers)
        assert glyph.train_marker != glyph.validation_marker
    spec = plain_spec(
        train=Points(np.array([1.0]), np.array([0.6])),
        validation=Points(np.array([1.0]), np.array([0.2])),
        legend=(LegendEntry("●", "train", "train"), LegendEntry("◆", "validation", "validation")),
    )
    text = draw_chart(spec, 60, 12).text
    assert text.count("●") == 2
    assert text.count("◆") == 2
    assert "● train  ◆ validation" in text.splitlines()[0]


@pytest.mark.parametrize("markers", MarkerSet)
def test_the_legend_shows_band_and_line_as_they_are_drawn(markers: MarkerSet) -> None:
    """In every marker set the samples of the legend are characters that the chart draws, told apart without colour."""
    mean = np.full(200, 0.5)
    glyph = glyphs(markers)
    for is_outline, sample in ((False, glyph.band), (True, glyph.edge)):
        drawn: list[str] = []
        # A level edge is any of the dot rows of a cell; the sample shows one.
        for half in np.linspace(0.3, 0.4, 12):
            band = Band(mean - half, mean, mean + half, np.zeros(200, dtype=bool), is_outline=is_outline)
            drawn += draw_chart(plain_spec(band=band, markers=markers), 60, 12).text.splitlines()[1:]
        assert sample != glyph.line
        assert any(sample * 10 in row for row in drawn)
        assert any(glyph.line * 10 in row for row in drawn)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(-0.5, 1.5)] * 2), min_size=1, max_size=110),
    st.sampled_from(MarkerSet),
    st.integers(20, 120),
    st.integers(5, 30),
)
def test_an_outline_leaves_the_inside_to_the_lines(
    ends: list[tuple[float, float]], markers: MarkerSet, width: int, height: int
) -> None:
    """At any size at most two cells of a column are the band's, each over an edge that is in range."""
    low, high = np.sort(np.array(ends), axis=1).T
    band = Band(low, np.full(len(low), np.nan), high, np.zeros(len(low), bool), is_outline=True)
    cells = cells_of(draw_chart(plain_spec(band=band, markers=markers), width, height), "train-band")
    wide, high_rows = data_area(width, height, None)
    columns = [column for _, column in cells]
    # More slices than dot columns, or fewer, as while a terminal changes its size.
    each = max(1, -(-len(low) // wide))
    assert all(columns.count(column) <= 2 * each for column in columns)
    inside = (np.concatenate([low, high]) >= 0) & (np.concatenate([low, high]) <= 1)
    edges = np.concatenate([low, high])[inside] * (high_rows - 1)
    assert all(np.abs(edges - (high_rows - row)).min() <= 1 for row, _ in cells)


@pytest.mark.parametrize("markers", MarkerSet)
@pytest.mark.parametrize("size", [(46, 8), (60, 12), (120, 30)])
def test_dots_lead_from_the_newest_marks_to_the_bracket(markers: MarkerSet, size: tuple[int, int]) -> None:
    """While the axis goes on behind the newest epoch, its gap hangs together with its marks, and at the end touches."""
    for newest in (4.0, 10.0):
        x = np.arange(1.0, newest + 1)
        spec = plain_spec(
            train=Points(x, np.full(len(x), 0.8)),
            validation=Points(x, np.full(len(x), 0.2)),
            gap=Gap(0.8, 0.2, "+0.600", newest),
            markers=markers,
        )
        grid = draw_chart(spec, *size)
        end = GUTTER + data_area(*size, spec.gap)[0]
        marks = {side: max(cells_of(grid, side), key=lambda cell: cell[1]) for side in ("train-mark", "validation")}
        for row, mark in marks.values():
            led = [column for cell, column in cells_of(grid, "gap") if cell == row and column < end]
            ways = [mark, *sorted(led), end]
            assert all(0 < after - before <= 3 for before, after in pairwise(ways))
            assert (end, row) in {(column, row) for row, column in cells_of(grid, "gap")}


def test_the_legend_never_covers_data_and_gives_way_whole() -> None:
    """Legend entries stand in the title row alone, and one that doesn't fit is left out, not cut."""
    legend = (LegendEntry("●", "train", "train"), LegendEntry("◆", "validation", "validation"))
    grid = draw_chart(plain_spec(legend=legend), 24, 12)
    assert "train" in grid.text
    assert "valid" not in grid.text


def test_values_of_the_legend_stay_where_words_do_not_fit() -> None:
    """Entries with a value keep it, all in the same form, and those without give way first."""
    legend = (
        LegendEntry("●", "train 0.5", "train", "0.5"),
        LegendEntry("B", "−0.1 to yesterday", "baseline", "−0.1"),
        LegendEntry("─", "mean", "train"),
    )
    titles = [draw_chart(plain_spec(legend=legend), width, 12).text.splitlines()[0] for width in (60, 42, 26)]
    assert titles[0].endswith("● train 0.5  B −0.1 to yesterday  ─ mean ")
    assert titles[1].endswith("● train 0.5  B −0.1 to yesterday ")
    assert titles[2].endswith("● 0.5  B −0.1 ")


@pytest.mark.parametrize("markers", MarkerSet)
def test_ascii_means_ascii(markers: MarkerSet) -> None:
    """The marker set for plain terminals draws nothing but ASCII."""
    mean = np.linspace(0.9, 0.2, 200)
    spec = plain_spec(
        band=Band(mean - 0.1, mean, mean + 2, np.arange(200) == 7),
        train=Points(np.arange(1.0, 4), np.full(3, 0.5)),
        validation=Points(np.arange(1.0, 4), np.full(3, 0.3)),
        markers=markers,
    )
    assert draw_chart(spec, 60, 14).text.isascii() == (markers is MarkerSet.ASCII)


def test_charts_drawn_at_once_do_not_mix() -> None:
    """Plotext has one figure for the whole process; drawing from several threads gives each its own chart."""
    specs = [plain_spec(validation=Points(np.array([float(x)]), np.array([0.5]))) for x in range(10)]
    alone = [draw_chart(spec, 60, 12) for spec in specs]
    together: list[CellGrid | None] = [None] * len(specs)

    def work(index: int) -> None:
        together[index] = draw_chart(specs[index], 60, 12)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(specs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


@st.composite
def two_curves(draw: st.DrawFn) -> ChartSpec:
    """Epoch values of both sides in the range that they get on the screen, the newest apart by over 2 % of it."""
    count = draw(st.integers(1, 60))
    values = st.floats(0, 1) | st.sampled_from([0.5, 0.51])
    sides = [np.array(draw(st.lists(values, min_size=count, max_size=count))) for _ in range(2)]
    x = np.arange(1.0, count + 1)
    y_range = stepped_limits(data_limits(None, *sides))
    return plain_spec(
        train=Points(x, sides[0]),
        validation=Points(x, sides[1]),
        x_range=(0.0, float(count)),
        y_range=y_range,
        gap=draw(st.sampled_from([None, Gap(sides[0][-1], sides[1][-1], "+0.125")])),
        markers=draw(st.sampled_from(MarkerSet)),
    )


def cells_of(grid: CellGrid, style: str) -> set[tuple[int, int]]:
    """Return row and column of the cells of the data area in which a style occurs."""
    return {
        (row, column)
        for row in range(1, grid.height - 2)
        for column, cell in enumerate(grid.cells(row))
        if cell.style == style
    }


@settings(max_examples=150, deadline=None)
@given(two_curves(), st.integers(60, 120), st.integers(7, 20))
def test_marks_of_two_curves_never_hide_each_other(spec: ChartSpec, width: int, height: int) -> None:
    """At 60×20 and larger both sides of an epoch that is marked stand in cells of their own, the newest epoch's too."""
    grid = draw_chart(spec, width, height)
    train, validation = cells_of(grid, "train-mark"), cells_of(grid, "validation")
    alone = [
        cells_of(draw_chart(without, width, height), style)
        for without, style in (
            (replace(spec, validation=Points()), "train-mark"),
            (replace(spec, train=Points()), "validation"),
        )
    ]
    assert len(train) == len(alone[0])
    assert len(validation) == len(alone[1])
    newest = GUTTER + data_area(width, height, spec.gap)[0] - 1
    assert {newest, newest - 1} & {column for _, column in train}
    assert newest in {column for _, column in validation}


@pytest.mark.parametrize("markers", MarkerSet)
def test_the_gap_is_a_bracket_with_its_value(markers: MarkerSet) -> None:
    """Right of the data a bracket spans the newest values of both sides, with the difference beside it."""
    spec = plain_spec(gap=Gap(0.75, 0.25, "+0.500"), markers=markers)
    above, between, below, level = list(glyphs(markers).bracket)
    rows = [row[-7:] for row in draw_chart(spec, 60, 13).text.splitlines()[1:-2]]
    marks = [row[0] for row in rows if row[0] != " "]
    assert marks == [above, *[between] * (len(marks) - 2), below]
    assert len(marks) in (5, 6)
    assert [row[1:] for row in rows if row[1:].strip()] == ["+0.500"]
    same = [row[-7:] for row in draw_chart(replace(spec, gap=Gap(0.5, 0.5, "0.000")), 60, 13).text.splitlines()]
    assert [row.strip() for row in same[1:-2] if row[1] in (" ", level)].count(f"{level}0.000") == 1
    assert "+0.500" not in draw_chart(spec, 30, 13).text


def test_a_value_outside_the_range_is_an_arrow() -> None:
    """An epoch value above or below the axis shows as an arrow at the edge, never as a mark at a wrong height."""
    spec = plain_spec(train=Points(np.array([2.0, 5.0, 9.0]), np.array([3.0, 0.5, -4.0])))
    grid = draw_chart(spec, 60, 12)
    marks = {cell.character: row for row in range(12) for cell in grid.cells(row) if cell.style == "train-mark"}
    assert (marks["↑"], marks["↓"]) == (1, 9)
    assert "●" in marks


def test_a_planned_end_is_said_where_there_is_room() -> None:
    """The end of the plan stands at the right of the x axis' labels."""
    spec = plain_spec(x_end="→ 40", gap=Gap(0.75, 0.25, "+0.500"))
    assert draw_chart(spec, 60, 12).text.splitlines()[-1].endswith("10   → 40")
    assert draw_chart(spec, 12, 12).text.splitlines()[-1].count("of") == 0
