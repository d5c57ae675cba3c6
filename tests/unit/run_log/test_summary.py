"""A run's line in a list, and when a silent run counts as lost."""

import json
import math
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.errors import RunNotFound
from tui_monitor.history.load import load
from tui_monitor.run_log.events.explanation import RecordedExplanation
from tui_monitor.run_log.events.notifications import Explained
from tui_monitor.run_log.events.progress import EpochBegan, EpochEnded
from tui_monitor.run_log.format.layout import EVENTS_FILE, HEARTBEAT_FILE, RUN_FILE, RunInfo, State
from tui_monitor.run_log.runs import process as process_module
from tui_monitor.run_log.runs.liveness import (
    DISTANT_LIMIT_SECONDS,
    GRACE_SECONDS,
    HEARTBEAT_LIMIT_SECONDS,
    LOST_DETAIL,
    Liveness,
    concluded_state,
    file_system_time,
    observe_run,
)
from tui_monitor.run_log.runs.process import ProcessIdentity, ProcessState, identify, observe_process
from tui_monitor.run_log.runs.summary import summarise
from tui_monitor.run_log.write.writer import RunWriter

HERE = RunInfo(name="run", host=socket.gethostname(), pid=os.getpid(), created=1e9, description="A demo.")


def running(folder: Path, info: RunInfo = HERE) -> RunWriter:
    """Start a run that has one epoch behind it."""
    writer = RunWriter(folder, info, heartbeat_seconds=3600)
    writer.begin_fit(["loss"], epochs=5)
    writer.status(State.TRAINING)
    writer.event(EpochBegan(epoch=1))
    writer.event(EpochEnded(epoch=1, logs={"loss": 0.5, "acc": 0.75, "val_loss": math.inf}))
    return writer


def ended_process() -> ProcessIdentity:
    """Return the identity of a process that is no more."""
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        return identify(process.pid)


def test_a_running_run(tmp_path: Path) -> None:
    """Everything a list shows comes from the run's own words."""
    running(tmp_path / "run").event(EpochBegan(epoch=2))
    summary = summarise(tmp_path / "run")
    assert (summary.name, summary.state, summary.detail) == ("run", State.TRAINING, "")
    assert (summary.epoch, summary.epochs, summary.fit) == (2, 5, 1)
    assert summary.metrics == {"loss": 0.5, "accuracy": 0.75, "val_loss": math.inf}
    assert (summary.created, summary.pid, summary.host) == (1e9, os.getpid(), HERE.host)
    assert (summary.exit_code, summary.description, summary.problem) == (None, "A demo.", "")


def test_an_ended_run(tmp_path: Path) -> None:
    """An end that was recorded stays, however long ago."""
    with running(tmp_path / "run", replace(HERE, pid=ended_process().pid)) as writer:
        writer.status(State.FAILED, "ValueError: x", exit_code=1)
    summary = summarise(tmp_path / "run", now=1e12)
    assert (summary.state, summary.detail, summary.exit_code) == (State.FAILED, "ValueError: x", 1)


def test_a_killed_run_is_lost_at_once(tmp_path: Path) -> None:
    """On the same machine a process that is gone needs no waiting time."""
    gone = ended_process()
    running(tmp_path / "run", replace(HERE, pid=gone.pid)).close()
    (tmp_path / "run" / HEARTBEAT_FILE).write_text(json.dumps(gone.to_json()))
    summary = summarise(tmp_path / "run")
    assert (summary.state, summary.detail) == (State.LOST, LOST_DETAIL)
    assert load(tmp_path / "run").state is State.LOST


def test_a_number_given_to_another_process_is_no_sign_of_life(tmp_path: Path) -> None:
    """A process that started at another time than the run's is another one."""
    running(tmp_path / "run").close()
    reused = replace(identify(os.getpid()), start="1")
    (tmp_path / "run" / HEARTBEAT_FILE).write_text(json.dumps(reused.to_json()))
    assert summarise(tmp_path / "run").state is State.LOST


def test_a_stopped_process_is_not_lost(tmp_path: Path) -> None:
    """A process of the run's own start time lives, however old its heartbeat: it may only be suspended."""
    running(tmp_path / "run").close()
    os.utime(tmp_path / "run" / HEARTBEAT_FILE, (1, 1))
    assert summarise(tmp_path / "run").state is State.TRAINING


@pytest.mark.parametrize(("age", "state"), [(59, State.TRAINING), (61, State.LOST)])
def test_another_machine_is_judged_by_its_heartbeat(tmp_path: Path, age: float, state: State) -> None:
    """A process number of another host means nothing here; a minute's silence does."""
    running(tmp_path / "run", replace(HERE, host="elsewhere")).close()
    changed = (tmp_path / "run" / HEARTBEAT_FILE).stat().st_mtime
    assert summarise(tmp_path / "run", now=changed + age).state is state


@pytest.mark.parametrize(("age", "state"), [(59, State.STARTING), (61, State.LOST)])
def test_a_run_may_take_a_minute_to_start(tmp_path: Path, age: float, state: State) -> None:
    """Between the folder and the first heartbeat a run is starting, and then it is lost."""
    now = tmp_path.stat().st_mtime + age
    assert summarise(tmp_path, now=now).state is state
    RunWriter(tmp_path, HERE, heartbeat_seconds=None)
    assert summarise(tmp_path, now=(tmp_path / RUN_FILE).stat().st_mtime + age).state is state


STATES = st.sampled_from(list(State))
AGES = st.none() | st.floats(-10, 1e6)


@given(last=STATES, process=st.sampled_from(list(ProcessState)), age=AGES, folder_age=st.floats(-10, 1e6))
def test_the_conclusion_is_the_last_word_or_lost(
    last: State, process: ProcessState, age: float | None, folder_age: float
) -> None:
    """A recorded end is never overruled, a living process never lost, and nothing else is concluded."""
    state = concluded_state(last, Liveness(process, age, folder_age))
    assert state in (last, State.LOST)
    if last.ended or (process is ProcessState.ALIVE and age is not None):
        assert state is last
    if state is State.LOST and last is not State.LOST:
        silence = folder_age if age is None else age
        limit = min(HEARTBEAT_LIMIT_SECONDS, DISTANT_LIMIT_SECONDS, GRACE_SECONDS)
        assert process is ProcessState.GONE or silence > limit


def test_processes_are_told_apart() -> None:
    """Alive, gone, from before a boot, from another container, or not to be told."""
    own = identify(os.getpid())
    assert observe_process(own) is ProcessState.ALIVE
    assert observe_process(ended_process()) is ProcessState.GONE
    assert observe_process(replace(own, boot="another")) is ProcessState.GONE
    assert observe_process(replace(own, namespace="another")) is ProcessState.ELSEWHERE
    assert observe_process(ProcessIdentity(pid=os.getpid())) is ProcessState.UNSURE
    assert observe_process(ProcessIdentity(pid=0)) is ProcessState.ELSEWHERE
    assert observe_process(ProcessIdentity(pid=10**30)) in (ProcessState.UNSURE, ProcessState.GONE)


def test_processes_are_told_apart_without_proc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On a system without /proc, such as macOS, a process is known by its number and the time of its start."""
    monkeypatch.setattr(process_module, "_PROC", tmp_path / "proc")
    own = identify(os.getpid())
    assert float(own.start) > 1e9
    assert (own.boot, own.namespace) == ("", "")
    assert observe_process(own) is ProcessState.ALIVE
    assert observe_process(replace(own, start="1.0")) is ProcessState.GONE
    assert observe_process(replace(own, start="")) is ProcessState.UNSURE
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        identity = identify(child.pid)
        assert observe_process(identity) is ProcessState.ALIVE
        assert child.stdin is not None
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert observe_process(identity) is ProcessState.GONE
    assert observe_process(identity) is ProcessState.GONE
    assert observe_process(ProcessIdentity(pid=10**30)) in (ProcessState.UNSURE, ProcessState.GONE)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"pid": "x"}', b"\xff", b"[" * 5000])
def test_a_damaged_heartbeat_is_only_a_time(tmp_path: Path, content: bytes) -> None:
    """Garbage in the heartbeat falls back on the number in `run.json` and the file's age."""
    running(tmp_path / "run").close()
    (tmp_path / "run" / HEARTBEAT_FILE).write_bytes(content)
    assert observe_run(tmp_path / "run").process is ProcessState.UNSURE


def test_the_last_word_is_found_behind_much_else(tmp_path: Path) -> None:
    """A hundred kilobytes of explanations after the last epoch do not hide it."""
    writer = running(tmp_path / "run")
    for _ in range(20):
        writer.event(Explained(epoch=1, batch=1, explanation=RecordedExplanation({"text": "x" * 5000})))
    summary = summarise(tmp_path / "run")
    assert (summary.state, summary.epoch, summary.metrics["loss"]) == (State.TRAINING, 1, 0.5)


@given(content=st.binary(max_size=200))
def test_damaged_events_never_break_a_list(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Any bytes as events give a summary."""
    folder = tmp_path_factory.mktemp("run")
    RunWriter(folder, HERE, heartbeat_seconds=None)
    (folder / EVENTS_FILE).write_bytes(content + b'\n{"kind": "status", "state": 3}\n{"kind": ["epoch"]}\n')
    assert summarise(folder).state is State.STARTING


def test_a_damaged_run_names_its_problem(tmp_path: Path) -> None:
    """A list of many runs shows the damaged one with the reason, and does not fail for it."""
    (tmp_path / RUN_FILE).write_text('{"format": 99}')
    assert "Upgrade" in summarise(tmp_path).problem


def test_the_present_leaves_nothing_behind(tmp_path: Path) -> None:
    """Asking a file system for its time cleans up after itself, and works where nothing can be written."""
    assert abs(file_system_time(tmp_path) - tmp_path.stat().st_mtime) < 5
    assert list(tmp_path.iterdir()) == []
    assert file_system_time(tmp_path / "nowhere") > 0


def test_loading_what_is_no_run(tmp_path: Path) -> None:
    """Reports on a folder without a run say so."""
    with pytest.raises(RunNotFound, match=r"holds no run\.json"):
        load(tmp_path)
