"""Which metrics the charts show, and that a count's batches are not drawn beside its epochs."""

from pathlib import Path

import pytest

from tui_monitor.history.load import load
from tui_monitor.history.snapshot import FitSnapshot
from tui_monitor.run_log.events.progress import EpochBegan, EpochEnded
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.view.charts.chart_metrics import chart_metric, every_metric, shown_metrics
from tui_monitor.view.charts.metric_chart import chart_spec
from tui_monitor.view.panels.epochs import table_header, table_rows
from tui_monitor.view.view_state import ViewState

LONG = "a_metric_whose_name_is_forty_letters_wide"


def _fit(folder: Path, *metrics: str, value: float = 1.0) -> FitSnapshot:
    with RunWriter(folder, RunInfo("run"), heartbeat_seconds=None) as writer:
        writer.begin_fit(metrics, epochs=2)
        writer.event(EpochBegan(epoch=1))
        for _ in range(3):
            writer.batch(1, 8, [value] * len(metrics))
        logs = {f"{side}{name}": 3 * value for name in metrics for side in ("", "val_")}
        writer.event(EpochEnded(epoch=1, logs=logs, batches=3, samples=24, seconds=1.0))
    return load(folder).fits[0]


@pytest.mark.parametrize(
    ("metrics", "two", "alone"),
    [
        (("loss", "mae", "accuracy"), ["loss", "accuracy"], ["loss", "accuracy", "mae"]),
        (("d_loss", "g_loss"), ["d_loss", "g_loss"], ["d_loss", "g_loss", "d_loss"]),
        (("score",), ["score"], ["score", "score", "score"]),
    ],
)
def test_the_first_metric_is_charted_where_there_is_no_loss(
    tmp_path: Path, metrics: tuple[str, ...], two: list[str], alone: list[str]
) -> None:
    """A GAN's first loss stands where the loss would; a chart that is alone steps through all of them."""
    fit = _fit(tmp_path / "run", *metrics)
    assert [metric.name for metric in shown_metrics(fit, ViewState())] == two
    assert [shown_metrics(fit, ViewState(metric=step), 1)[0].name for step in range(3)] == alone


def test_a_count_is_charted_by_whole_epochs(tmp_path: Path) -> None:
    """What single batches counted is not drawn beside what the epoch did."""
    fit = _fit(tmp_path / "run", "loss", "true_positives_1")
    loss, count = (chart_spec(fit, chart_metric(name), ViewState(), (60, 12)) for name in every_metric(fit))
    assert loss.band is not None
    assert count.band is None
    assert count.title == " true_positives_1, of whole epochs"


@pytest.mark.parametrize("value", [1e6, 1e-7, 152.0, -0.25, -3e5])
@pytest.mark.parametrize("width", [50, 60, 80, 120, 200])
def test_columns_of_the_epoch_table_do_not_run_together(tmp_path: Path, value: float, width: int) -> None:
    """Eleven metrics with names of forty letters, of any size: a blank stands before each value."""
    names = ("loss", "accuracy", *(f"{LONG}_{number}" for number in range(9)))
    fit = _fit(tmp_path / "run", *names, value=value)
    metrics = every_metric(fit)
    (row,) = table_rows(fit, metrics, width, None)
    assert all(run.text.startswith(" ") for run in row[1:])
    assert sum(len(run.text) for run in row) <= width
    assert all(sum(len(run.text) for run in head) <= width for head in table_header(metrics, width))
