"""Alerts on the time axis, in the header and in what rings the bell: one of each, whatever follows of it."""

from dataclasses import replace

import pytest

from tests.app.snapshots import snapshot
from tui_monitor.history.snapshot import TimelineEntry
from tui_monitor.history.state.fit_events import add_alert
from tui_monitor.run_log.format.layout import State
from tui_monitor.view.news import News
from tui_monitor.view.panels.header import header_rows
from tui_monitor.view.panels.timeline import alerts_under_way, whole_forms
from tui_monitor.view.text.rows import Row
from tui_monitor.view.view_state import ViewState


def text_of(row: Row) -> str:
    """Return the characters of a row."""
    return "".join(run.text for run in row)


BEGUN = TimelineEntry(5.0, "alert", "Loss rose to 2.", 3, alert="divergence")


def test_an_episode_is_one_entry() -> None:
    """Updates replace the words of an alert, its end is added to them, and what comes then is a new entry."""
    timeline: list[TimelineEntry] = []
    add_alert(timeline, BEGUN, "")
    add_alert(timeline, replace(BEGUN, seconds=7.0, text="Loss rose to 4.", epoch=5), "updated")
    assert timeline == [replace(BEGUN, text="Loss rose to 4.")]
    add_alert(timeline, replace(BEGUN, seconds=9.0, text="Over since epoch 7.", epoch=7), "ended")
    assert timeline == [replace(BEGUN, text="Loss rose to 4. Over since epoch 7.", is_over=True)]
    assert alerts_under_way(snapshot(timeline=tuple(timeline))) == 0
    add_alert(timeline, replace(BEGUN, seconds=11.0), "")
    assert [entry.is_over for entry in timeline] == [True, False]
    add_alert(timeline, replace(BEGUN, alert="plateau"), "updated")
    assert len(timeline) == 3


def test_an_update_rings_no_bell() -> None:
    """Only a new alert is news; the same one with other words, or at its end, is not."""
    news = News()
    assert news.of(snapshot(timeline=())) == []
    assert news.of(snapshot(timeline=(BEGUN,))) == ["Loss rose to 2."]
    assert news.of(snapshot(timeline=(replace(BEGUN, text="Loss rose to 4."),))) == []
    assert news.of(snapshot(timeline=(replace(BEGUN, is_over=True),))) == []


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_the_header_never_shows_half_a_sentence(width: int) -> None:
    """What has happened stands whole beside the state, in its first clause, as its kind alone, or not at all."""
    text = "Class or sample weights are the main cause of the loss gap (+0.19)."
    row = text_of(header_rows(snapshot(timeline=(TimelineEntry(5.0, "change", text, 3),)), ViewState(), width)[0])
    assert "…" not in row
    beside = row.split("class-weights")[1].split(" · ")
    said = [part.strip() for part in beside if part.strip().startswith("change")]
    forms = {f"change: {form}" for form in whole_forms(text)} | {"change (i)"}
    assert all(any(part.startswith(form) for form in forms) for part in said)
    if width > 120:
        assert said


def test_an_alert_that_is_over_is_not_counted() -> None:
    """The header counts the alerts that still hold."""
    held = snapshot(State.TRAINING, timeline=(replace(BEGUN, is_over=True), replace(BEGUN, seconds=8.0)))
    assert "! 1 alert " in text_of(header_rows(held, ViewState(), 120)[0])
