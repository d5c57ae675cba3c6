"""The table of runs on screen."""

import os
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.app.driving import screen_of, shown, turns
from tests.app.snapshots import snapshot
from tests.unit.run_log.many_runs import make_runs
from tui_monitor.app.feed.runs_feed import RunsFeed
from tui_monitor.app.feed.runs_session import RunsSession
from tui_monitor.app.live_app import LiveApp
from tui_monitor.app.monitor_app import MonitorApp
from tui_monitor.app.runs_app import RunsApp
from tui_monitor.app.screens.comparison import ComparisonScreen
from tui_monitor.app.screens.overlay import OverlayScreen
from tui_monitor.app.screens.sweep import SweepScreen
from tui_monitor.app.widgets.runs_table import RunsTable
from tui_monitor.run_log.format.layout import RUN_FILE, RunInfo, State
from tui_monitor.run_log.runs.baseline import read_baseline
from tui_monitor.run_log.runs.catalogue import CATALOGUE_FILE, Catalogue
from tui_monitor.run_log.runs.entry import RunEntry
from tui_monitor.run_log.runs.place import place_of
from tui_monitor.run_log.runs.remote import CACHE_VARIABLE
from tui_monitor.run_log.runs.tags import read_tags
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.view.keys.key import Group
from tui_monitor.view.keys.table import KEYS, OF_A_SWEEP, OF_THE_TABLE
from tui_monitor.view.runs.prepared import PreparedRuns
from tui_monitor.view.view_state import ViewState


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Return a runs folder with six runs, a damaged one, and one that goes on."""
    make_runs(tmp_path, 6, epochs=3)
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / RUN_FILE).write_text("{")
    os.utime(tmp_path / "damaged", (1, 1))
    writer = RunWriter(tmp_path / "live", RunInfo(name="live", created=1.0), heartbeat_seconds=3600)
    writer.status(State.TRAINING)
    return tmp_path


def table_of(pilot: Pilot[None]) -> RunsApp:
    """Return the app under test."""
    assert isinstance(pilot.app, RunsApp)
    return pilot.app


@asynccontextmanager
async def table(runs: Path, size: tuple[int, int] = (120, 24)) -> AsyncIterator[Pilot[None]]:
    """Show the table, all runs drawn."""
    app = RunsApp(RunsSession.over(runs))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.is_settled and bool(app._shown))
        yield pilot


async def until(pilot: Pilot[None], holds: object) -> None:
    """Return when something holds."""
    async for _ in turns(pilot):
        if holds():  # type: ignore[operator]
            return
    raise AssertionError("it never came to hold")


def rows(pilot: Pilot[None]) -> list[str]:
    """Return the rows of the table that hold a run."""
    return [line for line in table_of(pilot)._table.query_one(RunsTable).text.splitlines() if line.strip()]


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 60)])
async def test_every_run_is_a_row(runs: Path, size: tuple[int, int]) -> None:
    """Live runs come first, a damaged one says so, and the row under the cursor is told by its mark."""
    async with table(runs, size) as pilot:
        lines = rows(pilot)
        assert len(lines) == 8
        assert lines[0].startswith("▶   live")
        assert "training" in lines[0]
        damaged = next(line for line in lines if "damaged" in line)
        assert "failed" in damaged
        assert "8 runs · 1 live" in shown(pilot)[0]


async def test_a_filter_narrows_as_it_is_typed(runs: Path) -> None:
    """Each key narrows the table at once, a filter that can't be read says why, and Escape shows all again."""
    async with table(runs) as pilot:
        await pilot.press("slash", *"run-0000")
        assert len(rows(pilot)) == 6
        await pilot.press("3")
        assert len(rows(pilot)) == 1
        await pilot.press("escape", "slash", *"state:x")
        await pilot.pause()
        assert "No state 'x'" in "".join(shown(pilot))
        await pilot.press("enter", "escape")
        await pilot.pause()
        assert len(rows(pilot)) == 8


async def test_marks_order_and_metric(runs: Path) -> None:
    """Space marks and goes on, s and m change the order, and the cursor stays on its run."""
    async with table(runs) as pilot:
        app = table_of(pilot)
        await pilot.press("down", "space", "space")
        assert app.state.marked == ("run-00005", "run-00004")
        under = app.state.cursor
        await pilot.press("m")
        await pilot.press("S")
        assert app.state.sort == "-best"
        assert app.state.cursor == under
        assert next(line for line in rows(pilot) if line.startswith("▶")).split()[1] == under
        await pilot.press("escape")
        assert not app.state.marked


async def test_tags_names_and_deletion(runs: Path) -> None:
    """A tag is kept, a run renamed, a deletion asked and undone; what the table says is what the folder holds."""
    async with table(runs) as pilot:
        app = table_of(pilot)
        await pilot.press("down", "t", *"good one", "enter")
        await until(pilot, lambda: "good one" in "".join(rows(pilot)))
        assert read_tags(runs / "run-00005") == ("good", "one")
        await pilot.press("n", "ctrl+u", *"best run", "enter")
        await until(pilot, lambda: "best-run" in "".join(rows(pilot)))
        assert app.state.cursor == "best-run"
        await pilot.press("x", "enter")
        assert (runs / "best-run").is_dir()
        await pilot.press("x", "down", "enter")
        await until(pilot, lambda: len(rows(pilot)) == 7)
        assert not (runs / "best-run").exists()
        await pilot.press("u")
        await until(pilot, lambda: len(rows(pilot)) == 8)
        assert (runs / "best-run" / RUN_FILE).is_file()
        app.session.close()
        assert not list(runs.glob(".deleted-*"))


async def test_a_live_run_is_neither_deleted_nor_renamed(runs: Path) -> None:
    """What trains is left alone, and the reason is said."""
    async with table(runs) as pilot:
        await pilot.press("x")
        await until(pilot, lambda: any("is still going" in each.message for each in pilot.app._notifications))
        await pilot.press("n", "ctrl+u", *"other", "enter")
        await pilot.pause()
        assert (runs / "live").is_dir()
        assert not (runs / "other").exists()


async def test_enter_opens_and_the_table_comes_back_as_it_was(runs: Path) -> None:
    """The chosen run is opened in place of the table; a damaged one is refused with the reason."""
    session = RunsSession.over(runs)
    for keys, is_replay in ((("down", "space", "enter"), False), (("r",), True)):
        app = RunsApp(session)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda app=app: app.is_settled and bool(app._shown))
            await pilot.press(*keys)
        assert app.chosen is not None
        assert (app.chosen.entry.name, app.chosen.is_replay) == ("run-00004", is_replay)
    assert session.state.marked == ("run-00005",)
    async with table(runs) as pilot:
        await pilot.press("slash", *"damaged", "enter", "enter")
        await pilot.pause()
        assert table_of(pilot).chosen is None


async def test_a_new_run_appears(runs: Path) -> None:
    """A run that begins while the table is open gets its row, and a live one moves."""
    async with table(runs) as pilot:
        make_runs(runs / "more", 1)
        (runs / "more" / "run-00000").rename(runs / "another")
        table_of(pilot)._feed.refresh_now()
        await until(pilot, lambda: "another" in "".join(rows(pilot)))
        assert "another" in table_of(pilot)._entries


async def test_every_key_of_the_table_can_be_pressed(runs: Path) -> None:
    """No key stops the table, with runs or without."""
    for folder in (runs, runs / "none"):
        app = RunsApp(RunsSession.over(folder))
        async with app.run_test(size=(60, 20)) as pilot:
            await until(pilot, lambda app=app: app.is_settled)
            for key in KEYS:
                if key.group in OF_THE_TABLE and key.action not in ("leave", "interrupt", "suspend_process"):
                    for name in key.keys.split(","):
                        await pilot.press(name, "escape", "escape")
                        if app.chosen is not None:
                            break
            assert app.return_code in (None, 0)


async def test_escape_leads_back_only_to_a_table() -> None:
    """From the overview of a run that was opened from the table Escape goes back; of any other it does nothing."""
    for from_table in (True, False):
        async with screen_of(snapshot(), view=ViewState(from_table=from_table)) as pilot:
            app = pilot.app
            assert isinstance(app, MonitorApp)
            await pilot.press("g", "escape")
            await pilot.pause()
            assert not app._exit
            await pilot.press("escape")
            await pilot.pause()
            assert app._exit is app.goes_back is from_table


async def test_two_marked_runs_are_compared(runs: Path) -> None:
    """C answers for the two marked runs over the whole screen, and Escape leads back; with none marked it says how."""
    async with table(runs) as pilot:
        await pilot.press("c")
        assert any("Mark two runs" in each.message for each in pilot.app._notifications)
        await pilot.press("down", "space", "space", "c")
        await until(pilot, lambda: isinstance(pilot.app.screen, ComparisonScreen))
        await until(pilot, lambda: "Verdict" in "".join(shown(pilot)))
        assert "run-00004 against run-00005" in shown(pilot)[0]
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is table_of(pilot)._table)


async def test_a_pinned_run_is_drawn_on_every_other_ones_screen(runs: Path) -> None:
    """B pins it for all screens over the folder, whoever opened them; B there hides it; renaming keeps the pin."""
    async with table(runs) as pilot:
        await pilot.press("down", "b")
        assert read_baseline(runs) == "run-00005"
        await pilot.press("n", "ctrl+u", *"yesterday", "enter")
        await until(pilot, lambda: "yesterday" in "".join(rows(pilot)))
        assert read_baseline(runs) == table_of(pilot).state.baseline == "yesterday"
        assert next(line for line in rows(pilot) if "yesterday" in line)[2] == "B"
    for name, is_drawn in (("run-00004", True), ("yesterday", False)):
        app = LiveApp(runs / name)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda app=app: app.is_settled)
            assert ("to yesterday" in "".join(shown(pilot))) is is_drawn
            await pilot.press("B")
            await until(pilot, lambda pilot=pilot: "to yesterday" not in "".join(shown(pilot)))
    async with table(runs) as pilot:
        await until(pilot, lambda: table_of(pilot).state.baseline == "yesterday")
        await pilot.press("slash", *"yesterday", "enter", "b")
        assert read_baseline(runs) == ""


async def test_runs_elsewhere_are_shown_and_left_alone(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table over an address compares and overlays; a run's name, tags and folder are not changed from here."""
    fsspec = pytest.importorskip("fsspec")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    memory = fsspec.filesystem("memory")
    for path in runs.rglob("*.*"):
        if path.is_file():
            memory.pipe_file(f"/there/{path.relative_to(runs)}", path.read_bytes())
    app = RunsApp(RunsSession.over(place_of("memory://there")))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.is_settled and len(app.shown) >= 7)
        assert "memory://there" in shown(pilot)[0]
        for key in ("t", "n", "x"):
            await pilot.press(key)
            assert any("only read here" in each.message for each in app._notifications)
            assert app.screen is app._table
        await pilot.press("slash", *"run-0", "enter", "space", "space", "c")
        await until(pilot, lambda: isinstance(pilot.app.screen, ComparisonScreen))
        await pilot.press("escape", "o")
        await until(pilot, lambda: isinstance(pilot.app.screen, OverlayScreen))
        screen = pilot.app.screen
        assert isinstance(screen, OverlayScreen)
        await until(pilot, lambda: screen.is_settled)
        memory.store.clear()
        app.session.close()


async def test_the_runs_of_a_script_are_ranked(runs: Path) -> None:
    """H ranks the runs that fit the filter, m ranks by the next metric, and Escape leads back to the table."""
    async with table(runs, (80, 24)) as pilot:
        await pilot.press("down", "h")
        await until(pilot, lambda: isinstance(pilot.app.screen, SweepScreen))
        screen = pilot.app.screen
        assert isinstance(screen, SweepScreen)
        await until(pilot, lambda: "Rank correlation" in "".join(shown(pilot)))
        lines = shown(pilot)
        assert "train.py: 6 runs by val_loss" in lines[0]
        assert any(line.split()[:2] == ["lr", "│"] or line.split()[:1] == ["lr"] for line in lines)
        for key in KEYS:
            if key.group in OF_A_SWEEP and key.action not in ("page_back", "sweep_metric"):
                await pilot.press(key.keys.split(",")[0])
        await pilot.press("m")
        assert screen.metric != "val_loss"
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is table_of(pilot)._table)
        await pilot.press("slash", *"damaged", "enter", "h")
        assert any("needs two runs" in each.message for each in pilot.app._notifications)


async def test_of_two_runs_none_needs_a_mark(runs: Path) -> None:
    """Where the table holds two, C compares the newer with the older at once."""
    async with table(runs) as pilot:
        await pilot.press("slash", *"^run-0000[01]", "enter", "c")
        await until(pilot, lambda: isinstance(pilot.app.screen, ComparisonScreen))
        await until(pilot, lambda: "run-00001 against run-00000" in shown(pilot)[0])


async def test_marked_runs_are_drawn_on_one_chart(runs: Path) -> None:
    """O draws the marked runs with their numbers; each key of the overlay changes what is drawn, Escape leads back."""
    async with table(runs, (100, 30)) as pilot:
        await pilot.press("down", "space", "space", "space", "o")
        await until(pilot, lambda: isinstance(pilot.app.screen, OverlayScreen))
        screen = pilot.app.screen
        assert isinstance(screen, OverlayScreen)
        await until(pilot, lambda: screen.is_settled)
        lines = shown(pilot)
        assert "3 runs" in lines[0]
        assert all(any(str(number) in line[7:] for line in lines[2:20]) for number in (1, 2, 3))
        assert sum("run-0000" in line for line in lines) == 3
        for key in KEYS:
            if key.group is Group.OVERLAY and key.action != "overlay('back')":
                for name in key.keys.split(","):
                    await pilot.press(name)
        await until(pilot, lambda: screen.is_settled)
        assert screen.state.hidden == {1, 2, 3}
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is table_of(pilot)._table)


def test_what_was_read_outlives_a_session_that_is_cut(tmp_path: Path) -> None:
    """A screen that ends without a word, as when a line drops, has not read a large folder in vain."""
    make_runs(tmp_path, 120, epochs=1)
    session = RunsSession.over(tmp_path)
    feed = RunsFeed(session.catalogue, lambda: session.state, session.place)

    def arrived(entries: Mapping[str, RunEntry], prepared: PreparedRuns) -> None:
        if all(entry.is_read for entry in entries.values()):
            feed.stop()

    reader = threading.Thread(target=feed.run, args=(arrived,))
    reader.start()
    reader.join(timeout=60)
    assert not reader.is_alive()
    assert len(Catalogue(tmp_path).refresh()) == 120
    assert (tmp_path / CATALOGUE_FILE).is_file()
