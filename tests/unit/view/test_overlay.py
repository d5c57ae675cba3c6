"""Several runs on one chart."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.charts.chart import draw_chart
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.history.batches.series import BatchSeries
from tui_monitor.history.snapshot import EpochRow, FitSnapshot
from tui_monitor.run_log.format.layout import FitInfo, batch_columns
from tui_monitor.view.charts.chart_metrics import chart_metric
from tui_monitor.view.charts.metric_chart import chart_spec
from tui_monitor.view.charts.overlay import (
    OverlaidRun,
    OverlayState,
    Side,
    XAxis,
    overlay_metrics,
    overlay_spec,
    smoothed,
    value_at,
)
from tui_monitor.view.runs.overlay_legend import overlay_legend
from tui_monitor.view.text.rows import width_of
from tui_monitor.view.view_state import Baseline, ViewState

STEPS = 40


def run(number: int, epochs: int, shift: float = 0.0, steps: int = STEPS) -> OverlaidRun:
    """Return a run whose losses fall, with so many epochs behind it."""
    rows = tuple(
        EpochRow(
            epoch,
            {"loss": 1 / epoch + shift, "val_loss": 1.2 / epoch + shift, "accuracy": 0.5},
            seconds=60.0,
            batches=steps,
            samples=32 * steps,
            ended=100 + 60.0 * epoch,
        )
        for epoch in range(1, epochs + 1)
    )
    batches = epochs * steps
    values = np.linspace(1, 0.2, batches) + shift
    fit = FitSnapshot(
        info=FitInfo(1, batch_columns(["loss", "accuracy"]), "batches.bin", epochs=epochs),
        series={"loss": BatchSeries.of(values)},
        epoch_starts=tuple(range(0, batches, steps)),
        epochs=rows,
        batches=batches,
    )
    return OverlaidRun(f"run {number}", number, fit, "finished")


RUNS = (run(1, 5), run(2, 3, 0.2), OverlaidRun("waits", 3, None, "starting"))


@pytest.mark.parametrize(
    ("axis", "ends"),
    [(XAxis.EPOCH, (5, 3)), (XAxis.BATCH, (200, 120)), (XAxis.SAMPLES, (6400, 3840)), (XAxis.TIME, (5, 3))],
)
def test_a_run_ends_where_it_has_come_to(axis: XAxis, ends: tuple[float, float]) -> None:
    """On each axis a curve's last point is how far its run is, and the axis holds them all."""
    spec = overlay_spec(RUNS, OverlayState(x=axis), (90, 24), MarkerSet.BRAILLE)
    assert [curve.points.x[-1] for curve in spec.curves] == pytest.approx(ends)
    assert spec.x_range[0] == 0
    assert spec.x_range[1] >= max(ends)
    assert spec.x_label == axis.value


def test_hidden_runs_are_not_drawn_and_keep_their_number() -> None:
    """A run's number is its mark, whichever others are shown."""
    spec = overlay_spec(RUNS, OverlayState().toggled(1), (90, 24), MarkerSet.BRAILLE)
    assert [curve.mark for curve in spec.curves] == ["2"]
    assert OverlayState().toggled(1).toggled(1) == OverlayState()
    both = overlay_spec(RUNS, OverlayState(side=Side.BOTH), (90, 24), MarkerSet.BRAILLE)
    assert [(curve.mark, curve.style) for curve in both.curves] == [
        ("", "baseline"),
        ("1", "run-1"),
        ("", "baseline"),
        ("2", "run-2"),
    ]


def test_each_curve_is_marked_on_the_chart() -> None:
    """Without any colour, the digits on the chart tell which curve is which, in every set of characters."""
    for markers in MarkerSet:
        spec = overlay_spec(RUNS, OverlayState(), (90, 24), markers)
        text = "".join(run.text for row in draw_chart(spec, 90, 24).rows[1:-2] for run in row[1:])
        assert "1" in text
        assert "2" in text


@given(
    st.sampled_from(list(product(Side, XAxis))),
    st.booleans(),
    st.integers(0, 2),
    st.lists(st.sampled_from([0.5, 2.0, 0.25, -0.25]), max_size=6),
    st.tuples(st.integers(1, 130), st.integers(1, 40)),
)
def test_any_state_can_be_drawn(
    choice: tuple[Side, XAxis], log_y: bool, smoothing: int, moves: list[float], size: tuple[int, int]
) -> None:
    """Whatever was chosen, at whatever size, there is a chart, and the window stays on the axis."""
    state = OverlayState(side=choice[0], x=choice[1], log_y=log_y, smoothing=smoothing)
    for move in moves:
        state = state.panned(move) if abs(move) == 0.25 else state.zoomed(move)
        low, high = state.window or (0.0, 1.0)
        assert -1e-9 <= low < high <= 1 + 1e-9
    assert RUNS[0].fit is not None
    bad = replace(RUNS[0].fit, epochs=(EpochRow(1, {"loss": np.nan, "val_loss": -np.inf}),))
    runs = (*RUNS, OverlaidRun("bad", 4, bad))
    grid = draw_chart(overlay_spec(runs, state, size, MarkerSet.BRAILLE), *size)
    assert len(grid.rows) == size[1]


@given(st.lists(st.floats(-1e6, 1e6) | st.sampled_from([np.nan, np.inf]), max_size=30), st.sampled_from([1, 3, 9, 31]))
def test_smoothing_keeps_both_ends_and_every_straight_line(values: list[float], width: int) -> None:
    """The first and last value are never moved, a mean lies among its values, and a straight line stays one."""
    given_values = np.array(values)
    means = smoothed(given_values, width)
    for index in range(len(values)):
        reach = min(index, len(values) - 1 - index, width // 2)
        around = given_values[index - reach : index + reach + 1]
        around = around[np.isfinite(around)]
        if np.isfinite(values[index]):
            assert means[index] == pytest.approx(around.mean(), rel=1e-6, abs=1e-6)
        else:
            assert str(means[index]) == str(values[index])
    line = np.linspace(3, 7, len(values))
    assert smoothed(line, width) == pytest.approx(line)


@pytest.mark.parametrize("side", Side)
def test_marks_stand_at_values_and_never_on_a_mean(side: Side) -> None:
    """However a line is smoothed, an epoch's own value is where its mark is, and the title says which is which."""
    plain = overlay_spec(RUNS, OverlayState(side=side), (90, 24), MarkerSet.BRAILLE)
    strong = overlay_spec(RUNS, OverlayState(side=side, smoothing=2), (90, 24), MarkerSet.BRAILLE)
    assert [curve.marked.y.tolist() for curve in strong.curves] == [curve.points.y.tolist() for curve in plain.curves]
    assert any(curve.points.y.tolist() != curve.marked.y.tolist() for curve in strong.curves)
    assert "line: mean of 9, marks: values" in strong.title
    assert "mean" not in plain.title


def test_the_legend_compares_at_the_same_epoch() -> None:
    """Beside each run stands its value at the newest epoch that all have, and how far it is off the first run's."""
    runs = RUNS[:2]
    rows = overlay_legend(runs, OverlayState(), ("lr=1", "lr=2"), 100)
    text = ["".join(run.text for run in row) for row in rows]
    assert "epoch 3" in text[0]
    assert "0.4000" in text[1]
    assert "0.6000" in text[2]
    assert "+0.2000" in text[2]
    assert "lr=2" in text[2]
    last = value_at(runs[0], "val_loss")
    assert last is not None
    assert last[0] == 5
    assert last[1] == pytest.approx(0.24)
    assert "–" in "".join(run.text for run in overlay_legend(RUNS, OverlayState(), ("", "", ""), 60)[3])
    for width in (60, 80, 200):
        assert max(map(width_of, overlay_legend(RUNS, OverlayState(), ("x" * 99,) * 3, width))) <= width


def test_metrics_are_those_that_any_run_has() -> None:
    """The loss comes first; runs that have not begun add nothing."""
    assert overlay_metrics(RUNS) == ("loss", "accuracy")
    assert overlay_metrics(RUNS[2:]) == ("loss",)


def test_a_baseline_is_drawn_dim_and_compared_at_the_same_epoch() -> None:
    """A run of three epochs beside a baseline of five is compared at its third, and the baseline's curve fits in."""
    fit, other = RUNS[1].fit, RUNS[0].fit
    assert fit is not None
    assert other is not None
    view = ViewState(baseline=Baseline("yesterday", other.epochs))
    spec = chart_spec(fit, chart_metric("loss"), view, (90, 24))
    assert [(curve.style, curve.mark) for curve in spec.curves] == [("baseline", "B")]
    assert any(entry.text == "+0.2000 to yesterday" for entry in spec.legend)
    plain = chart_spec(fit, chart_metric("loss"), ViewState(), (90, 24))
    assert not plain.curves
    assert spec.y_range[0] <= min(row.metrics["val_loss"] for row in other.epochs[:3]) + 1e-9
