"""A small classifier of Keras 3 with dropout, its data, and a fit of it."""

from typing import Any

import keras
import numpy as np

from tui_monitor.run_log.format.layout import State
from tui_monitor.training.record.recorded_fit import recorded_fit
from tui_monitor.training.record.session import Session

SAMPLES, VALIDATION, BATCH = 160, 100, 30


EPOCHS = 2


def make_arrays() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return training and validation inputs and labels of a noisy two-class problem."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(SAMPLES + VALIDATION, 4)).astype(np.float32)
    y = (x[:, 0] + generator.normal(size=len(x)) > 0.5).astype(np.int64)
    return x[:SAMPLES], y[:SAMPLES], x[SAMPLES:], y[SAMPLES:]


def build_model(**compiling: Any) -> keras.Model:
    """Return a small classifier with dropout."""
    model = keras.Sequential(
        [
            keras.layers.Input((4,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], **compiling)
    return model


def fit(model: keras.Model, session: Session | None) -> keras.callbacks.History:
    """Fit with class weights, recorded where a session is given."""
    x, y, validation_x, validation_y = make_arrays()
    arguments = {
        "x": x,
        "y": y,
        "epochs": EPOCHS,
        "batch_size": BATCH,
        "verbose": 0,
        "validation_data": (validation_x, validation_y),
        "class_weight": {0: 1.0, 1: 2.0},
    }
    if session is None:
        return model.fit(**arguments)
    history = recorded_fit(model.fit, model, session, (), arguments)
    session.writer.status(State.FINISHED, exit_code=0)
    session.writer.close()
    return history
