"""Trainings that stop and go: the inside of Keras' `fit` loop some batches at a time, or whole fits of some epochs."""

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.tensorflow.trainer import TensorFlowTrainer
from numpy.typing import NDArray

from tui_monitor.demo import SCENARIOS, make_data
from tui_monitor.training.demo import build_model

BATCH = 36
"""Samples."""
BATCHES_A_TURN = 24
BATCHES_AN_EPOCH = 300
EPOCHS_A_FIT = 3

Spent = NDArray[np.float64]
"""Wall and processor time in seconds, shape (2,) for a turn and (2, parts) for a fit."""


class GraphEnds:
    """Notes when the graph of a model's newest step ended: inside whatever records the function."""

    def __init__(self, model: keras.Model) -> None:
        """Watch a model that has made no function yet."""
        self.newest = float("nan")
        """Reading of `time.perf_counter`."""
        _ends[model] = self


_ends: WeakKeyDictionary[Any, GraphEnds] = WeakKeyDictionary()
_make = TensorFlowTrainer._make_function


@functools.wraps(_make)
def _make_function(model: Any, step: Any) -> Any:
    """Return Keras' function as one that notes its ends, for a model that is watched."""
    function, ends = _make(model, step), _ends.get(model)
    if ends is None:
        return function

    @functools.wraps(function)
    def noting(iterator: Any) -> Any:
        logs = function(iterator)
        ends.newest = time.perf_counter()
        return logs

    return noting


# Before anything is recorded, so that what records wraps it.
TensorFlowTrainer._make_function = _make_function


class Training:
    """A model that trains in turns, and what was seen between the graphs of its steps."""

    def __init__(self, model: keras.Model, callbacks: list[Any], ends: GraphEnds | None = None) -> None:
        """Begin to train.

        Args:
            model: compiled; if recorded, inside its recorder's block.
            callbacks: of the training.
            ends: of a recorded model's graphs.
        """
        self._model = model
        self._batches = iter(data()[0])
        self._callbacks = keras.callbacks.CallbackList(callbacks, add_history=True, model=model, epochs=1, steps=None)
        self._ends = ends
        self.own: list[float] = []
        """Seconds a batch from the end of the step's graph to the return of its function, for a recorded model."""
        self.after: list[float] = []
        """Seconds a batch in Keras' callbacks after the step."""
        model.make_train_function()
        self._callbacks.on_train_begin()
        self._callbacks.on_epoch_begin(0)

    def turn(self) -> Spent:
        """Train on some batches and return what it took."""
        begun = _clocks()
        for step in range(BATCHES_A_TURN):
            self._callbacks.on_train_batch_begin(step)
            logs = self._model.train_function(self._batches)
            returned = time.perf_counter()
            self._callbacks.on_train_batch_end(step, logs)
            self.after.append(time.perf_counter() - returned)
            if self._ends is not None:
                self.own.append(returned - self._ends.newest)
        return _clocks() - begun

    def forget(self) -> None:
        """Begin the lists of times anew."""
        self.own.clear()
        self.after.clear()


def fitted(fit: Callable[..., Any]) -> Spent:
    """Fit a model for some epochs with their validation, and return what each part took.

    The parts are what comes before the first batch, the batches, validation, and the ends of epochs.

    Args:
        fit: its method, or one that takes the same arguments and records.
    """
    training, validation = data()
    parts = _Parts()
    lengths = {"epochs": EPOCHS_A_FIT, "steps_per_epoch": BATCHES_AN_EPOCH}
    fit(training, **lengths, validation_data=validation, verbose=0, callbacks=[parts])
    return np.transpose(list(parts.spent.values()))


class _Parts(keras.callbacks.Callback):  # type: ignore[misc]
    """Sums up the time of each part of a fit; a data pipeline that takes seconds to go afterwards is none."""

    def __init__(self) -> None:
        super().__init__()
        self._since = _clocks()
        self.spent = {part: np.zeros(2) for part in ("begin", "batches", "validation", "end")}

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """End what comes before."""
        self._end_of("end" if epoch else "begin")

    def on_test_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """End an epoch's batches."""
        self._end_of("batches")

    def on_test_end(self, logs: Mapping[str, float] | None = None) -> None:
        """End a validation."""
        self._end_of("validation")

    def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:
        """End the last epoch."""
        self._end_of("end")

    def _end_of(self, part: str) -> None:
        now = _clocks()
        self.spent[part] += now - self._since
        self._since = now


def question_model() -> keras.Model:
    """Return the model of the question."""
    return build_model(SCENARIOS["question"])


def long_steps_model(units: int) -> keras.Model:
    """Return a dense model for the same data whose steps take longer.

    Args:
        units: of each of its four hidden layers.
    """
    layers = keras.layers
    hidden = [layers.Dense(units, "relu") for _ in range(4)]
    model = keras.Sequential([layers.Input((1, 1)), layers.Flatten(), *hidden, layers.Dense(2, "softmax")])
    model.compile(keras.optimizers.Adam(0.001), "categorical_crossentropy", metrics=["accuracy"])
    return model


def _clocks() -> Spent:
    return np.array([time.perf_counter(), time.process_time()])


@functools.cache
def data() -> tuple[tf.data.Dataset, tf.data.Dataset]:
    """Return the question's training data, batch by batch and for ever, and its validation data."""
    keras.utils.set_random_seed(1)
    made = make_data(SCENARIOS["question"], seed=1)
    training = tf.data.Dataset.from_tensor_slices((made.x, made.y)).batch(BATCH).repeat().prefetch(tf.data.AUTOTUNE)
    validation = tf.data.Dataset.from_tensor_slices((made.validation_x, made.validation_y)).batch(BATCH)
    return training, validation
