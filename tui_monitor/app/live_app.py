"""The screen of a run as it stands: has the control of its training, where there is one."""

from __future__ import annotations

import os
import signal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tui_monitor.app.bindings import bindings
from tui_monitor.app.monitor_app import USUAL, MonitorApp, ReadingFailed
from tui_monitor.app.terminal.notification import notification
from tui_monitor.app.terminal.screen_options import ScreenOptions
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.errors import FolderNotWritable
from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.summary import RunSummary
from tui_monitor.view.keys.key import Group
from tui_monitor.view.news import News
from tui_monitor.view.view_state import View, ViewState

if TYPE_CHECKING:
    from tui_monitor.app.control.training_control import TrainingControl
    from tui_monitor.app.feed.feed import SnapshotSource
    from tui_monitor.history.snapshot import Snapshot


_END_SECONDS = 0.1
"""Time between two checks whether the training has ended."""


class OwnTraining(Protocol):
    """The training that this command starts itself, in a process of its own."""

    def start(self) -> object:
        """Start the process. Called in a thread, once there are panels to draw the run.

        Raises:
            OSError: the process can't be made.
        """

    @property
    def is_running(self) -> bool:
        """Whether the process was started and has not ended."""

    def terminate(self) -> str:
        """Pass on a SIGTERM, or kill the process where it is the second one; return what was done, in a sentence."""

    def kill(self) -> object:
        """End the process and everything it started, at once."""


class LiveApp(MonitorApp):
    """Follows a run folder that may still grow. The training gets nothing but requests that the user confirmed."""

    BINDINGS = bindings(without=Group.REPLAY)

    def __init__(
        self,
        folder: Path,
        *,
        own: OwnTraining | None = None,
        source: SnapshotSource | None = None,
        markers: MarkerSet = MarkerSet.BRAILLE,
        view: ViewState | None = None,
        options: ScreenOptions = USUAL,
        opened: RunSummary | None = None,
    ) -> None:
        """Prepare the screen; nothing is read or started before it runs.

        Args:
            folder: of the run.
            own: the training that this command starts, once there are panels to draw it; None for any other run.
            source: where snapshots come from; by default the folder.
            markers: characters to draw curves with.
            view: what to show first.
            options: how to treat the terminal.
            opened: what is known of the run, for the first frame.
        """
        super().__init__(folder, markers=markers, view=view, options=options, opened=opened)
        self._own = own
        self._source = source
        self._news = News() if options.notifies else None
        self._is_failure_shown = False
        self._is_leaving = False
        """Whether the screen closes when the training has ended."""

    @cached_property
    def control(self) -> TrainingControl:
        """What this screen can do to the training; made when it is first needed, which is after the first frame."""
        from tui_monitor.app.control.training_control import TrainingControl  # noqa: PLC0415 - first paint counts

        return TrainingControl(self, self._own)

    def open_source(self) -> SnapshotSource:
        """Return the folder as a source. Called once, in the reader thread."""
        # Imported here, so that neither the first frame nor the first key waits for them.
        import tui_monitor.app.control.training_control  # noqa: F401, PLC0415
        from tui_monitor.app.feed.live_source import LiveSource  # noqa: PLC0415

        return self._source or LiveSource(self.folder)

    def panels_ready(self) -> None:
        """Start the training: only now it may take the cores, which the first frame needed."""
        if self._own is not None:
            self.run_worker(self._start_training, thread=True, group="launch", exit_on_error=True)

    def _start_training(self) -> None:
        assert self._own is not None
        try:
            self._own.start()
        except OSError as error:
            reason = f"Can't start the training: {error.strerror}: {error.filename or self.folder}."
            self.post_message(ReadingFailed(FolderNotWritable(reason)))

    def told_to_end(self, number: signal.Signals) -> None:
        """Leave; a SIGTERM goes on to the training that this command started, and the screen waits for its end."""
        if number is not signal.SIGTERM or self._own is None or not self._own.is_running:
            self.exit()
            return
        sentence = self._own.terminate()
        if sentence:
            self.notify(sentence, severity="warning", markup=False)
        if not self._is_leaving:
            self._is_leaving = True
            self._leave_after_training()

    def _leave_after_training(self) -> None:
        if self._own is None or not self._own.is_running:
            self.exit()
        else:
            self.set_timer(_END_SECONDS, self._leave_after_training)

    def snapshot_taken(self, snapshot: Snapshot) -> None:
        """Drop acknowledged requests, notify of news, and show the output of a training that failed."""
        self.control.update()
        for text in self._news.of(snapshot) if self._news is not None else ():
            self.write_to_terminal(notification(snapshot.run.name, text, os.environ))
        if snapshot.state is State.FAILED and not self._is_failure_shown:
            self._is_failure_shown = True
            self.action_show(View.OUTPUT.value)

    def action_control(self, what: str) -> None:
        """Create a control request, with its dialog where it has one."""
        self.control.perform(what)

    def action_leave(self) -> None:
        """Leave: at once from an ended run, with a question from a live one."""
        self.control.leave()

    def action_interrupt(self) -> None:
        """Let the user choose how to stop."""
        self.control.interrupt()
