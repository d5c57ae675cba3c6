"""What a chart is made of: an axis that grows in steps, and the gap it writes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.app.snapshots import fit
from tui_monitor.charts.spec import Points
from tui_monitor.history.batches.middle import MIDDLE
from tui_monitor.history.batches.series import BatchSeries
from tui_monitor.history.snapshot import EpochRow
from tui_monitor.view.charts.batch_band import outline
from tui_monitor.view.charts.chart_metrics import shown_metrics
from tui_monitor.view.charts.epoch_axis import full_range, planned_end
from tui_monitor.view.charts.newest_gap import gap_label, newest_gap
from tui_monitor.view.view_state import ViewState


@pytest.mark.parametrize(
    ("epoch", "planned", "end", "said"),
    [
        (1, 40, 1, "→ 40"),
        (2, 40, 2, "→ 40"),
        (3, 40, 5, "→ 40"),
        (6, 40, 10, "→ 40"),
        (11, 40, 20, "→ 40"),
        (21, 40, 40, ""),
        (4, 6, 6, ""),
        (2, 3, 3, ""),
        (7, None, 10, ""),
        (60, None, 100, ""),
        (12, 10, 20, ""),
    ],
)
def test_the_axis_grows_in_steps_up_to_the_plan(epoch: int, planned: int | None, end: int, said: str) -> None:
    """The x axis ends at 1, 2, 5, 10, 20 ... epochs, at the plan once that is near, and says where the plan ends."""
    begun = fit(epochs=epoch - 1, planned=planned)
    assert full_range(begun) == (0.0, end)
    assert planned_end(begun, full_range(begun)) == said


def test_the_gap_is_of_the_newest_epoch_in_view_with_both_sides() -> None:
    """Epochs out of view, without one of the sides, or with a NaN, have no gap to show."""
    train = Points(np.array([1.0, 2, 3, 4]), np.array([0.9, 0.8, 0.7, 0.6]))
    validation = Points(np.array([1.0, 3, 4]), np.array([0.5, 0.4, np.nan]))
    gap = newest_gap(train, validation, (0, 10))
    assert gap is not None
    assert (gap.train, gap.validation, gap.label) == (0.7, 0.4, "+0.300")
    assert newest_gap(train, validation, (1.5, 2.5)) is None


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 8), st.integers(0, 3))
def test_edges_of_the_band_are_quantiles_that_stay(before: int, now: int, each: int, seed: int) -> None:
    """Edges are the 10 % and 90 % quantiles of eight columns at a time; more batches move no earlier part of them."""
    drawn = np.random.default_rng(seed).gamma(4.0, 0.25, 40 * each).astype(np.float32)
    lines = []
    for known in sorted((before, now)):
        # As a run grows: the columns ahead of the newest batch are empty.
        edges = np.minimum(np.arange(41) * each, known * each)
        lines.append(np.array(outline(BatchSeries.of(drawn[: known * each]), edges, known, 8)))
    first, last = lines
    whole = max(before, now) // 8
    assert np.isfinite(last).sum() == 2 * 8 * whole
    for group in range(whole):
        expected = np.quantile(drawn[8 * group * each : 8 * (group + 1) * each], MIDDLE)
        middle = [
            np.interp(8 * group + 3.5, np.arange(40)[np.isfinite(line)], line[np.isfinite(line)]) for line in last
        ]
        bend = np.abs(np.diff(last[:, 8 * group : 8 * (group + 1)], axis=1)).max()
        # The line bends at the middle, which lies between two columns.
        assert np.allclose(middle, expected, atol=bend / 2 + 1e-5)
    settled = max(min(before, now) // 8 * 8 - 4, 0)
    assert np.array_equal(first[:, :settled], last[:, :settled])


@pytest.mark.parametrize(
    ("gap", "label"),
    [
        (0.1251, "+0.125"),
        (-0.04, "−0.040"),
        (0.0, "0.000"),
        (12.345, "+12.35"),
        (-1234.5, "−1234"),
        (0.0000123, "+1.2e-5"),
        (-2.5e9, "−2.5e9"),
        (1e-320, "+1.0e-320"),
    ],
)
def test_a_gap_is_short(gap: float, label: str) -> None:
    """The gap's value fits beside the chart whatever its size."""
    assert gap_label(gap) == label


def test_a_training_without_a_loss_of_that_name_shows_what_it_logs() -> None:
    """A GAN that logs two losses of its own gets both on its charts, not an empty one."""
    held = fit(metrics=("loss",), epochs=0)
    rows = (EpochRow(1, {"g_loss": 0.7, "d_loss": 1.4}, 1.0, 10, 100, 0.001),)
    assert [metric.name for metric in shown_metrics(replace(held, epochs=rows), ViewState())] == ["g_loss", "d_loss"]
    assert shown_metrics(held, ViewState())[0].name == "loss"
