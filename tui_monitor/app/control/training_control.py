"""What a live screen can do to the training: keys become dialogs, and confirmed answers become control requests."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tui_monitor.app.control.pending_requests import KILL_SECONDS, PendingRequests, kill_training
from tui_monitor.app.screens.entry import EntryScreen, note_complaint, rate_complaint
from tui_monitor.app.screens.leave import LeaveScreen, Leaving
from tui_monitor.errors import MonitorError
from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.control import Action
from tui_monitor.view.control_requests import receives_requests, why_no_request

if TYPE_CHECKING:
    from tui_monitor.app.live_app import LiveApp, OwnTraining
    from tui_monitor.history.snapshot import Snapshot


class TrainingControl:
    """Sends control requests to one run. The training is touched by nothing else."""

    def __init__(
        self,
        app: LiveApp,
        own: OwnTraining | None,
    ) -> None:
        """Prepare to send; nothing is sent before a key is pressed.

        Args:
            app: shows the run, the dialogs and the pending requests.
            own: the training that this command started, if it did.
        """
        self._app = app
        self._own = own
        self._pending = PendingRequests(app.folder, time.monotonic)
        self._is_ticking = False

    def perform(self, what: str) -> None:
        """Do what a key of the table asks for, or say why no request can be sent.

        Args:
            what: `toggle_pause`, `kill`, `learning_rate`, `note`, or the value of an `Action` that needs no words.
        """
        snapshot = self._app.snapshot
        if snapshot is None:
            return
        reason = why_no_request(snapshot)
        if reason:
            self._app.refuse(reason)
            return
        match what:
            case "toggle_pause":
                self._send(Action.RESUME if snapshot.state is State.PAUSED else Action.PAUSE)
            case "kill":
                # The harmless answer stands first: Enter alone must not end a training.
                self._offer("Kill the training process? Nothing more is saved.", Leaving.CANCEL, Leaving.KILL)
            case "learning_rate":
                self._enter_rate(snapshot)
            case "note":
                self._enter_note()
            case _:
                self._send(Action(what))

    def leave(self) -> None:
        """Leave the screen: at once from an ended run, with a question from a live one."""
        whose = "The training you started" if self._own is not None else "The run"
        self._offer(f"{whose} is still going. What should happen to it?", Leaving.DETACH, Leaving.STOP, Leaving.KILL)

    def interrupt(self) -> None:
        """Let the user choose how to stop, as Ctrl-C does."""
        self._offer("Stop the training?", Leaving.STOP, Leaving.DETACH, Leaving.KILL)

    def update(self) -> None:
        """Compare the pending requests with the newest snapshot; again every second while any is pending."""
        snapshot = self._app.snapshot
        if snapshot is not None:
            self._pending.update(snapshot)
        sentence = self._pending.sentence
        self._app.change_view(replace(self._app.view, pending=sentence))
        # A training that hangs brings no snapshot, and yet the header must say how long nothing was acknowledged.
        if sentence and not self._is_ticking:
            self._is_ticking = True
            self._app.set_timer(1.0, self._tick)

    def _tick(self) -> None:
        self._is_ticking = False
        self.update()

    def _offer(self, question: str, *answers: Leaving) -> None:
        snapshot = self._app.snapshot
        if snapshot is None or snapshot.state.ended:
            self._app.exit()
        # Ctrl-C twice must not put one question on top of the other.
        elif not isinstance(self._app.screen, LeaveScreen):
            can_stop = self._own is not None or receives_requests(snapshot)
            offered = [answer for answer in answers if can_stop or answer not in (Leaving.STOP, Leaving.KILL)]
            screen = LeaveScreen(tuple(dict.fromkeys((*offered, Leaving.CANCEL))), question)
            self._app.push_screen(screen, self._answered)

    def _answered(self, leaving: Leaving | None) -> None:
        match leaving:
            case Leaving.DETACH:
                self._app.exit()
            case Leaving.STOP:
                if self._send(Action.STOP_BATCH):
                    self._notify("Stopping after this batch. The screen stays open to show how the run ends.")
            case Leaving.KILL:
                self._send(Action.KILL)
                # The process is given time to say in its own run that it was killed, and by whom.
                self._app.set_timer(KILL_SECONDS, self._kill_at_last)

    def _kill_at_last(self) -> None:
        """Kill a process that did not apply the request."""
        snapshot = self._app.snapshot
        if snapshot is None or snapshot.state.ended:
            return
        if kill_training(self._app.folder, snapshot):
            self._notify("The process did not stop and was killed. The screen stays open to show what is left.")
        # Its number is sure even without a heartbeat: a child keeps it until its parent has waited for it.
        elif self._own is not None:
            self._own.kill()
        else:
            self._notify(f"The process runs on {snapshot.run.host}: only there it can be killed without its help.")

    def _enter_rate(self, snapshot: Snapshot) -> None:
        rate = learning_rate(snapshot)
        now = "The present rate is not known yet." if rate is None else f"Now {rate:g}, as of the last epoch's end."
        remark = f"{now} The optimizer's step size: a number above 0."
        example = f"such as {rate / 2 if rate else 0.0005:g}"
        screen = EntryScreen("New learning rate", remark, rate_complaint, longest=30, example=example)
        self._app.push_screen(screen, self._send_rate)

    def _enter_note(self) -> None:
        screen = EntryScreen("Note", "It is put on the timeline at the next batch.", note_complaint)
        self._app.push_screen(screen, self._send_note)

    def _send_rate(self, text: str | None) -> None:
        if text is not None:
            self._send(Action.LEARNING_RATE, float(text))

    def _send_note(self, text: str | None) -> None:
        if text is not None:
            self._send(Action.NOTE, text.strip())

    def _send(self, action: Action, value: str | float | None = None) -> bool:
        """Send a control request and return whether it is in the run folder."""
        try:
            self._pending.send(action, value)
        except MonitorError as error:
            # Without markup: an error may name a path with brackets, which Textual would read as a style.
            self._app.notify(str(error), severity="error", markup=False)
            return False
        self.update()
        return True

    def _notify(self, sentence: str) -> None:
        self._app.notify(sentence, markup=False)


def learning_rate(snapshot: Snapshot) -> float | None:
    """Return the learning rate as last recorded, or as the model began with; None when neither is known."""
    fit = snapshot.fit
    if fit is None:
        return None
    rates = [row.learning_rate for row in fit.epochs[-1:]] or [fit.info.model.get("learning_rate")]
    return float(rates[0]) if isinstance(rates[0], int | float) else None
