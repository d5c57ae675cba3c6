"""SIGTERM to `run` reaches the training, whose exit code comes back; nothing goes on alone."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.cli.conftest import command_line, environment
from tests.clock import Clock
from tests.faults.terminal import Terminal, monitor
from tui_monitor.history.load import load
from tui_monitor.launch import TrainingProcess
from tui_monitor.run_log.format.layout import State

_WAITS = """
import os, signal, sys
print(os.getpid(), flush=True)
{handler}
print('ready', flush=True)
signal.pause()
"""
_SAVES = """
told = 0
def save(number, frame):
    global told
    told += 1
    signal.sigtimedwait([signal.SIGUSR1], 0.5)  # a checkpoint takes a while
    print('saved', told, flush=True)
    sys.exit(7)
signal.signal(signal.SIGTERM, save)
"""
_IGNORES = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    signal.pause()
"""
_SECONDS = 60


@contextmanager
def _running(folder: Path, handler: str, *before: str) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """Run a script that waits for a signal; yield the command's process and the pid of the training."""
    script = folder / "script.py"
    script.write_text(_WAITS.format(handler=handler))
    process = subprocess.Popen(
        [*before, *command_line("run", "--headless", "--runs", str(folder), "--name", "run", str(script))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environment(),
        start_new_session=True,
    )
    assert process.stdout is not None
    pid = 0
    try:
        pid = int(process.stdout.readline())
        assert process.stdout.readline() == "ready\n"
        yield process, pid
    finally:
        process.kill()
        with suppress(ProcessLookupError):
            os.killpg(pid or process.pid, signal.SIGKILL)
        process.communicate()


def _is_gone(group: int) -> bool:
    """Whether no process of a group runs; one that nobody waits for may be left as a zombie."""
    running = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, of = stat.read_text().rpartition(") ")[2].split()[:3]
            running += [stat] if int(of) == group and state != "Z" else []
    return not running


@pytest.mark.parametrize(("handler", "code", "printed"), [("", 143, ""), (_SAVES, 7, "saved 1\n")])
def test_sigterm_goes_on_to_the_training(tmp_path: Path, handler: str, code: int, printed: str) -> None:
    """It ends the training, or calls the script's own handler, as without us; the exit code is the training's."""
    with _running(tmp_path, handler) as (process, pid):
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=_SECONDS)
        assert (process.returncode, out) == (code, printed), err
        assert _is_gone(pid)
        assert "SIGTERM was passed on to the training." in err
        assert load(tmp_path / "run").state is (State.FAILED if handler else State.STOPPED)


def test_a_second_sigterm_kills_a_training_that_ignores_it(tmp_path: Path) -> None:
    """Nothing of it is left, its own children included."""
    with _running(tmp_path, _IGNORES) as (process, pid):
        told = 0
        while process.poll() is None and told < _SECONDS:
            process.send_signal(signal.SIGTERM)
            told += 1
            try:
                process.wait(timeout=1)
            except subprocess.TimeoutExpired:
                continue
        assert process.returncode == 128 + signal.SIGKILL
        assert _is_gone(pid)


@pytest.mark.skipif(shutil.which("timeout") is None, reason="there is no `timeout` here")
def test_a_time_limit_is_one_signal_to_the_script(tmp_path: Path) -> None:
    """`timeout` signals the process and its group: the script is told once, and has its time to save."""
    with _running(tmp_path, _SAVES, "timeout", "--preserve-status", str(_SECONDS)) as (process, pid):
        # What `timeout` does when its time is over.
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=_SECONDS)
        assert (process.returncode, out) == (7, "saved 1\n"), err
        assert _is_gone(pid)


def test_sigterm_to_the_screen_ends_the_training_and_restores_the_terminal(tmp_path: Path) -> None:
    """The screen waits for the training to end by it and leaves with its exit code."""
    script = tmp_path / "script.py"
    script.write_text(_WAITS.format(handler=_SAVES))
    command = monitor("run", "--runs", str(tmp_path), "--name", "run", str(script))
    with Terminal(command, (80, 24), {}) as terminal:
        terminal.wait_for("ready")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.process.wait(timeout=_SECONDS) == 7
    assert "saved 1\n" in (tmp_path / "run" / "output.log").read_text()


def test_signals_within_a_second_are_one(tmp_path: Path) -> None:
    """The second of two that come together is the first again; one that comes later kills."""
    clock = Clock()
    training = TrainingProcess(tmp_path, {}, clock=clock)
    said = []
    for seconds in (0.0, 0.9, 0.2):
        clock.now += seconds
        said.append(training.terminate())
    assert [bool(sentence) for sentence in said] == [True, False, True]
