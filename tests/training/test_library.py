"""Two explicit lines in one's own code record a run, from a script or a notebook."""

import subprocess
import sys
from pathlib import Path

import pytest

from tui_monitor.history.load import load
from tui_monitor.run_log.format.layout import State

_SCRIPT = """
import itertools
import numpy as np, tui_monitor
import KERAS as keras

generator = np.random.default_rng(0)
x, y = generator.normal(size=(200, 4)).astype("float32"), generator.integers(0, 2, 200)

def build():
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    return model

model = build()
model.fit(x, y, validation_split=0.2, epochs=2, verbose=0, callbacks=[tui_monitor.Monitor(name="mine")])
model.fit(x, y, epochs=1, verbose=0)
assert "train_step" not in vars(model)

model = tui_monitor.watch(build())
model.fit(x, y, validation_split=0.2, epochs=3, initial_epoch=1, verbose=0)
batches = ((x[:50], y[:50]) for _ in itertools.count())
tui_monitor.fit_generator(model, batches, steps_per_epoch=3, verbose=0, class_weight={0: 1.0, 1: 2.0})
batches = ((x[:50], y[:50]) for _ in itertools.count())
model = build()
own = {"validation_freq": 1} if "KERAS" == "tf_keras" else {}
tui_monitor.fit_generator(model, batches, 2, verbose=0, **own)
assert "fit" not in vars(model)
"""


@pytest.mark.parametrize("package", ["keras", "tf_keras"])
def test_watch_monitor_and_fit_generator_share_one_run(tmp_path: Path, package: str) -> None:
    """Each recorded fit is one of the process's run; a fit that nobody watches is none.

    Legacy Keras takes arguments that Keras 2's `fit_generator` did not have yet.
    """
    script = _SCRIPT.replace("KERAS", package)
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    snapshot = load(tmp_path / "runs" / "mine")
    assert snapshot.state is State.FINISHED
    assert not [entry for entry in snapshot.timeline if entry.text.startswith("Recording stopped")]
    plans = [(fit.info.initial_epoch, fit.info.epochs, len(fit.epochs)) for fit in snapshot.fits]
    assert plans == [(0, 2, 2), (1, 3, 2), (0, 1, 1), (0, 1, 1)]
    assert [fit.batches for fit in snapshot.fits] == [10, 10, 3, 2]
    assert snapshot.fits[0].explanations


_RAISING = """
import threading
import numpy as np
import KERAS as keras
import tui_monitor

x, y = np.zeros((32, 4), "float32"), np.zeros(32)

class Raises(keras.callbacks.Callback):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def on_epoch_end(self, epoch, logs=None):
        raise self.error

model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
made = tui_monitor.Monitor(name="mine") if MADE_BEFORE else None
for error in (KeyboardInterrupt(), ValueError("of the user's")):
    try:
        # Where it is made only here, Keras' fit is looked up before anything of ours is imported.
        model.fit(x, y, epochs=2, verbose=0, callbacks=[made or tui_monitor.Monitor(name="mine"), Raises(error)])
    except BaseException as raised:
        assert raised is error
    model.evaluate(x, y, verbose=0)
    print(sorted(thread.name for thread in threading.enumerate()))
model.fit(x, y, verbose=0, callbacks=[made or tui_monitor.Monitor()])
tui_monitor.watch(model).fit(x, y, verbose=0)
model.evaluate(x, y, verbose=0, callbacks=[tui_monitor.Monitor()])
model.fit(x, y, verbose=0)
"""


@pytest.mark.parametrize(("package", "is_made_before"), [("keras", False), ("tf_keras", True)])
def test_a_fit_that_raises_leaves_nothing_of_its_monitor(tmp_path: Path, package: str, is_made_before: bool) -> None:
    """Its threads end with it, later fits are recorded each on its own, and the run says how every one ended."""
    script = _RAISING.replace("KERAS", package).replace("MADE_BEFORE", str(is_made_before))
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == ["['MainThread', 'run-heartbeat']"] * 2
    snapshot = load(tmp_path / "runs" / "mine")
    assert [len(fit.epochs) for fit in snapshot.fits] == [1, 1, 1, 1, 1]
    states = [entry.text for entry in snapshot.timeline if entry.kind == "status"]
    assert [text for text in states if "user's" in text] == ["failed: ValueError: of the user's"]


_UNHOOKED = """
import threading
import keras, numpy as np
from tui_monitor.training import api

def fails(backend):
    raise OSError("no hooks")

api.hook_fits = fails
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
stops = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: 1 / 0)
try:
    model.fit(np.zeros((8, 4)), np.zeros(8), verbose=0, callbacks=[api.Monitor(name="mine"), stops])
except ZeroDivisionError:
    print(sorted(thread.name for thread in threading.enumerate()))
"""


def test_a_monitor_that_would_not_learn_of_its_fits_end_records_none(tmp_path: Path) -> None:
    """Where Keras can't be hooked, a fit that raises would leave threads behind: the run says that instead."""
    done = subprocess.run([sys.executable, "-c", _UNHOOKED], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == ["['MainThread', 'run-heartbeat']"]
    snapshot = load(tmp_path / "runs" / "mine")
    assert not snapshot.fits
    assert [entry.text for entry in snapshot.timeline if "no hooks" in entry.text]
