"""Starts the training in a process and session of its own: what happens to the terminal does not reach it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tui_monitor.run_log.format import OUTPUT_FILE


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

    def kill(self) -> None:
        """End the training and everything it started, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def start_training(folder: Path, module: str, arguments: Sequence[str]) -> TrainingProcess:
    """Start `python -m module folder arguments...` with its output going to the run folder.

    A thread waits for its end, so that a training that is gone is seen to be gone.

    Args:
        folder: an existing run folder.
        module: with a `main`, run as a script.
        arguments: passed on after the folder.
    """
    descriptor = os.open(folder / OUTPUT_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", module, str(folder), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    finally:
        os.close(descriptor)
    threading.Thread(target=process.wait, name="training-ended", daemon=True).start()
    return TrainingProcess(folder, process)
