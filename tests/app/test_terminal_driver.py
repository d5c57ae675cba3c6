"""The input of a screen ends at once, and can begin again."""

import select

from tui_monitor.app.terminal.terminal_driver import _WakingEvent


def test_an_event_wakes_who_selects_and_can_be_used_again() -> None:
    """Set, it ends a `select` on its pipe; cleared, as when a screen comes back from the background, it serves anew."""
    event = _WakingEvent()
    event.set()
    event.clear()
    for _ in range(3):
        reader = event.reader
        assert not select.select([reader], [], [], 0)[0]
        event.set()
        assert select.select([reader], [], [], 0)[0] == [reader]
        event.clear()
        assert not event.is_set()
    assert event.reader == event.reader
    event.close()
    event.close()
