"""What a person sees without touching a key, at every size the screen promises."""

import re
from dataclasses import replace

import pytest

from tests.app.driving import arrive, rows_of, screen_of, settle, shown, text_of
from tests.app.snapshots import OUTPUT, STEPS, ListSource, explanation, fit, snapshot
from tui_monitor.app.widgets.cells_view import CellsView
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.history.snapshot import EpochRow, ExplanationAt
from tui_monitor.run_log.events.explanation import RecordedExplanation, explanation_to_json
from tui_monitor.run_log.format.layout import RunInfo, State

SIZES = [(60, 20), (80, 24), (120, 40), (200, 60)]


def flat(text: str) -> str:
    """Return text with every run of blanks and line ends as one blank."""
    return re.sub(r"[\s▏]+", " ", text)


@pytest.mark.parametrize("state", list(State))
async def test_the_state_is_a_word(state: State) -> None:
    """Every state of a run is on screen as a word, at the smallest size too."""
    async with screen_of(snapshot(state), size=(60, 20)) as pilot:
        assert f" {state.value.upper()} " in shown(pilot)[0]


async def test_the_overview_holds_everything_at_120_by_40() -> None:
    """State, progress, both charts, the whole answer, the table and the output need no key at 120×40."""
    async with screen_of(snapshot()) as pilot:
        text = text_of(pilot)
        for expected in (
            "TRAINING",
            "epoch 4/10",
            "140/335 batches",
            "34 %",
            "4 min 05 s left",
            "52 batches/s",
            "● train 0.6322  ◆ validation 0.5190",
            "● train 0.8330  ◆ validation 0.7880",
            "Loss gap +0.113 [0.098, 0.128]",
            "Accuracy gap +4.5 points [2.6, 6.4]",
            "wrong answers",
            "share of class 1",
            "p < 0.001",
            "majority baseline: loss",
            "measured on 2 048 training and 2 700 validation samples",
            "1.4 % of training",
            "allowed: 2 % of training, not counting",
            "epoch train valid    gap train valid    gap   time",
            OUTPUT[-2],
        ):
            assert expected in text, expected
        answer = flat("\n".join(line[50:] for line in shown(pilot)))
        assert explanation().headline in answer
        ledger = explanation().loss
        assert ledger is not None
        for term in ledger.terms:
            assert " ".join(term.cause.label.split()[:3]) in answer


@pytest.mark.parametrize("size", SIZES)
async def test_the_answer_is_there_at_every_size(size: tuple[int, int]) -> None:
    """From 60×20 up the headline is whole and the main cause of each gap has its bar, amount and verdict."""
    async with screen_of(snapshot(), size=size) as pilot:
        text = text_of(pilot)
        beside = 50 if size[0] == 120 else 104 if size[0] == 200 else 0
        assert explanation().headline in flat("\n".join(line[beside:] for line in shown(pilot)))
        assert re.search(r"Class or sample weights .*█.* \+0\.189 .*main", text)
        assert re.search(r"Class mix \(label shift\) .*█.* \+3\.8 .*main", text)


@pytest.mark.parametrize("size", SIZES)
async def test_no_row_runs_over_and_no_word_is_cut(size: tuple[int, int]) -> None:
    """At every size each panel's rows fit its width, so nothing is cut at the edge."""
    async with screen_of(snapshot(), size=size) as pilot:
        app = pilot.app
        for view in app.screen.query(CellsView):
            if view.region.width:
                width = view.scrollable_content_region.width
                assert all(len(line) <= width for line in view.text.splitlines()), view


async def test_a_small_terminal_gets_a_sentence_and_comes_back() -> None:
    """Below 60×20 one sentence says what is needed and what there is; growing again brings the screen back."""
    async with screen_of(snapshot()) as pilot:
        for size in ((60, 20), (80, 24), (120, 40), (200, 60), (40, 10), (59, 24), (80, 19)):
            await pilot.resize_terminal(*size)
            await settle(pilot)
            too_small = size[0] < 60 or size[1] < 20
            text = flat(text_of(pilot))
            assert (f"needs 60×20 characters; this terminal has {size[0]}×{size[1]}" in text) == too_small
            assert ("TRAINING" in text) != too_small
        await pilot.resize_terminal(120, 40)
        await settle(pilot)
        assert "TRAINING" in text_of(pilot)
        assert "◆" in rows_of(pilot, "#loss")


async def test_a_run_read_from_a_log_promises_no_measurement_and_counts_no_batches() -> None:
    """A log is said to be one: no measurement is announced, no batch that was not recorded is counted or drawn."""
    run = RunInfo("pasted", ("tui-monitor", "-"))
    waiting = snapshot(State.TRAINING, fit(epochs=0, batch=0), run=run, batches_per_second=None)
    async with screen_of(waiting, size=(80, 24)) as pilot:
        text = flat(text_of(pilot))
        assert "This run is read from a log. With the end of epoch 1, what its values prove will stand here." in text
        assert "measurement" not in text
        assert "batches" not in shown(pilot)[1]
    logged = replace(fit(epochs=3, batch=0, explained=False), series={}, batches=0)
    async with screen_of(snapshot(State.TRAINING, logged, run=run)) as pilot:
        assert "From logged values alone" in text_of(pilot)
        await pilot.press("3")
        await settle(pilot)
        assert "no sample was measured" in flat(text_of(pilot))


async def test_new_snapshots_redraw_and_old_ones_are_skipped() -> None:
    """The screen shows the newest snapshot; those that came while it was busy need not be drawn."""
    source = ListSource([snapshot(revision=1)])
    async with screen_of(source=source) as pilot:
        await arrive(pilot, 1)
        for revision in range(2, 6):
            source.add(snapshot(State.VALIDATING, fit(batch=STEPS - 5 + revision), revision=revision))
        await arrive(pilot, 5)
        assert "VALIDATING" in text_of(pilot)
    assert source.closed.wait(10)


async def test_before_the_first_measurement_the_panel_says_what_it_waits_for() -> None:
    """Without a measurement the panel speaks in words, and says how far the epoch is."""
    async with screen_of(snapshot(State.TRAINING, fit(epochs=0, batch=112, explained=False))) as pilot:
        text = flat(rows_of(pilot, "#gap .panel-body"))
        assert "the first measurement comes with the end of epoch 1" in text
        assert "112 of 335 batches are done" in text


async def test_before_fit_the_output_fills_the_place_of_the_charts() -> None:
    """Until the script calls fit its output is what there is to see."""
    starting = snapshot(State.STARTING, fits=(), seconds_left=None, batches_per_second=None)
    for size in SIZES:
        async with screen_of(starting, size=size) as pilot:
            text = text_of(pilot)
            assert "loading TensorFlow takes" in text
            assert OUTPUT[5] in text


async def test_probes_that_are_off_are_said_to_be_off() -> None:
    """A run with probe budget 0 explains in words why there is no measurement."""
    off = fit(explained=False, fit={"probe_budget": 0})
    async with screen_of(snapshot(State.TRAINING, off)) as pilot:
        assert "Measuring is off" in rows_of(pilot, "#gap .panel-body")


async def test_a_run_without_validation_says_so() -> None:
    """Without validation data there is no gap, and the panel says how to get one."""
    alone = fit(explained=False, validated=False)
    async with screen_of(snapshot(State.TRAINING, alone)) as pilot:
        text = flat(rows_of(pilot, "#gap .panel-body"))
        assert "no validation data" in text
        assert "validation_split" in text
        assert "◆" not in text_of(pilot)


async def test_a_regression_has_one_chart_and_one_ledger() -> None:
    """A run with a loss alone uses the room of the second chart, and shows the loss ledger alone."""
    content = explanation(accuracy=None, mistakes=None, classes=None, baseline=None, limits=("No accuracy is logged.",))
    plain = fit(metrics=("loss",), explained=False)
    plain = type(plain)(
        **{
            **vars(plain),
            "explanations": (ExplanationAt(3, None, 1.0, RecordedExplanation(explanation_to_json(content))),),
        }
    )
    async with screen_of(snapshot(State.TRAINING, plain)) as pilot:
        text = text_of(pilot)
        assert "Loss gap" in text
        assert "Accuracy gap" not in text
        assert "No accuracy is logged." in text
        assert not pilot.app.screen.query_one("#second").display


async def test_nan_is_shown_and_survived() -> None:
    """A run whose loss became NaN shows it in the table and marks it in the chart."""
    import numpy as np

    from tui_monitor.history.batches.series import BatchSeries

    ill = fit()
    values = ill.series["loss"].values().copy()
    values[700:] = np.nan
    rows = (*ill.epochs[:2], EpochRow(3, {"loss": float("nan"), "val_loss": float("nan"), "accuracy": 0.5}, 7.0, STEPS))
    ill = type(ill)(**{**vars(ill), "series": {**ill.series, "loss": BatchSeries.of(values)}, "epochs": rows})
    async with screen_of(snapshot(State.TRAINING, ill)) as pilot:
        assert "×" in rows_of(pilot, "#loss")
        assert "nan" in rows_of(pilot, "#epochs .panel-body")


async def test_a_failed_run_shows_its_traceback_whole() -> None:
    """When a run fails the output opens at its end; every line of the traceback can be read, the long ones too."""
    trace = (
        "Traceback (most recent call last):",
        *(f'  File "train.py", line {n}, in step_{n}' for n in range(12)),
        "ValueError: shapes (32, 10) and (32, 12) differ: " + "the labels have more classes than the model " * 4,
    )
    failed = snapshot(State.FAILED, output=(*OUTPUT, *trace), output_lines=21, exit_code=1, detail="ValueError")
    async with screen_of(failed, size=(80, 24)) as pilot:
        text = text_of(pilot)
        assert "FAILED" in text
        assert "exit code 1" in text
        for line in trace:
            assert flat(line).strip() in flat(text)


async def test_hostile_names_and_output_are_shown_as_they_are() -> None:
    """Markup, escape sequences and wide characters in what the script prints or names do nothing but appear."""
    evil = ("[bold red]not red[/] [@click=app.quit]x[/]", "\x1b[31mred\x1b[0m\x07 bell", "漢字" * 60, "a\tb")
    shot = snapshot(output=evil, output_lines=4)
    shot = type(shot)(**{**vars(shot), "run": type(shot.run)(name="[red]run[/red]\x1b[2J", host="[b]")})
    async with screen_of(shot) as pilot:
        await pilot.press("o")
        await settle(pilot)
        text = text_of(pilot)
        assert "[bold red]not red[/] [@click=app.quit]x[/]" in text
        assert "\x1b" not in text
        assert "\x07" not in text
        assert "[red]run[/red]" in text


async def test_a_plain_terminal_gets_plain_characters() -> None:
    """With the ASCII marker set everything on screen is ASCII."""
    for key in ("d", "g", "c", "t", "o"):
        async with screen_of(snapshot(), markers=MarkerSet.ASCII) as pilot:
            await pilot.press(key)
            await settle(pilot)
            lines = [line.replace("▏", "|") for line in shown(pilot)]
            assert all(line.isascii() for line in lines), key


async def test_damage_to_the_folder_is_told() -> None:
    """Records that could not be read are counted on screen."""
    from tui_monitor.history.snapshot import Damage

    async with screen_of(snapshot(damage=Damage(events_skipped=2, batches_lost=7))) as pilot:
        assert "2 damaged records skipped" in shown(pilot)[0]
        assert "7 batch records lost" in shown(pilot)[0]
