"""What fails in us is told and goes no further; what is the user's passes."""

import functools
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.training.conftest import OpenSession
from tui_monitor.training.guard import attempt
from tui_monitor.training.record.session import ACTIVE, activate


class LateError(Exception):
    """What a time limit raises."""


def _late(number: int, frame: object) -> None:
    raise LateError


class _Limit:
    def __call__(self, number: int, frame: object) -> None:
        raise LateError


@pytest.fixture
def alarm() -> Iterator[Callable[[Any], None]]:
    """Return a function that sends an alarm to this process, with a handler that is taken off afterwards."""
    before = signal.getsignal(signal.SIGALRM)

    def send(handler: Any) -> None:
        signal.signal(signal.SIGALRM, handler)
        os.kill(os.getpid(), signal.SIGALRM)

    yield send
    signal.signal(signal.SIGALRM, before)


def test_a_failure_of_ours_is_told_and_replaced() -> None:
    """Telling may fail as well."""
    told: list[Exception] = []
    assert attempt(told.append, int, "3", otherwise=0) == 3
    assert attempt(told.append, int, "x", otherwise=0) == 0
    assert [type(error) for error in told] == [ValueError]
    assert attempt(lambda error: 1 / 0, int, "x", otherwise=7) == 7  # type: ignore[arg-type]


def test_a_fit_that_is_not_recorded_is_said_once(open_session: OpenSession) -> None:
    """What fails in one place after another of a fit is one sentence; the next fit has its own."""
    session = open_session()
    for session.fits in (1, 2):
        session.failed(ValueError("no room"))
        session.failed(ValueError("no room for the other function either"))
    session.writer.close()
    events = [json.loads(line) for line in (session.folder / "events.jsonl").read_text().splitlines()]
    texts = [event["text"] for event in events if "text" in event]
    assert texts == ["A fit is not recorded, as recording failed (ValueError: no room). Training goes on."] * 2


def test_a_failure_that_nobody_could_handle_is_said_once(open_session: OpenSession) -> None:
    """Where the one who is told fails, too, the run says so in a sentence, once for each fit."""
    session, before = open_session(), ACTIVE.session
    activate(session)
    try:
        for session.fits in (1, 2):
            for _ in range(3):
                attempt(lambda error: 1 / 0, int, "x", otherwise=0)  # type: ignore[arg-type]
    finally:
        activate(before)
    session.writer.close()
    events = [json.loads(line) for line in (session.folder / "events.jsonl").read_text().splitlines()]
    said = [event["text"] for event in events if "text" in event]
    sentence = "A failure of the recording could not be handled (ZeroDivisionError: division by zero)"
    assert [text.startswith(sentence) for text in said] == [True, True]


def test_an_interrupt_passes() -> None:
    """Ctrl-C is the user's."""
    with pytest.raises(KeyboardInterrupt):
        attempt(_unexpected, _interrupted, otherwise=None)


def _unexpected(error: Exception) -> None:
    pytest.fail(f"told of {error!r}")


def _interrupted() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("handler", [_late, functools.partial(_late), _Limit()], ids=["function", "partial", "object"])
def test_a_time_limit_of_the_users_passes(alarm: Callable[[Any], None], handler: Any) -> None:
    """What a signal handler raises while our code runs is no failure of ours."""
    with pytest.raises(LateError):
        attempt(_unexpected, alarm, handler, otherwise=None)


def test_what_a_library_made_of_a_time_limit_passes_as_it_was(alarm: Callable[[Any], None]) -> None:
    """An error raised in its place is put back into what the handler raised."""

    def library() -> None:
        try:
            alarm(_late)
        except Exception:
            raise TypeError("unsupported callable") from None

    with pytest.raises(LateError):
        attempt(_unexpected, library, otherwise=None)


def test_what_a_library_made_of_an_interrupt_passes_as_it_was() -> None:
    """Leaving a scope that an interrupt left half open is an error of TensorFlow's own, for one."""

    def library() -> None:
        try:
            raise KeyboardInterrupt
        finally:
            raise RuntimeError("no proper nesting")

    with pytest.raises(KeyboardInterrupt):
        attempt(_unexpected, library, otherwise=None)


def test_what_was_raised_before_is_no_news(alarm: Callable[[Any], None]) -> None:
    """A script that trains on where it handles a time limit or Ctrl-C is not ended by a failure of ours."""
    told: list[Exception] = []
    raising: list[Callable[[], None]] = [lambda: alarm(_late), _interrupted]
    for raise_it in raising:
        try:
            raise_it()
        except (LateError, KeyboardInterrupt):
            assert attempt(told.append, int, "x", otherwise=7) == 7
    assert [type(error) for error in told] == [ValueError, ValueError]


def test_a_time_limit_shows_nothing_of_ours_but_the_guard(alarm: Callable[[Any], None]) -> None:
    """Frames of ours may have no line where they were interrupted, and Keras fails to filter such a traceback."""
    with pytest.raises(LateError) as raised:
        attempt(_unexpected, lambda: alarm(_late), otherwise=None)
    shown = [entry.name for entry in traceback.extract_tb(raised.value.__traceback__)]
    assert shown == ["test_a_time_limit_shows_nothing_of_ours_but_the_guard", "attempt", "tell", "_late"]


_NOTHING_CAN_BE_HOOKED = """
import json, sys
import wrapt

def fail(*args):
    raise OSError("no hooks here")

wrapt.register_post_import_hook = fail
from tui_monitor.training.child import process
target = {"name": sys.argv[2], "arguments": [], "is_module": False}
sys.exit(process.main([sys.argv[1], json.dumps({"probe_budget": 0.02, "command": ["run"], "script": target})]))
"""


def test_a_script_runs_where_nothing_can_be_hooked(tmp_path: Path) -> None:
    """It prints and ends as it would, and the run says once that it records nothing."""
    script, run = tmp_path / "train.py", tmp_path / "run"
    script.write_text("import sys\nprint('trained')\nsys.exit(3)\n")
    run.mkdir()
    command = [sys.executable, "-c", _NOTHING_CAN_BE_HOOKED, str(run), str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("trained\n", 3), done.stderr[-2000:]
    told = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    assert [event["text"] for event in told if event["kind"] == "alert"] == [
        "Nothing is recorded, as that failed (OSError: no hooks here). The script runs as ever."
    ]
