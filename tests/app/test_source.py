"""Following a folder: what the training writes comes up as snapshots, and only when something changed."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.clock import Clock
from tests.unit.run_log.long_runs import some_records, written
from tui_monitor.app.feed.feed import Feed
from tui_monitor.app.feed.live_source import LiveSource
from tui_monitor.app.live_app import LiveApp
from tui_monitor.app.screenshots.screenshot import save_screenshot
from tui_monitor.charts.chart import draw_chart
from tui_monitor.errors import RunUnreadable
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.run_log.events.progress import EpochBegan
from tui_monitor.run_log.format.layout import RUN_FILE, RunInfo, State
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.view.charts.chart_metrics import chart_metric
from tui_monitor.view.charts.metric_chart import chart_spec
from tui_monitor.view.view_state import ViewState


def begun(folder: Path, clock: Clock) -> RunWriter:
    """Return the writer of a run in its first epoch, without a heartbeat of its own."""
    writer = RunWriter(folder, RunInfo(name="run"), clock=clock, heartbeat_seconds=None)
    writer.begin_fit(["loss", "accuracy"], epochs=3, steps_per_epoch=10)
    writer.status(State.TRAINING)
    writer.event(EpochBegan(epoch=1))
    return writer


def newest(source: LiveSource) -> Snapshot:
    """Poll until nothing new comes, and return the last snapshot."""
    found = None
    while (snapshot := source.poll()) is not None:
        found = snapshot
    assert found is not None
    return found


def test_a_growing_folder_gives_a_snapshot_for_each_change(tmp_path: Path) -> None:
    """New batches give a new snapshot; a poll that finds nothing new gives none."""
    clock = Clock()
    with begun(tmp_path, clock) as writer:
        source = LiveSource(tmp_path, clock=clock)
        assert newest(source).state is State.TRAINING
        for batch in range(4):
            clock.now += 0.1
            writer.batch(1, 32, (1.0 / (batch + 1), 0.5))
        snapshot = newest(source)
        assert snapshot.fit is not None
        assert snapshot.fit.batches == 4
        assert source.poll() is None


def test_a_folder_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    """The screen may start before the training has made its folder."""
    folder = tmp_path / "soon"
    source = LiveSource(folder)
    source.poll()
    folder.mkdir()
    with begun(folder, Clock()):
        assert newest(source).state is State.TRAINING


def test_a_run_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    """What can't be read is an error told to the user, not an empty screen."""
    (tmp_path / RUN_FILE).write_text('{"format": 999, "name": "x", "phases": []}')
    with pytest.raises(RunUnreadable):
        newest(LiveSource(tmp_path))


async def test_an_unreadable_run_ends_the_screen_with_its_exit_code(tmp_path: Path) -> None:
    """The screen closes, and the command ends with the error's own code."""
    (tmp_path / RUN_FILE).write_text('{"format": 999, "name": "x", "phases": []}')
    app = LiveApp(tmp_path)
    async with app.run_test() as pilot:
        for _ in range(3000):
            await pilot.pause()
            if app.return_code:
                break
    assert app.return_code == RunUnreadable.exit_code


def test_a_screenshot_needs_no_terminal(tmp_path: Path) -> None:
    """A folder becomes a screenshot of the requested size, with what the screen would show."""
    folder = tmp_path / "run"
    folder.mkdir()
    clock = Clock()
    with begun(folder, clock) as writer:
        for _ in range(8):
            clock.now += 0.1
            writer.batch(1, 32, (0.7, 0.5))
        writer.status(State.FINISHED)
    save_screenshot(folder, (100, 30), tmp_path / "run.svg")
    svg = (tmp_path / "run.svg").read_text(encoding="utf-8")
    assert "FINISHED" in svg
    assert "<circle" in svg


def test_the_screen_needs_no_training_framework() -> None:
    """Importing the whole screen loads neither TensorFlow nor Keras, and plotext only when the first chart is drawn."""
    code = (
        "import sys, tui_monitor.app.live_app, tui_monitor.app.replay_app, tui_monitor.app.screenshots.screenshot;"
        "print(sorted({'tensorflow', 'keras', 'tf_keras', 'plotext'} & {n.split('.')[0] for n in sys.modules}))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_nothing_is_read_while_no_frame_can_be_shown(tmp_path: Path) -> None:
    """The source is left alone while the terminal is busy, and read at once when it no longer is."""
    is_busy, looked = threading.Event(), threading.Event()
    polled: list[bool] = []

    class Source:
        def poll(self) -> None:
            polled.append(is_busy.is_set())
            is_busy.set()
            looked.set()

        def close(self) -> None:
            pass

    feed = Feed(pause_seconds=0.001, is_terminal_busy=is_busy.is_set)
    thread = threading.Thread(
        target=feed.run, args=(Source(),), kwargs={"arrived": lambda: None, "failed": lambda error: None}
    )
    thread.start()
    for _ in range(20):
        assert looked.wait(10)
        looked.clear()
        is_busy.clear()
        feed.terminal_answered()
    feed.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert not any(polled)


def test_a_long_run_looks_the_same_with_its_records_unread(tmp_path: Path) -> None:
    """Charts of the whole run and of any window are those of a run without summaries, cell for cell."""
    written(tmp_path / "long", some_records(300_000, steps=70_000, ill=0.001))
    written(tmp_path / "old", some_records(300_000, steps=70_000, ill=0.001))
    (tmp_path / "old" / "batches.blocks").unlink()
    fits = [newest(LiveSource(tmp_path / name)).fit for name in ("long", "old")]
    for window in (None, (0.0, 2.0), (1.2345, 1.3), (2.5, 2.5005), (4.28, 4.2857)):
        for name in ("loss", "accuracy"):
            frames = []
            for fit in fits:
                assert fit is not None
                spec = chart_spec(fit, chart_metric(name), ViewState(window=window), (76, 16))
                frames.append(draw_chart(spec, 76, 16).text)
            assert frames[0] == frames[1]
