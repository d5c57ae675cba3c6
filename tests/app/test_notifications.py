"""The terminal is told of what a person away from it should know, once, and of nothing else."""

from tests.app.snapshots import snapshot
from tui_monitor.app.terminal.notification import notification
from tui_monitor.history.snapshot import TimelineEntry
from tui_monitor.run_log.format.layout import State
from tui_monitor.view.news import News

ALERT = TimelineEntry(3.0, "alert", "loss is nan", 2)


def test_the_end_and_alerts_are_news_once() -> None:
    """What was there when the screen opened is none; an alert and the end are told when they come, then no more."""
    news = News()
    assert news.of(snapshot(timeline=(ALERT,))) == []
    second = TimelineEntry(4.0, "alert", "it overfits", 3)
    noted = TimelineEntry(4.5, "note", "mine", 3)
    assert news.of(snapshot(timeline=(ALERT, second, noted))) == ["it overfits"]
    assert news.of(snapshot(timeline=(ALERT, second, noted))) == []
    failed = snapshot(State.FAILED, detail="ValueError: no data", timeline=(ALERT, second))
    assert news.of(failed) == ["failed: ValueError: no data"]
    assert news.of(failed) == []
    assert News().of(failed) == []


def test_a_notification_holds_nothing_that_a_terminal_obeys() -> None:
    """Bell, OSC 9 and OSC 777, with control characters of a run's name and text taken out; wrapped where it must be."""
    assert notification("run", "finished", {}) == "\a\x1b]9;run: finished\a\x1b]777;notify;run;finished\a"
    hostile = notification("a\x1b]0;owned\a", "b\x9c;c\x1b[2J", {})
    assert hostile.count("\x1b") == 2
    assert hostile.count("\a") == 3
    assert "\x1bPtmux;\x1b\x1b]9;" in notification("run", "finished", {"TMUX": "/tmp/x,1,0"})
    assert "\x1bP\x1b]9;" in notification("run", "finished", {"TERM": "screen-256color"})
