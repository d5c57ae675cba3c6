"""How a training acknowledges each request, with the real optimizer that it is about."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import pytest

from tui_monitor.history.load import load
from tui_monitor.history.snapshot import TimelineEntry
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.runs.control import Action, send_request
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.control.steering import Steering
from tui_monitor.training.probe.budget import ProbeBudget
from tui_monitor.training.record.session import Session


def acknowledged(
    folder: Path,
    model: keras.Model,
    *requested: tuple[Action, Any],
    callbacks: Sequence[keras.callbacks.Callback] = (),
    fraction: float = 0.02,
) -> list[TimelineEntry]:
    """Return what a training says to requests at batch 7 of epoch 3."""
    with RunWriter(folder, RunInfo(name="run"), heartbeat_seconds=None) as writer:
        steering = Steering(model, Session(writer, folder, ProbeBudget(fraction=fraction)))
        steering.warn_of(callbacks)
        sent = [send_request(folder, action, value).id for action, value in requested]
        steering.tick(3, 7)
    entries = [entry for entry in load(folder).timeline if entry.kind in ("control", "note")]
    assert [entry.acknowledges for entry in entries] == sent
    assert all((entry.epoch, entry.batch) == (3, 7) for entry in entries)
    return entries


def model_with(rate: Any) -> keras.Model:
    """Return a compiled model of one weight."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(rate), loss="mse")
    return model


def test_the_learning_rate_is_set_and_both_rates_are_said(tmp_path: Path) -> None:
    """The optimizer has the new rate, and the acknowledgement names it and the old one."""
    model = model_with(0.01)
    (entry,) = acknowledged(tmp_path, model, (Action.LEARNING_RATE, 5e-4))
    assert float(model.optimizer.learning_rate) == pytest.approx(5e-4)
    assert entry.text == "Learning rate 0.0005, was 0.01."


def test_a_schedule_of_the_optimizer_is_left_alone_and_named(tmp_path: Path) -> None:
    """A rate that the next step would overwrite is refused, with the schedule's name."""
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    model = model_with(schedule)
    (entry,) = acknowledged(tmp_path, model, (Action.LEARNING_RATE, 5e-4))
    assert "ExponentialDecay, which would overwrite" in entry.text
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1)


def test_callbacks_that_set_the_rate_are_warned_of(tmp_path: Path) -> None:
    """The rate is set, and the acknowledgement says which callback will change it, subclasses included."""

    class Mine(keras.callbacks.ReduceLROnPlateau):  # type: ignore[misc]
        """One of the user's own."""

    callbacks = [keras.callbacks.LearningRateScheduler(lambda epoch: 0.1), Mine(), keras.callbacks.Callback()]
    (entry,) = acknowledged(tmp_path, model_with(0.01), (Action.LEARNING_RATE, 5e-4), callbacks=callbacks)
    assert "LearningRateScheduler among the callbacks sets it anew" in entry.text
    assert "ReduceLROnPlateau among the callbacks may lower it" in entry.text


def test_a_request_that_can_not_be_done_is_refused_and_the_next_one_obeyed(tmp_path: Path) -> None:
    """A model without an optimizer, and probes that are off, cost an acknowledgement and nothing else."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    requested = ((Action.LEARNING_RATE, 1.0), (Action.MEASURE, None), (Action.NOTE, "still here"))
    rate, measure, note = acknowledged(tmp_path, model, *requested, fraction=0.0)
    assert rate.text.startswith("Not done: ")
    assert "probes are off" in measure.text
    assert note.text == "still here"


def test_garbage_in_the_control_folder_is_said(tmp_path: Path) -> None:
    """A file that is no request is set aside, and the timeline names it."""
    with RunWriter(tmp_path, RunInfo(name="run"), heartbeat_seconds=None) as writer:
        (tmp_path / "control").mkdir()
        (tmp_path / "control" / "1.json").write_bytes(b"\x80 garbage")
        Steering(model_with(0.1), Session(writer, tmp_path)).tick(1, 1)
    (entry,) = load(tmp_path).timeline
    assert "1.json" in entry.text
