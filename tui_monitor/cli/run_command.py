"""`run`: a user's own script or module, unchanged, in its own process, watched."""

import os
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tui_monitor.cli.watch_command import has_terminal, watch
from tui_monitor.errors import UsageError
from tui_monitor.launch import TrainingProcess
from tui_monitor.run_log.runs.folders import create_run_folder, is_run_folder, printable, runs_folder
from tui_monitor.run_log.runs.origin import record_origin, script_of_target
from tui_monitor.run_log.runs.workers import claim_place, worker_from_environment

_SIGNAL_BASE = 128


def run_script(
    target: str,
    arguments: Sequence[str],
    *,
    is_module: bool,
    name: str | None,
    runs: str | None,
    probe_budget: float,
    probe_seconds: float,
    headless: bool,
) -> int:
    """Start a script, watch it, and return its exit code; 0 when it was left training.

    Raises:
        UsageError: there is no such script.
        FolderNotWritable: the runs folder can't be written to.
    """
    if not is_module:
        _check_script(target)
    headless = headless or not has_terminal()
    stem = target if is_module else Path(target).stem
    worker = worker_from_environment(os.environ)
    if worker is None:
        run = folder = create_run_folder(runs_folder(runs), name, stem, datetime.now(UTC).astimezone())
    else:
        claimed = claim_place(runs_folder(runs), name, stem, worker)
        run, folder = claimed.run, claimed.folder
    job = {
        "script": {"name": target, "arguments": list(arguments), "is_module": is_module},
        "probe_budget": probe_budget,
        "probe_seconds": probe_seconds,
        "command": ["tui-monitor", *sys.argv[1:]],
        "keeps_streams": headless,
        "worker": worker and asdict(worker),
    }
    _keep_origin(folder, target, is_module=is_module)
    training = TrainingProcess(folder, job, keeps_streams=headless)
    # The screen shows the whole run; lines without one tell of this process alone.
    shown = watch(folder if headless else run, training, headless=headless, tells_failure=False)
    code = training.exit_code_if_ended()
    if code is None:
        return shown
    return code if code >= 0 else _SIGNAL_BASE - code


def _keep_origin(folder: Path, target: str, *, is_module: bool) -> None:
    """Keep the script's text and commit in the run, beside whatever else goes on: nobody waits for it."""
    script = script_of_target(target, is_module=is_module)
    if script is not None:
        where = script.resolve()

        def keep() -> None:
            with suppress(OSError):
                record_origin(folder, where)

        threading.Thread(target=keep, name="origin").start()


def _check_script(target: str) -> None:
    path = Path(target)
    if path.is_file():
        return
    name = printable(target)
    if not path.is_dir():
        raise UsageError(f"There is no script {name} in {printable(str(Path.cwd()))}.")
    if is_run_folder(path):
        raise UsageError(f"{name} is the folder of a run, not a script. Watch it with: tui-monitor attach {name}")
    scripts = sorted(printable(entry.name) for entry in path.glob("*.py"))
    example = printable(str(path / (scripts[0] if scripts else "train.py")))
    raise UsageError(f"{name} is a folder. Name the script in it, such as {example}, or a module with -m.")
