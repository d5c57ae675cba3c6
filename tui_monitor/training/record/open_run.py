"""Opens the run that this process records into, from its own code."""

import atexit
import functools
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.folders import create_run_folder, runs_folder
from tui_monitor.run_log.runs.origin import own_script, record_origin
from tui_monitor.run_log.runs.workers import claim_place, run_of, worker_from_environment
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.child.identity import run_identity
from tui_monitor.training.guard import attempt, ignored, raise_what_is_the_users
from tui_monitor.training.probe.budget import ProbeBudget
from tui_monitor.training.record.session import ACTIVE, Session, activate

DEFAULT_BUDGET = 0.02
DEFAULT_SECONDS = 3.0


def open_run(
    name: str | None = None,
    runs: str | None = None,
    probe_budget: float = DEFAULT_BUDGET,
    probe_seconds: float = DEFAULT_SECONDS,
) -> Session:
    """Return the run that this process records into, opening one when there is none.

    Args:
        name: of the run; by default from the script's name and the time.
        runs: folder of the runs; by default `TUI_MONITOR_RUNS`, else `runs/` in the current folder.
        probe_budget: fraction of training time for measuring, from 0 to 1; 0 turns probes off.
        probe_seconds: for measuring beside it, in the whole run.

    Raises:
        FolderNotWritable: the runs folder can't be written to.
    """
    active = ACTIVE.session
    if active is not None:
        return active
    stem = Path(sys.argv[0]).stem if sys.argv and sys.argv[0] else "notebook"
    worker = worker_from_environment(os.environ)
    if worker is None:
        folder = create_run_folder(runs_folder(runs), name, stem or "notebook", datetime.now(UTC).astimezone())
    else:
        folder = claim_place(runs_folder(runs), name, stem or "notebook", worker).folder
    script = own_script()
    if script is not None:
        attempt(ignored, functools.partial(record_origin, folder, script, asks_git=False), otherwise=None)
    info = replace(run_identity(run_of(folder).name, sys.argv, worker=worker), keeps_output=False)
    writer = RunWriter(folder, info, pass_on=raise_what_is_the_users)
    writer.status(State.STARTING, "No fit was called yet")
    session = Session(writer, folder, ProbeBudget(fraction=probe_budget, seconds=probe_seconds), ends_with_fit=True)
    activate(session)
    # Without a last status: each fit writes one when it ends (`ends_with_fit`).
    atexit.register(writer.close)
    return session
