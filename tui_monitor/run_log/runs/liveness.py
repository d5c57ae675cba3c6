"""Whether a run that has not said how it ended still goes on; decided here and nowhere else."""

import json
import os
import platform
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui_monitor.errors import MonitorError
from tui_monitor.run_log.format.layout import HEARTBEAT_FILE, RUN_FILE, RunInfo, State
from tui_monitor.run_log.format.run_json import read_run_info
from tui_monitor.run_log.runs.process import ProcessIdentity, ProcessState, identity_from_json, observe_process

HEARTBEAT_LIMIT_SECONDS = 30.0
"""A process of the right number that was silent for longer may be another one."""
DISTANT_LIMIT_SECONDS = 60.0
"""A process elsewhere that was silent for longer counts as lost."""
GRACE_SECONDS = 60.0
"""How long a run may take from its folder to its first heartbeat."""

LOST_DETAIL = "The training process is gone and did not say how it ended."
"""The sentence beside the state of a lost run."""


@dataclass(frozen=True)
class Liveness:
    """What a check of a run folder tells about its process."""

    process: ProcessState
    heartbeat_age: float | None
    """Seconds since the last heartbeat, by the file system's clock; None when there was none yet."""
    folder_age: float
    """Seconds since `run.json` was written, or the folder created, by the same clock."""


def concluded_state(last_status: State, liveness: Liveness) -> State:
    """Return what a run does: its own last word, or `LOST` when its process can't speak any more.

    Args:
        last_status: the state of its last status event; `STARTING` when it has none.
        liveness: seen **before** the events were read, so that a last word written in between counts.
    """
    if last_status.ended:
        return last_status
    if liveness.heartbeat_age is None:
        return State.LOST if liveness.folder_age > GRACE_SECONDS else last_status
    if liveness.process is ProcessState.ALIVE:
        return last_status
    limits = {
        ProcessState.GONE: -float("inf"),
        ProcessState.UNSURE: HEARTBEAT_LIMIT_SECONDS,
        ProcessState.ELSEWHERE: DISTANT_LIMIT_SECONDS,
    }
    return State.LOST if liveness.heartbeat_age > limits[liveness.process] else last_status


def observe_run(folder: Path, info: RunInfo | None = None, now: float | None = None) -> Liveness:
    """Look for a run's process. Never raises: what can't be seen counts as absent.

    Args:
        folder: the run folder.
        info: its identity where it is known, else it is read.
        now: the file system's present in seconds since 1970; found by writing a file when left out.
    """
    if info is None:
        with suppress(MonitorError):
            info = read_run_info(folder)
    changed = _changed(folder / HEARTBEAT_FILE)
    created = _changed(folder / RUN_FILE) or _changed(folder) or 0.0
    process = _observe_process(folder, info)
    if process in (ProcessState.ALIVE, ProcessState.GONE) and changed is not None:
        return Liveness(process, 0.0, 0.0)
    present = file_system_time(folder) if now is None else now
    return Liveness(process, None if changed is None else present - changed, present - created)


def file_system_time(folder: Path) -> float:
    """Return the present by the clock that stamps the folder's files: a server's may differ from this host's."""
    probe = folder / f".clock-{os.getpid()}"
    try:
        descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            return os.fstat(descriptor).st_mtime
        finally:
            os.close(descriptor)
            probe.unlink()
    except OSError:
        return time.time()


def process_of(folder: Path, info: RunInfo) -> ProcessIdentity | None:
    """Return which process trains a run, or None where it runs on another machine."""
    if info.host != platform.node():
        return None
    try:
        with (folder / HEARTBEAT_FILE).open("rb") as file:
            content: Any = json.loads(file.read(4096))
    except (OSError, ValueError, RecursionError):
        content = None
    return identity_from_json(content) or ProcessIdentity(pid=info.pid)


def _observe_process(folder: Path, info: RunInfo | None) -> ProcessState:
    identity = None if info is None else process_of(folder, info)
    return ProcessState.ELSEWHERE if identity is None else observe_process(identity)


def _changed(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None
