"""What recording every batch costs a training, switched on and off inside one training of the question's model."""

import itertools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.benchmarks.measuring import Ratio, ratio_in_turns
from tui_monitor.demo.scenarios import SCENARIOS, make_data
from tui_monitor.run_log.format import RunInfo
from tui_monitor.run_log.writer import RunWriter
from tui_monitor.training.budget import ProbeBudget
from tui_monitor.training.demo import build_model
from tui_monitor.training.fit_recorder import fit_recorder
from tui_monitor.training.session import Session

BATCHES_A_TURN = 24
GROUPS = 60


def recording_cost() -> tuple[Ratio, Ratio, float, float]:
    """Return recorded over bare time (wall, then CPU), our median µs a batch, and bytes a batch on disk."""
    keras.utils.set_random_seed(1)
    data = make_data(SCENARIOS["question"], seed=1)
    bare = build_model(SCENARIOS["question"])
    recorded = build_model(SCENARIOS["question"])
    batches: Iterator[Any] = iter(
        tf.data.Dataset.from_tensor_slices((data.x, data.y)).batch(36).repeat().prefetch(tf.data.AUTOTUNE)
    )
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        writer = RunWriter(run, RunInfo(name="run"))
        recorder = fit_recorder(recorded, Session(writer, run, ProbeBudget(share=0)), fit={})
        recorder.set_model(recorded)
        recorder.set_params({"epochs": 1, "steps": None})
        own: list[float] = []
        with recorder.recording(recorded):
            recorded.make_train_function()
            bare.make_train_function()
            recorder.on_epoch_begin(0)
            taken = recorder.batch_ended

            def timed(payload: Any) -> None:
                begun = time.perf_counter()
                taken(payload)
                own.append(time.perf_counter() - begun)

            recorder.batch_ended = timed
            for model in (bare, recorded):
                _turn(model, batches, time.perf_counter)
            wall = ratio_in_turns(
                lambda: _turn(recorded, batches, time.perf_counter),
                lambda: _turn(bare, batches, time.perf_counter),
                GROUPS,
            )
            cpu = ratio_in_turns(
                lambda: _turn(recorded, batches, time.process_time),
                lambda: _turn(bare, batches, time.process_time),
                GROUPS,
            )
        writer.close()
        size = (run / "batches.bin").stat().st_size / len(own)
    return wall, cpu, float(np.median(own)) * 1e6, size


def _turn(model: keras.Model, batches: Iterator[Any], clock: Any) -> float:
    begun = clock()
    for _ in itertools.repeat(None, BATCHES_A_TURN):
        model.train_function(batches)
    return float(clock() - begun)
