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
tui_monitor.fit_generator(model, batches, 2, verbose=0)
assert "fit" not in vars(model)
"""


@pytest.mark.parametrize("package", ["keras", "tf_keras"])
def test_watch_monitor_and_fit_generator_share_one_run(tmp_path: Path, package: str) -> None:
    """Each recorded fit is one of the process's run; a fit that nobody watches is none."""
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
