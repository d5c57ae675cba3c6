"""Obeys what is asked of a running training at batch boundaries, and says on the timeline what came of it."""

import os
import signal
import time
from typing import Any

from tui_monitor.run_log.control import Action, Request, take_requests
from tui_monitor.run_log.format import State
from tui_monitor.training.session import Session

_PAUSED_LOOK_SECONDS = 0.1


class Steering:
    """The requests of one `fit`."""

    def __init__(self, model: Any, session: Session) -> None:
        """Prepare to obey.

        Args:
            model: the Keras model that trains.
            session: the run that is asked.
        """
        self._model = model
        self._session = session
        self._stops_after_epoch = False
        self._paused = False
        self.measure_now = False
        """Whether a measurement was asked for; whoever measures takes it back."""

    def look(self) -> float:
        """Obey the requests that wait, and return the seconds spent paused."""
        for request in take_requests(self._session.folder):
            self._obey(request)
        return self._stay_paused() if self._paused else 0.0

    def epoch_ended(self) -> None:
        """Stop where a stop after the epoch was asked for."""
        if self._stops_after_epoch:
            self._model.stop_training = True

    def _stay_paused(self) -> float:
        begun = time.monotonic()
        writer = self._session.writer
        writer.status(State.PAUSED, "Paused on request.")
        while self._paused and not self._model.stop_training:
            time.sleep(_PAUSED_LOOK_SECONDS)
            for request in take_requests(self._session.folder):
                self._obey(request)
        self._paused = False
        writer.status(State.TRAINING)
        return time.monotonic() - begun

    def _obey(self, request: Request) -> None:
        match request.action:
            case Action.PAUSE:
                self._paused = True
                self._done(request, "Paused between two batches.")
            case Action.RESUME:
                self._paused = False
                self._done(request, "Training goes on.")
            case Action.STOP_BATCH:
                self._session.stop_requested = True
                self._model.stop_training = True
                self._done(request, "Stopping after this batch.")
            case Action.STOP_EPOCH:
                self._session.stop_requested = True
                self._stops_after_epoch = True
                self._paused = False
                self._done(request, "Stopping after this epoch.")
            case Action.KILL:
                self._done(request, "Killed.")
                self._session.writer.status(State.STOPPED, "Killed on request.", exit_code=128 + signal.SIGKILL)
                os.kill(os.getpid(), signal.SIGKILL)
            case Action.LEARNING_RATE:
                self._set_learning_rate(request)
            case Action.MEASURE:
                self.measure_now = True
                self._done(request, "Measuring now.")
            case Action.NOTE:
                self._session.writer.event("note", text=str(request.value or ""))

    def _set_learning_rate(self, request: Request) -> None:
        optimizer = self._model.optimizer
        before = getattr(optimizer, "_learning_rate", None)
        if callable(before) and not hasattr(before, "assign"):
            self._refused(
                request, f"The learning rate follows {type(before).__name__}, which would overwrite {request.value}."
            )
            return
        optimizer.learning_rate = float(request.value or 0.0)
        self._done(request, f"Learning rate {request.value}.")

    def _done(self, request: Request, text: str) -> None:
        self._session.writer.event("control", request=request.action, outcome="done", text=text)

    def _refused(self, request: Request, text: str) -> None:
        self._session.writer.event("control", request=request.action, outcome="refused", text=text)
