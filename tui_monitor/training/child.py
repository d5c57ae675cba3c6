"""The training process: it writes the run folder it is given, from its first moment to its last.

Started as `python -m tui_monitor.training.child FOLDER JOB`, where JOB is a JSON object (see `Job`).
"""

import os
import platform
import signal
import socket
import sys
import traceback
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import FrameType

import msgspec

from tui_monitor.demo.scenarios import scenario_named
from tui_monitor.errors import DependencyMissing
from tui_monitor.run_log.format import RunInfo, State
from tui_monitor.run_log.writer import RunWriter

STOPPED_EXIT_CODE = 0
"""A training that was asked to stop did what it was asked."""


@dataclass(frozen=True)
class Job:
    """What the training process is to do."""

    scenario: str
    seed: int
    epochs: int
    probe_budget: float
    """Share of training time for measuring; 0 turns probes off."""
    command: tuple[str, ...]
    """The command line as the user gave it."""


def main(arguments: list[str]) -> int:
    """Train, and write down how it went; return the exit code."""
    folder, job = Path(arguments[0]), msgspec.json.decode(arguments[1], type=Job)
    scenario = scenario_named(job.scenario)
    info = RunInfo(
        name=folder.name,
        command=job.command,
        host=socket.gethostname(),
        pid=os.getpid(),
        versions=_versions(),
        description=scenario.description,
    )
    with RunWriter(folder, info) as writer:
        writer.status(State.STARTING, "Loading TensorFlow")
        signal.signal(signal.SIGTERM, _leave)
        try:
            return _train(writer, folder, job)
        except SystemExit as leaving:
            writer.status(State.STOPPED, "The training process was told to end.", exit_code=143)
            raise leaving from None
        except DependencyMissing as error:
            print(error, file=sys.stderr)
            writer.status(State.FAILED, str(error), exit_code=error.exit_code)
            return error.exit_code
        except BaseException as error:
            traceback.print_exc()
            sys.stderr.flush()
            writer.status(State.FAILED, f"{type(error).__name__}: {error}", exit_code=1)
            return 1


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _train(writer: RunWriter, folder: Path, job: Job) -> int:
    _require_tensorflow()
    from tui_monitor.training.budget import ProbeBudget
    from tui_monitor.training.demo import train
    from tui_monitor.training.session import Session

    session = Session(writer, folder, ProbeBudget(share=job.probe_budget))
    train(scenario_named(job.scenario), job.seed, job.epochs, session)
    if session.stop_requested:
        writer.status(State.STOPPED, "Stopped on request.", exit_code=STOPPED_EXIT_CODE)
        return STOPPED_EXIT_CODE
    writer.status(State.FINISHED, exit_code=0)
    return 0


def _require_tensorflow() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        import tensorflow  # noqa: F401
    except ModuleNotFoundError as error:
        raise DependencyMissing(
            f"Training needs TensorFlow, which this Python can't import ({error.name} is missing). "
            "Install it with: pip install 'tui-monitor[tensorflow]'"
        ) from error


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in ("tui-monitor", "tensorflow", "keras", "numpy"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
