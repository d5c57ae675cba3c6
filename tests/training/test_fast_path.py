"""An ordinary batch takes the fast path, and everything arrives where the slow path would have brought it."""

import os
import struct
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tui_monitor
from tests.training.conftest import OpenSession
from tests.training.small_fits import BATCH, build_model, make_arrays
from tui_monitor.history.load import load
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.backends.keras3 import log_type
from tui_monitor.training.record.batch_sink import BatchSink
from tui_monitor.training.record.epoch_totals import EpochTotals
from tui_monitor.training.record.fast_path import fast_path
from tui_monitor.training.record.recorded_fit import recorded_fit
from tui_monitor.training.step.instrument import Receiver
from tui_monitor.training.step.packing import Layout
from tui_monitor.training.step.replicas import PAYLOAD

OURS = str(Path(tui_monitor.__file__).parent) + os.sep
"""Where our own code lies, whatever the folder around it is called."""
LAYOUT = Layout(("accuracy", "loss"), numbers=5, structure={}, segments=(), index=2)
"""Of one number for itself, two logs, samples, two metrics and the samples of two classes."""


@dataclass
class Rest:
    """Note what they are told."""

    taken: list[Any] = field(default_factory=list)
    ticks: list[float] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    tick_again: float = float("inf")

    def step_ended(self, logs: Any) -> Any:
        """Take the slow path."""
        self.taken.append(logs)
        return "taken by the slow path"


@dataclass
class Fixture:
    """A fast path and all that it writes to."""

    receive: Receiver
    rest: Rest
    sink: BatchSink
    writer: RunWriter

    @property
    def totals(self) -> EpochTotals:
        """Return the sums of the epoch."""
        assert self.sink.totals is not None
        return self.sink.totals

    def records(self) -> list[tuple[float, ...]]:
        """Close the run and return epoch, samples and metrics of each record."""
        self.writer.close()
        fields = struct.Struct("<dIIff")
        content = (self.writer.folder / "batches.bin").read_bytes()
        return [record[1:] for record in fields.iter_unpack(content)]


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Fixture]:
    """Return the fast path of epoch 3, whose first batch ticks."""
    writer = RunWriter(tmp_path / "run", RunInfo(name="run"), heartbeat_seconds=None)
    rest = Rest(tick_again=3600.0)

    def tick(seconds: float) -> None:
        rest.ticks.append(seconds)
        if not np.isfinite(rest.tick_again):
            raise OSError("no tick today")
        sink.next_tick = seconds + rest.tick_again

    def begin_fit(metrics: Sequence[str], running: Sequence[str]) -> None:
        writer.begin_fit(metrics, running_means=running)

    sink = BatchSink(writer, seed=1, begin_fit=begin_fit, tick=tick)
    sink.begin_epoch(3)
    sink.begin_batches(["loss", "accuracy"], running=[])
    assert sink.totals is not None
    receive = fast_path(LAYOUT, sink, sink.totals, rest.step_ended, rest.failures.append)
    yield Fixture(receive, rest, sink, writer)
    writer.close()


def _logs(*numbers: float) -> dict[str, Any]:
    return {PAYLOAD: {"packed": tf.constant(numbers, tf.float32)}}


def test_a_batch_is_recorded_summed_and_its_logs_returned(path: Fixture) -> None:
    """Logs are those of the vector, the record holds the batch's own values, the sums its classes too."""
    assert path.receive(_logs(2, 0.75, 0.5, 36, 0.25, 1.0, 30, 6)) == {"accuracy": 0.75, "loss": 0.5}
    assert path.receive(_logs(2, 0.5, 1.5, 4, 2.5, 0.0, 1, 3)) == {"accuracy": 0.5, "loss": 1.5}
    assert path.totals.counts is not None
    assert (path.totals.batches, path.totals.samples, path.totals.counts.tolist()) == (2, 40, [31, 9])
    assert path.records() == [(3, 36, 0.25, 1.0), (3, 4, 2.5, 0.0)]
    assert (len(path.rest.ticks), path.rest.taken, path.rest.failures) == (1, [], [])


@pytest.mark.parametrize(
    "logs",
    [
        {},
        {"loss": 1.0, PAYLOAD: {"sums": 1}},
        _logs(2, 0.75, 0.5),
        _logs(1, 0.75, 0.5, 36, 0.25, 1.0, 30, 6),
    ],
    ids=["no payload", "another payload", "a shorter vector", "another layout"],
)
def test_what_is_not_ordinary_takes_the_slow_path(path: Fixture, logs: dict[str, Any]) -> None:
    """It arrives there as the step returned it, and leaves no record before."""
    before = dict(logs)
    assert path.receive(logs) == "taken by the slow path"
    assert path.rest.taken == [logs] == [before]
    assert (path.totals.batches, path.records()) == (0, [])


def test_values_that_are_no_numbers_end_nothing(path: Fixture) -> None:
    """NaN and infinity are kept, a size that is none counts as 0; the batch after is right again."""
    path.receive(_logs(2, 0.0, np.nan, np.nan, np.inf, np.nan, 0, 0))
    path.receive(_logs(2, 0.5, 1.5, 4, 2.5, 0.0, 1, 3))
    (broken, whole), nothing_lost = path.records(), path.writer.lost_batches == 0
    assert broken[:3] == (3, 0, np.inf)
    assert np.isnan(broken[3])
    assert whole == (3, 4, 2.5, 0.0)
    assert nothing_lost


def test_what_fails_ends_the_recording_and_not_the_training(path: Fixture) -> None:
    """Keras gets its logs all the same."""
    path.rest.tick_again = float("nan")
    assert path.receive(_logs(2, 0.75, 0.5, 36, 0.25, 1.0, 30, 6)) == {"accuracy": 0.75, "loss": 0.5}
    assert [str(error) for error in path.rest.failures] == ["no tick today"]


class _Calls(keras.callbacks.Callback):  # type: ignore[misc]
    """Counts the calls into our Python from the end of a step's graph to the return of its function."""

    def __init__(self) -> None:
        super().__init__()
        self.ours: list[list[str]] = []
        self.logs: list[dict[str, float]] = []

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.ours.append([])
        sys.setprofile(self._called)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        sys.setprofile(None)
        self.logs.append(logs or {})

    def _called(self, frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(OURS):
            self.ours[-1].append(frame.f_code.co_name)


def test_an_ordinary_batch_takes_five_calls(open_session: OpenSession) -> None:
    """Each costs microseconds next to a step: function, fast path, sink, record. Rare work comes on top."""
    x, y, _, _ = make_arrays()
    session, calls = open_session(probe_budget=0.0), _Calls()
    arguments = {"x": x, "y": y, "epochs": 4, "batch_size": BATCH, "verbose": 0, "callbacks": [calls]}
    model = build_model()
    recorded_fit(model.fit, model, session, (), arguments)
    session.writer.close()
    assert min(calls.ours, key=len) == ["function", "received", "put", "batch", "put"]
    assert {type(value) for logs in calls.logs for value in logs.values()} == {float}
    snapshot = load(session.folder)
    assert snapshot.fit is not None
    assert len(snapshot.fit.series["loss"].values()) == len(calls.logs)


def test_keras_sees_at_once_that_logs_are_no_tensors() -> None:
    """A float it looks into for attributes of a Protocol, which takes longer than reading a tensor."""
    looked: list[str] = []

    def called(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            looked.append(frame.f_code.co_name)

    for log in (log_type(1.5), 1.5):
        sys.setprofile(called)
        is_tensor = tf.is_tensor(log)
        sys.setprofile(None)
        looked.append(f"{is_tensor}")
    first = looked.index("False")
    assert "__instancecheck__" not in looked[:first]
    assert "__instancecheck__" in looked[first:]
    assert float(log_type(1.5)) == 1.5


def test_outputs_too_wide_for_the_vector_are_kept_by_the_fast_path(open_session: OpenSession) -> None:
    """Inputs of more numbers than a vector takes are outputs of their own; their batches are explained all the same."""
    keras.utils.set_random_seed(2)
    model = keras.Sequential([keras.layers.Input((20, 20)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    generator = np.random.default_rng(2)
    x, y = generator.normal(size=(96, 20, 20)).astype(np.float32), generator.integers(0, 2, 96)
    session, calls = open_session(probe_budget=1.0), _Calls()
    arguments = {"x": x, "y": y, "batch_size": 16, "epochs": 2, "verbose": 0, "validation_data": (x, y)}
    recorded_fit(model.fit, model, session, (), {**arguments, "callbacks": [calls]})
    session.writer.close()
    assert "received" in min(calls.ours, key=len)
    snapshot = load(session.folder)
    assert snapshot.fit is not None
    explained = [entry.content for entry in snapshot.fit.explanations if entry.batch is None]
    assert [content["samples"] for content in explained] == [{"train": 96, "validation": 96}] * 2


def test_one_list_of_callbacks_may_serve_two_fits(open_session: OpenSession) -> None:
    """Each fit's batches go to its own records; the recorder of the first has left the list."""
    x, y, _, _ = make_arrays()
    model, session = build_model(), open_session(probe_budget=0.0)
    callbacks = keras.callbacks.CallbackList([], add_history=True, model=model, epochs=2, steps=6)
    before = list(callbacks.callbacks)
    for epochs in (2, 3):
        arguments = {"x": x, "y": y, "epochs": epochs, "batch_size": BATCH, "verbose": 0, "callbacks": callbacks}
        recorded_fit(model.fit, model, session, (), arguments)
        assert callbacks.callbacks == before
    session.writer.close()
    steps = -(-len(x) // BATCH)
    sizes = [(session.folder / fit.batches).stat().st_size // 24 for fit in session.writer.info.fits]
    assert sizes == [2 * steps, 3 * steps]


def test_a_batch_of_a_fit_that_is_over_is_not_lost(path: Fixture) -> None:
    """Where another fit of the run has begun inside it, the batch is recorded there."""
    path.writer.begin_fit(["loss", "accuracy"])
    assert path.receive(_logs(2, 0.75, 0.5, 36, 0.25, 1.0, 30, 6)) == {"accuracy": 0.75, "loss": 0.5}
    path.writer.close()
    assert (path.writer.folder / path.writer.info.fits[-1].batches).stat().st_size == 24
    assert (path.rest.taken, path.rest.failures, path.writer.lost_batches) == ([], [], 0)


def test_what_a_signal_handler_raises_in_a_record_passes(path: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer asks whether an error is its own before it catches it."""

    class _Late(TimeoutError):
        pass

    def interrupted(*record: object) -> float:
        raise _Late

    def pass_on(error: Exception) -> None:
        if isinstance(error, _Late):
            raise error

    monkeypatch.setattr(path.writer, "_pass_on", pass_on)
    monkeypatch.setattr(path.writer._batches, "put", interrupted)
    path.receive(_logs(2, 0.75, 0.5, 36, 0.25, 1.0, 30, 6))
    assert [type(error) for error in path.rest.failures] == [_Late]
    assert path.writer.lost_batches == 0
