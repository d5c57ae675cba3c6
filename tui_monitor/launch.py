"""Starts the training in a process and session of its own: what happens to the terminal does not reach it.

A SIGTERM is meant for the training, so it is passed on.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO, Any

import msgspec

from tui_monitor.run_log.format.layout import OUTPUT_FILE
from tui_monitor.run_log.runs.summary import summarise

_MODULE = "tui_monitor.training.child.process"
_ONE_SIGNAL_SECONDS = 1.0
"""Signals that come within this time are one: `timeout` signals the process, and then the group that it is in."""


class TrainingProcess:
    """A training of this process, before and after it is started."""

    def __init__(
        self,
        folder: Path,
        job: Mapping[str, Any],
        *,
        keeps_streams: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare a training; nothing runs yet.

        Args:
            folder: an existing run folder.
            job: what the process is to do, as plain JSON values.
            keeps_streams: whether its input and output are this process's own; else they go to the run folder.
            clock: seconds from any origin.
        """
        self.folder = folder
        self._job = job
        self._keeps_streams = keeps_streams
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._told_at: float | None = None
        """When the first SIGTERM came."""

    def start(self) -> None:
        """Start the process. A thread waits for its end, so that a training that is gone is seen to be gone.

        Raises:
            OSError: the process or its output file can't be made.
        """
        # Escaped: an argument of any bytes is a string that UTF-8 can't encode.
        job = json.dumps(msgspec.to_builtins(self._job))
        command = [sys.executable, "-m", _MODULE, str(self.folder), job]
        # A session of its own has no controlling terminal: a closed terminal sends its SIGHUP, and Ctrl-C its SIGINT,
        # to the screen's session alone.
        if self._keeps_streams:
            process = subprocess.Popen(command, start_new_session=True)
        else:
            with _output_file(self.folder) as output:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    env={**os.environ, "PYTHONUNBUFFERED": "1"},
                )
        self._process = process
        # Unless somebody waits for it, a process that has ended stays a zombie, which looks alive to others.
        threading.Thread(target=process.wait, name="training-ended", daemon=True).start()
        # A SIGTERM that came while `Popen` ran had no process yet to be passed on to.
        if self._told_at is not None:
            self._signal(signal.SIGTERM)

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """The exit code once it has ended, negative for a signal, else None."""
        return None if self._process is None else self._process.poll()

    def exit_code_if_ended(self) -> int | None:
        """Return the exit code of a run that has said it ended, waiting for its process to leave, else None."""
        if self._process is not None and summarise(self.folder).state.ended:
            # The last record is written at exit, a moment before the interpreter is taken down.
            return self._process.wait()
        return self.exit_code

    def interrupt(self) -> None:
        """Do to the training what Ctrl-C does to a program in the foreground."""
        self._signal(signal.SIGINT)

    def terminate(self) -> str:
        """Pass on the first SIGTERM that this process gets; kill the training at the second.

        The script's own handler takes the first; without a handler the training ends. Safe in a signal handler.

        Returns:
            What was done, in a sentence; empty where the signal repeats the one that was just passed on.
        """
        now = self._clock()
        if self._told_at is None:
            self._told_at = now
            self._signal(signal.SIGTERM)
            return "SIGTERM was passed on to the training. A second one kills it."
        if now - self._told_at < _ONE_SIGNAL_SECONDS:
            return ""
        self.kill()
        return "A second SIGTERM: the training is killed."

    @contextmanager
    def terminated_with_us(self, say: Callable[[str], None]) -> Iterator[None]:
        """Pass on each SIGTERM of this process inside the block.

        Args:
            say: takes what was done; called from the signal handler.
        """

        def told_to_end(number: int, frame: FrameType | None) -> None:
            sentence = self.terminate()
            if sentence:
                say(sentence)

        before = signal.signal(signal.SIGTERM, told_to_end)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)

    def kill(self) -> None:
        """End the training and everything it started, at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.is_running:
            # The whole group: data loaders and other children of the script must not outlive it.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)


def _output_file(folder: Path) -> IO[bytes]:
    descriptor = os.open(folder / OUTPUT_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return os.fdopen(descriptor, "ab", buffering=0)
