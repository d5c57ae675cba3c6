"""Fits of legacy Keras are recorded exactly and explained, and end in the same weights and draws, bit for bit."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.brute_force import folded
from tests.training.conftest import OpenSession
from tests.training.legacy_fits import (
    BATCH,
    SAMPLES,
    build_model,
    build_own_step,
    build_with_generators,
    build_without_noise,
    fit,
)
from tests.training.recorded import assert_recorded
from tui_monitor.history.load import load
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.training.backends.backend import named_backend
from tui_monitor.training.hooks import hook_fits
from tui_monitor.training.record.recorded_fit import recorded_fit
from tui_monitor.training.record.session import Session, activate
from tui_monitor.training.step.buffers import StepBuffer

_SCRIPT = """
import json
import numpy as np
from {package}.models import Sequential
from {package}.layers import LSTM, Dense, Dropout
from {package}.optimizers import Adam
draws = np.random.default_rng(0)
x = draws.normal(size=(300, 1, 1)).astype("float32")
y = (x[:, 0, 0] + draws.normal(size=300) > 0.5).astype("float32")
def batches(x, y):
    while True:
        for start in range(0, len(x), 30):
            yield x[start:start + 30], y[start:start + 30]
model = Sequential()
model.add(LSTM(16, input_shape=(1, 1)))
model.add(Dropout(0.3))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer=Adam(lr=0.001), metrics=["accuracy"])
history = model.fit_generator(
    batches(x[:200], y[:200]), steps_per_epoch=7, epochs=2, verbose=0,
    validation_data=batches(x[200:], y[200:]), validation_steps=4, class_weight={{0: 1.0, 1: 1.75}},
)
print(json.dumps({{name: [float(value) for value in values] for name, values in history.history.items()}}))
raise SystemExit(3)
"""


def _by_cause(snapshot: Snapshot, metric: str) -> dict[str, float]:
    assert snapshot.fit is not None
    terms = snapshot.fit.explanations[-1].content[metric]["terms"]
    return folded((term["cause"], term["effect"]) for term in terms)


@pytest.mark.parametrize(
    ("package", "environment"),
    [("tf_keras", {}), ("keras", {}), ("tensorflow.keras", {"TF_USE_LEGACY_KERAS": "1"})],
    ids=["legacy", "keras3", "tensorflow"],
)
def test_the_2018_script_runs_as_posted(tmp_path: Path, package: str, environment: dict[str, str]) -> None:
    """The script prints its own history alone and keeps its exit code; the run holds the same values, taken apart."""
    script = tmp_path / "train.py"
    script.write_text(_SCRIPT.format(package=package))
    options = ["--headless", "--runs", str(tmp_path), "--name", "r", "--probe-budget", "1"]
    kept = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    done = subprocess.run(
        [sys.executable, "-m", "tui_monitor", "run", *options, str(script)],
        capture_output=True,
        text=True,
        check=False,
        env={**kept, **environment},
    )
    assert done.returncode == 3, done.stderr[-4000:]
    snapshot = load(tmp_path / "r")
    assert_recorded(snapshot, json.loads(done.stdout), SAMPLES, BATCH)
    loss = _by_cause(snapshot, "loss")
    assert loss["sample_weights"] > 0.05
    assert abs(loss["measurement"]) < 1e-5


def state_after(build: Callable[[], Any], session: Session | None) -> tuple[dict[str, list[float]], list[np.ndarray]]:
    """Fit, fit again unwatched on a step traced anew; return the first history and all that was left behind."""
    import tensorflow as tf
    import tf_keras

    tf_keras.utils.set_random_seed(1)
    model = build()
    history = fit(model, session)
    left = [tf.random.normal([3]).numpy(), np.random.normal(size=3)]
    model.make_train_function(force=True)
    fit(model, None, epochs=1)
    left += [variable.numpy() for variable in (*model.variables, *model.optimizer.variables)]
    return history, left


WAYS: dict[str, Callable[[], Any]] = {
    "graph": build_model,
    "generators": build_with_generators,
    "eager": lambda: build_model(run_eagerly=True),
    "compiled": lambda: build_without_noise(jit_compile=True),
    "own_step": build_own_step,
    "three_steps_a_call": lambda: build_model(steps_per_execution=3),
}


@pytest.mark.parametrize("way", WAYS)
def test_it_is_recorded_and_untouched(open_session: OpenSession, way: str) -> None:
    """Batches average to the reported values, each epoch has a ledger; weights, statistics and draws are the same."""
    plain_history, plain = state_after(WAYS[way], None)
    session = open_session(probe_budget=1.0)
    history, watched = state_after(WAYS[way], session)
    session.writer.close()
    assert history == plain_history
    for one, other in zip(plain, watched, strict=True):
        np.testing.assert_array_equal(one, other)
    snapshot = load(session.folder)
    assert_recorded(snapshot, history, SAMPLES, BATCH)
    assert session.budget.spent > 0
    assert abs(_by_cause(snapshot, "loss")["train_mode_layers"]) > 1e-4


@pytest.mark.parametrize(("failing", "sentences"), [(1, 0), (2, 1)])
def test_a_loop_over_steps_is_traced_though_one_of_them_emits_nothing(
    open_session: OpenSession, monkeypatch: pytest.MonkeyPatch, failing: int, sentences: int
) -> None:
    """AutoGraph traces a loop's body twice, and wants the same of it: training goes on, and the run says what failed.

    What fails in the trace that makes the variables, which never runs, costs nothing.
    """
    calls, note = itertools.count(1), StepBuffer.note

    def noted(self: StepBuffer, numbers: Any) -> Any:
        if next(calls) == failing:
            raise OSError("no room")
        return note(self, numbers)

    plain_history, plain = state_after(WAYS["three_steps_a_call"], None)
    monkeypatch.setattr(StepBuffer, "note", noted)
    session = open_session(probe_budget=1.0)
    history, watched = state_after(WAYS["three_steps_a_call"], session)
    session.writer.close()
    assert history == plain_history
    for one, other in zip(plain, watched, strict=True):
        np.testing.assert_array_equal(one, other)
    snapshot = load(session.folder)
    assert len([entry for entry in snapshot.timeline if "no room" in entry.text]) == sentences
    assert len(snapshot.fits[0].epochs) == len(history["loss"])


_MIRRORED = """
import sys, pathlib
import numpy as np
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import tf_keras
from tests.training.recorded import assert_recorded
from tests.training.legacy_fits import BATCH, SAMPLES, build_model, fit, make_arrays
from tui_monitor.history.load import load
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.probe.budget import ProbeBudget
from tui_monitor.training.record.recorded_fit import recorded_fit
from tui_monitor.training.record.session import Session

def train(session):
    tf_keras.utils.set_random_seed(1)
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        model = build_model()
    return model, fit(model, session)

def open_session(name):
    folder = pathlib.Path(sys.argv[1], name)
    return Session(RunWriter(folder, RunInfo(name=name)), folder, ProbeBudget(fraction=1.0))

plain, plain_history = train(None)
session = open_session("whole")
watched, history = train(session)
session.writer.close()
assert history == plain_history
for one, other in zip(plain.variables, watched.variables):
    for first, second in zip(getattr(one, "values", [one]), getattr(other, "values", [other])):
        np.testing.assert_array_equal(first.numpy(), second.numpy())
assert_recorded(load(session.folder), history, SAMPLES, BATCH)

with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    model = build_model(steps_per_execution=2)
limited = open_session("limited")
x, y = make_arrays()
data = {"x": x[:40], "y": y[:40], "batch_size": 10, "verbose": 0}
recorded_fit(model.fit, model, limited, (), data)
limited.writer.close()
of_fit = load(limited.folder).fit
limit, = [limit for entry in of_fit.explanations for limit in entry.content["limits"]]
assert "one batch of each call is recorded" in limit, limit
assert of_fit.batches == 2, of_fit.batches
"""


def test_two_replicas_are_recorded_as_one_batch(tmp_path: Path) -> None:
    """Under MirroredStrategy joined batches are exact and explained, and every replica's state is untouched.

    Of several steps a call, one is recorded, and the run says so with each epoch.
    """
    command = [sys.executable, "-c", _MIRRORED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]


def test_ragged_data_is_recorded_and_its_limit_said(open_session: OpenSession) -> None:
    """Data that can't be taken apart by sample trains as ever, with its batches recorded and a sentence on the rest."""
    import tensorflow as tf
    import tf_keras

    layers = tf_keras.layers
    inputs = layers.Input((None,), ragged=True, dtype=tf.int64)
    model = tf_keras.Sequential([inputs, layers.Embedding(5, 4), layers.LSTM(3), layers.Dense(1)])
    model.compile("adam", "mse")
    session = open_session(probe_budget=1.0)
    x, y = tf.ragged.constant([[1, 2], [3], [1, 2, 3], [2]] * 10), np.arange(40.0)
    recorded_fit(model.fit, model, session, (), {"x": x, "y": y, "batch_size": 8, "verbose": 0})
    session.writer.close()
    of_fit = load(session.folder).fit
    assert of_fit is not None
    assert [(row.batches, row.samples) for row in of_fit.epochs] == [(5, 40)]
    assert ["ragged" in limit for entry in of_fit.explanations for limit in entry.content["limits"]] == [True]


def test_a_model_that_was_not_compiled_fails_as_ever(open_session: OpenSession) -> None:
    """The error is Keras' own."""
    import tf_keras

    model = tf_keras.Sequential([tf_keras.layers.Dense(1)])
    with pytest.raises(RuntimeError, match="must compile your model"):
        recorded_fit(model.fit, model, open_session(), (), {"x": np.zeros((3, 2)), "y": np.zeros(3)})


def test_a_fit_in_graph_mode_is_said_not_to_be_recorded(open_session: OpenSession) -> None:
    """A script that switched TensorFlow 2 off trains as ever, and the run says why it shows nothing."""
    import tensorflow as tf
    import tf_keras

    session = open_session()
    hook_fits(named_backend("legacy_keras"))
    with tf.Graph().as_default():
        model = tf_keras.Sequential([tf_keras.layers.Dense(1, input_shape=(2,))])
        model.compile("sgd", "mse")
        session.watch(model)
        activate(session)
        try:
            history = model.fit(np.ones((20, 2)), np.ones(20), epochs=1, verbose=0)
        finally:
            activate(None)
    session.writer.close()
    assert np.isfinite(history.history["loss"]).all()
    assert ["graph mode" in entry.text for entry in load(session.folder).timeline if entry.kind == "alert"] == [True]
