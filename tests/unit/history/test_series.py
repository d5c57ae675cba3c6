"""A series' envelope is what brute force over its values gives, however it was grown."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tui_monitor.history.batches.middle import MIDDLE, middle
from tui_monitor.history.batches.series import BatchSeries, SeriesBuilder, whole_blocks
from tui_monitor.run_log.format.pyramid_level import FACTOR

FLOATS = st.floats(width=32, allow_nan=True, allow_infinity=True)
VALUES = st.one_of(
    hnp.arrays(np.float32, st.integers(0, 3 * FACTOR**2), elements=FLOATS),
    st.integers(0, 3000).map(lambda n: np.sin(np.arange(n, dtype=np.float32) * 7)),
)
EDGES = st.lists(st.floats(-50, 3500, allow_nan=False), min_size=2, max_size=40).map(sorted)


def grown(values: np.ndarray, cuts: list[int]) -> BatchSeries:
    """Return a series appended in pieces."""
    builder = SeriesBuilder()
    positions = sorted({min(cut, len(values)) for cut in cuts} | {0, len(values)})
    for start, stop in itertools.pairwise(positions):
        builder.append(values[start:stop])
    return builder.view()


def brute_force(values: np.ndarray, edges: list[float]) -> list[tuple[float, float, float, bool]]:
    """Return low, mean, high and bad of each column, from the values alone."""
    columns = []
    for start, stop in itertools.pairwise(edges):
        part = values[max(int(np.floor(start)), 0) : max(int(np.floor(stop)), 0)].astype(np.float64)
        finite = part[np.isfinite(part)]
        is_bad = len(finite) < len(part)
        summary = (finite.min(), finite.mean(), finite.max()) if len(finite) else (np.nan,) * 3
        columns.append((*summary, is_bad))
    return columns


@given(values=VALUES, cuts=st.lists(st.integers(0, 3000), max_size=5), edges=EDGES)
def test_envelope_equals_brute_force(values: np.ndarray, cuts: list[int], edges: list[float]) -> None:
    """Minimum, maximum and bad columns are exact, the mean to rounding, for any values, growth and edges."""
    envelope = grown(values, cuts).envelope(np.array(edges))
    expected = brute_force(values, edges)
    np.testing.assert_array_equal(envelope.low, [column[0] for column in expected])
    np.testing.assert_array_equal(envelope.high, [column[2] for column in expected])
    np.testing.assert_array_equal(envelope.bad, [column[3] for column in expected])
    largest = np.abs(values[np.isfinite(values)]).max(initial=0)
    np.testing.assert_allclose(envelope.mean, [column[1] for column in expected], rtol=1e-9, atol=1e-9 * largest)


@given(start=st.floats(0, 1e6), length=st.floats(0, 1e8), columns=st.integers(1, 400))
def test_edges_on_block_boundaries_stay_where_they_look(start: float, length: float, columns: int) -> None:
    """Columns keep their order and ends, and no edge moves by more than a sixteenth of a column."""
    edges = np.linspace(start, start + length, columns + 1)
    moved = whole_blocks(edges)
    assert moved[0] == edges[0]
    assert moved[-1] == edges[-1]
    assert (np.diff(moved) >= 0).all()
    assert (np.abs(moved - edges) <= length / columns / 16).all()


@given(end=st.integers(0, 10**7), ahead=st.integers(1, 300), columns=st.integers(1, 300))
def test_columns_ahead_of_the_newest_batch_hold_none(end: int, ahead: int, columns: int) -> None:
    """While a run goes on, what is planned stays empty, whatever the last block is."""
    edges = np.concatenate([np.linspace(0, end, columns + 1), np.full(ahead, float(end))])
    moved = whole_blocks(edges)
    assert (moved[columns:] == end).all()


@given(values=VALUES, edges=EDGES)
def test_mean_lies_between_the_extremes(values: np.ndarray, edges: list[float]) -> None:
    """Rounding never draws a mean outside its band."""
    envelope = BatchSeries.of(values).envelope(np.array(edges))
    with np.errstate(invalid="ignore"):
        assert not np.any((envelope.mean < envelope.low) | (envelope.mean > envelope.high))


@given(values=VALUES, more=VALUES)
def test_a_view_never_changes(values: np.ndarray, more: np.ndarray) -> None:
    """What is appended later, with or without new memory, does not show in an older view."""
    builder = SeriesBuilder()
    builder.append(values)
    view = builder.view()
    before = view.envelope(np.array([0.0, 5.0, np.inf]))
    for _ in range(3):
        builder.append(more)
    np.testing.assert_array_equal(view.values(), values)
    np.testing.assert_array_equal(view.envelope(np.array([0.0, 5.0, np.inf])).low, before.low)
    assert len(view) == len(values)
    assert len(builder.view()) == len(values) + 3 * len(more)


def test_values_are_read_only_slices() -> None:
    """A caller can't change history through the array it got."""
    values = BatchSeries.of([1, 2, 3]).values(1)
    assert values.tolist() == [2, 3]
    with pytest.raises(ValueError, match="read-only"):
        values[0] = 9


def test_unusual_edges_make_empty_columns() -> None:
    """Repeated, falling, NaN, infinite and missing edges are answered, never refused."""
    series = BatchSeries.of([5.0])
    assert np.isnan(series.envelope([0, 0, 0]).low).all()
    assert np.isnan(series.envelope([1, 0]).low).all()
    assert np.isnan(series.envelope([0, np.nan, 1]).low).all()
    assert series.envelope([-np.inf, np.inf]).low.tolist() == [5.0]
    assert len(series.envelope([0]).low) == 0
    assert len(series.envelope([]).low) == 0


def test_an_empty_series_has_an_empty_envelope() -> None:
    """Before the first batch a chart gets NaN columns, not an error."""
    envelope = BatchSeries().envelope([0, 1, 2])
    assert np.isnan(envelope.mean).all()
    assert not envelope.bad.any()


def test_an_envelope_reads_a_bounded_part_of_a_long_series() -> None:
    """The rows looked at grow with the columns and the logarithm of the length, not with the length."""
    looked_at = 0

    class Counting(BatchSeries):
        def _rows(self, depth, rows):  # type: ignore[no-untyped-def]
            nonlocal looked_at
            looked_at += len(rows)
            return super()._rows(depth, rows)

    builder = SeriesBuilder()
    builder.append(np.arange(1_000_000, dtype=np.float32))
    view = builder.view()
    counting = Counting(view._values, view._levels, len(view))
    assert counting.envelope(np.linspace(0, len(view), 101)).high[-1] == 999_999
    assert looked_at <= 100 * 2 * FACTOR * (len(view._levels) + 1)


@given(values=VALUES, cuts=st.lists(st.integers(0, 3000), max_size=5), edges=EDGES)
def test_the_middle_is_what_numpy_says(values: np.ndarray, cuts: list[int], edges: list[float]) -> None:
    """In columns of at most 64 batches the quantiles are those of all finite values, NaN where there is none."""
    steps = np.minimum(np.diff(edges), 60.0)
    edges = [edges[0], *(edges[0] + np.cumsum(steps)).tolist()]
    low, high = middle(grown(values, cuts), np.array(edges))
    for index, (start, stop) in enumerate(itertools.pairwise(edges)):
        part = values[max(int(np.floor(start)), 0) : max(int(np.floor(stop)), 0)].astype(np.float64)
        finite = part[np.isfinite(part)]
        expected = np.quantile(finite, MIDDLE) if len(finite) else (np.nan, np.nan)
        np.testing.assert_allclose((low[index], high[index]), expected, rtol=1e-6, atol=1e-30)


def test_the_middle_of_a_wide_column_leaves_spikes_out() -> None:
    """Of thousands of batches a sample stands for all: a rare spike moves no quantile."""
    values = np.random.default_rng(5).uniform(0, 1, 40_000).astype(np.float32)
    values[::1000] = 99
    low, high = middle(BatchSeries.of(values), np.linspace(0, len(values), 9))
    assert np.all(np.abs(low - MIDDLE[0]) < 0.15)
    assert np.all(np.abs(high - MIDDLE[1]) < 0.15)


def test_the_middle_of_evicted_batches_is_read_again() -> None:
    """Batches that are not in memory any more count as the others do."""
    values = np.sin(np.arange(4 * FACTOR**2, dtype=np.float32))
    builder = SeriesBuilder()
    builder.append(values)
    edges = np.linspace(0, len(values), 6)
    expected = middle(builder.view(), edges)
    builder.evict(2 * FACTOR**2, lambda batches: values[batches])
    np.testing.assert_array_equal(middle(builder.view(), edges), expected)
