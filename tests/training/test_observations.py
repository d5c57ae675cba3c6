"""What a training's own values say while it runs: a stall is told while it lasts, marks and alerts are in the run."""

import threading
import time
from collections.abc import Iterator

import keras
import numpy as np
import pytest

from tests.training.conftest import OpenSession
from tui_monitor.history.load import load
from tui_monitor.run_log.events.lines import Event
from tui_monitor.run_log.events.notifications import AlertRaised
from tui_monitor.training.record import stalls
from tui_monitor.training.record.recorded_fit import recorded_fit
from tui_monitor.training.record.stalls import Pace
from tui_monitor.training.usage.system_usage import SystemSampler


def test_a_wait_is_a_stall_beside_the_usual_pace_alone() -> None:
    """Two milliseconds a batch make twelve seconds a stall; ten seconds a batch do not; told once a stall."""
    for each, is_stall in ((0.002, True), (10.0, False)):
        pace, now, batches = Pace(), 0.0, 0
        for _ in range(60):
            now += max(each, 1.0)
            batches += max(1, int(1.0 / each))
            assert pace.tick(batches, now, now) == ""
        told = [pace.tick(batches, now + waited, now) for waited in range(1, 41)]
        assert sum(map(bool, told)) == (1 if is_stall else 0)
        if is_stall:
            assert "No batch for 10 s, usually 2 ms each. The process is idle" in "".join(told)
            assert pace.tick(batches + 1, now + 50, now) == ""
            assert "The process is busy" in pace.tick(batches + 1, now + 90, now + 60)


def test_no_batch_is_missed_before_the_first_or_while_none_is_awaited() -> None:
    """Compiling, validating, measuring and pausing are no stalls, however long they take."""
    pace = Pace()
    assert pace.tick(0, 0.0, 0.0) == ""
    assert pace.tick(0, 500.0, 0.0) == ""
    assert pace.tick(900, 501.0, 0.0) == ""
    assert pace.tick(None, 502.0, 0.0) == ""
    assert pace.tick(900, 900.0, 0.0) == ""
    assert pace.tick(900, 905.0, 0.0) == ""


def test_alerts_marks_and_a_stall_are_in_the_run(open_session: OpenSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generator that stops is told while it stands still; NaN, a small validation and the memory are in the run."""
    monkeypatch.setattr(stalls, "LEAST_SECONDS", 2.0)
    session = open_session(probe_budget=1.0)
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(64, 3)).astype("float32"), generator.integers(0, 2, 64)
    told = threading.Event()
    write = session.writer.event

    def listening(event: Event) -> None:
        write(event)
        if isinstance(event, AlertRaised) and event.alert == "stall":
            told.set()

    session.writer.event = listening  # type: ignore[method-assign]

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for index in range(60):
            if index == 45:
                # Stands still until it is told, with a deadline for a program that never tells.
                assert told.wait(60)
            part = slice(index % 8 * 8, index % 8 * 8 + 8)
            yield (x[part] * np.nan if index >= 55 else x[part]), y[part]

    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    session.system = SystemSampler(session.writer, interval=lambda run_seconds: 0.25)
    fit = {"steps_per_epoch": 30, "epochs": 2, "validation_data": (x, y), "verbose": 0}
    begun = time.monotonic()
    recorded_fit(model.fit, model, session, (batches(),), fit)
    session.writer.close()
    assert told.is_set()
    assert time.monotonic() - begun < 60
    snapshot = load(session.folder)
    assert snapshot.system is not None
    assert (snapshot.system.memory_bytes or 0) > 100e6
    texts = [entry.text for entry in snapshot.timeline if entry.kind == "alert"]
    assert sum("No batch for" in text and "idle" in text for text in texts) == 1
    assert sum("became NaN" in text or "loss is NaN" in text for text in texts) == 1
    assert sum("Validation has 64 samples" in text for text in texts) == 1
    assert not any("Recording stopped" in text for text in texts)
