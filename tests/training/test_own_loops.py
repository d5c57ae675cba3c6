"""Loops of one's own, of any framework, are recorded into the same run folder as a fit is."""

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import command_line, environment
from tests.clock import Clock
from tui_monitor.export.tables import batch_table, epoch_table
from tui_monitor.history.load import load
from tui_monitor.run_log.format.layout import RunInfo, State
from tui_monitor.run_log.runs.control import Action, send_request
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.loops.log import _Log
from tui_monitor.training.loops.own_loop import Plan
from tui_monitor.training.record.session import Session, activate, recording_here


class _Tensor:
    """What holds one number as tensors of PyTorch and JAX do."""

    def __init__(self, value: float) -> None:
        self._value = value

    def item(self) -> float:
        return self._value


class _Traced:
    """What stands for a value inside a traced function."""

    def item(self) -> float:
        raise RuntimeError("no value yet")


class _Logged:
    """A log of this process, into a run of its own."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.writer = RunWriter(folder, RunInfo("run"), clock=self.clock, heartbeat_seconds=None)
        self.session = Session(self.writer, folder)
        activate(self.session)
        self.log = _Log()

    def batch(
        self, *metrics: object, epoch: object = None, step: object = None, size: object = None, **values: object
    ) -> None:
        self.clock.now += 1.0
        self.log.batch(metrics[0] if metrics else None, values, epoch, step, size)

    def epoch(self, *metrics: object, epoch: object = None, **values: object) -> None:
        self.log.epoch(metrics[0] if metrics else None, values, epoch)

    def end(self) -> None:
        self.log._end(self.session)
        self.writer.close()


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[_Logged]:
    """A log into `run` in the test's folder."""
    logged = _Logged(tmp_path / "run")
    yield logged
    logged.end()
    activate(None)


def _said(folder: Path) -> list[str]:
    return [entry.text for entry in load(folder).timeline if entry.kind == "alert"]


def test_batches_and_epochs_are_what_was_logged(logged: _Logged, tmp_path: Path) -> None:
    """Every value is the one logged; an epoch's own comes before the mean of its batches, which count by size."""
    sizes = (3, 1)
    for epoch in range(2):
        for step, size in enumerate(sizes):
            loss, accuracy = _Tensor(2 - epoch + step), np.float32(0.5)
            logged.batch({"gen/loss": step}, loss=loss, accuracy=accuracy, epoch=epoch, size=size)
        logged.epoch(val_loss=_Tensor(0.25), accuracy=0.75)
    logged.end()
    fit = load(tmp_path / "run").fits[0]
    assert [list(series.values()) for series in fit.series.values()] == [[0, 1, 0, 1], [2, 3, 1, 2], [0.5] * 4]
    assert [row.epoch for row in fit.epochs] == [1, 2]
    assert [dict(row.metrics) for row in fit.epochs] == [
        {"gen/loss": 0.25, "loss": 2.25 - epoch, "accuracy": 0.75, "val_loss": 0.25} for epoch in range(2)
    ]
    assert [(row.batches, row.samples) for row in fit.epochs] == [(2, 4)] * 2
    assert [explained.explanation.evidence for explained in fit.explanations if explained.explanation] == ["log"] * 2
    assert not _said(tmp_path / "run")
    table = batch_table(tmp_path / "run")
    exported = dict(zip(table.columns, next(table.blocks), strict=True))
    assert list(exported["loss"]) == [2, 3, 1, 2]
    assert "val_loss" in epoch_table(tmp_path / "run").columns


def test_calls_with_one_step_are_one_batch(logged: _Logged, tmp_path: Path) -> None:
    """A GAN's losses, logged where each is computed, stand in one record; the last one is written at the end."""
    for epoch in (1, 2):
        for step in range(3):
            logged.batch(d_loss=step, step=step, epoch=epoch, size=4)
            logged.batch(g_loss=10 * step, step=step)
    logged.end()
    fit = load(tmp_path / "run").fits[0]
    assert {name: list(series.values()) for name, series in fit.series.items()} == {
        "d_loss": [0, 1, 2] * 2,
        "g_loss": [0, 10, 20] * 2,
    }
    assert [(row.epoch, row.metrics["g_loss"]) for row in fit.epochs] == [(1, 10.0)]
    assert fit.epoch == 2


def test_epochs_without_batches_are_recorded(logged: _Logged, tmp_path: Path) -> None:
    """A loop may log its epochs alone, counted from 0 or by itself."""
    for epoch in range(3):
        logged.epoch(epoch=epoch, loss=1.0 / (epoch + 1), val_loss=math.nan)
    fit = load(tmp_path / "run").fits[0]
    assert [row.epoch for row in fit.epochs] == [1, 2, 3]
    assert all(math.isnan(row.metrics["val_loss"]) for row in fit.epochs)


def test_a_loop_that_is_started_is_a_fit_of_its_own(logged: _Logged, tmp_path: Path) -> None:
    """Folds have their titles and plans; what is logged after a fit begins another one, too."""
    for fold in (1, 2):
        logged.log.start(Plan(f"fold {fold}", epochs=3, steps_per_epoch=2), None, None)
        logged.batch(loss=fold)
    logged.writer.begin_fit(["loss"])
    logged.batch(loss=4.0)
    fits = load(tmp_path / "run").fits
    assert [(fit.info.model.get("name"), fit.info.epochs, fit.batches) for fit in fits] == [
        ("fold 1", 3, 1),
        ("fold 2", 3, 1),
        (None, None, 0),
        (None, None, 1),
    ]


@pytest.mark.parametrize(
    ("metrics", "values", "said", "recorded"),
    [
        ((), {"loss": [1.0, 2.0]}, "loss can't be recorded", []),
        ((), {"loss": "0.5"}, "loss can't be recorded", []),
        ((), {"loss": _Traced()}, "loss can't be recorded", []),
        ((0.5,), {}, "A float can't be logged", []),
        ((), {"loss": 1.0, "late": 2.0}, "late: not among the metrics of the loop's first batch", [1.0] * 2),
        ((), {"other": 2.0}, "loss: not logged for every batch", [math.nan] * 2),
    ],
)
def test_what_can_not_be_recorded_is_said_once(
    logged: _Logged,
    tmp_path: Path,
    metrics: tuple[object, ...],
    values: dict[str, object],
    said: str,
    recorded: list[float],
) -> None:
    """Nothing is raised, nothing is made up, and the next batch is recorded."""
    logged.batch(loss=1.0)
    for _ in range(2):
        logged.batch(*metrics, **values)
    logged.batch(loss=3.0)
    told = [text for text in _said(tmp_path / "run") if said in text]
    assert len(told) == 1
    series = load(tmp_path / "run").fits[0].series["loss"].values()
    assert np.array_equal(series, np.array([1.0, *recorded, 3.0], np.float32), equal_nan=True)


def test_a_loop_inside_a_fit_is_left_to_the_fit(logged: _Logged, tmp_path: Path) -> None:
    """Its callbacks may log; that is said not to be recorded, and the fit's own records are as they were."""
    with recording_here(object()):
        logged.batch(loss=1.0)
    assert not load(tmp_path / "run").fits
    assert any("while a fit is recorded" in text for text in _said(tmp_path / "run"))


@pytest.mark.parametrize(("action", "batches"), [(Action.STOP_BATCH, 1), (Action.STOP_EPOCH, 2)], ids=str)
def test_a_stop_interrupts_the_loop_as_ctrl_c_does(
    logged: _Logged, tmp_path: Path, action: Action, batches: int
) -> None:
    """It comes out of the call after the batch or the epoch, whose records are there; other requests are answered."""
    for request in (Action.PAUSE, Action.RESUME, Action.MEASURE, action):
        send_request(tmp_path / "run", request)

    def loop() -> None:
        for _ in range(2):
            logged.batch(loss=1.0)
        logged.epoch()

    with pytest.raises(KeyboardInterrupt):
        loop()
    snapshot = load(tmp_path / "run")
    assert snapshot.fits[0].batches == batches
    assert [entry.text.split(":")[0] for entry in snapshot.timeline if entry.kind == "control"] == [
        "Paused between two batches.",
        "The loop goes on.",
        "The loop is the script's own",
        f"Stopping after this {'batch' if action is Action.STOP_BATCH else 'epoch'}",
    ]


_SCRIPT = """
import sys, tui_monitor
for epoch in range(2):
    for step in range(3):
        tui_monitor.log_batch(loss=1.0 / (step + 1))
    tui_monitor.log_epoch(val_loss=0.5)
heavy = {"keras", "tensorflow", "torch", "jax", "textual"} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.mark.parametrize("is_run", [True, False], ids=["under run", "by itself"])
@pytest.mark.parametrize("failure", ["", "raise ValueError('at the end')\n"], ids=["ends well", "fails"])
def test_a_script_is_recorded_with_and_without_run(tmp_path: Path, is_run: bool, failure: str) -> None:
    """No framework is imported for it; the run says how the script ended, whose exit code is its own."""
    (tmp_path / "script.py").write_text(_SCRIPT + failure)
    command = command_line("run", "--headless", "script.py") if is_run else [sys.executable, "script.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == bool(failure), done.stderr
    (folder,) = (tmp_path / "runs").iterdir()
    snapshot = load(folder)
    assert snapshot.state is (State.FAILED if failure else State.FINISHED)
    assert snapshot.detail == ("ValueError: at the end" if failure else "")
    assert (snapshot.fits[0].batches, len(snapshot.fits[0].epochs)) == (6, 2)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_can_not_be_written_does_not_fail_the_script(tmp_path: Path) -> None:
    """One line on standard error says that nothing is recorded."""
    tmp_path.chmod(0o500)
    script = "import tui_monitor\nfor _ in range(2): tui_monitor.log_batch(loss=1)\n"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr.count("record nothing from now on") == 1


_TRAIN_ON_BATCH = """
import keras, tf_keras, numpy as np
import tensorflow as tf
import tui_monitor
x, y = np.ones((4, 2)), np.ones((4, 1))
models = []
for package in (keras, tf_keras):
    model = package.Sequential([package.layers.Input((2,)), package.layers.Dense(1)])
    model.compile("sgd", "mse")
    models.append(model)
def train(times):
    for model in models:
        for _ in range(times):
            loss = model.train_on_batch(x, y)
    return loss
train(12)
if LOGS:
    @tf.function
    def step():
        tui_monitor.log_batch(loss=tf.constant(1.0))
        return tf.constant(2.0)
    for _ in range(3):
        tui_monitor.log_batch(loss=step(), keras=keras.ops.convert_to_tensor([3.0]), variable=tf.Variable(4.0))
"""


@pytest.mark.parametrize("logs", [False, True], ids=["loop alone", "loop that logs"])
def test_train_on_batch_is_said_not_to_be_recorded(tmp_path: Path, logs: bool) -> None:
    """In time and at the end, with how it could be; for both Kerases. TensorFlow's values are those it holds."""
    (tmp_path / "script.py").write_text(_TRAIN_ON_BATCH.replace("LOGS", str(logs)))
    done = subprocess.run(
        command_line("run", "--headless", "--name", "run", "script.py"),
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    snapshot = load(tmp_path / "runs" / "run")
    assert len([text for text in _said(tmp_path / "runs" / "run") if "train_on_batch, outside of fit" in text]) == 1
    assert "log_batch(loss=...)" in snapshot.detail or logs
    if logs:
        series = snapshot.fits[0].series
        assert {name: list(values.values()) for name, values in series.items()} == {
            "loss": [2.0] * 3,
            "keras": [3.0] * 3,
            "variable": [4.0] * 3,
        }
