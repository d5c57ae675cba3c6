"""What is unusual in a script is measured, or its limit said, and none of it breaks the training."""

import csv
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tui_monitor
from tui_monitor.history.load import load
from tui_monitor.history.snapshot import FitSnapshot, Snapshot
from tui_monitor.run_log.format.layout import EVENTS_FILE, OUTPUT_FILE, State

SCRIPT = Path(__file__).with_name("unusual_script.py")


@dataclass(frozen=True)
class Ran:
    """The script under `tui-monitor run --headless`, in a folder of its own."""

    folder: Path
    stdout: str
    stderr: str
    snapshot: Snapshot
    notes: Mapping[str, Any]

    def fit(self, case: str) -> FitSnapshot:
        """Return the fit of one of the script's cases."""
        return self.snapshot.fits[self.notes["cases"].index(case)]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Run the script once."""
    folder = tmp_path_factory.mktemp("unusual")
    options = ["--headless", "--runs", str(folder), "--name", "run", "--probe-budget", "1"]
    command = [sys.executable, "-m", "tui_monitor", "run", *options, str(SCRIPT), "notes.json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr[-4000:]
    notes = json.loads((folder / "notes.json").read_text())
    return Ran(folder, done.stdout, done.stderr, load(folder / "run"), notes)


def _limits(fit: FitSnapshot) -> list[str]:
    return [limit for entry in fit.explanations for limit in entry.content["limits"]]


def _measurement(fit: FitSnapshot) -> list[float]:
    terms = [term for entry in fit.explanations for term in entry.content["loss"]["terms"]]
    return [term["effect"] for term in terms if term["cause"] == "measurement"]


def test_each_fit_is_there_and_none_is_lost(ran: Ran) -> None:
    """Nine fits are recorded as nine without an alert; the script got as far as it does alone."""
    assert len(ran.snapshot.fits) == len(ran.notes["cases"]) == 9
    assert not [entry.text for entry in ran.snapshot.timeline if "Recording stopped" in entry.text]
    assert ran.notes["caught"] == "in the middle"


def test_metrics_that_are_no_means_have_batch_values(ran: Ran) -> None:
    """Precision and recall of every batch equal a count by hand, whatever came before; F1 follows from them."""
    series = ran.fit("metrics_that_are_no_means").series
    precision, recall = np.array(ran.notes["precision"]), np.array(ran.notes["recall"])
    np.testing.assert_allclose(series["precision"].values(), precision, atol=1e-6)
    np.testing.assert_allclose(series["recall"].values(), recall, atol=1e-6)
    expected = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    np.testing.assert_allclose(series["f1_score"].values(), expected, atol=1e-5)
    assert precision.std() > 0.05


def test_models_that_cannot_be_split_by_sample_say_so(ran: Ran) -> None:
    """Each of several outputs has its gap; of a loss of one's own explanation and terminal say how it is measured."""
    both = ran.fit("two_outputs")
    assert set(both.info.metrics) == {"loss", "a_loss", "a_accuracy", "b_loss", "b_mae"}
    outputs = both.explanations[-1].content["outputs"]
    assert [(part["name"], part["accuracy"] is None) for part in outputs] == [("a", False), ("b", True)]
    for part in outputs:
        # Keras takes the mean of batch means for an output's own loss, on both sides: that is no unmeasured rest.
        effects = {term["cause"]: term["effect"] for term in part["loss"]["terms"]}
        assert abs(effects["measurement"]) < 1e-5 < abs(effects["batch_averaging"])
        assert part["verdict"].startswith("Validation loss is")
    reasons = {term["reason"] for term in both.explanations[-1].content["loss"]["terms"] if term["cause"] == "leaked"}
    assert reasons == {"It is measured of models with one loss alone."}
    own = ran.fit("own_step")
    assert own.batches == 8
    assert [dict(row.metrics).keys() for row in own.epochs] == [{"loss", "val_loss"}]
    assert ["the model computes its loss itself" in limit for limit in _limits(own)] == [True]
    assert "the model computes its loss itself" in ran.stderr


def test_a_metric_of_several_numbers_is_recorded_and_stops_nothing(ran: Ran) -> None:
    """A value for each class goes into the epoch's record; what is compared are the values of one number."""
    events = [json.loads(line) for line in (ran.folder / "run" / EVENTS_FILE).read_text().splitlines()]
    logs = [event["logs"] for event in events if event["kind"] == "epoch" and "of_each_class" in event["logs"]]
    assert [log["of_each_class"] for log in logs] == [[0.25, 0.75]]


def test_several_steps_a_call_leave_no_validation_batch_out(ran: Ran) -> None:
    """Every batch is recorded, and all of validation measured: its term “Not measured” is rounding."""
    fit = ran.fit("several_steps_a_call")
    assert [row.batches for row in fit.epochs] == [8, 8]
    samples = [entry.content["samples"]["validation"] for entry in fit.explanations]
    assert samples == [40, 40]
    assert _measurement(fit) == pytest.approx([0.0, 0.0], abs=1e-6)


def test_mixed_precision_is_measured(ran: Ran) -> None:
    """The gap of a half-precision model is split, its loss as reported."""
    fit = ran.fit("mixed_precision")
    assert _limits(fit) == []
    assert _measurement(fit) == pytest.approx([0.0], abs=1e-3)


def test_other_loggers_go_on(ran: Ran) -> None:
    """CSV, TensorBoard, checkpoints, early stopping and the bar do what they do; the run agrees with the CSV."""
    fit = ran.fit("loggers")
    with (ran.folder / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val_loss"]) for row in rows] == [epoch.metrics["val_loss"] for epoch in fit.epochs]
    assert len(rows) == 3
    assert fit.epochs[-1].learning_rate == 0.0
    assert list((ran.folder / "board" / "train").iterdir())
    assert (ran.folder / "best.keras").is_file()
    assert "Epoch 3/9" in ran.stdout
    assert "8/8" in ran.stdout


def test_an_early_end_keeps_what_was_trained(ran: Ran) -> None:
    """A fit that stops or fails within an epoch has the batches it trained; the next fit is recorded again."""
    stopped, failed = ran.fit("stopped_within_an_epoch"), ran.fit("failing")
    assert (stopped.batches, [row.batches for row in stopped.epochs]) == (3, [3])
    assert (failed.batches, len(failed.epochs)) == (3, 0)
    forked = ran.fit("forking")
    assert [row.batches for row in forked.epochs] == [2, 2]
    assert ["val_loss" in row.metrics for row in forked.epochs] == [False, True]


def test_a_call_of_2018_ends_with_a_traceback_and_a_sentence(ran: Ran) -> None:
    """The script's traceback is whole on its stream and in the run; what to write instead follows it, once."""
    assert ran.snapshot.state is State.FAILED
    sentence = "Keras 3 has no model.predict_classes: write model.predict(x).argmax(axis=-1)"
    assert ran.snapshot.detail.startswith(sentence)
    for text in (ran.stderr, (ran.folder / "run" / OUTPUT_FILE).read_text()):
        traceback, _, after = text.partition("AttributeError: 'Sequential' object has no attribute 'predict_classes'")
        assert "Traceback (most recent call last)" in traceback
        assert "unusual_script.py" in traceback
        assert str(Path(tui_monitor.__file__).parent) not in traceback.split("Traceback")[-1]
        assert after.partition("\n")[2].startswith(f"tui-monitor: {sentence}")
