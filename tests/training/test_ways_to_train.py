"""Every way Keras runs a step is recorded exactly, explained, and leaves training as it is."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from tests.training.brute_force import folded
from tests.training.conftest import OpenSession
from tests.training.recorded import assert_recorded
from tests.training.small_fits import BATCH, SAMPLES, build_model, fit, make_arrays
from tui_monitor.history.load import load
from tui_monitor.training.record.recorded_fit import recorded_fit
from tui_monitor.training.step import instrument

WAYS: dict[str, Callable[[], keras.Model]] = {
    "graph": build_model,
    "eager": lambda: build_model(run_eagerly=True),
    "compiled": lambda: build_model(jit_compile=True),
    "four_steps_a_call": lambda: build_model(steps_per_execution=4),
    "four_compiled_steps": lambda: build_model(steps_per_execution=4, jit_compile=True),
}


@pytest.mark.parametrize("way", WAYS)
def test_it_is_recorded_and_untouched(open_session: OpenSession, way: str) -> None:
    """Batch values average to the reported values, each epoch has a ledger, the weights are bit for bit the same."""
    keras.utils.set_random_seed(1)
    plain = WAYS[way]()
    plain_history = fit(plain, None)
    session = open_session(probe_budget=1.0)
    keras.utils.set_random_seed(1)
    watched = WAYS[way]()
    history = fit(watched, session)
    assert history.history == plain_history.history
    for one, other in zip(plain.variables, watched.variables, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(other))
    snapshot = load(session.folder)
    assert_recorded(snapshot, history.history, SAMPLES, BATCH)


_MIRRORED = """
import sys, pathlib
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras, numpy as np
from tests.training.recorded import assert_recorded
from tests.training.small_fits import BATCH, SAMPLES, build_model, fit
from tui_monitor.history.load import load
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.probe.budget import ProbeBudget
from tui_monitor.training.record.session import Session

def train(session):
    keras.utils.set_random_seed(1)
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        model = build_model()
    return model, fit(model, session)

plain, plain_history = train(None)
folder = pathlib.Path(sys.argv[1])
watched, history = train(Session(RunWriter(folder, RunInfo(name="m")), folder, ProbeBudget(fraction=1.0)))
assert history.history == plain_history.history
for one, other in zip(plain.variables, watched.variables):
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(other))
snapshot = load(folder)
assert_recorded(snapshot, history.history, SAMPLES, BATCH)
"""


def test_two_replicas_are_recorded_as_one_batch(tmp_path: Any) -> None:
    """Under MirroredStrategy on two devices the joined batches are exact, explained, and training is untouched."""
    done = subprocess.run(
        [sys.executable, "-c", _MIRRORED, str(tmp_path / "run")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]


def test_what_a_model_adds_to_its_loss_is_told_apart(open_session: OpenSession) -> None:
    """A constant in the model's own loss is a penalty on both sides: it is measured as one, and no cause gets it."""

    class Adding(keras.Sequential):  # type: ignore[misc]
        def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
            return super().compute_loss(*args, **kwargs) + 0.5

    model = Adding([keras.layers.Input((4,)), keras.layers.Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    session = open_session(probe_budget=1.0)
    x, y, validation_x, validation_y = make_arrays()
    data = {"x": x, "y": y, "validation_data": (validation_x, validation_y), "batch_size": BATCH, "verbose": 0}
    recorded_fit(model.fit, model, session, (), data)
    session.writer.close()
    of_fit = load(session.folder).fit
    assert of_fit is not None
    content = of_fit.explanations[-1].content
    assert content["limits"] == []
    assert content["penalty"] == pytest.approx(0.5, abs=1e-6)
    effects = folded((term["cause"], term["effect"]) for term in content["loss"]["terms"])
    assert sum(effects.values()) == pytest.approx(content["loss"]["gap"], abs=1e-9)
    assert max(map(abs, effects.values())) < 0.1
    assert effects["measurement"] == pytest.approx(0.0, abs=1e-6)


def test_what_fails_in_watching_a_step_never_fails_the_step(
    open_session: OpenSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training goes on unrecorded, and the run says why."""

    def broken(*_: Any) -> Any:
        raise RuntimeError("watching failed")

    monkeypatch.setattr(instrument, "learn", broken)
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    session = open_session()
    data = {"x": np.ones((8, 2)), "y": np.ones(8), "batch_size": 4, "verbose": 0}
    history = recorded_fit(model.fit, model, session, (), data)
    session.writer.close()
    assert np.isfinite(history.history["loss"]).all()
    snapshot = load(session.folder)
    alerts = [entry.text for entry in snapshot.timeline if entry.kind == "alert"]
    assert ["watching failed" in alert and "running means" in alert for alert in alerts] == [True]
    assert snapshot.fit is not None
    assert (snapshot.fit.batches, snapshot.fit.info.running_means) == (2, ("loss",))
