"""Replaying a run on the screen: every key, the bar and the mouse lead to the moment they name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.app.driving import rows_of, settle, text_of, turns
from tests.clock import Clock
from tui_monitor.app.feed.replay_source import ReplaySource
from tui_monitor.app.replay_app import ReplayApp
from tui_monitor.app.widgets.scrub_bar import ScrubBar
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.history.playback import Markers, Mode, Playback
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.history.start import Start
from tui_monitor.run_log.events.notifications import AlertRaised
from tui_monitor.run_log.events.progress import EpochBegan, EpochEnded
from tui_monitor.run_log.format.layout import OUTPUT_FILE, RunInfo, State
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.view.panels.scrub_bar import position_text, scrub

STEPS, EPOCHS = 5, 4


def write_run(folder: Path, clock: Clock, epochs: int = EPOCHS) -> RunWriter:
    """Write a run with a batch a second, a note in each epoch, a print at its end, and an alert in the third."""
    writer = RunWriter(folder, RunInfo(name="run", pid=4321), clock=clock, heartbeat_seconds=None)
    writer.begin_fit(["loss", "accuracy"], epochs=EPOCHS, steps_per_epoch=STEPS)
    writer.status(State.TRAINING)
    for epoch in range(1, epochs + 1):
        writer.event(EpochBegan(epoch=epoch))
        for _ in range(STEPS):
            clock.now += 1
            writer.batch(epoch, 32, (1 / epoch, 0.5))
        if epoch == 3:
            writer.event(AlertRaised(text="loss is high", epoch=epoch))
        with (folder / OUTPUT_FILE).open("a") as file:
            file.write(f"epoch {epoch} done\n")
        logs = {"loss": 1 / epoch, "accuracy": 0.5, "val_loss": 0.4 / epoch, "val_accuracy": 0.6}
        writer.event(EpochEnded(epoch=epoch, logs=logs, batches=STEPS, samples=160, seconds=5.0))
    return writer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished run of twenty seconds."""
    folder = tmp_path / "run"
    with write_run(folder, Clock()) as writer:
        writer.status(State.FINISHED)
    return folder


def newest(source: ReplaySource) -> Snapshot:
    """Poll until nothing new comes, and return the last snapshot."""
    found = None
    while (snapshot := source.poll()) is not None:
        found = snapshot
    assert found is not None
    return found


def shown(pilot: Pilot[None]) -> tuple[float, Mode]:
    """Return position and mode of what is drawn."""
    app = pilot.app
    assert isinstance(app, ReplayApp)
    assert app.snapshot is not None
    assert app.snapshot.playback is not None
    return app.snapshot.playback.position, app.snapshot.playback.mode


async def arrive(pilot: Pilot[None], position: float) -> None:
    """Return when the screen shows a position."""
    async for _ in turns(pilot):
        if pilot.app.snapshot is not None and shown(pilot)[0] == pytest.approx(position):  # type: ignore[attr-defined]
            await settle(pilot)
            return
    raise AssertionError(f"position {position} did not come; at {shown(pilot)}")


@asynccontextmanager
async def replay_of(
    folder: Path, *, seconds: float = 0.0, size: tuple[int, int] = (120, 40), markers: MarkerSet = MarkerSet.BRAILLE
) -> AsyncIterator[Pilot[None]]:
    """Run the screen on a replay that stands at a position."""
    source = ReplaySource(folder, start=Start(seconds=seconds, is_playing=False))
    app = ReplayApp(folder, source=source, markers=markers)
    async with app.run_test(size=size) as pilot:
        await arrive(pilot, seconds)
        yield pilot


async def test_every_key_leads_where_it_says(folder: Path) -> None:
    """Batch, epoch, event, start, end and a numbered epoch: forwards and backwards from the middle of the run."""
    async with replay_of(folder, seconds=7.0) as pilot:
        for key, position in (
            ("full_stop", 8.0),
            ("comma", 7.0),
            ("comma", 6.0),
            ("greater_than_sign", 10.0),
            ("greater_than_sign", 15.0),
            ("less_than_sign", 10.0),
            ("right_parenthesis", 15.0),
            ("home", 0.0),
            ("end", 20.0),
        ):
            await pilot.press(key)
            await arrive(pilot, position)
        await pilot.press("j", "9", "enter")
        await pilot.pause()
        assert "No epoch of that number has ended." in text_of(pilot)
        await pilot.press("backspace", "2", "enter")
        await arrive(pilot, 10.0)


async def test_the_screen_is_what_it_was_at_that_moment(folder: Path) -> None:
    """State, progress, table and output are those of the moment, and change back on the way back."""
    async with replay_of(folder, seconds=12.0) as pilot:
        frame = text_of(pilot)
        assert "TRAINING" in frame
        assert "epoch 3/4" in frame
        assert rows_of(pilot, "#output .panel-body").split("\n") == ["epoch 1 done", "epoch 2 done"]
        await pilot.press("end")
        await arrive(pilot, 20.0)
        assert "FINISHED" in text_of(pilot)
        await pilot.press("home")
        await arrive(pilot, 0.0)
        assert "epoch 1 done" not in text_of(pilot)


async def test_the_bar_is_clicked_and_dragged(folder: Path) -> None:
    """A click goes to that part of the run; a drag follows the pointer, past the ends of the bar too."""
    async with replay_of(folder) as pilot:
        bar = pilot.app.screen.query_one("#scrub", ScrubBar)
        assert bar._scrub is not None
        first, last = bar._scrub.start, bar._scrub.start + bar._scrub.width - 1
        await pilot.click("#scrub", offset=(last, 0))
        await arrive(pilot, 20.0)
        await pilot.mouse_down("#scrub", offset=(last, 0))
        await pilot.hover("#scrub", offset=(first, 0))
        await arrive(pilot, 0.0)
        await pilot.hover("#scrub", offset=(last + 3, 0))
        await arrive(pilot, 20.0)
        await pilot.mouse_up("#scrub", offset=(last, 0))
        await pilot.hover("#scrub", offset=(first, 0))
        await pilot.pause()
        assert shown(pilot)[0] == 20.0


async def test_leaving_sends_nothing_and_controls_nothing(folder: Path) -> None:
    """In the middle of a replay the run looks alive; no request is offered, its keys say why, q leaves at once."""
    async with replay_of(folder, seconds=7.0, size=(200, 60)) as pilot:
        footer = rows_of(pilot, "#footer")
        assert "play" in footer
        assert "pause" not in footer
        await pilot.press("p", "k", "n")
        await pilot.pause()
        assert len(pilot.app.screen_stack) == 1
        (told,) = pilot.app._notifications
        assert told.message.startswith("This is a replay")
        await pilot.press("q")
        await pilot.pause()
        assert pilot.app._exit


async def test_without_utf8_the_bar_is_ascii(folder: Path) -> None:
    """Every mark of the bar has a likeness in ASCII."""
    async with replay_of(folder, seconds=7.0, size=(60, 20), markers=MarkerSet.ASCII) as pilot:
        row = text_of(pilot).split("\n")[-2]
        assert row.isascii()
        assert "PAUSED" in row
        assert "?" not in row


def test_a_live_run_is_caught_up_with_and_followed(tmp_path: Path) -> None:
    """At the end of a run that still grows a replay goes live; a step back leaves the present, its end leads there."""
    clock, run_clock = Clock(), Clock()
    with write_run(tmp_path, run_clock, epochs=1) as writer:
        source = ReplaySource(tmp_path, start=Start(speed=1.0), clock=clock)
        playback = newest(source).playback
        assert playback is not None
        assert (playback.position, playback.mode) == (0.0, Mode.PLAYING)
        clock.now += 3
        playback = newest(source).playback
        assert playback is not None
        assert (playback.position, playback.mode) == (3.0, Mode.PLAYING)
        clock.now += 100
        playback = newest(source).playback
        assert playback is not None
        assert (playback.position, playback.mode) == (5.0, Mode.LIVE)
        run_clock.now += 1
        writer.batch(2, 32, (0.1, 0.5))
        live = newest(source)
        assert live.playback is not None
        assert (live.playback.position, live.playback.mode) == (6.0, Mode.LIVE)
        assert live.fit is not None
        assert live.fit.batches == STEPS + 1
        source.step_batch(-1)
        playback = newest(source).playback
        assert playback is not None
        assert (playback.position, playback.mode) == (5.0, Mode.PAUSED)


def test_a_finished_run_stops_at_its_end(folder: Path) -> None:
    """Playing ends with the run, and playing again begins with it."""
    clock = Clock()
    source = ReplaySource(folder, start=Start(fraction=0.5, speed=4.0), clock=clock)
    playback = newest(source).playback
    assert playback is not None
    assert playback.position == 10.0
    clock.now += 60
    playback = newest(source).playback
    assert playback is not None
    assert (playback.position, playback.mode) == (20.0, Mode.PAUSED)
    source.toggle()
    playback = newest(source).playback
    assert playback is not None
    assert (playback.position, playback.mode) == (0.0, Mode.PLAYING)


def test_the_bar_shows_markers_and_finds_positions_again() -> None:
    """Epochs, alerts and changes have markers of their own; every cell's fraction leads back to that cell."""
    markers = Markers(epochs=(25.0, 50.0, 75.0, 100.0), numbers=(1, 2, 3, 4), alerts=(60.0,), changes=(80.0,))
    playback = Playback(position=30.0, end=100.0, speed=4.0, mode=Mode.PLAYING, markers=markers)
    for width in (60, 120):
        drawn = scrub(playback, width)
        text = "".join(run.text for run in drawn.row)
        assert len(text) == width
        assert text.startswith(" PLAYING 4× ")
        assert all(text.count(mark) == 1 for mark in "●▲◆┿")
        assert text.count("┼") == 3
        for cell in range(drawn.start, drawn.start + drawn.width):
            moved = scrub(replace(playback, position=drawn.fraction_at(cell) * 100), width)
            assert "".join(run.text for run in moved.row)[cell] == "●"
    assert position_text(replace(playback, in_epochs=True, position=2.5, end=5.0)) == "2 / 5 epochs"
