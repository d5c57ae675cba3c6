"""Arrivals in, snapshots out: what a screen draws is what the run recorded."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clock import Clock
from tests.unit.history.plain_runs import followed, record
from tui_monitor.explain.from_log import explain_from_log
from tui_monitor.history.load import load
from tui_monitor.history.state.fold import History
from tui_monitor.run_log.events.explanation import Cost, RecordedExplanation
from tui_monitor.run_log.events.lines import RecordedEvent, recorded_event
from tui_monitor.run_log.events.notifications import AlertRaised, Explained, NoteTaken, RequestAcknowledged
from tui_monitor.run_log.events.progress import BatchesLost, EpochBegan, EpochEnded
from tui_monitor.run_log.format.layout import EVENTS_FILE, RUN_FILE, RunInfo, State
from tui_monitor.run_log.read.reader import Arrival, RunReader
from tui_monitor.run_log.runs.liveness import LOST_DETAIL
from tui_monitor.run_log.write.writer import RunWriter


def test_a_run_reads_as_it_was_trained(tmp_path: Path) -> None:
    """Epochs, values, positions, pace and plan all appear under canonical names."""
    record(tmp_path / "run", epochs=2, steps=10).close()
    snapshot = followed(tmp_path / "run").snapshot()
    fit = snapshot.fit
    assert fit is not None
    assert snapshot.run.name == "run"
    assert snapshot.state is State.TRAINING
    assert (fit.epoch, fit.batch, fit.batches) == (2, 10, 20)
    assert fit.epoch_starts == (0, 10)
    assert set(fit.series) == {"loss", "accuracy"}
    assert fit.series["loss"].values().tolist() == pytest.approx([1 / (i % 10 + 1) for i in range(20)])
    row = fit.epochs[-1]
    assert (row.epoch, row.batches, row.samples, row.learning_rate) == (2, 10, 320, 0.1)
    assert row.metrics["accuracy"] == 0.75
    assert row.metrics["val_accuracy"] == 0.5
    assert math.isnan(row.metrics["val_loss"])
    assert snapshot.batches_per_second == pytest.approx(10)
    assert snapshot.seconds_left == pytest.approx(3 * 3.0)
    assert not snapshot.damage


def test_what_is_done_once_does_not_count_for_the_epochs_to_come(tmp_path: Path) -> None:
    """Tracing before the first batch and of the first probe leaves the time left at batches and validations."""
    clock = Clock()
    clock.now = 8.0
    writer = record(tmp_path / "run", epochs=1, clock=clock)
    explanation = explain_from_log("run", 1, {"loss": 0.5})
    writer.event(Explained.of(replace(explanation, cost=Cost(0.1, share_of_training=0.01, tracing_seconds=4.0))))
    assert followed(tmp_path / "run").snapshot().seconds_left == pytest.approx(4 * 1.0)
    clock.now += 4.1
    writer.batch(2, 32, (0.5, 0.5))
    writer.close()
    assert followed(tmp_path / "run").snapshot().seconds_left == pytest.approx(0.9 + 3 * 1.0 + 4 * 2.0)


@given(cuts=st.lists(st.integers(1, 7), min_size=1, max_size=5))
def test_any_pieces_give_the_same_history(tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    """However few records come at a time, the last snapshot is the same but for its revision."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    record(folder, epochs=2, steps=9).close()
    reader, history = RunReader(folder), History()
    for turn in range(100):
        arrival = reader.poll(max_seconds=0, max_records=cuts[turn % len(cuts)])
        history.fold(arrival)
        if arrival.complete:
            break
    pieces, whole = history.snapshot(), followed(folder).snapshot()
    assert pieces.fit is not None
    assert whole.fit is not None
    assert pieces.fit.epoch_starts == whole.fit.epoch_starts
    assert pieces.fit.epoch_numbers == whole.fit.epoch_numbers
    assert len(pieces.fit.epochs) == len(whole.fit.epochs)
    assert pieces.fit.series["loss"].values().tolist() == whole.fit.series["loss"].values().tolist()
    assert pieces.batches_per_second == whole.batches_per_second
    assert pieces.seconds_left == whole.seconds_left


def test_nothing_new_is_the_same_snapshot(tmp_path: Path) -> None:
    """A poll without news costs no redraw: same revision, same object."""
    record(tmp_path / "run")
    reader, history = RunReader(tmp_path / "run"), History()
    history.fold(reader.poll())
    before = history.snapshot()
    assert not history.fold(reader.poll())
    assert history.snapshot() is before


def test_an_epoch_begun_shows_before_its_first_batch(tmp_path: Path) -> None:
    """The first batch of an epoch may take a minute; the epoch shows at once."""
    clock = Clock()
    writer = record(tmp_path / "run", epochs=1, clock=clock)
    writer.event(EpochBegan(epoch=2))
    fit = followed(tmp_path / "run").snapshot().fit
    assert fit is not None
    assert (fit.epoch, fit.batch, fit.epoch_starts) == (2, 0, (0, 10))


def test_epochs_may_fall_back(tmp_path: Path) -> None:
    """A training set back to an earlier epoch shows that epoch, and keeps both of its rows."""
    clock = Clock()
    writer = record(tmp_path / "run", epochs=3, clock=clock)
    clock.now += 1
    writer.batch(2, 32, (0.1, 0.2))
    writer.event(EpochEnded(epoch=2, logs={"loss": 0.1}))
    fit = followed(tmp_path / "run").snapshot().fit
    assert fit is not None
    assert fit.epoch == 2
    assert fit.batch == 1
    assert fit.epoch_numbers == (1, 2, 3, 2)
    assert [row.epoch for row in fit.epochs] == [1, 2, 3, 2]


def test_each_fit_stands_for_itself(tmp_path: Path) -> None:
    """Two fits in one script keep their own values and plans."""
    writer = record(tmp_path / "run")
    writer.begin_fit(["loss"], epochs=7, initial_epoch=5)
    writer.batch(6, 8, (0.25,))
    fits = followed(tmp_path / "run").snapshot().fits
    assert [fit.info.index for fit in fits] == [1, 2]
    assert (fits[1].epoch, fits[1].first_epoch, fits[1].batches) == (6, 6, 1)
    assert set(fits[1].series) == {"loss"}


def test_a_failed_run_says_why(tmp_path: Path) -> None:
    """The last status event carries the reason and the exit code, and no time is left."""
    writer = record(tmp_path / "run")
    writer.status(State.FAILED, "ValueError: shapes differ", exit_code=1)
    snapshot = followed(tmp_path / "run").snapshot()
    assert (snapshot.state, snapshot.exit_code) == (State.FAILED, 1)
    assert snapshot.detail == "ValueError: shapes differ"
    assert snapshot.seconds_left is None
    assert snapshot.timeline[-1].text == "failed: ValueError: shapes differ"


def test_a_lost_mark_yields_to_news_and_to_an_end(tmp_path: Path) -> None:
    """`LOST` is a reader's conclusion: it goes when the run speaks again, and never hides a recorded end."""
    writer = record(tmp_path / "run")
    reader, history = RunReader(tmp_path / "run"), History()
    history.fold(reader.poll())
    assert history.mark(State.LOST)
    assert not history.mark(State.LOST)
    assert (history.snapshot().state, history.snapshot().detail) == (State.LOST, LOST_DETAIL)
    writer.batch(2, 32, (1, 1))
    history.fold(reader.poll())
    assert history.snapshot().state is State.TRAINING
    writer.status(State.FINISHED, exit_code=0)
    history.fold(reader.poll())
    assert not history.mark(State.LOST)
    assert history.snapshot().state is State.FINISHED


def test_timeline_marks_what_matters(tmp_path: Path) -> None:
    """Alerts, notes, acknowledged requests and pauses are marked; the routine of training and validating is not."""
    writer = record(tmp_path / "run")
    for state in (State.VALIDATING, State.TRAINING, State.PAUSED, State.TRAINING):
        writer.status(state)
    writer.event(AlertRaised(text="loss is NaN", epoch=2))
    writer.event(NoteTaken(text="lowered the rate"))
    writer.event(RequestAcknowledged(request="pause", outcome="done", text=""))
    timeline = followed(tmp_path / "run").snapshot().timeline
    assert [(entry.kind, entry.text) for entry in timeline] == [
        ("status", "paused"),
        ("status", "training"),
        ("alert", "loss is NaN"),
        ("note", "lowered the rate"),
        ("control", "pause: done"),
    ]
    assert timeline[2].epoch == 2


def test_explanations_keep_their_numbers(tmp_path: Path) -> None:
    """NaN in an explanation comes back as a number; class labels stay words."""
    writer = record(tmp_path / "run")
    content = {"loss": {"gap": math.nan, "low": -math.inf}, "classes": {"labels": ["NaN", "b"]}}
    writer.event(Explained(epoch=2, batch=3, explanation=RecordedExplanation(content)))
    fit = followed(tmp_path / "run").snapshot().fit
    assert fit is not None
    explanation = fit.explanations[-1]
    assert (explanation.epoch, explanation.batch) == (2, 3)
    assert math.isnan(explanation.content["loss"]["gap"])
    assert explanation.content["loss"]["low"] == -math.inf
    assert explanation.content["classes"]["labels"] == ["NaN", "b"]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ["time", "phase", "epoch", "logs", "batches", "seconds", "explanation", "state", "detail", "text", "batch"]
KINDS = st.sampled_from(["status", "epoch", "epoch_begin", "explanation", "alert", "control", "lost", "phase", "new"])


@given(
    events=st.lists(
        st.builds(
            lambda kind, fields: {"kind": kind, **fields},
            KINDS | JUNK,
            st.dictionaries(st.sampled_from(FIELDS), JUNK | st.just(1)),
        ),
        max_size=8,
    )
)
def test_no_event_breaks_the_fold(events: list[dict[str, Any]]) -> None:
    """Unknown kinds and fields of the wrong type are passed over, never an error, never damage."""
    history = History()
    history.fold(Arrival(info=RunInfo(name="run"), events=tuple(map(recorded_event, events))))
    assert history.snapshot().damage.events_skipped == 0


def test_absurd_plans_are_no_plans(tmp_path: Path) -> None:
    """Numbers no training has do not reach the arithmetic of the time left."""
    record(tmp_path / "run", epochs=2).close()
    info = json.loads((tmp_path / "run" / RUN_FILE).read_bytes())
    for epochs, steps in ((10**400, 10), (-1, 10), (5, 0), (5, 10**400)):
        info["phases"][0].update(epochs=epochs, steps_per_epoch=steps)
        (tmp_path / "run" / RUN_FILE).write_text(json.dumps(info))
        snapshot = followed(tmp_path / "run").snapshot()
        assert snapshot.fit is not None
        assert (snapshot.fit.info.epochs, snapshot.fit.steps_per_epoch) in ((None, 10), (5, 10))


def test_a_restart_forgets_and_rises(tmp_path: Path) -> None:
    """A folder that was replaced shows the new run alone, under a higher revision."""
    record(tmp_path / "run")
    history = followed(tmp_path / "run")
    before = history.snapshot()
    assert history.fold(Arrival(info=RunInfo(name="other"), restarted=True))
    after = history.snapshot()
    assert after.revision > before.revision
    assert after.run.name == "other"
    assert after.fits == ()


def test_damage_is_told(tmp_path: Path) -> None:
    """Skipped lines, lost records and the torn end of an ended run are all counted."""
    writer = record(tmp_path / "run")
    writer.event(BatchesLost(batches=4, reason="No space left on device"))
    writer.status(State.FINISHED)
    writer.close()
    with (tmp_path / "run" / EVENTS_FILE).open("ab") as file:
        file.write(b'{"kind": broken}\n{"kind": "torn"')
    with (tmp_path / "run" / "batches.bin").open("ab") as file:
        file.write(b"\0" * 24 + b"\0" * 5)
    damage = load(tmp_path / "run").damage
    assert (damage.events_skipped, damage.batches_lost) == (1, 4)
    assert (damage.batches_skipped, damage.torn_bytes) == (1, 15 + 5)


def test_a_missing_folder_is_said_so(tmp_path: Path) -> None:
    """A folder that goes away leaves the screen as it was, marked."""
    record(tmp_path / "run")
    reader, history = RunReader(tmp_path / "run"), History()
    history.fold(reader.poll())
    (tmp_path / "run").rename(tmp_path / "elsewhere")
    assert history.fold(reader.poll())
    assert history.snapshot().missing
    assert history.snapshot().fits


def test_metrics_that_share_a_name_stay_apart(tmp_path: Path) -> None:
    """`acc` beside `accuracy`: one is `accuracy`, the other keeps its own spelling."""
    history = History()
    logs = {"loss": 1.0, "acc": 0.1, "accuracy": 0.2}
    writer = RunWriter(tmp_path / "run", RunInfo(name="run"), heartbeat_seconds=None)
    writer.begin_fit(["loss", "acc", "accuracy"])
    history.fold(Arrival(info=writer.info, events=(RecordedEvent(EpochEnded(epoch=1, logs=logs), fit=1),)))
    fit = history.snapshot().fit
    assert fit is not None
    assert fit.epochs[0].metrics == logs
    assert set(fit.series) == set(logs)


def test_long_runs_share_memory(tmp_path: Path) -> None:
    """A snapshot of a long run copies no values."""
    record(tmp_path / "run", epochs=3, steps=100)
    history = followed(tmp_path / "run")
    first, second = history.snapshot().fit, history._take_snapshot().fit
    assert first is not None
    assert second is not None
    assert np.shares_memory(first.series["loss"].values(), second.series["loss"].values())
    assert first.epochs is second.epochs
