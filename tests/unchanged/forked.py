"""Runs a function in a fork of this process, with its standard streams in files: a crash costs that fork alone."""

import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

_RAISED = 70
"""Exit code of a fork whose function raised."""
_LAST_WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class Ended:
    """How a fork ended."""

    code: int
    """Its exit code; negative for the signal that ended it."""
    output: str
    """What it wrote to standard output."""
    errors: str
    """What it wrote to standard error."""
    seconds: float


class Fork:
    """A function that runs in a fork of this process."""

    def __init__(self, function: Callable[[], int], *, limit_seconds: int = 900) -> None:
        """Start it. Threads that it leaves behind are waited for, as Python itself would.

        Args:
            function: its result is the fork's exit code.
            limit_seconds: after which the fork is ended by SIGKILL.
        """
        sys.stdout.flush()
        sys.stderr.flush()
        self._output, self._errors = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - closed in `wait`
        self._begun = time.monotonic()
        self._child = os.fork()
        if self._child == 0:
            _be_the_fork(function, self._output, self._errors)
        self._limit = threading.Timer(limit_seconds, os.kill, (self._child, signal.SIGKILL))
        self._limit.start()

    def wait(self) -> Ended:
        """Return how it ended."""
        _, status = os.waitpid(self._child, 0)
        self._limit.cancel()
        seconds = time.monotonic() - self._begun
        with self._output, self._errors:
            return Ended(os.waitstatus_to_exitcode(status), _text(self._output), _text(self._errors), seconds)


def forked(function: Callable[[], int], *, limit_seconds: int = 900) -> Ended:
    """Call a function in a fork of this process and return how that ended; see `Fork`."""
    return Fork(function, limit_seconds=limit_seconds).wait()


def _be_the_fork(function: Callable[[], int], output: BinaryIO, errors: BinaryIO) -> None:
    code = _RAISED
    try:
        os.dup2(output.fileno(), sys.__stdout__.fileno() if sys.__stdout__ else 1)
        os.dup2(errors.fileno(), sys.__stderr__.fileno() if sys.__stderr__ else 2)
        code = function()
        for thread in threading.enumerate():
            if not thread.daemon and thread is not threading.current_thread():
                thread.join(_LAST_WAIT_SECONDS)
    except BaseException:  # whatever it is, the fork must not return into its parent's code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code & 0xFF)


def _text(file: BinaryIO) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
