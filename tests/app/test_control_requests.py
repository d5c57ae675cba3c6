"""The screen sends control requests, the run acknowledges them, and what is pending is said until then."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Static

from tests.app.driving import arrive, rows_of, screen_of, settle, shown, text_of
from tests.app.snapshots import ListSource, fit, snapshot
from tui_monitor.app.control.pending_requests import PATIENCE_SECONDS, PendingRequests, kill_training
from tui_monitor.app.screens.entry import EntryScreen
from tui_monitor.history.load import load
from tui_monitor.history.snapshot import TimelineEntry
from tui_monitor.run_log.format.layout import RunInfo, State
from tui_monitor.run_log.runs.control import Action, receive_requests


@pytest.mark.parametrize(
    ("keys", "action", "value"),
    [
        (("p",), Action.PAUSE, None),
        (("x",), Action.STOP_BATCH, None),
        (("e",), Action.STOP_EPOCH, None),
        (("u",), Action.MEASURE, None),
        (("k", "down", "enter"), Action.KILL, None),
        (("q", "down", "down", "enter"), Action.KILL, None),
        (("r", *"5e", "minus", "4", "enter"), Action.LEARNING_RATE, 5e-4),
        (("n", *"odd", "enter"), Action.NOTE, "odd"),
    ],
)
async def test_each_key_sends_its_own_request(
    keys: tuple[str, ...], action: Action, value: float | str | None, tmp_path: Path
) -> None:
    """One key, with its dialog where it has one, leaves one request; the header says what is requested."""
    async with screen_of(snapshot(), folder=tmp_path) as pilot:
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        assert "requested " in shown(pilot)[0]
        (request,) = receive_requests(tmp_path)
        assert (request.action, request.value) == (action, value)


async def test_a_paused_run_is_requested_to_go_on(tmp_path: Path) -> None:
    """The key of pausing lets a paused run go on, and the footer says so."""
    async with screen_of(snapshot(State.PAUSED), folder=tmp_path) as pilot:
        assert "go on" in rows_of(pilot, "#footer")
        await pilot.press("p")
    assert [request.action for request in receive_requests(tmp_path)] == [Action.RESUME]


@pytest.mark.parametrize("keys", [("k", "enter"), ("k", "escape"), ("r", "escape"), ("n", "escape"), ("n", "enter")])
async def test_what_is_not_confirmed_is_not_requested(keys: tuple[str, ...], tmp_path: Path) -> None:
    """The first answer to the question about killing is no; an empty note is none."""
    async with screen_of(snapshot(), folder=tmp_path) as pilot:
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
    assert receive_requests(tmp_path) == []


@pytest.mark.parametrize("text", ["", "fast", "0", "-1", "inf", "nan"])
async def test_a_rate_that_is_none_is_not_sent(text: str, tmp_path: Path) -> None:
    """The dialog stays open and says what a learning rate is."""
    async with screen_of(snapshot(), folder=tmp_path) as pilot:
        await pilot.press("r")
        await pilot.pause()
        assert "0.001" in text_of(pilot)
        await pilot.press(*(text.replace("-", "\0") if text != "-1" else ["minus", "1"]), "enter")
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(screen, EntryScreen)
        assert "learning rate is" in str(screen.query_one("#entry-hint", Static).render())
    assert receive_requests(tmp_path) == []


async def test_no_request_is_sent_to_a_run_that_can_not_apply_it(tmp_path: Path) -> None:
    """Imported, piped and ended runs offer no such key; pressing one only says why, in one notification."""
    piped = snapshot(run=RunInfo("stdin", pid=0))
    reasons = ((piped, "read from a log"), (snapshot(State.FINISHED), "has ended (finished)"))
    for given, reason in (*reasons, (snapshot(missing=True), "folder is gone")):
        async with screen_of(given, folder=tmp_path, size=(200, 60)) as pilot:
            assert "pause" not in rows_of(pilot, "#footer")
            await pilot.press("p", "x", "e", "u", "k", "r", "n")
            await pilot.pause()
            assert not pilot.app.screen.is_modal
            (told,) = pilot.app._notifications
            assert reason in told.message
    async with screen_of(piped, folder=tmp_path) as pilot:
        await pilot.press("q")
        await pilot.pause()
        assert "Kill" not in text_of(pilot)
        assert "Stop" not in text_of(pilot)
    assert not (tmp_path / "control").exists()


async def test_a_refusal_that_still_stands_is_not_given_again() -> None:
    """A word typed into the wrong window leaves one sentence on screen, and not one for each of its letters."""
    async with screen_of(snapshot(State.FINISHED)) as pilot:
        await pilot.press("p")
        (first,) = pilot.app._notifications
        await pilot.press("r", "e", "x")
        (told,) = pilot.app._notifications
        assert told is first


async def test_the_answer_takes_the_question_from_the_header(tmp_path: Path) -> None:
    """Once the timeline holds the acknowledgement, the header shows it in place of the request."""
    source = ListSource([snapshot()])
    async with screen_of(snapshot(), folder=tmp_path, source=source) as pilot:
        await pilot.press("u")
        await pilot.pause()
        assert "requested to measure now…" in shown(pilot)[0]
        (request,) = receive_requests(tmp_path)
        entry = TimelineEntry(30.0, "control", "Measuring now.", 4, 141, acknowledges=request.id)
        source.add(snapshot(State.TRAINING, fit(batch=141), revision=2, timeline=(entry,)))
        await arrive(pilot, 2)
        assert "requested" not in shown(pilot)[0]
        assert "Measuring now." in shown(pilot)[0]


async def test_a_run_that_has_ended_shows_its_end_and_not_its_last_request() -> None:
    """Beside the state of an ended run stands how it ended; acknowledged requests are in the timeline."""
    entry = TimelineEntry(30.0, "control", "Learning rate is 0.0005.", 4, 141)
    async with screen_of(snapshot(timeline=(entry,))) as pilot:
        assert "Learning rate is 0.0005." in shown(pilot)[0]
    ended = snapshot(State.STOPPED, timeline=(entry,), detail="Stopped on request.")
    async with screen_of(ended) as pilot:
        assert "STOPPED" in shown(pilot)[0]
        assert "Stopped on request." in shown(pilot)[0]
    async with screen_of(replace(ended, state=State.FINISHED, detail="")) as pilot:
        assert "FINISHED" in shown(pilot)[0]
        assert "Learning rate" not in shown(pilot)[0]
        await pilot.press("i")
        await pilot.pause()
        assert "Learning rate is 0.0005." in text_of(pilot)


def test_silence_is_said_after_a_while(tmp_path: Path) -> None:
    """A request that nobody acknowledges is said to be not acknowledged, with how long; an ended run drops all."""
    now = [100.0]
    requests = PendingRequests(tmp_path, lambda: now[0])
    requests.send(Action.PAUSE)
    requests.send(Action.NOTE, "x")
    assert requests.sentence == "requested to pause and 1 more…"
    now[0] += PATIENCE_SECONDS + 2
    requests.update(snapshot())
    assert requests.sentence == (
        "requested to pause and 1 more: not acknowledged for 12 s; requests are read between batches"
    )
    requests.update(snapshot(State.FINISHED))
    assert requests.sentence == ""


async def test_the_timeline_lists_everything_and_scrolls(tmp_path: Path) -> None:
    """Each entry shows time, epoch, kind and text, hostile ones inert, the newest last and in sight."""
    entries = tuple(TimelineEntry(60.0 * n, "note", f"note {n} [red]x[/]", 1 + n // 20) for n in range(100))
    alert = TimelineEntry(6000.0, "alert", "loss\x1b[31m is nan", 6)
    for size in ((60, 20), (120, 40)):
        async with screen_of(snapshot(timeline=(*entries, alert)), size=size) as pilot:
            await pilot.press("i")
            await settle(pilot)
            await pilot.pause()
            rows = rows_of(pilot, "#timeline .panel-body").splitlines()
            assert rows[0].split() == ["0", "s", "1", "◆", "note", "note", "0", "[red]x[/]"]
            assert rows[-1].split()[:3] == ["1", "h", "40"]
            assert "! alert" in text_of(pilot)
            assert "loss[31m is nan" in text_of(pilot)
            await pilot.press("d")
            await settle(pilot)
            assert "alert: loss" in shown(pilot)[0] or size == (60, 20)


_STUBBORN = """
import os, socket, sys, time
from pathlib import Path
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.write.writer import RunWriter
writer = RunWriter(Path(sys.argv[1]), RunInfo(name="run", host=socket.gethostname(), pid=os.getpid()))
print("ready", flush=True)
time.sleep(600)
"""


def test_a_process_that_does_not_stop_is_killed_where_it_runs(tmp_path: Path) -> None:
    """The right process of this machine is ended at once; of another machine, or already gone, none is."""
    command = [sys.executable, "-c", _STUBBORN, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            run = load(tmp_path)
            elsewhere = replace(run, run=replace(run.run, host="another"))
            assert not kill_training(tmp_path, elsewhere)
            assert process.poll() is None
            assert kill_training(tmp_path, run)
            assert process.wait(timeout=30) == -signal.SIGKILL
            assert not kill_training(tmp_path, run)
        finally:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
