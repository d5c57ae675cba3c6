"""A replay shows at every moment what a live screen showed then, wherever one comes from."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clock import Clock
from tests.unit.history.plain_runs import followed, record
from tests.unit.history.same_snapshots import assert_same, recorded
from tui_monitor.explain.from_log import explain_from_log
from tui_monitor.history.playback import Markers
from tui_monitor.history.replay.recorded_output import RecordedOutput
from tui_monitor.history.replay.recording import Recording
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.history.state.fold import History
from tui_monitor.run_log.events.explanation import RecordedExplanation
from tui_monitor.run_log.events.ledger import Cause, Ledger, Term, Verdict
from tui_monitor.run_log.events.notifications import AlertRaised, Explained
from tui_monitor.run_log.events.progress import BatchesLost, EpochBegan, EpochEnded
from tui_monitor.run_log.events.usage import ResourceUsage, UsageSampled
from tui_monitor.run_log.format.layout import EVENTS_FILE, OUTPUT_FILE, RunInfo, State
from tui_monitor.run_log.read.reader import RunReader
from tui_monitor.run_log.write.writer import RunWriter

STEP = 1 / 64
"""Seconds: a number that events.jsonl keeps exactly."""


def replayed(recording: Recording, output: RecordedOutput, position: float) -> Snapshot:
    """Return the whole snapshot of a moment."""
    lines, total = output.at(position)
    return replace(recording.at(position), output=lines, output_lines=total)


class Training:
    """A made-up training that a test drives, watched live after every step."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.writer = RunWriter(folder, RunInfo(name="run"), clock=self.clock, heartbeat_seconds=None)
        self.output = folder / OUTPUT_FILE
        self.reader, self.history = RunReader(folder), History()
        self.epoch = 0
        self.seen: list[tuple[float, Snapshot]] = []

    def tick(self) -> None:
        """Keep what a live screen shows now."""
        self.writer.mark_output()
        self.history.fold(self.reader.poll(max_seconds=10))
        self.seen.append((self.clock.now, self.history.snapshot()))

    def do(self, what: str, amount: int) -> None:
        """Let something happen, and some time pass before it."""
        self.clock.now += amount * STEP
        actions: dict[str, Callable[[], Any]] = {
            "phase": lambda: self.writer.begin_fit(["loss", "acc"][: 1 + amount % 2], epochs=amount or None),
            "begin": self._begin,
            "batches": self._batches,
            "epoch": lambda: self.writer.event(
                EpochEnded(
                    epoch=self.epoch, logs={"loss": amount, "val_loss": float("nan")}, batches=amount, seconds=1.5
                )
            ),
            "explanation": lambda: self.writer.event(
                Explained(epoch=self.epoch, batch=None, explanation=RecordedExplanation({"headline": str(amount)}))
            ),
            "status": lambda: self.writer.status(list(State)[amount % 8], f"word {amount}"),
            "alert": lambda: self.writer.event(AlertRaised(text=f"alert {amount}", epoch=self.epoch)),
            "lost": lambda: self.writer.event(BatchesLost(batches=amount)),
            "system": lambda: self.writer.event(UsageSampled(ResourceUsage(cpu_percent=amount, memory_bytes=amount))),
            "print": self._print,
        }
        actions[what]()
        self.tick()

    def _begin(self) -> None:
        self.epoch += 1
        self.writer.event(EpochBegan(epoch=self.epoch))

    def _batches(self) -> None:
        for number in range(17):
            self.clock.now += STEP
            self.writer.batch(max(self.epoch, 1), 32, (1 / (number + 1), 0.5))

    def _print(self) -> None:
        with self.output.open("ab") as file:
            file.write("line\nmore é".encode()[: 5 + round(self.clock.now) % 6])


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                "phase",
                "begin",
                "batches",
                "batches",
                "epoch",
                "explanation",
                "status",
                "alert",
                "lost",
                "system",
                "print",
            )
        ),
        st.integers(1, 40),
    ),
    max_size=30,
)


@settings(max_examples=40)
@given(actions=ACTIONS, random=st.randoms(use_true_random=False))
def test_replay_to_a_time_is_the_live_snapshot_of_that_time(actions: list[tuple[str, int]], random: Any) -> None:
    """In any order of seeking, the whole snapshot equals the one a live reader had: values, charts, output, pace."""
    with tempfile.TemporaryDirectory() as folder:
        training = Training(Path(folder))
        training.writer.begin_fit(["loss"], epochs=3)
        for what, amount in actions:
            training.do(what, amount)
        recording, output = recorded(Path(folder))
        random.shuffle(training.seen)
        for seconds, live in training.seen:
            assert_same(replayed(recording, output, seconds), live)


def test_a_long_history_is_replayed_from_checkpoints(tmp_path: Path) -> None:
    """With far more events than are kept as checkpoints, backwards is as right as forwards."""
    training = Training(tmp_path)
    training.writer.begin_fit(["loss"])
    for number in range(6000):
        training.clock.now += STEP
        training.writer.event(EpochEnded(epoch=number + 1, logs={"loss": number}))
        if number % 997 == 0:
            training.tick()
    recording, output = recorded(tmp_path)
    assert 2 < len(recording._checkpoints) <= 65
    for seconds, live in [*training.seen, *reversed(training.seen)]:
        assert_same(replayed(recording, output, seconds), live)


def test_a_recording_that_grows_keeps_its_past(tmp_path: Path) -> None:
    """What arrives later changes no moment before, and the end moves on with it."""
    clock = Clock()
    with record(tmp_path, epochs=1, clock=clock) as writer:
        reader, recording = RunReader(tmp_path), Recording()
        recording.fold(reader.poll(max_seconds=10))
        end = recording.end
        assert end == clock.now
        before = recording.at(1.0)
        clock.now += 1
        writer.batch(2, 32, (0.25, 0.5))
        recording.fold(reader.poll(max_seconds=10))
        assert recording.end == clock.now
        assert_same(recording.at(1.0), before)
        assert_same(recording.at(recording.end), replace(followed(tmp_path).snapshot()))


def test_moments_are_where_things_happened(tmp_path: Path) -> None:
    """Epochs, the last one too, end with what is measured after them, however long the script goes on then.

    Alerts and changes of the main cause have their positions.
    """
    clock = Clock()
    with RunWriter(tmp_path, RunInfo(name="run"), clock=clock, heartbeat_seconds=None) as writer:
        writer.begin_fit(["loss"])
        for epoch, cause in enumerate((Cause.CLASS_MIX, Cause.CLASS_MIX, Cause.SAMPLE_WEIGHTS), 1):
            writer.event(EpochBegan(epoch=epoch))
            clock.now += 1
            writer.event(EpochEnded(epoch=epoch, logs={"loss": 1.0}))
            clock.now += 0.25
            terms = Term(cause, 0.1, 0.05, 0.15, Verdict.MAIN), Term(Cause.MEASUREMENT, -0.1, -0.2, 0, Verdict.OFFSETS)
            ledger = Ledger(gap=0.0, low=None, high=None, within_noise=None, terms=terms)
            writer.event(Explained.of(replace(explain_from_log("run", epoch, {"loss": 1.0}), loss=ledger)))
            clock.now += 0.25
        writer.event(AlertRaised(text="loss is NaN"))
        clock.now += 60
        writer.status(State.FINISHED)
    markers = recorded(tmp_path)[0].markers
    assert markers.epochs == (1.25, 2.75, 4.25)
    assert markers.numbers == (1, 2, 3)
    assert markers.of_epoch(2) == 2.75
    assert markers.of_epoch(9) is None
    assert markers.alerts == (4.5,)
    assert markers.changes == (4.25,)
    assert markers.events == (1.25, 2.75, 4.25, 4.5)


def test_a_lost_run_is_lost_at_its_end_alone(tmp_path: Path) -> None:
    """That the process is gone was not known in the middle of the run; at its end it is said."""
    with record(tmp_path, epochs=2):
        recording = recorded(tmp_path)[0]
        assert recording.conclude(State.LOST)
        assert recording.is_over
        assert recording.at(recording.end).state is State.LOST
        assert recording.at(1.0).state is State.TRAINING
        assert recording.at(recording.end).state is State.LOST


def test_batches_are_stepped_through_one_by_one(tmp_path: Path) -> None:
    """From any position, a step on shows one batch more and a step back one batch less, over fits too."""
    clock = Clock()
    with RunWriter(tmp_path, RunInfo(name="run"), clock=clock, heartbeat_seconds=None) as writer:
        for _ in range(2):
            writer.begin_fit(["loss"])
            for _ in range(3):
                clock.now += 1
                writer.batch(1, 1, (0.5,))
    recording = recorded(tmp_path)[0]
    assert recording.batch_after(0.0) == 1.0
    assert recording.batch_after(3.0) == 4.0
    assert recording.batch_after(6.0) is None
    assert recording.batch_before(4.5) == 3.0
    assert recording.batch_before(4.0) == 3.0
    assert recording.batch_before(1.0) == 0.0
    assert recording.batch_before(0.5) is None


def test_a_run_without_times_counts_epochs(tmp_path: Path) -> None:
    """A log of epochs alone is replayed an epoch a second; batches it holds lie evenly in theirs."""
    with RunWriter(tmp_path, RunInfo(name="run"), clock=lambda: 0.0, heartbeat_seconds=None) as writer:
        writer.begin_fit(["loss"])
        for epoch in (1, 2, 3):
            for _ in range(4):
                writer.batch(epoch, 1, (0.5,))
            writer.event(EpochEnded(epoch=epoch, logs={"loss": epoch}))
        writer.status(State.FINISHED)
    recording, output = recorded(tmp_path)
    assert recording.in_epochs
    assert recording.end == 3.0
    for position, epochs, batches in ((0.0, 0, 0), (0.5, 0, 2), (1.0, 1, 4), (2.75, 2, 11), (3.0, 3, 12)):
        fit = replayed(recording, output, position).fit
        assert fit is not None
        assert (len(fit.epochs), fit.batches) == (epochs, batches)
    assert recording.markers == Markers(epochs=(1.0, 2.0, 3.0), numbers=(1, 2, 3))


@pytest.mark.parametrize("damage", [b'{"kind": "epoch", "epo', b"\x00" * 40 + b"\n", b"[1]\nnonsense\n"])
def test_damage_is_counted_and_the_rest_is_shown(tmp_path: Path, damage: bytes) -> None:
    """A torn or overwritten file is replayed as far as it goes, and says how much is damaged."""
    with record(tmp_path) as writer:
        writer.status(State.FINISHED)
    with (tmp_path / EVENTS_FILE).open("ab") as file:
        file.write(damage)
    snapshot = replayed(*recorded(tmp_path), 100.0)
    assert snapshot.damage
    assert snapshot.fit is not None
    assert len(snapshot.fit.epochs) == 2


def test_output_without_marks_is_shown_whole(tmp_path: Path) -> None:
    """A run that does not say when it printed what shows all of it, and says that it does not know."""
    (tmp_path / OUTPUT_FILE).write_bytes(b"one\ntwo\n")
    output = RecordedOutput(tmp_path)
    output.refresh()
    assert not output.is_timed
    assert output.at(0.0) == (("one", "two"), 2)


def test_long_output_is_sought_through_without_reading_it_whole(tmp_path: Path) -> None:
    """At any size the newest lines before a moment are the ones printed by then, and all lines are counted."""
    clock = Clock()
    with RunWriter(tmp_path, RunInfo(name="run"), clock=clock, heartbeat_seconds=None) as writer:
        for block in range(8):
            with (tmp_path / OUTPUT_FILE).open("ab") as file:
                file.write(b"".join(b"%d %s\n" % (block * 5000 + n, b"x" * 60) for n in range(5000)))
            clock.now += 1
            writer.mark_output()
    output = RecordedOutput(tmp_path)
    output.refresh()
    for seconds in (8, 1, 5, 6, 2):
        lines, total = output.at(seconds)
        assert total == seconds * 5000
        assert len(lines) == 2000
        assert lines[-1].startswith(f"{seconds * 5000 - 1} ")
        assert lines[0].startswith(f"{seconds * 5000 - 2000} ")
