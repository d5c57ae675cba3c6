"""Whether the training of a snapshot takes control requests, and in words why it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_monitor.history.snapshot import Snapshot


def receives_requests(snapshot: Snapshot) -> bool:
    """Whether there is a training that takes control requests: one under way, recorded by its own process."""
    return not why_no_request(snapshot)


def why_no_request(snapshot: Snapshot) -> str:
    """Return in a sentence why the training takes no control request; empty where it does."""
    if snapshot.playback is not None:
        return "This is a replay: its training takes no requests. Use tui-monitor attach while it runs."
    if snapshot.missing:
        return "The run folder is gone: nobody would find the request."
    if snapshot.state.ended:
        return f"The run has ended ({snapshot.state}): there is no training left to send it to."
    if snapshot.is_log:
        return "The run is read from a log: its training takes no requests."
    return "" if snapshot.run.pid > 0 else "The training process has not started yet."
