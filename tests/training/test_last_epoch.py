"""The last epoch of a fit is measured in all its batches where that is cheap, however the fit ends."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tf_keras

from tests.training.conftest import OpenSession
from tests.training.small_fits import make_arrays
from tui_monitor.history.load import load
from tui_monitor.history.snapshot import ExplanationAt
from tui_monitor.training.record.recorded_fit import recorded_fit
from tui_monitor.training.record.session import Session

EPOCHS = 12
REPEATS = 20
"""Copies of the data: more batches than a first probe takes."""


def _build(package: Any) -> Any:
    package.utils.set_random_seed(1)
    layers = package.layers
    model = package.Sequential([layers.Input((4,)), layers.Dropout(0.5), layers.Dense(2, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _fit(model: Any, session: Session | None, callbacks: list[Any], epochs: int = EPOCHS) -> Any:
    x, y, validation_x, validation_y = make_arrays()
    arguments = {
        "x": np.tile(x, (REPEATS, 1)),
        "y": np.tile(y, REPEATS),
        "epochs": epochs,
        "batch_size": 8,
        "verbose": 0,
        "validation_data": (validation_x, validation_y),
        "callbacks": callbacks,
    }
    if session is None:
        return model.fit(**arguments)
    return recorded_fit(model.fit, model, session, (), arguments)


def _stops(package: Any) -> list[Any]:
    class Stops(package.callbacks.Callback):  # type: ignore[misc]
        """A callback of the user's own that ends training."""

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = epoch == 2

    return [Stops()]


def _runs_out_of_patience(package: Any) -> list[Any]:
    return [package.callbacks.EarlyStopping(patience=2, min_delta=10.0, restore_best_weights=True)]


def _replaces_weights(package: Any) -> list[Any]:
    class Replaces(package.callbacks.Callback):  # type: ignore[misc]
        """Ends training with other weights than those of the epoch's end."""

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.set_weights([np.zeros_like(values) for values in self.model.get_weights()])
            self.model.stop_training = epoch == 2

    return [Replaces()]


ENDS: dict[str, tuple[Callable[[Any], list[Any]], int, int, bool]] = {
    "as planned": (lambda package: [], 2, 2, True),
    "in one epoch": (lambda package: [], 1, 1, True),
    "stopped by a callback": (_stops, EPOCHS, 3, True),
    "out of patience": (_runs_out_of_patience, EPOCHS, 3, True),
    "with other weights": (_replaces_weights, EPOCHS, 3, False),
}


@pytest.mark.parametrize("package", [keras, tf_keras], ids=["keras", "tf_keras"])
@pytest.mark.parametrize("end", ENDS)
def test_the_last_epoch_is_measured_in_all_its_batches(open_session: OpenSession, end: str, package: Any) -> None:
    """Not so where its weights do not stand any more; weights and logs are bit for bit those of a bare fit."""
    callbacks, epochs, ended, is_whole = ENDS[end]
    bare = _build(package)
    logs = _fit(bare, None, callbacks(package), epochs).history
    session, model = open_session(probe_seconds=60.0), _build(package)
    assert _fit(model, session, callbacks(package), epochs).history == logs
    session.writer.close()
    for one, other in zip(bare.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    (fit,) = load(session.folder).fits
    assert [row.epoch for row in fit.epochs] == list(range(1, ended + 1))
    newest: ExplanationAt = fit.explanations[-1]
    assert newest.explanation is not None
    samples = newest.explanation.samples["train"]
    is_whole_epoch = (newest.epoch, newest.batch, samples) == (ended, None, fit.epochs[-1].samples)
    assert is_whole_epoch is is_whole


def test_a_fit_that_is_not_measured_says_why(open_session: OpenSession) -> None:
    """Where earlier fits have used up fraction and seconds, what the log proves stands with the reason."""
    session = open_session(probe_seconds=0.0)
    session.budget.measured(100.0, 99.0, 10)
    session.budget.measured(100.0, 99.0, 10)
    session.budget.traced(100.0)
    _fit(_build(keras), session, [], 1)
    session.writer.close()
    (fit,) = load(session.folder).fits
    (held,) = fit.explanations
    assert held.explanation is not None
    assert held.explanation.evidence == "log"
    assert held.explanation.limits == (
        "Nothing of this fit was measured: it would have cost more than the 2 % of training time of --probe-budget.",
    )
