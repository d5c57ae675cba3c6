"""Which news of a run deserve a notification: its end and its alerts, each once, none from before the screen opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_monitor.history.snapshot import Snapshot


class News:
    """Compares each snapshot with what was known."""

    def __init__(self) -> None:
        self._has_begun = False
        self._had_ended = False
        self._newest_alert: tuple[float, int | None, str] | None = None

    def of(self, snapshot: Snapshot) -> list[str]:
        """Return what is new in a snapshot, in words, oldest first."""
        alerts = [entry for entry in snapshot.timeline if entry.kind == "alert"]
        # An alert that is updated or ended is the same one: only its words change.
        begun = [(entry.seconds, entry.epoch, entry.alert) for entry in alerts]
        known = begun.index(self._newest_alert) + 1 if self._newest_alert in begun else 0
        news = [entry.text for entry in alerts[known:]]
        if snapshot.state.ended and not self._had_ended:
            news.append(f"{snapshot.state}: {snapshot.detail}" if snapshot.detail else str(snapshot.state))
        is_first, self._has_begun = not self._has_begun, True
        self._had_ended = snapshot.state.ended
        self._newest_alert = begun[-1] if begun else None
        return [] if is_first or snapshot.playback is not None else news
