"""Every key does what the table says, and the table is all there is."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from textual.actions import parse
from textual.binding import Binding
from textual.screen import ModalScreen

from tests.app.driving import arrive, rows_of, screen_of, settle, shown, text_of, turns
from tests.app.snapshots import ListSource, explanation, fit, snapshot
from tui_monitor.app.feed.runs_session import RunsSession
from tui_monitor.app.live_app import LiveApp
from tui_monitor.app.monitor_app import MonitorApp
from tui_monitor.app.replay_app import ReplayApp
from tui_monitor.app.runs_app import RunsApp
from tui_monitor.app.screens.help import HelpScreen
from tui_monitor.app.screens.leave import LeaveScreen
from tui_monitor.history.snapshot import ExplanationAt
from tui_monitor.run_log.events.explanation import OutputExplanation, RecordedExplanation, explanation_to_json
from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.control import Action, receive_requests
from tui_monitor.view.keys.key import Group
from tui_monitor.view.keys.table import KEYS, OF_A_RUN, OF_A_SWEEP, OF_THE_OVERLAY, OF_THE_TABLE, keys_as_markdown
from tui_monitor.view.view_state import View


def app_of(pilot: object) -> MonitorApp:
    """Return the app under test."""
    app = pilot.app  # type: ignore[attr-defined]
    assert isinstance(app, MonitorApp)
    return app


@pytest.mark.parametrize(("key", "view"), [("g", View.GAP), ("c", View.CHARTS), ("t", View.EPOCHS), ("o", View.OUTPUT)])
async def test_views_open_and_close(key: str, view: View) -> None:
    """Each view's key shows it over the whole width, and d or Escape leads back."""
    for back in ("d", "escape"):
        async with screen_of(snapshot()) as pilot:
            await pilot.press(key)
            await settle(pilot)
            assert app_of(pilot).view.view is view
            assert app_of(pilot).screen.has_class(f"view-{view.value}")
            await pilot.press(back)
            await settle(pilot)
            assert app_of(pilot).view.view is View.OVERVIEW


async def test_the_gap_view_holds_everything_and_scrolls() -> None:
    """The whole answer, advice and every term included, can be reached by scrolling at 60×20."""
    async with screen_of(snapshot(), size=(60, 20)) as pilot:
        await pilot.press("g")
        await settle(pilot)
        rows = rows_of(pilot, "#gap .panel-body")
        for expected in (
            "Verdict",
            "Next",
            "Unexplained rest",
            "recall",
            "Findings",
            "Split with stratify=y.",
            "measuring took",
        ):
            assert expected in rows
        assert "measuring took 0.4 s" not in text_of(pilot)
        await pilot.press("end")
        async for _ in turns(pilot):
            if "measuring took 0.4 s" in text_of(pilot):
                break
        assert "measuring took 0.4 s" in text_of(pilot)


async def test_zoom_and_pan_move_a_window_over_the_epochs() -> None:
    """Plus looks closer, the arrows move, minus and 0 lead back to the whole axis."""
    async with screen_of(snapshot()) as pilot:
        app = app_of(pilot)
        await pilot.press("plus")
        await settle(pilot)
        window = app.view.window
        assert window is not None
        assert window[1] - window[0] == pytest.approx(2.5)
        await pilot.press("left")
        assert app.view.window is not None
        assert app.view.window[0] < window[0] or window[0] == 0
        await pilot.press("right", "right")
        assert app.view.window[0] > window[0]
        await pilot.press("minus")
        assert app.view.window is None
        await pilot.press("plus", "plus", "0")
        await settle(pilot)
        assert app.view.window is None


async def test_a_window_never_leaves_the_axis() -> None:
    """However often one zooms and pans, the window stays inside the run and keeps a width."""
    async with screen_of(snapshot()) as pilot:
        for key in ("plus",) * 11 + ("left",) * 3 + ("right",) * 8 + ("minus",) * 3:
            await pilot.press(key)
            window = app_of(pilot).view.window
            assert window is not None
            assert 0 <= window[0] < window[1] <= 10
        await settle(pilot)


async def test_smoothing_and_scale_are_named_in_the_title() -> None:
    """The title of a chart says when its line is smoothed or its axis logarithmic."""
    async with screen_of(snapshot()) as pilot:
        await pilot.press("s")
        await settle(pilot)
        assert "loss, smoothed" in rows_of(pilot, "#loss")
        await pilot.press("s", "s", "l")
        await settle(pilot)
        title = rows_of(pilot, "#loss").splitlines()[0]
        assert "smoothed" not in title
        assert "log" in title


async def test_metrics_and_fits_are_stepped_through() -> None:
    """The second chart steps through the metrics, the brackets through the calls of fit."""
    two = snapshot(State.TRAINING, fit(epochs=2, batch=0), fit(index=2, metrics=("loss", "accuracy", "mae")))
    async with screen_of(two) as pilot:
        assert "fit 2 of 2" in shown(pilot)[0]
        await pilot.press("m")
        await settle(pilot)
        assert rows_of(pilot, "#second").startswith(" mae")
        await pilot.press("left_square_bracket")
        await settle(pilot)
        assert "fit 1 of 2" in shown(pilot)[0]
        assert "epoch 2/10" in shown(pilot)[1]
        await pilot.press("right_square_bracket")
        await settle(pilot)
        assert "epoch 4/10" in shown(pilot)[1]


async def test_outputs_are_stepped_through() -> None:
    """`h` explains each of several outputs and then the whole loss again; with one output it is not offered."""
    whole = explanation()
    outputs = tuple(
        OutputExplanation(name, whole.reported, whole.loss, None, None, verdict=f"{name} is its own.")
        for name in ("kind", "price")
    )
    held = ExplanationAt(3, None, 1.0, RecordedExplanation(explanation_to_json(replace(whole, outputs=outputs))))
    several = snapshot(State.TRAINING, replace(fit(), explanations=(held,)))
    async with screen_of(several) as pilot:
        for title in (
            "kind differs (output 1 of 2)",
            "price differs (output 2 of 2)",
            "training and validation differ",
        ):
            await pilot.press("h")
            await settle(pilot)
            assert title in text_of(pilot)
            assert ("is its own" in text_of(pilot)) == ("output" in title)
    async with screen_of(snapshot(State.TRAINING, fit())) as pilot:
        assert "next head" not in shown(pilot)[-1]


async def test_keys_without_effect_are_not_offered() -> None:
    """With one fit, two metrics and no zoom, the footer names no key for more."""
    async with screen_of(snapshot(), size=(200, 60)) as pilot:
        footer = rows_of(pilot, "#footer")
        assert "metric" not in footer
        assert "quit" in footer
        assert "overview" not in footer


async def test_the_help_page_lists_every_key() -> None:
    """Help is made from the table, whole, and closes again."""
    async with screen_of(snapshot()) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app_of(pilot).screen, HelpScreen)
        rows = app_of(pilot).screen.query_one("#help-rows").text  # type: ignore[attr-defined]
        for key in KEYS:
            assert (key.help.split(";")[0] in " ".join(rows.split())) is (key.group in OF_A_RUN)
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app_of(pilot).screen, HelpScreen)


def test_the_readme_table_lists_every_key() -> None:
    """The Markdown holds each key with its sentence, under its heading."""
    text = keys_as_markdown()
    for key in KEYS:
        assert f"| `{key.shown}` | {key.help} |" in text
    for group in Group:
        assert group.value in text


@pytest.mark.parametrize("groups", [OF_A_RUN, OF_THE_TABLE, OF_THE_OVERLAY, OF_A_SWEEP])
def test_no_key_is_used_twice(groups: Sequence[Group]) -> None:
    """On one screen each key has one meaning; Escape leads from any view to the overview, and on from there."""
    names = [name for key in KEYS if key.group in groups for name in key.keys.split(",")]
    assert len(names) - len(set(names)) == (names.count("escape") - 1)


def test_the_table_does_what_its_keys_say(tmp_path: Path) -> None:
    """No key of the table of runs leads nowhere."""
    bound = [parse(binding.action) for binding in RunsApp.BINDINGS if isinstance(binding, Binding)]
    assert [name for _, name, _ in bound if not hasattr(RunsApp, f"action_{name}")] == []
    asked = {parameters[0] for _, name, parameters in bound if name == "table"}
    assert asked == RunsApp(RunsSession.over(tmp_path))._does.keys()


@pytest.mark.parametrize("app", [LiveApp, ReplayApp])
def test_an_app_has_an_action_for_every_key_it_binds(app: type[MonitorApp]) -> None:
    """No binding leads nowhere; moves through time belong to a replay, the control of a training to a live run."""
    bound = [binding for binding in app.BINDINGS if isinstance(binding, Binding)]
    names = {parse(binding.action)[1] for binding in bound}
    assert [name for name in names if not hasattr(app, f"action_{name}")] == []
    assert ("replay" in names) is (app is ReplayApp)
    assert hasattr(app, "control") is (app is LiveApp)


async def test_quit_leaves_an_ended_run_at_once() -> None:
    """There is nothing to ask about a run that ended."""
    for state in (State.FINISHED, State.STOPPED, State.LOST):
        async with screen_of(snapshot(state)) as pilot:
            await pilot.press("q")
            await pilot.pause()
            assert app_of(pilot)._exit


async def test_quit_lets_a_live_run_train_on_by_default(tmp_path: Path) -> None:
    """The first answer leaves; no request is sent to the training."""
    async with screen_of(snapshot(), folder=tmp_path) as pilot:
        await pilot.press("q")
        await pilot.pause()
        assert isinstance(app_of(pilot).screen, LeaveScreen)
        await pilot.press("enter")
        await pilot.pause()
        assert app_of(pilot)._exit
    assert receive_requests(tmp_path) == []


@pytest.mark.parametrize("keys", [("q", "down", "enter"), ("ctrl+c", "enter")])
async def test_a_stop_is_requested_of_the_training(keys: tuple[str, ...], tmp_path: Path) -> None:
    """Stop sends its request, and the screen stays to show how the run ends."""
    async with screen_of(snapshot(), folder=tmp_path) as pilot:
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        assert not app_of(pilot)._exit
    assert [request.action for request in receive_requests(tmp_path)] == [Action.STOP_BATCH]


@pytest.mark.parametrize("keys", [("q", "escape"), ("q", "down", "down", "down", "enter"), ("ctrl+c", "escape")])
async def test_cancelling_changes_nothing(keys: tuple[str, ...], tmp_path: Path) -> None:
    """Escape and Cancel lead back to the screen, and no request is sent to the training."""
    async with screen_of(snapshot(), folder=tmp_path) as pilot:
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        assert not app_of(pilot)._exit
        assert not isinstance(app_of(pilot).screen, LeaveScreen)
    assert receive_requests(tmp_path) == []


async def test_a_request_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """When the folder is gone the user is told, and the screen goes on."""
    async with screen_of(snapshot(), folder=tmp_path / "gone") as pilot:
        await pilot.press("ctrl+c", "enter")
        await pilot.pause()
        assert not app_of(pilot)._exit
        assert len(app_of(pilot)._notifications) == 1


async def test_every_key_can_be_pressed_at_any_time() -> None:
    """No key can stop the screen: before the first snapshot, in every view, with dialogs open."""
    keys = [name for key in KEYS for name in key.keys.split(",") if name not in ("ctrl+z", "ctrl+p")]
    source = ListSource([])
    async with screen_of(source=source, size=(80, 24)) as pilot:
        for key in keys:
            if key not in ("q", "ctrl+c"):
                await pilot.press(key)
        source.add(snapshot())
        await pilot.press("escape")
        await arrive(pilot, 1)
        for view in ("d", "o"):
            for key in keys:
                await pilot.press(view)
                await pilot.press(key)
                if isinstance(app_of(pilot).screen, ModalScreen):
                    await pilot.press("escape")
        await pilot.pause()
        assert not app_of(pilot)._exit


async def test_the_extremes_of_the_batches_are_one_key_away() -> None:
    """Y widens the charts to the smallest and largest batches, and the legend says which is shown."""
    async with screen_of(snapshot(), size=(200, 60)) as pilot:
        await pilot.press("c")
        await settle(pilot)
        assert "10–90 % of batches" in rows_of(pilot, "#loss")
        await pilot.press("y")
        await settle(pilot)
        assert "min–max of batches" in rows_of(pilot, "#loss")


async def test_help_is_searched_by_any_words() -> None:
    """What is typed on the help page leaves the keys that say it; q closes the page while nothing is typed."""
    async with screen_of(snapshot(), size=(80, 24)) as pilot:
        await pilot.press("question_mark")
        await pilot.press(*("space" if letter == " " else letter for letter in "epoch table"))
        text = text_of(pilot)
        assert "Show every epoch in a table." in text
        assert "Leave the screen" not in text
        await pilot.press("q")
        assert len(app_of(pilot).screen_stack) == 2
        await pilot.press("escape")
        assert len(app_of(pilot).screen_stack) == 1
        await pilot.press("question_mark")
        await pilot.pause()
        await pilot.press("q")
        await pilot.pause()
        assert len(app_of(pilot).screen_stack) == 1


async def test_the_palette_finds_a_command_by_any_word() -> None:
    """Titles of commands hold the whole sentence, since the palette searches nothing else."""
    async with screen_of(snapshot()) as pilot:
        titles = [command.title for command in app_of(pilot).get_system_commands(app_of(pilot).screen)]
        assert any("logarithmic" in title for title in titles)
        assert any("learning rate" in title for title in titles)


async def test_the_footer_holds_the_few_keys_one_needs_now() -> None:
    """At most six keys beside help and quit, those that act on a live training among them."""
    async with screen_of(snapshot(), size=(200, 60)) as pilot:
        footer = rows_of(pilot, "#footer")
        assert footer.split()[-4:] == ["?", "help", "q", "quit"]
        assert "p pause" in footer
        assert "x stop" in footer
        assert "l log y" not in footer


async def test_a_chart_that_is_alone_steps_through_all_metrics() -> None:
    """At 80×24 there is room for one chart: m changes what it shows, and comes back to the loss."""
    async with screen_of(snapshot(), size=(80, 24)) as pilot:
        titles = []
        for _ in range(3):
            titles.append(rows_of(pilot, "#loss").split()[0])
            await pilot.press("m")
            await settle(pilot)
        assert titles == ["loss", "accuracy", "loss"]


async def test_fits_of_one_model_are_one_training() -> None:
    """`f` shows successive fits as one: epochs count on, and so does the epoch that the newest explanation is of."""
    fits = [
        replace(one, info=replace(one.info, model={"name": "lstm", "instance": 7}))
        for one in (fit(epochs=2, batch=0), fit(epochs=1, batch=0, index=2))
    ]
    async with screen_of(snapshot(State.TRAINING, *fits)) as pilot:
        assert "epoch 1 · measured" in text_of(pilot)
        await pilot.press("f")
        await settle(pilot)
        assert "joined" in shown(pilot)[0]
        assert "epoch 3 · measured" in text_of(pilot)
