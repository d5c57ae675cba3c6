"""Starts the training in a process and session of its own: what happens to the terminal does not reach it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec

from tui_monitor.run_log.format import OUTPUT_FILE
from tui_monitor.run_log.summary import summarise

_MODULE = "tui_monitor.training.child"


@dataclass(frozen=True)
class TrainingProcess:
    """A training that this process started."""

    folder: Path
    """The run folder it writes."""
    process: subprocess.Popen[bytes]

    @property
    def exit_code(self) -> int | None:
        """The exit code once it has ended, negative for a signal, else None."""
        return self.process.poll()

    def exit_code_if_ended(self) -> int | None:
        """Return the exit code of a run that has said it ended, waiting for its process to leave, else None."""
        if summarise(self.folder).state.ended:
            return self.process.wait()
        return self.exit_code

    def interrupt(self) -> None:
        """Do to the training what Ctrl-C does to a program in the foreground."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        """End the training and everything it started, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def start_training(folder: Path, job: Mapping[str, Any], *, keeps_streams: bool = False) -> TrainingProcess:
    """Start the training process on a job, with its output going to the run folder.

    A thread waits for its end, so that a training that is gone is seen to be gone.

    Args:
        folder: an existing run folder.
        job: what the process is to do, as plain JSON values.
        keeps_streams: whether its input and output are this process's own instead.
    """
    command = [sys.executable, "-m", _MODULE, str(folder), msgspec.json.encode(job).decode()]
    if keeps_streams:
        process = subprocess.Popen(command, start_new_session=True)
    else:
        with _output_file(folder) as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
    threading.Thread(target=process.wait, name="training-ended", daemon=True).start()
    return TrainingProcess(folder, process)


def _output_file(folder: Path) -> IO[bytes]:
    descriptor = os.open(folder / OUTPUT_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return os.fdopen(descriptor, "ab", buffering=0)
