"""What recording every batch costs a training, switched on and off inside one training of the question's model."""

import functools
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.benchmarks.loggers import EveryBatch, Logger
from tests.benchmarks.measuring import Ratio, ratio_in_turns
from tui_monitor.demo.scenarios import SCENARIOS, make_data
from tui_monitor.run_log.format import RunInfo
from tui_monitor.run_log.writer import RunWriter
from tui_monitor.training.budget import ProbeBudget
from tui_monitor.training.demo import build_model
from tui_monitor.training.fit_recorder import fit_recorder
from tui_monitor.training.session import Session

BATCHES_A_TURN = 24
GROUPS = 40


@dataclass(frozen=True)
class Cost:
    """What recording costs one kind of training."""

    wall: Ratio
    """Recorded over bare."""
    cpu: Ratio
    own: float
    """Median microseconds a batch in our Python, the write to the run folder included."""
    disk: float
    """Bytes a batch."""
    step: float
    """Median milliseconds of a bare batch."""


def recording_cost(probe_budget: float, *, units: int | None = None, groups: int = GROUPS) -> Cost:
    """Return what recording costs.

    Args:
        probe_budget: share of training time that measuring may take; 0 for recording alone.
        units: of a dense model with longer steps, in place of the question's own model.
        groups: of four turns.
    """
    batches = _batches()
    bare, recorded = (_model(units) for _ in range(2))
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        writer = RunWriter(run, RunInfo(name="run"))
        recorder = fit_recorder(recorded, Session(writer, run, ProbeBudget(share=probe_budget)), fit={})
        own: list[float] = []
        with recorder.recording(recorded):
            with_us, without = _Training(recorded, [recorder], batches), _Training(bare, [], batches)
            _timed(recorder, own)
            for training in (without, with_us):
                training.turn(time.perf_counter)
            steps = [without.turn(time.perf_counter) for _ in range(5)]
            wall, cpu = (
                ratio_in_turns(functools.partial(with_us.turn, clock), functools.partial(without.turn, clock), groups)
                for clock in (time.perf_counter, time.process_time)
            )
        writer.close()
        size = (run / "batches.bin").stat().st_size / len(own)
    return Cost(wall, cpu, 1e6 * float(np.median(own)), size, 1e3 * float(np.median(steps)) / BATCHES_A_TURN)


def logging_cost(logger: Logger, groups: int = GROUPS // 2) -> tuple[Ratio, float]:
    """Return what another logger costs the question's model: wall time over bare, and median microseconds a batch.

    Args:
        logger: gets every batch.
        groups: of four turns.
    """
    batches = _batches()
    with tempfile.TemporaryDirectory() as folder, logger(Path(folder)) as log:
        own: list[float] = []

        def timed(step: int, figures: Mapping[str, float]) -> None:
            begun = time.perf_counter()
            log(step, figures)
            own.append(time.perf_counter() - begun)

        with_it, without = _Training(_model(None), [EveryBatch(timed)], batches), _Training(_model(None), [], batches)
        for training in (without, with_it):
            training.turn(time.perf_counter)
        turns = (functools.partial(training.turn, time.perf_counter) for training in (with_it, without))
        return ratio_in_turns(*turns, groups), 1e6 * float(np.median(own))


def least_cost() -> float:
    """Return the median microseconds, in the same place, of what no recorder can do without.

    One tensor of the step is made a NumPy array, and one record is written to a file.
    """
    batches = _batches()
    model = build_model(SCENARIOS["question"])
    model.make_train_function()
    taken, record = [], bytes(24)
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(40 * BATCHES_A_TURN):
            logs = model.train_function(batches)
            begun = time.perf_counter()
            logs["loss"].numpy()
            os.write(file.fileno(), record)
            taken.append(time.perf_counter() - begun)
    return 1e6 * float(np.median(taken))


class _Training:
    """The inside of Keras' `fit` loop, to be run some batches at a time."""

    def __init__(self, model: keras.Model, callbacks: list[Any], batches: Iterator[Any]) -> None:
        self._model, self._batches = model, batches
        self._callbacks = keras.callbacks.CallbackList(callbacks, add_history=True, model=model, epochs=1, steps=None)
        model.make_train_function()
        self._callbacks.on_train_begin()
        self._callbacks.on_epoch_begin(0)

    def turn(self, clock: Any) -> float:
        """Train on some batches and return the time by the clock."""
        begun = clock()
        for step in range(BATCHES_A_TURN):
            self._callbacks.on_train_batch_begin(step)
            logs = self._model.train_function(self._batches)
            self._callbacks.on_train_batch_end(step, logs)
        return float(clock() - begun)


def _batches() -> Iterator[Any]:
    """Return the question's data, batch by batch and for ever."""
    keras.utils.set_random_seed(1)
    data = make_data(SCENARIOS["question"], seed=1)
    return iter(tf.data.Dataset.from_tensor_slices((data.x, data.y)).batch(36).repeat().prefetch(tf.data.AUTOTUNE))


def _model(units: int | None) -> keras.Model:
    if units is None:
        return build_model(SCENARIOS["question"])
    layers = keras.layers
    hidden = [layers.Dense(units, "relu") for _ in range(4)]
    model = keras.Sequential([layers.Input((1, 1)), layers.Flatten(), *hidden, layers.Dense(2, "softmax")])
    model.compile(keras.optimizers.Adam(0.001), "categorical_crossentropy", metrics=["accuracy"])
    return model


def _timed(recorder: Any, own: list[float]) -> None:
    """Note the seconds of all that is ours between a step's graph and Keras' callbacks."""
    channel, taken = recorder.instruments.training_channel, recorder.batch_ended
    take, spent = channel.take, [0.0]

    def timed_take(logs: Any) -> Any:
        begun = time.perf_counter()
        result = take(logs)
        spent[0] = time.perf_counter() - begun
        return result

    def timed_batch(*output: Any) -> None:
        begun = time.perf_counter()
        taken(*output)
        own.append(spent[0] + time.perf_counter() - begun)

    channel.take, recorder.batch_ended = timed_take, timed_batch
