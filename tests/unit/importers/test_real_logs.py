"""Logs of real trainings, made here: every value equals `History` to the precision that was printed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.importers.reading import alerts, imported, logged_epochs
from tests.unit.importers.real_training import EPOCHS
from tui_monitor.metric_names import canonical_metric
from tui_monitor.run_log.format.layout import State

TRAINING = Path(__file__).with_name("real_training.py")
PACKAGES = ("keras", "tf_keras")
PRINTED = 0.5e-4


@pytest.fixture(scope="session", params=PACKAGES)
def logs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of logs, each beside the `History` of the training that wrote it."""
    pytest.importorskip("tensorflow")
    pytest.importorskip(request.param)
    folder: Path = tmp_path_factory.mktemp(request.param)
    silent = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, str(TRAINING), request.param, str(folder)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **silent})
    return folder


def _history(logs: Path, name: str) -> list[dict[str, float]]:
    content = json.loads((logs / f"{name}.json").read_text())
    return [{canonical_metric(metric): values[epoch] for metric, values in content.items()} for epoch in range(EPOCHS)]


@pytest.mark.parametrize("name", ["pty", "pipe", "lines", "checkpoint", "generator"])
def test_printed_text(logs: Path, tmp_path: Path, name: str) -> None:
    """Bars on a terminal and in a pipe, `verbose=2`, a checkpoint's prints, and a generator of unknown length."""
    snapshot = imported(logs / f"{name}.log", tmp_path)
    assert snapshot.state is State.FINISHED
    assert alerts(snapshot) == []
    (fit,) = snapshot.fits
    assert [row.batches for row in fit.epochs] == [7] * EPOCHS
    read = list(logged_epochs(snapshot))
    assert [epoch for epoch, _ in read] == [1, 2, 3]
    for (_, logged), true in zip(read, _history(logs, name), strict=True):
        assert logged == pytest.approx(true, abs=PRINTED, rel=PRINTED)


@pytest.mark.parametrize("name", ["comma.csv", "semicolon.csv"])
def test_csv_logger(logs: Path, tmp_path: Path, name: str) -> None:
    """A `CSVLogger` file gives back `History` bit for bit, with epochs from 1."""
    expected = list(enumerate(_history(logs, "logged"), 1))
    assert list(logged_epochs(imported(logs / name, tmp_path))) == expected


def test_history_as_json(logs: Path, tmp_path: Path) -> None:
    """`History.history` kept as JSON gives back every value bit for bit."""
    expected = list(enumerate(_history(logs, "logged"), 1))
    assert list(logged_epochs(imported(logs / "logged.json", tmp_path))) == expected


def test_tensorboard_callback(logs: Path, tmp_path: Path) -> None:
    """The callback's two folders are one run: epochs as in `History`, batches under the names they were logged as."""
    pytest.importorskip("tensorboard")
    snapshot = imported(logs / "events", tmp_path)
    (fit,) = snapshot.fits
    for (_, logged), true in zip(logged_epochs(snapshot), _history(logs, "logged"), strict=True):
        assert {name: logged[name] for name in true} == pytest.approx(true, abs=0, rel=1e-7)
    if (logs / "events" / "train").parent.parent.name.startswith("keras"):
        assert fit.batches == 7 * EPOCHS
        assert fit.epoch_starts == (0, 7, 14)
        assert set(fit.series) == {"batch_loss", "batch_accuracy"}
