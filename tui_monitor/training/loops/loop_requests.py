"""What a loop of the user's own does with control requests: it can wait and be interrupted, no more."""

import os
import signal
import time

from tui_monitor.run_log.events.notifications import NoteTaken, RequestAcknowledged
from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.control import Action, ControlRequest, receive_requests
from tui_monitor.run_log.runs.process import kill_process_group
from tui_monitor.training.record.session import Session

_LOOK_SECONDS = 0.25
_PAUSED_LOOK_SECONDS = 0.1
_REFUSED = {
    Action.LEARNING_RATE: "The loop is the script's own: only the script can set its learning rate.",
    Action.MEASURE: "The loop is the script's own: its model is not known, so nothing can be measured.",
}


class LoopRequests:
    """Applies the requests of one run between two batches of a loop."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._look_at = 0.0
        self._epoch, self._batch = 1, 0
        self._paused = self._stops_now = self._stops_after_epoch = False

    def batch_ended(self, epoch: int, batch: int, seconds: float) -> None:
        """Apply what waits, a few times a second, and wait while paused.

        Args:
            epoch: under way, from 1.
            batch: batches of it that are done.
            seconds: the run's time.

        Raises:
            KeyboardInterrupt: a stop was asked for; the script takes it as it takes Ctrl-C.
        """
        self._epoch, self._batch = epoch, batch
        if seconds >= self._look_at:
            self._look_at = seconds + _LOOK_SECONDS
            self._apply_all()
            if self._paused:
                self._stay_paused()
        self._interrupt_if(self._stops_now)

    def epoch_ended(self, epoch: int, batch: int) -> None:
        """Apply what waits at an epoch's end, as `batch_ended` does, a stop after the epoch included.

        Raises:
            KeyboardInterrupt: likewise.
        """
        self._look_at = 0.0
        self.batch_ended(epoch, batch, 0.0)
        self._interrupt_if(self._stops_after_epoch)

    def _interrupt_if(self, stops: bool) -> None:
        if stops:
            self._stops_now = self._stops_after_epoch = False
            raise KeyboardInterrupt

    def _stay_paused(self) -> None:
        self._session.writer.status(State.PAUSED, "Paused on request.")
        while self._paused and not self._stops_now:
            time.sleep(_PAUSED_LOOK_SECONDS)
            self._apply_all()
        self._paused = False
        self._session.writer.status(State.TRAINING)

    def _apply_all(self) -> None:
        for request in receive_requests(self._session.run):
            self._apply(request)

    def _apply(self, request: ControlRequest) -> None:
        match request.action:
            case Action.PAUSE | Action.RESUME:
                self._paused = request.action is Action.PAUSE
                self._answer(request, "Paused between two batches." if self._paused else "The loop goes on.")
            case Action.STOP_BATCH | Action.STOP_EPOCH:
                self._stop(request)
            case Action.KILL:
                self._answer(request, "Killed.")
                self._session.writer.status(State.STOPPED, "Killed on request.", exit_code=128 + signal.SIGKILL)
                kill_process_group(os.getpid())
            case Action.NOTE:
                note = NoteTaken(id=request.id, text=str(request.value or ""), epoch=self._epoch, batch=self._batch)
                self._session.writer.event(note)
            case _:
                self._answer(request, _REFUSED[request.action], outcome="refused")

    def _stop(self, request: ControlRequest) -> None:
        self._session.stop_requested = True
        is_now = request.action is Action.STOP_BATCH
        self._stops_now, self._stops_after_epoch, self._paused = is_now, not is_now, False
        when = "this batch" if is_now else "this epoch"
        self._answer(request, f"Stopping after {when}: the loop is interrupted there, as by Ctrl-C.")

    def _answer(self, request: ControlRequest, text: str, *, outcome: str = "done") -> None:
        self._session.writer.event(
            RequestAcknowledged(
                id=request.id,
                request=request.action,
                outcome=outcome,
                text=text,
                epoch=self._epoch,
                batch=self._batch,
            )
        )
