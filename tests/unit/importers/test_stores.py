"""Stores of trackers: several runs in one, each read as its tracker counts."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.importers.reading import NOW, logged_epochs
from tui_monitor.compare.sweep import argument_effects
from tui_monitor.history.load import load
from tui_monitor.importers.importing import import_path, import_runs
from tui_monitor.importers.stores.keras_tuner import tuner_parameters
from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.catalogue import Catalogue
from tui_monitor.run_log.runs.read_entry import read_entry
from tui_monitor.view.runs.differences import differences


def _observed(*values: float) -> dict[str, object]:
    return {"direction": "min", "observations": [{"value": [value], "step": step} for step, value in enumerate(values)]}


def test_every_trial_of_keras_tuner_is_a_run(tmp_path: Path) -> None:
    """Trials below a project become runs with the epochs each reported; a trial without one is left out, and said."""
    for name, metrics in (
        ("trial_0", {"loss": _observed(0.5, 0.25), "val_loss": _observed(0.75, 0.5)}),
        ("trial_1", {"loss": _observed(0.4)}),
    ):
        folder = tmp_path / "project" / name
        folder.mkdir(parents=True)
        content = {"trial_id": name, "metrics": {"metrics": metrics}, "score": 0.5, "status": "COMPLETED"}
        (folder / "trial.json").write_text(json.dumps(content))
    first, second = (load(folder) for folder in import_path(tmp_path / "project", tmp_path / "runs", NOW))
    assert list(logged_epochs(first)) == [(1, {"loss": 0.5, "val_loss": 0.75}), (2, {"loss": 0.25, "val_loss": 0.5})]
    assert list(logged_epochs(second)) == [(1, {"loss": 0.4})]
    assert first.state is State.FINISHED


def test_trials_are_runs_of_one_group_by_their_hyper_parameters(tmp_path: Path) -> None:
    """What varies among the trials of a project is found, without what Hyperband keeps for itself; a sweep ranks it."""
    for number in range(6):
        folder = tmp_path / "project" / f"trial_{number}"
        folder.mkdir(parents=True)
        values = {"units": 8 * (number + 1), "lr": 0.01, "kind": "gru", "tuner/trial_id": f"{number:04}"}
        content = {
            "hyperparameters": {"space": [], "values": values},
            "metrics": {"metrics": {"val_loss": _observed(1 / (number + 1))}},
            "status": "COMPLETED",
        }
        (folder / "trial.json").write_text(json.dumps(content))
    import_path(tmp_path / "project", tmp_path / "runs", NOW)
    entries = list(Catalogue(tmp_path / "runs").refresh().values())
    assert {entry.script for entry in entries} == {"project"}
    assert sorted(differences(entries).text(entry) for entry in entries) == sorted(
        f"units={8 * (number + 1)}" for number in range(6)
    )
    (effect,) = argument_effects(entries, "val_loss")
    assert effect.name == "units"
    assert effect.correlation == pytest.approx(-1)


@pytest.mark.parametrize("content", ["", "[]", '{"hyperparameters": 1}', '{"hyperparameters": {"values": [1]}}'])
def test_a_trial_without_hyper_parameters_has_none(tmp_path: Path, content: str) -> None:
    """Whatever the file holds in their place."""
    (tmp_path / "trial.json").write_text(content)
    assert tuner_parameters(tmp_path) == {}


def test_parameters_of_mlflow_are_arguments(tmp_path: Path) -> None:
    """Each file below `params` is one, and a later import brings those that were added."""
    run = tmp_path / "store" / "0" / "abc"
    (run / "metrics").mkdir(parents=True)
    (run / "params" / "opt").mkdir(parents=True)
    (run / "meta.yaml").write_text("status: 3\n")
    (run / "metrics" / "loss").write_text("1000 0.5 0\n2000 0.25 1\n")
    (run / "params" / "opt" / "lr").write_text("0.01\n")
    (folder,) = import_path(tmp_path / "store", tmp_path / "runs", NOW)
    assert read_entry(folder).arguments == {"opt/lr": "0.01"}
    (run / "params" / "depth").write_text("3")
    assert import_path(tmp_path / "store", tmp_path / "runs", NOW) == [folder]
    assert read_entry(folder).arguments == {"opt/lr": "0.01", "depth": "3"}


def test_every_run_of_a_trackio_store_is_a_run(tmp_path: Path) -> None:
    """A project's database gives a run for each name, NaN included; the store is left as it was."""
    store = tmp_path / "project.db"
    with closing(sqlite3.connect(store)) as database:
        database.execute(
            "CREATE TABLE metrics (id INTEGER PRIMARY KEY, timestamp TEXT, run_name TEXT, step INTEGER, metrics TEXT)"
        )
        rows = [
            (f"2026-01-02T03:04:0{step}", run, step, json.dumps({"train/loss": loss, "val/loss": "NaN"}))
            for run, losses in (("first", (0.5, 0.25)), ("second", (0.75,)))
            for step, loss in enumerate(losses)
        ]
        database.executemany("INSERT INTO metrics (timestamp, run_name, step, metrics) VALUES (?, ?, ?, ?)", rows)
        database.commit()
    before = store.read_bytes()
    first, second = (load(folder) for folder in import_path(store, tmp_path / "runs", NOW))
    assert [(epoch, logs["loss"]) for epoch, logs in logged_epochs(first)] == [(1, 0.5), (2, 0.25)]
    assert [(epoch, logs["loss"]) for epoch, logs in logged_epochs(second)] == [(1, 0.75)]
    assert first.fits[0].epochs[1].ended == 1.0
    assert store.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("project")] == ["project.db"]


_LOG = """
import wandb
run = wandb.init(mode="offline", project="p", dir={folder!r}, settings=wandb.Settings(silent=True))
for epoch in range(3):
    run.log({{"batch/loss": 9.0}})
    run.log({{"epoch/epoch": epoch, "epoch/loss": 1 / (epoch + 1), "epoch/val_loss": 2 / (epoch + 1)}})
run.finish()
"""


def test_an_offline_run_of_wandb_is_read(tmp_path: Path) -> None:
    """What wandb itself wrote is read from its file, epochs as its Keras callback counts them."""
    pytest.importorskip("wandb")
    code = _LOG.format(folder=str(tmp_path))
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=dict(os.environ))
    (imported,) = import_runs(tmp_path, tmp_path / "runs", NOW)
    assert list(logged_epochs(load(imported.folder))) == [
        (epoch, {"loss": 1 / epoch, "val_loss": 2 / epoch}) for epoch in (1, 2, 3)
    ]
    assert "single batches" in " ".join(imported.remarks)


def test_test_folders_of_tensorboard_are_not_validations(tmp_path: Path) -> None:
    """Charts of a test set keep their name beside validation's, and make no epoch of their own."""
    for side, value in (("train", 0.5), ("validation", 0.25), ("test", 0.125)):
        path = tmp_path / f"run-{side}-tag-epoch_loss.csv"
        path.write_text(f"Wall time,Step,Value\n1790000000,0,{value}\n")
    (folder,) = import_path(tmp_path, tmp_path / "runs", NOW)
    assert list(logged_epochs(load(folder))) == [(1, {"loss": 0.5, "val_loss": 0.25, "test_loss": 0.125})]
