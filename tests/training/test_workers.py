"""Two processes under MultiWorkerMirroredStrategy are one run: exact batches, exact ledger, one stop for both."""

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.brute_force import Samples, folded, ledger
from tests.training.worker_fits import (
    BATCH,
    CLASS_WEIGHT,
    EPOCHS,
    SAMPLES,
    SIZES,
    STEPS,
    VALIDATION,
    build_model,
    fit,
    make_arrays,
)
from tui_monitor.explain.measure import Moment
from tui_monitor.explain.samples.join_workers import Average, WorkerShare
from tui_monitor.explain.samples.probes import Averaging, PerSampleMetric, TrainingProbe, Weighting
from tui_monitor.history.load import load
from tui_monitor.history.snapshot import FitSnapshot, Snapshot
from tui_monitor.history.state.workers import hold_up
from tui_monitor.run_log.events.explanation import Cost
from tui_monitor.run_log.format.layout import RunInfo, State
from tui_monitor.run_log.runs.workers import claim_place, worker_from_environment
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.workers.shares import LAST_WAIT_SECONDS, WorkerShares

# Three fits: one that a single process repeats, one full of layers with a state on each worker, one that is stopped.
_SCRIPT = """
import json, os, pathlib, sys, time
import numpy as np
import tensorflow as tf
import tf_keras
from tests.training.worker_fits import build_noisy_model, build_model, fit
from tui_monitor.run_log.runs.control import Action, send_request

strategy = tf.distribute.MultiWorkerMirroredStrategy()
rank = json.loads(os.environ["TF_CONFIG"])["task"]["index"]

class Steered(tf_keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        self.seen = getattr(self, "seen", 0) + 1
        if rank == 1:
            time.sleep(0.1)
        elif self.seen == 10:
            send_request(pathlib.Path(sys.argv[1]), Action.STOP_BATCH)

histories = []
with strategy.scope():
    model, noisy = build_model(), build_noisy_model()
histories.append(fit(model))
histories.append(fit(noisy))
fit(model, epochs=20, callbacks=[Steered()])
print(json.dumps(histories))
"""


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nobody listened on a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def train_on_workers(script: Path, runs: Path, *arguments: str, workers: int = 2) -> list[tuple[int, str, str]]:
    """Run a script on every worker under the monitor; return exit codes, outputs and errors, by rank."""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(workers)]}
    command = [sys.executable, "-m", "tui_monitor", "run", "--headless", "--runs", str(runs), "--name", "r"]
    processes = []
    for rank in range(workers):
        config = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": rank}})
        environment = {**os.environ, "TF_CONFIG": config, "TF_CPP_MIN_LOG_LEVEL": "2"}
        started = subprocess.Popen(
            [*command, "--probe-budget", "1", str(script), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        processes.append(started)
    try:
        told = [process.communicate(timeout=300) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(process.returncode, *said) for process, said in zip(processes, told, strict=True)]


@dataclass(frozen=True)
class Trained:
    """What came of the script."""

    runs: Path
    snapshot: Snapshot
    histories: list[list[dict[str, list[float]]]]
    """By rank, then by fit."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train on two workers, once for all tests."""
    runs = tmp_path_factory.mktemp("workers")
    script = runs / "train.py"
    script.write_text(_SCRIPT)
    told = train_on_workers(script, runs / "runs", str(runs / "runs" / "r"))
    assert [code for code, _, _ in told] == [0, 0], told[0][2][-3000:] + told[1][2][-3000:]
    histories = [json.loads(out.strip().splitlines()[-1]) for _, out, _ in told]
    return Trained(runs / "runs", load(runs / "runs" / "r"), histories)


def _fit(trained: Trained, index: int) -> FitSnapshot:
    return trained.snapshot.fits[index - 1]


def test_all_record_into_one_run(trained: Trained) -> None:
    """Two processes make one run of three fits, each worker in it under its rank, with nothing to complain of."""
    assert [folder.name for folder in trained.runs.iterdir()] == ["r"]
    assert [worker.rank for worker in trained.snapshot.workers] == [0, 1]
    assert len(trained.snapshot.fits) == 3
    assert trained.snapshot.covered == 2
    assert not [entry for entry in trained.snapshot.timeline if entry.text.startswith("Recording stopped")]
    own = load(trained.runs / "r" / "workers" / "1")
    assert not [entry for entry in own.timeline if entry.text.startswith("Recording stopped")]
    batches = sum(each.batches for each in trained.snapshot.fits)
    assert [worker.batches for worker in trained.snapshot.workers] == [batches] * 2


def test_batches_and_ledger_are_those_of_one_process(trained: Trained) -> None:
    """Batch values, epochs and every term are what one unwatched process computes on the whole batches."""
    import tf_keras

    x, y = make_arrays()
    weight = np.where(y == 1, CLASS_WEIGHT[1], CLASS_WEIGHT[0])
    model = build_model()
    batches: list[list[float]] = []
    at_the_end: list[tuple[np.ndarray, np.ndarray]] = []

    class Watch(tf_keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            part = slice(batch * BATCH, min((batch + 1) * BATCH, SAMPLES))
            outputs = self.model(x[part]).numpy()
            losses = -np.log(outputs[np.arange(len(outputs)), y[part]])
            batches.append([(losses * weight[part]).mean(), (outputs.argmax(axis=1) == y[part]).mean()])

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            outputs = self.model(x).numpy().astype(np.float64)
            at_the_end.append((-np.log(outputs[np.arange(len(x)), y]), outputs.argmax(axis=1) == y))

    alone = fit(model, callbacks=[Watch()])
    of_fit = _fit(trained, 1)
    for place, name in enumerate(("loss", "accuracy")):
        expected = np.array(batches)[:, place]
        np.testing.assert_allclose(of_fit.series[name].values(), expected, atol=2e-4)
    assert [(row.batches, row.samples) for row in of_fit.epochs] == [(STEPS, SAMPLES)] * EPOCHS
    for histories in trained.histories:
        for name, values in histories[0].items():
            np.testing.assert_allclose(values, alone[name], atol=2e-4)
            assert [row.metrics[name] for row in of_fit.epochs] == values
    assert [(entry.epoch, entry.batch) for entry in of_fit.explanations] == [(1, None), (2, None)]
    for entry, per_sample in zip(of_fit.explanations, at_the_end, strict=True):
        assert entry.content["samples"] == {"train": SAMPLES, "validation": VALIDATION}
        for name, measured, weights in (
            ("loss", per_sample[0], weight),
            ("accuracy", per_sample[1] * 1.0, np.ones(len(x))),
        ):
            samples = Samples(
                training=measured[:SAMPLES],
                inference=measured[:SAMPLES],
                weight=weights[:SAMPLES],
                label=y[:SAMPLES],
                sizes=SIZES.tolist(),
                validation=measured[SAMPLES:],
                validation_weight=np.ones(VALIDATION),
                validation_label=y[SAMPLES:],
            )
            reported = of_fit.epochs[entry.epoch - 1].metrics
            expected_terms = ledger(samples, reported[name], reported[f"val_{name}"])
            _assert_adds_up(entry.content[name])
            effects = folded((term["cause"], term["effect"]) for term in entry.content[name]["terms"])
            assert effects == pytest.approx(dict(expected_terms), abs=1e-3), name


def _assert_adds_up(content: Any) -> None:
    assert sum(term["effect"] or 0.0 for term in content["terms"]) == pytest.approx(content["gap"], abs=1e-9)


def test_state_that_each_worker_keeps_is_measured_where_it_is(trained: Trained) -> None:
    """With dropout and batch normalisation the batches average to the report, and validation is covered whole."""
    of_fit = _fit(trained, 2)
    history = trained.histories[0][1]
    for epoch in range(EPOCHS):
        for name in ("loss", "accuracy"):
            values = of_fit.series[name].values()[epoch * STEPS : (epoch + 1) * STEPS].astype(np.float64)
            assert float((values * SIZES).sum() / SAMPLES) == pytest.approx(history[name][epoch], abs=1e-5)
    assert [entry.epoch for entry in of_fit.explanations] == [1, 2]
    for entry in of_fit.explanations:
        for name in ("loss", "accuracy"):
            _assert_adds_up(entry.content[name])
            terms = {term["cause"]: term["effect"] for term in entry.content[name]["terms"]}
            assert terms["measurement"] == pytest.approx(0.0, abs=1e-5)
            assert abs(terms["train_mode_layers"]) > 1e-4


def test_a_stop_is_obeyed_by_all_after_the_same_batch(trained: Trained) -> None:
    """Requested in the midst of training, every worker stops after the same batch, and the run says it was stopped."""
    of_fit = _fit(trained, 3)
    assert 10 <= of_fit.batches < 20 * STEPS
    own = [load(trained.runs / "r" / "workers" / "1").fits[2].batches, of_fit.batches]
    assert own[0] == own[1]
    assert [worker.state for worker in trained.snapshot.workers] == [State.STOPPED] * 2
    said = [entry.text for entry in trained.snapshot.timeline if entry.kind == "control"]
    assert said == ["Stopping after this batch."]


def test_the_slow_worker_is_named(trained: Trained) -> None:
    """The worker whose callback takes a tenth of a second is the one that the others wait for."""
    held = hold_up(trained.snapshot.workers)
    assert held is not None
    assert held.rank == 1
    assert 0.02 < held.seconds < 0.5
    assert held.fetching > held.computing


def test_nobody_waits_for_a_worker_that_measures_nothing(tmp_path: Path) -> None:
    """A worker whose measuring failed, or is switched off, says so at each epoch's end, and the chief explains none."""
    shares = []
    for rank in range(2):
        config = {"cluster": {"worker": ["one:1", "two:1"]}, "task": {"type": "worker", "index": rank}}
        worker = worker_from_environment({"TF_CONFIG": json.dumps(config)})
        assert worker is not None
        place = claim_place(tmp_path, "r", "train", worker)
        writer = RunWriter(place.folder, RunInfo(name="r", worker=place.worker), heartbeat_seconds=None)
        writer.begin_fit(["loss"])
        shares.append(WorkerShares(writer, place.worker))
    chief, other = shares
    ones, zeros = np.ones(2), np.zeros(2, np.int64)
    loss = PerSampleMetric(ones, ones, ones, 1.0, Averaging.SAMPLES, Weighting.NONE)
    training = TrainingProbe(zeros, zeros, zeros, ones, loss, None, 1, None)
    for epoch in (1, 2):
        other.close_epoch(epoch)
        moment = Moment("r", epoch, None, None)
        chief.offer(moment, WorkerShare(training, None, 2, Average(1.0, 1.0), None))
        chief.close_epoch(epoch)
        begun = time.monotonic()
        assert chief.explanation(Cost(0.0, 0.0), wait_seconds=LAST_WAIT_SECONDS) is None
        assert time.monotonic() - begun < LAST_WAIT_SECONDS / 2


_KERAS3 = """
import keras, numpy as np, tensorflow as tf
with tf.distribute.MultiWorkerMirroredStrategy().scope():
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
model.fit(np.zeros((8, 4)), np.zeros(8), verbose=0)
"""


def test_keras_3_fails_as_ever_and_is_told_what_to_do(tmp_path: Path) -> None:
    """Where Keras 3 can't train on several workers its own error stands, beside a sentence in the run and on stderr."""
    script = tmp_path / "train.py"
    script.write_text(_KERAS3)
    told = train_on_workers(script, tmp_path / "runs")
    for code, _, said in told:
        assert code == 1
        assert "PerReplica" in said.split("ValueError", 1)[1]
        assert "tui-monitor: Keras 3 can't train under MultiWorkerMirroredStrategy" in said
    snapshot = load(tmp_path / "runs" / "r")
    assert snapshot.state is State.FAILED
    troubles = [entry.text for entry in snapshot.timeline if entry.kind == "alert" and not entry.alert]
    assert ["TF_USE_LEGACY_KERAS=1" in text for text in troubles] == [True]
