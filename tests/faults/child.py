"""Faults that befall the training's process and its folder."""

import json
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.faults.table import Outcome
from tests.faults.training import Training, wait_until
from tui_monitor.history.load import load
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.control import Action, send_request

KILLS = 50


def readable(snapshot: Snapshot) -> int:
    """Return how many batches can be read, all of them what was written and in order."""
    assert snapshot.fit is not None
    numbers = snapshot.fit.series["loss"].values()
    np.testing.assert_array_equal(numbers, np.arange(1, len(numbers) + 1))
    return len(numbers)


def killed(folder: Path) -> Outcome:
    """`kill -9` of the training at a random moment: nothing is missing but the step in flight."""
    chance = random.Random(20261122)
    written = read = 0
    for attempt in range(KILLS):
        training = Training(folder / str(attempt))
        wait_until(lambda: training.batches)  # noqa: B023 - called in this turn alone
        time.sleep(chance.uniform(0.0, 0.15))
        os.kill(training.process.pid or 0, signal.SIGKILL)
        training.end()
        snapshot = load(training.folder)
        found = readable(snapshot)
        assert training.batches <= found <= training.batches + 1
        assert snapshot.fit is not None
        assert training.epochs <= len(snapshot.fit.epochs) <= training.epochs + 1
        assert snapshot.state is State.LOST
        assert not snapshot.damage.events_skipped
        written += training.batches
        read += min(found, training.batches)
    return Outcome("kill -9 of the training", KILLS, written, read)


def full_disk(folder: Path) -> Outcome:
    """A full disk: training goes on, the loss is said and counted, recording resumes when there is room."""
    training = Training(folder / "run", "full_disk", epochs=8)
    finished = training.end()
    snapshot = load(training.folder)
    assert snapshot.fit is not None
    assert training.lost > 50
    assert snapshot.damage.batches_lost == training.lost
    numbers = snapshot.fit.series["loss"].values()
    assert numbers[-1] == 8 * 40
    assert (np.diff(numbers) > 0).all()
    return Outcome("disk full while recording", 1, training.batches, len(numbers), int(finished))


def renamed(folder: Path) -> Outcome:
    """The run folder is renamed: what follows goes along."""
    training = Training(folder / "run", epochs=30, seconds_a_batch=0.0005)
    training.wait_for(100)
    (folder / "run").rename(folder / "moved")
    finished = training.end()
    snapshot = load(folder / "moved")
    assert snapshot.state is State.FINISHED
    assert not (folder / "run").exists()
    return Outcome("run folder renamed", 1, training.batches, readable(snapshot), int(finished))


def deleted(folder: Path) -> Outcome:
    """The run folder is deleted: what was in it is gone, what follows is counted as lost, and training goes on."""
    training = Training(folder / "run", epochs=60, seconds_a_batch=0.001)
    training.wait_for(100)
    shutil.rmtree(folder / "run", ignore_errors=True)
    finished = training.end()
    assert training.lost
    assert not (folder / "run" / "run.json").exists()
    return Outcome("run folder deleted", 1, 0, 0, int(finished))


def read_only(folder: Path) -> Outcome:
    """The run folder becomes read-only: open files go on, training goes on."""
    training = Training(folder / "run", epochs=30, seconds_a_batch=0.0005)
    training.wait_for(100)
    (folder / "run").chmod(0o500)
    finished = training.end()
    (folder / "run").chmod(0o700)
    return Outcome("run folder read-only", 1, training.batches, readable(load(folder / "run")), int(finished))


def clock_back(folder: Path) -> Outcome:
    """The clock jumps back a day: times still rise, requests still arrive, the run is not taken for lost."""
    training = Training(folder / "run", "clock_back", seconds_a_batch=0.001)
    training.wait_for(100)
    assert load(training.folder).state is State.TRAINING
    send_request(training.folder, Action.STOP_BATCH)
    finished = training.end()
    snapshot = load(training.folder)
    assert snapshot.state is State.STOPPED
    assert snapshot.seconds < 60
    return Outcome("clock jumps back a day", 1, training.batches, readable(snapshot), int(finished))


def two_screens(folder: Path) -> Outcome:
    """Two screens send requests at once: each is acknowledged exactly once."""
    training = Training(folder / "run", seconds_a_batch=0.001)
    training.wait_for(1)
    sent: list[str] = []

    def send() -> None:
        sent.extend(send_request(training.folder, Action.NOTE, str(number)).id for number in range(100))

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    send_request(training.folder, Action.STOP_BATCH)
    finished = training.end()
    snapshot = load(training.folder)
    acknowledged = [entry.acknowledges for entry in snapshot.timeline if entry.kind == "control"]
    assert sorted(acknowledged[:-1]) == sorted(sent)
    return Outcome("two screens steer at once", 1, training.batches, readable(snapshot), int(finished))


def garbage(folder: Path) -> Outcome:
    """Control files that are garbage: set aside, and the next request is applied."""
    training = Training(folder / "run", seconds_a_batch=0.001)
    training.wait_for(1)
    chance = random.Random(1)
    control = folder / "run" / "control"
    control.mkdir(exist_ok=True)
    for number in range(100):
        (control / f"{number}.json").write_bytes(chance.randbytes(number * 20))
    (control / "deep.json").write_bytes(b"[" * 60_000)
    (control / "text.json").write_text(json.dumps({"action": "learning_rate", "value": "NaN"}))
    send_request(training.folder, Action.STOP_BATCH)
    finished = training.end()
    assert len(list(control.glob("*.bad"))) == 102
    return Outcome("garbage in the control folder", 1, training.batches, readable(load(folder / "run")), int(finished))


CHILD_FAULTS: tuple[Callable[[Path], Outcome], ...] = (
    killed,
    full_disk,
    renamed,
    deleted,
    read_only,
    clock_back,
    two_screens,
    garbage,
)
