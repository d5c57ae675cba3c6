"""The views of what lies behind the explanation: each by one key, whole at every size, honest where nothing is held."""

from dataclasses import replace

import pytest

from tests.app.driving import rows_of, screen_of, settle, shown, text_of
from tests.app.snapshots import DISTRIBUTIONS, explanation, fit, snapshot
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.history.snapshot import ExplanationAt, FitSnapshot, TimelineEntry
from tui_monitor.run_log.events.explanation import Classes, Labels, RecordedExplanation, explanation_to_json

SIZES = [(60, 20), (80, 24), (120, 40), (200, 60)]
KEYS = {
    "2": ("recall", "precision", "19.0 %", "● training  ◆ validation"),
    "3": ("81 % of class 1 for class 0", "Training", "Validation", "99%", "class 1 as 0"),
    "4": ("Validation is underconfident", "ECE", "75–80 %", "1 793"),
    "5": ("worst 1 % of samples", "99 % stay below", "0.51", "of loss", "right", "wrong"),
    "6": ("differ by more than chance", "p < 0.001", "10 708", "−5.0"),
    "7": (
        "stand in training",
        "epoch 1, batch 4, sample 12",
        "run from 0 to 255",
        "1 as 0",
        "validation loss by place",
    ),
}


@pytest.mark.parametrize("size", SIZES)
async def test_each_key_shows_its_evidence_at_every_size(size: tuple[int, int]) -> None:
    """From the gap view one key leads to each, with its values of both sides, and no row runs over its width."""
    async with screen_of(snapshot(), size=size) as pilot:
        await pilot.press("1")
        await settle(pilot)
        for key, expected in KEYS.items():
            await pilot.press(key)
            await settle(pilot)
            body = rows_of(pilot, "#evidence .panel-body")
            flat = " ".join(body.split())
            for words in expected:
                assert words in body or words in flat, (key, words)
            region = pilot.app.screen.query_one("#evidence .panel-body").scrollable_content_region
            assert all(len(line) <= region.width for line in body.splitlines()), key
            assert "epoch 3" in shown(pilot)[2]
            assert "5 s ago" in shown(pilot)[2]
        await pilot.press("1")
        await settle(pilot)
        assert "Loss gap" in text_of(pilot)


async def test_ascii_terminals_get_every_view() -> None:
    """Without UTF-8 each view is drawn with ASCII characters alone."""
    async with screen_of(snapshot(), size=(80, 24), markers=MarkerSet.ASCII) as pilot:
        for key in KEYS:
            await pilot.press(key)
            await settle(pilot)
            assert all(line.isascii() for line in shown(pilot)), key


def _explained(**changes: object) -> FitSnapshot:
    held = ExplanationAt(3, None, 20.1, RecordedExplanation(explanation_to_json(explanation(3, **changes))))
    return replace(fit(), explanations=(held,))


async def test_old_runs_say_that_they_hold_no_such_evidence() -> None:
    """A run recorded before there were distributions says so in a sentence; what it holds is still shown."""
    async with screen_of(snapshot(fits=(_explained(distributions=None),))) as pilot:
        for key, expected in dict.fromkeys("3457", "no such evidence").items():
            await pilot.press(key)
            await settle(pilot)
            assert expected in text_of(pilot)
        await pilot.press("2")
        await settle(pilot)
        assert "recall, class 1" in text_of(pilot)
        await pilot.press("6")
        await settle(pilot)
        assert "25.0 %" in text_of(pilot)


async def test_models_without_classes_or_probabilities_are_told_apart() -> None:
    """Regression has losses alone; scores that are no probabilities have no calibration; each in a sentence."""
    regression = replace(DISTRIBUTIONS, confusion=None, calibration=None)
    explained = _explained(distributions=regression, classes=None, opened=None)
    async with screen_of(snapshot(fits=(explained,))) as pilot:
        for key, expected in {
            "2": "not measured in this run",
            "3": "belong to no classes",
            "4": "no probabilities",
            "5": "worst 1 %",
            "6": "Class shares are not known",
            "7": "No copies, no other scale and no moved classes were found",
        }.items():
            await pilot.press(key)
            await settle(pilot)
            assert expected in text_of(pilot), key


@pytest.mark.parametrize("size", SIZES)
async def test_many_classes_scroll(size: tuple[int, int]) -> None:
    """A hundred classes are charted as far as there is room, and all are in the tables."""
    count = 100
    share = tuple(1 / count for _ in range(count))
    rate = tuple(0.5 + i / 300 for i in range(count))
    many = Classes(tuple(map(str, range(count))), share, share, 0.4, rate, rate, rate, rate)
    async with screen_of(snapshot(fits=(_explained(classes=many),)), size=size) as pilot:
        for key in ("2", "6"):
            await pilot.press(key)
            await settle(pilot)
            lines = rows_of(pilot, "#evidence .panel-body").splitlines()
            assert sum(line.startswith("99 ") for line in lines) == 1


async def test_the_newest_alert_is_on_the_overview() -> None:
    """Alerts are counted in the header at every size, and the newest is told beside the explanation."""
    told = tuple(TimelineEntry(9.0 * n, "alert", f"The loss is NaN, seen {n} times.", n) for n in (1, 2))
    for size in SIZES:
        async with screen_of(snapshot(timeline=told), size=size) as pilot:
            assert "! 2 alerts" in shown(pilot)[0]
            if size[1] >= 40:
                said = " ".join(rows_of(pilot, "#gap .panel-body").split())
                assert "Epoch 2: The loss is NaN, seen 2 times. (2 alerts in all: i)" in said
            await pilot.press("g")
            await settle(pilot)
            assert "seen 2 times" in text_of(pilot)
    async with screen_of(snapshot()) as pilot:
        assert "alert" not in text_of(pilot).lower()


async def test_labels_have_their_own_shares_and_recall() -> None:
    """Of samples with several labels both views show each label, under that word, with the samples measured."""
    each = Classes(("0", "1"), (0.4, 0.1), (0.38, 0.3), 1e-6, (0.9, 0.2), (0.8, 0.1), (0.7, 0.6), (0.7, None))
    labelled = _explained(classes=None, labels=Labels(each, 1024, 600))
    async with screen_of(snapshot(fits=(labelled,)), size=(80, 24)) as pilot:
        await pilot.press("6")
        await settle(pilot)
        body = rows_of(pilot, "#evidence .panel-body")
        assert "Labels differ in frequency by more than chance (1 024 training and 600" in " ".join(body.split())
        assert "label" in body
        await pilot.press("2")
        await settle(pilot)
        assert "recall, label 1" in rows_of(pilot, "#evidence .panel-body")
