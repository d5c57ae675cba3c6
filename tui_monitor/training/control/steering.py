"""Applies control requests to a running training at batch boundaries, and acknowledges each on the timeline."""

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from tui_monitor.run_log.events.notifications import NoteTaken, RequestAcknowledged
from tui_monitor.run_log.format.error_text import in_a_line
from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.control import Action, ControlRequest, receive_rejected, receive_requests
from tui_monitor.run_log.runs.process import kill_process_group
from tui_monitor.training.backends.shared_names import learning_rate_schedule
from tui_monitor.training.record.session import Session
from tui_monitor.training.workers.worker_requests import FOR_ALL_WORKERS, WorkerRequests

_PAUSED_TICK_SECONDS = 0.1
_MOST_REJECTED = 5

_END_PAUSE = (Action.RESUME, Action.STOP_BATCH, Action.STOP_EPOCH)
"""Requests that end a pause, even where they themselves fail."""
_OVERWRITERS = {
    "LearningRateScheduler": "sets it anew at each epoch and may overwrite this",
    "ReduceLROnPlateau": "may lower it further",
}
"""Callbacks of Keras that set the learning rate, with what they do to one that was requested."""


class Steering:
    """The requests of one `fit`."""

    def __init__(self, model: Any, session: Session) -> None:
        """Prepare to apply control requests.

        Args:
            model: the Keras model that trains.
            session: the run that gets them.
        """
        self._model = model
        self._session = session
        self._warnings: tuple[str, ...] = ()
        self._position: Mapping[str, int] = {}
        self._shared = WorkerRequests(session.writer) if session.worker is not None else None
        self._batches = 0
        self._stops_after_epoch = False
        self._paused = False
        self.measure_now = False
        """Whether a measurement was requested; whoever measures sets it back."""

    def warn_of(self, callbacks: Sequence[Any]) -> None:
        """Take the callbacks of the `fit`, some of which set the learning rate themselves."""
        self._warnings = learning_rate_warnings(callbacks)

    def tick(self, epoch: int, batch: int) -> float:
        """Apply the requests that wait, and return the seconds spent paused.

        Args:
            epoch: under way, from 1.
            batch: batches of it that are done.
        """
        self._position = {"epoch": epoch, "batch": batch}
        self._apply_waiting()
        return self._stay_paused() if self._paused else 0.0

    def listening(self) -> AbstractContextManager[None]:
        """Return a block inside which this worker, of several, receives requests from the first."""
        return self._shared.listening() if self._shared is not None else nullcontext()

    def give_up(self) -> None:
        """Receive no more requests."""
        if self._shared is not None:
            self._shared.stop_listening()

    def batches_ended(self, count: int) -> None:
        """Count batches, and apply the request that is due on all workers after the newest one."""
        self._batches += count
        request = self._shared.due(self._batches) if self._shared is not None else None
        if request is not None:
            self._apply(request)

    def epoch_ended(self) -> None:
        """Stop where a stop after the epoch was requested."""
        if self._stops_after_epoch:
            self._model.stop_training = True

    def _stay_paused(self) -> float:
        begun = time.monotonic()
        writer = self._session.writer
        writer.status(State.PAUSED, "Paused on request.")
        # Polled, not waited for: a request is a file, on a disk that may be another machine's.
        while self._paused and not self._model.stop_training:
            # In the thread that trains: as long as it sleeps here, Keras can't begin the next step.
            time.sleep(_PAUSED_TICK_SECONDS)
            self._apply_waiting()
        self._paused = False
        writer.status(State.TRAINING)
        return time.monotonic() - begun

    def _apply_waiting(self) -> None:
        for request in receive_requests(self._session.folder):
            if self._shared is not None and request.action in FOR_ALL_WORKERS:
                self._send_to_workers(self._shared, request)
            else:
                self._apply(request)
        for name in receive_rejected(self._session.folder)[:_MOST_REJECTED]:
            text = f"A file in control/ was no request of this run's owner and was set aside: {name}.bad"
            self._session.writer.event(
                RequestAcknowledged(id="", request="", outcome="refused", text=text, **self._position)
            )

    def _apply(self, request: ControlRequest) -> None:
        try:
            _APPLY[request.action](self, request)
        except Exception as error:  # a request must not end the recording
            # A request that should have ended a pause and failed would otherwise hold the training for ever.
            if request.action in _END_PAUSE:
                self._paused = False
            self._acknowledge(request, f"Not done: {in_a_line(error)}.", outcome="refused")

    def _send_to_workers(self, shared: WorkerRequests, request: ControlRequest) -> None:
        """Have every worker apply a request after the next batch; a kill waits for no batch."""
        refusal = shared.send(request, self._batches)
        if request.action is Action.KILL:
            self._apply(request)
        elif refusal:
            self._acknowledge(request, refusal, outcome="refused")
        # A paused chief would hold back the very batch after which all workers are to stop.
        elif request.action is not Action.LEARNING_RATE:
            self._paused = False

    def _pause(self, request: ControlRequest) -> None:
        self._paused = True
        self._acknowledge(request, "Paused between two batches.")

    def _resume(self, request: ControlRequest) -> None:
        self._paused = False
        self._acknowledge(request, "Training goes on.")

    def _stop_after_batch(self, request: ControlRequest) -> None:
        self._session.stop_requested = True
        self._model.stop_training = True
        self._acknowledge(request, "Stopping after this batch.")

    def _stop_after_epoch(self, request: ControlRequest) -> None:
        self._session.stop_requested = True
        self._stops_after_epoch = True
        self._paused = False
        self._acknowledge(request, "Stopping after this epoch.")

    def _kill(self, request: ControlRequest) -> None:
        # Written down first: after SIGKILL no code of this process runs any more.
        self._acknowledge(request, "Killed.")
        self._session.writer.status(State.STOPPED, "Killed on request.", exit_code=128 + signal.SIGKILL)
        kill_process_group(os.getpid())

    def _measure(self, request: ControlRequest) -> None:
        if not self._session.budget.enabled:
            self._acknowledge(request, "Nothing is measured: probes are off in this run.", outcome="refused")
            return
        self.measure_now = True
        self._acknowledge(request, "Measuring when training goes on." if self._paused else "Measuring now.")

    def _note(self, request: ControlRequest) -> None:
        self._session.writer.event(NoteTaken(id=request.id, text=str(request.value or ""), **self._position))

    def _set_learning_rate(self, request: ControlRequest) -> None:
        optimizer = self._model.optimizer
        schedule = learning_rate_schedule(optimizer)
        if schedule is not None:
            name = type(schedule).__name__
            self._acknowledge(
                request, f"The learning rate follows {name}, which would overwrite {request.value}.", outcome="refused"
            )
            return
        was = float(optimizer.learning_rate)
        # Keras assigns to its variable, so the step that is traced already trains with the new rate.
        optimizer.learning_rate = float(request.value or 0.0)
        self._acknowledge(request, " ".join((f"Learning rate {request.value:g}, was {was:g}.", *self._warnings)))

    def _acknowledge(self, request: ControlRequest, text: str, *, outcome: str = "done") -> None:
        self._session.writer.event(
            RequestAcknowledged(id=request.id, request=request.action, outcome=outcome, text=text, **self._position)
        )


_APPLY: Mapping[Action, Callable[[Steering, ControlRequest], None]] = {
    Action.PAUSE: Steering._pause,
    Action.RESUME: Steering._resume,
    Action.STOP_BATCH: Steering._stop_after_batch,
    Action.STOP_EPOCH: Steering._stop_after_epoch,
    Action.KILL: Steering._kill,
    Action.LEARNING_RATE: Steering._set_learning_rate,
    Action.MEASURE: Steering._measure,
    Action.NOTE: Steering._note,
}


def learning_rate_warnings(callbacks: Sequence[Any]) -> tuple[str, ...]:
    """Return a sentence for each callback that sets the learning rate itself."""
    warnings = []
    for callback in callbacks:
        # By name, for callbacks of both Kerases, neither of which is to be imported for this.
        names = [base.__name__ for base in type(callback).__mro__]
        warnings += [f"{name} among the callbacks {does}." for name, does in _OVERWRITERS.items() if name in names]
    return tuple(warnings)
