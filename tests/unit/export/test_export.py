"""Exports: every value comes back bit for bit, under the names and in the order that were promised."""

import csv
import importlib.util
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.importers.reading import NOW, logged_epochs
from tui_monitor.cli.boundary import run_program
from tui_monitor.cli.commands import program
from tui_monitor.history.load import load
from tui_monitor.importers.importing import import_path
from tui_monitor.run_log.events.progress import EpochEnded
from tui_monitor.run_log.format.layout import RunInfo, State
from tui_monitor.run_log.write.writer import RunWriter

Epochs = Sequence[Mapping[str, float]]
NAMES = ("loss", "accuracy", "val_loss", "val_accuracy", "auc_1", "lr", "a,b", 'q"x', "müh")
METRICS = st.dictionaries(st.sampled_from(NAMES), st.floats(), max_size=6)
WHOLE = METRICS.map(lambda logs: {"loss": 0.5, **logs})


def _run(folder: Path, fits: Sequence[tuple[int, Epochs]]) -> Path:
    with RunWriter(folder, RunInfo(name="run"), heartbeat_seconds=None) as writer:
        for first, epochs in fits:
            writer.begin_fit(("loss", "acc"), initial_epoch=first - 1)
            for epoch, logs in enumerate(epochs, first):
                writer.event(EpochEnded(epoch=epoch, logs=dict(logs)))
        writer.status(State.FINISHED)
    return folder


def _same(one: Sequence[tuple[int, Mapping[str, float]]], other: Sequence[tuple[int, Mapping[str, float]]]) -> bool:
    """Compare bit for bit, taking NaN for NaN."""
    return repr([(n, sorted(logs.items())) for n, logs in one]) == repr([(n, sorted(x.items())) for n, x in other])


def _export(run: Path, *options: str) -> int:
    return run_program(program, ["export", str(run), *options])


@settings(max_examples=60, deadline=None)
@given(st.lists(WHOLE, min_size=1, max_size=5), st.integers(1, 9), st.sampled_from(["csv", "jsonl"]))
def test_export_then_import_is_the_identity(epochs: Epochs, first: int, form: str) -> None:
    """Any epochs of any values, exported as text and imported again, are the same epochs of the same values."""
    with TemporaryDirectory() as name:
        root = Path(name)
        run = _run(root / "run", [(first, epochs), (1, epochs)])
        assert _export(run, "--format", form, "-o", str(root / "out")) == 0
        (again,) = import_path(root / "out", root / "runs", NOW)
        assert _same(list(logged_epochs(load(again))), list(logged_epochs(load(run))))


def test_tensorboard_there_and_back(tmp_path: Path) -> None:
    """Epochs exported as event files, in Keras' layout, are read back bit for bit, NaN and infinities included."""
    pytest.importorskip("tensorboard")
    epochs = [
        {"loss": 0.1, "val_loss": math.nan},
        {"loss": 1e300, "accuracy": 1 / 3, "val_accuracy": math.inf},
        {"loss": 5e-324},
    ]
    run = _run(tmp_path / "run", [(1, epochs), (1, epochs[:1])])
    assert _export(run, "--format", "tensorboard", "-o", str(tmp_path / "events")) == 0
    assert sorted(path.name for path in (tmp_path / "events").iterdir()) == ["train", "validation"]
    (again,) = import_path(tmp_path / "events", tmp_path / "runs", NOW)
    read = list(logged_epochs(load(again)))
    assert _same(read[:3], list(logged_epochs(load(run)))[:3])


def test_event_files_are_not_mixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder with event files is refused: TensorBoard would draw both as one run."""
    pytest.importorskip("tensorboard")
    run = _run(tmp_path / "run", [(1, [{"loss": 0.5}])])
    assert _export(run, "--format", "tensorboard", "-o", str(tmp_path / "events")) == 0
    assert _export(run, "--format", "tensorboard", "-o", str(tmp_path / "events")) == 2
    assert "another folder" in capsys.readouterr().err


def test_parquet_tells_absent_from_nan(tmp_path: Path) -> None:
    """A Parquet file holds doubles, and null where an epoch has no such value."""
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    run = _run(tmp_path / "run", [(1, [{"loss": 0.1}, {"loss": math.nan, "val_loss": 0.2}])])
    assert _export(run, "--format", "parquet", "-o", str(tmp_path / "run.parquet")) == 0
    content = parquet.read_table(tmp_path / "run.parquet").to_pydict()
    assert content["epoch"] == [1, 2]
    assert content["val_loss"] == [None, 0.2]
    assert content["loss"][0] == 0.1
    assert math.isnan(content["loss"][1])


def test_epochs_as_csv_on_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`fit` and `epoch`, then the metrics under matched names, training then validation; absent cells are empty."""
    run = _run(tmp_path / "run", [(1, [{"lr": 0.001, "val_acc": 0.5, "acc": 0.75, "loss": 0.1}, {"val_loss": 2.0}])])
    assert _export(run, "--format", "csv") == 0
    assert capsys.readouterr().out == (
        "fit,epoch,loss,accuracy,val_loss,val_accuracy,lr\n1,1,0.1,0.75,,0.5,0.001\n1,2,,,2.0,,\n"
    )


def test_a_metric_that_is_called_like_a_column_gets_a_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No two columns share a name, whatever a script calls its metrics."""
    run = _run(tmp_path / "run", [(1, [{"loss": 0.1, "epoch": 0.5, "epoch_2": 0.25}])])
    assert _export(run, "--format", "csv") == 0
    assert capsys.readouterr().out == "fit,epoch,loss,epoch_3,epoch_2\n1,1,0.1,0.5,0.25\n"


BATCHES = st.lists(
    st.tuples(st.integers(1, 3), st.integers(0, 99), st.floats(width=32, allow_nan=True), st.floats(width=32)),
    min_size=1,
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(BATCHES)
def test_batches_are_one_row_each_and_exact(batches: list[tuple[int, int, float, float]]) -> None:
    """Every batch is a row with its numbers in epoch and run, and the very float32 that was recorded."""
    with TemporaryDirectory() as name:
        run = Path(name) / "run"
        with RunWriter(run, RunInfo(name="run"), heartbeat_seconds=None) as writer:
            writer.begin_fit(("loss", "acc"))
            for epoch, size, loss, accuracy in batches:
                writer.batch(epoch, size, (loss, accuracy))
            writer.status(State.FINISHED)
        for form in ("csv", "jsonl"):
            assert _export(run, "--format", form, "--what", "batches", "-o", str(Path(name) / form)) == 0
        with (Path(name) / "csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        objects = [json.loads(line) for line in (Path(name) / "jsonl").read_text().splitlines()]
    assert list(rows[0]) == ["fit", "epoch", "batch", "step", "size", "time", "loss", "accuracy"]
    assert [int(row["step"]) for row in rows] == list(range(1, len(batches) + 1))
    number, last = 0, None
    for row, entry, (epoch, size, loss, accuracy) in zip(rows, objects, batches, strict=True):
        number = number + 1 if epoch == last else 1
        last = epoch
        assert (int(row["epoch"]), int(row["batch"]), int(row["size"])) == (epoch, number, size)
        assert (entry["epoch"], entry["batch"], entry["size"]) == (epoch, number, size)
        for text, value in ((row["loss"], loss), (row["accuracy"], accuracy)):
            assert np.float32(text).tobytes() == np.float32(value).tobytes() or math.isnan(value)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--format", "csv", "--what", "batches"), 7),
        (("--format", "tensorboard"), 2),
        (("--format", "xls"), 2),
        (("--format", "csv", "-o", "no-such-folder/x.csv"), 5),
    ],
)
def test_what_cannot_be_exported_says_so(tmp_path: Path, options: tuple[str, ...], code: int) -> None:
    """Nothing recorded, a format that is a folder, an unknown one and no place to write end with their exit codes."""
    run = _run(tmp_path / "run", [(1, [{"loss": 0.5}])])
    assert _export(run, *options) == code


def test_a_missing_library_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the optional package, the message gives the command that installs it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    run = _run(tmp_path / "run", [(1, [{"loss": 0.5}])])
    assert _export(run, "--format", "parquet", "-o", str(tmp_path / "x")) == 6
    assert "pip install 'tui-monitor[parquet]'" in capsys.readouterr().err


def test_a_running_mean_is_exported_under_that_word(tmp_path: Path) -> None:
    """Batch values that a fit has as running means alone are no values of batches, and no column says they are."""
    with RunWriter(tmp_path / "run", RunInfo(name="run"), heartbeat_seconds=None) as writer:
        writer.begin_fit(("loss", "acc"), running_means=("acc",))
        writer.batch(1, 4, (0.5, 0.25))
        writer.status(State.FINISHED)
    assert _export(tmp_path / "run", "--format", "csv", "--what", "batches", "-o", str(tmp_path / "out.csv")) == 0
    with (tmp_path / "out.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert {name: float(row[name]) for name in row if "loss" in name or "acc" in name} == {
        "loss": 0.5,
        "running_mean_accuracy": 0.25,
    }
