"""What the user asks of the training, by key and dialog: training is never touched but by a request of theirs."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.app.control.open_requests import KILL_SECONDS, OpenRequests, kill_training
from tui_monitor.app.screens.entry import EntryScreen, note_complaint, rate_complaint
from tui_monitor.app.screens.leave import LeaveScreen, Leaving
from tui_monitor.app.terminal.terminal_app import TerminalApp
from tui_monitor.errors import MonitorError
from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.control import Action
from tui_monitor.view.control_requests import can_obey, why_not

if TYPE_CHECKING:
    from tui_monitor.history.snapshot import Snapshot


class AskingApp(TerminalApp):
    """Sends requests, and shows them until they are answered."""

    def __init__(self, folder: Path, *, launched: bool, kill: Callable[[], object] | None) -> None:
        """Prepare to ask; see `MonitorApp` for the arguments."""
        super().__init__()
        self.folder = folder
        self.snapshot: Snapshot | None = None
        """The newest picture of the run."""
        self._launched = launched
        self._kill = kill
        self._requests = OpenRequests(folder, time.monotonic)
        self._is_waiting = False

    def requests_changed(self, asked: str) -> None:
        """Called with what is asked and not answered yet, in words."""

    @property
    def is_live(self) -> bool:
        """Whether there may be a process to ask about: it trains, and what is shown is its present."""
        return self.snapshot is not None and self.snapshot.playback is None and not self.snapshot.state.ended

    def action_leave(self) -> None:
        """Leave: at once from an ended run, with a question from a live one."""
        whose = "The training you started" if self._launched else "The run"
        self._ask(f"{whose} is still going. What should happen to it?", Leaving.DETACH, Leaving.STOP, Leaving.KILL)

    def action_interrupt(self) -> None:
        """Ask how to stop."""
        self._ask("Stop the training?", Leaving.STOP, Leaving.DETACH, Leaving.KILL)

    def action_ask_to_kill(self) -> None:
        """Ask whether to kill the training, with the harmless answer first."""
        if self._may_ask():
            self._ask("Kill the training process? Nothing more is saved.", Leaving.CANCEL, Leaving.KILL)

    def _ask(self, question: str, *answers: Leaving) -> None:
        if not self.is_live or self.snapshot is None:
            self.exit()
        elif not isinstance(self.screen, LeaveScreen):
            obeys = self._launched or can_obey(self.snapshot)
            offered = [a for a in answers if obeys or a not in (Leaving.STOP, Leaving.KILL)]
            self.push_screen(LeaveScreen(tuple(dict.fromkeys((*offered, Leaving.CANCEL))), question), self._leave)

    def _leave(self, leaving: Leaving | None) -> None:
        match leaving:
            case Leaving.DETACH:
                self.exit()
            case Leaving.STOP:
                if self._send(Action.STOP_BATCH):
                    self._tell("Stopping after this batch. The screen stays open to show how the run ends.")
            case Leaving.KILL:
                self._send(Action.KILL)
                self.set_timer(KILL_SECONDS, self._kill_at_last)

    def _kill_at_last(self) -> None:
        """Kill a process that did not obey."""
        if self.snapshot is None or self.snapshot.state.ended:
            return
        if kill_training(self.folder, self.snapshot):
            self._tell("The process did not answer and was killed. The screen stays open to show what is left.")
        elif self._kill is not None:
            self._kill()
        else:
            self._tell(f"The process runs on {self.snapshot.run.host}: only there it can be killed without its help.")

    def action_toggle_pause(self) -> None:
        """Ask the training to wait, or to go on."""
        is_paused = self.snapshot is not None and self.snapshot.state is State.PAUSED
        if self._may_ask():
            self._send(Action.RESUME if is_paused else Action.PAUSE)

    def action_ask(self, action: str) -> None:
        """Ask the training for something that needs no words."""
        if self._may_ask():
            self._send(Action(action))

    def action_change_rate(self) -> None:
        """Ask for a new learning rate, and pass it on."""
        if not self._may_ask():
            return
        rate = learning_rate(self.snapshot)
        remark = "The rate of now is not known yet." if rate is None else f"It was {rate:g} when the last epoch ended."
        self.push_screen(
            EntryScreen("New learning rate", remark, rate_complaint, longest=30),
            self._send_rate,
        )

    def action_write_note(self) -> None:
        """Ask for a note, and pass it on."""
        if not self._may_ask():
            return
        self.push_screen(
            EntryScreen("Note", "It is put on the timeline at the next batch.", note_complaint),
            self._send_note,
        )

    def _may_ask(self) -> bool:
        """Return whether there is a training to ask; where there is none, say why."""
        reason = why_not(self.snapshot) if self.snapshot is not None else ""
        if reason:
            self.clear_notifications()
            self.notify(reason, severity="warning", markup=False)
        return self.snapshot is not None and not reason

    def _send_rate(self, text: str | None) -> None:
        if text is not None:
            self._send(Action.LEARNING_RATE, float(text))

    def _send_note(self, text: str | None) -> None:
        if text is not None:
            self._send(Action.NOTE, text.strip())

    def _send(self, action: Action, value: str | float | None = None) -> bool:
        """Send a request and return whether it is on its way."""
        try:
            self._requests.ask(action, value)
        except MonitorError as error:
            self.notify(str(error), severity="error", markup=False)
            return False
        self.look_at_requests()
        return True

    def look_at_requests(self) -> None:
        """Show what is asked and not answered; again every second until it is."""
        if self.snapshot is not None:
            self._requests.settle(self.snapshot)
        asked = self._requests.sentence
        self.requests_changed(asked)
        if asked and not self._is_waiting:
            self._is_waiting = True
            self.set_timer(1.0, self._look_again)

    def _look_again(self) -> None:
        self._is_waiting = False
        self.look_at_requests()

    def _tell(self, sentence: str) -> None:
        self.notify(sentence, markup=False)


def learning_rate(snapshot: Snapshot | None) -> float | None:
    """Return the learning rate as last recorded, or as the model began with; None when neither is known."""
    phase = snapshot.phase if snapshot is not None else None
    if phase is None:
        return None
    rates = [row.learning_rate for row in phase.epochs[-1:]] or [phase.info.model.get("learning_rate")]
    return float(rates[0]) if isinstance(rates[0], int | float) else None
