"""The training process: it writes the run folder it is given, from its first moment to its last.

Started as `python -m tui_monitor.training.child.process FOLDER JOB`, where JOB is a JSON object (see `Job`).
"""

import atexit
import functools
import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import msgspec

from tui_monitor.errors import MonitorError
from tui_monitor.run_log.events.notifications import AlertRaised
from tui_monitor.run_log.format.error_text import in_a_line, in_words
from tui_monitor.run_log.format.layout import OUTPUT_FILE, State, WorkerInfo
from tui_monitor.run_log.runs.workers import run_of
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.child.identity import run_identity
from tui_monitor.training.child.script import (
    Target,
    comes_from_script,
    exit_code_of,
    print_failed_hook,
    run_target,
    traceback_text,
    without_our_frames,
)
from tui_monitor.training.guard import attempt, ignored, raise_what_is_the_users

if TYPE_CHECKING:
    from tui_monitor.training.record.session import Session

_ENDED_BY_SIGNAL = 128
_NO_FIT_YET = "The script has not called fit yet; a loop of its own is recorded with tui_monitor.log_batch"


@dataclass(frozen=True)
class DemoJob:
    """Train a scenario of the demo."""

    scenario: str
    seed: int
    epochs: int


@dataclass(frozen=True)
class Job:
    """What the training process is to do: either a demo or a script."""

    probe_budget: float
    """Fraction of training time for measuring; 0 turns probes off."""
    command: tuple[str, ...]
    """The command line as the user gave it."""
    demo: DemoJob | None = None
    script: Target | None = None
    probe_seconds: float = 0.0
    """Seconds for measuring in addition to that fraction, over the whole run."""
    keeps_streams: bool = False
    """Whether the script's output goes to the caller's own streams; a traceback is then kept in the run as well."""
    worker: WorkerInfo | None = None
    """Which of several workers this process is; its folder lies in the run's unless it is the first."""


@dataclass
class _Ending:
    """How the run ended, written down as the last thing this process does.

    A script goes on after its last line: Python waits for its threads, in which it may train, and calls what it
    registered to be called at exit.
    """

    writer: RunWriter
    session: "Session | None" = None
    state: State = State.FAILED
    detail: str = ""
    exit_code: int | None = None
    is_known: bool = False
    was_asked_early: bool = False
    """Whether the script has called what is called at exit, which Python forgets then."""

    def write(self) -> None:
        """Write it, and close the run."""
        if not self.is_known:
            self.was_asked_early = True
            return
        ended_well = self.session is not None and self.state is State.FINISHED
        detail = self.detail or (_beyond(self.writer, self.session) if ended_well else "")
        self.writer.status(self.state, detail, exit_code=self.exit_code)
        self.writer.close()

    def told(self, state: State, detail: str, exit_code: int) -> int:
        """Note how the run ended, and return the exit code."""
        self.state, self.detail, self.exit_code, self.is_known = state, detail, exit_code, True
        if self.was_asked_early:
            atexit.register(self.write)
        return exit_code


def main(arguments: list[str]) -> int:
    """Do the job and return the exit code; how it went is written down when the process ends."""
    folder, job = Path(arguments[0]), msgspec.convert(json.loads(arguments[1]), Job)
    identity = run_identity(run_of(folder).name, job.command, _description(job), job.worker)
    identity = replace(identity, keeps_output=not job.keeps_streams)
    writer = RunWriter(folder, identity, pass_on=raise_what_is_the_users)
    ending = _Ending(writer)
    # What is registered first is called last.
    atexit.register(ending.write)
    writer.status(State.STARTING, "Loading TensorFlow" if job.demo else _NO_FIT_YET)
    _say_when_told_to_end(writer)
    try:
        return _do(job, writer, folder, ending)
    except SystemExit as leaving:
        code = exit_code_of(leaving)
        detail = f"The script exited with code {code}." if code else ""
        return ending.told(State.FAILED if code else State.FINISHED, detail, code)
    except MonitorError as error:
        code = error.exit_code
        if comes_from_script(error):
            code = _print_traceback(error, job, folder, code)
        else:
            print(f"tui-monitor: {error}", file=sys.stderr)
        return ending.told(State.FAILED, str(error), code)
    except KeyboardInterrupt as error:
        return ending.told(State.STOPPED, "Interrupted.", _print_traceback(error, job, folder, 130))
    except BaseException as error:  # whatever ends the script is how the run ended
        advice = attempt(ignored, _advice, error, otherwise=None)
        code = _print_traceback(error, job, folder, 1, f"tui-monitor: {advice}\n" if advice else "")
        failure = in_words(error)
        return ending.told(State.FAILED, f"{advice} ({failure})" if advice else failure, code)


def _description(job: Job) -> str:
    if job.demo is None:
        return ""
    # Not for a script: NumPy reads the environment once, and a script may set that before it imports it.
    from tui_monitor.demo import scenario_named

    return scenario_named(job.demo.scenario).description


def _do(job: Job, writer: RunWriter, folder: Path, ending: _Ending) -> int:
    if job.demo is not None:
        session = ending.session = _session(job, writer, folder)
        from tui_monitor.training.child.tensorflow_check import require_tensorflow

        # Before the demo, whose own import would fail with a traceback instead of a sentence.
        require_tensorflow()
        from tui_monitor.demo import scenario_named
        from tui_monitor.training.demo import train

        train(scenario_named(job.demo.scenario), job.demo.seed, job.demo.epochs, session)
    elif job.script is not None:
        session = ending.session = attempt(
            functools.partial(_say_unrecorded, writer), _recorded_session, job, writer, folder, otherwise=None
        )
        run_target(job.script)
    if ending.session is not None and ending.session.stop_requested:
        return ending.told(State.STOPPED, "Stopped on request.", 0)
    return ending.told(State.FINISHED, "", 0)


def _session(job: Job, writer: RunWriter, folder: Path) -> "Session":
    from tui_monitor.training.probe.budget import ProbeBudget
    from tui_monitor.training.record.session import Session, activate

    session = Session(writer, folder, ProbeBudget(fraction=job.probe_budget, seconds=job.probe_seconds))
    # Before the script: where that calls `tui_monitor.watch` itself, it joins this run and opens no other.
    activate(session)
    return session


def _recorded_session(job: Job, writer: RunWriter, folder: Path) -> "Session":
    from tui_monitor.training.child.hooks import record_fits

    session = _session(job, writer, folder)
    record_fits(session)
    return session


def _say_unrecorded(writer: RunWriter, error: Exception) -> None:
    """Say that nothing of a script is recorded; it runs as ever."""
    text = f"Nothing is recorded, as that failed ({in_a_line(error)}). The script runs as ever."
    writer.event(AlertRaised(text=text))


def _beyond(writer: RunWriter, session: "Session | None") -> str:
    """Return sentences on what a script that ended well did unrecorded; empty where it did nothing such."""
    from tui_monitor.training.child.hooks import HOW_TO_LOG

    without = "" if writer.info.fits else f"The script never called fit here, so nothing was recorded. {HOW_TO_LOG}"
    if writer.info.fits and session is not None and session.unrecorded_batches and not session.logs_loops:
        without = f"Batches that the script trained by train_on_batch are not recorded. {HOW_TO_LOG}"
    # Python imports these when a process is first started that way. A fork is told of by `Session.is_here`.
    spawned = any(f"multiprocessing.popen_{way}" in sys.modules for way in ("spawn_posix", "forkserver", "spawn_win32"))
    elsewhere = "It started processes of its own; a fit in one of them is not recorded." if spawned else ""
    return " ".join(filter(None, (without, elsewhere)))


def _advice(error: BaseException) -> str | None:
    from tui_monitor.training.keras2.advice import advice_for

    return advice_for(error)


def _print_traceback(error: BaseException, job: Job, folder: Path, code: int, added: str = "") -> int:
    """Print what Python would print of an error that ends the script, and return the exit code.

    Args:
        error: being handled.
        job: of this process.
        folder: of the run.
        code: the exit code, unless a hook of the script's exits with another one.
        added: lines of ours.
    """
    # The user is to read the traceback that `python` would print, not how the script was run.
    without_our_frames(error)
    text = traceback_text(error) + added
    try:
        # The script may have put a hook of its own there, or have taken Python's away.
        hook = getattr(sys, "excepthook", None)
        if hook is None:
            print("sys.excepthook is missing", file=sys.stderr)
        (hook or sys.__excepthook__)(type(error), error, error.__traceback__)
    except SystemExit as leaving:
        code = exit_code_of(leaving)
    except BaseException as failure:
        print_failed_hook(failure, error)
    # The script may have closed it.
    with suppress(Exception):
        sys.stderr.write(added)
        sys.stderr.flush()
    if job.keeps_streams:
        with suppress(OSError), (folder / OUTPUT_FILE).open("a", encoding="utf-8", errors="backslashreplace") as output:
            output.write(text)
    return code


def _say_when_told_to_end(writer: RunWriter) -> None:
    """On SIGTERM, write down that the run was ended from outside, then end as any process would."""

    def told_to_end(number: int, frame: FrameType | None) -> None:
        """Write the end down, and end."""
        writer.status(State.STOPPED, "The training process was told to end.", exit_code=_ENDED_BY_SIGNAL + number)
        signal.signal(number, signal.SIG_DFL)
        # By the signal's own action, so that the exit status is that of any process told to end; no exit handler runs.
        os.kill(os.getpid(), number)

    # Before the script runs: where it installs a handler of its own, that one replaces this and decides.
    signal.signal(signal.SIGTERM, told_to_end)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
