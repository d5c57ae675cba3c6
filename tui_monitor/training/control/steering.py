"""Obeys what is asked of a running training at batch boundaries, and says on the timeline what came of it."""

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from tui_monitor.run_log.events.notices import NoteTaken, RequestAcknowledged
from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.control import Action, Request, take_rejected, take_requests
from tui_monitor.run_log.runs.process import kill_process_group
from tui_monitor.training.backends.shared_names import learning_rate_schedule
from tui_monitor.training.record.session import Session
from tui_monitor.training.workers.orders import ORDERED, WorkerOrders

_PAUSED_LOOK_SECONDS = 0.1
_MOST_REJECTED = 5

_OVERWRITERS = {
    "LearningRateScheduler": "sets it anew at each epoch and may overwrite this",
    "ReduceLROnPlateau": "may lower it further",
}
"""Callbacks of Keras that set the learning rate, with what they do to one that was asked for."""


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
        self._warnings: tuple[str, ...] = ()
        self._place: Mapping[str, int] = {}
        self._orders = WorkerOrders(session.writer) if session.worker is not None else None
        self._batches = 0
        self._stops_after_epoch = False
        self._paused = False
        self.measure_now = False
        """Whether a measurement was asked for; whoever measures takes it back."""

    def warn_of(self, callbacks: Sequence[Any]) -> None:
        """Take the callbacks of the `fit`, some of which set the learning rate themselves."""
        self._warnings = learning_rate_warnings(callbacks)

    def look(self, epoch: int, batch: int) -> float:
        """Obey the requests that wait, and return the seconds spent paused.

        Args:
            epoch: under way, from 1.
            batch: batches of it that are done.
        """
        self._place = {"epoch": epoch, "batch": batch}
        self._obey_all()
        return self._stay_paused() if self._paused else 0.0

    def listening(self) -> AbstractContextManager[None]:
        """Return a block inside which this worker, of several, takes orders from the first."""
        return self._orders.listening() if self._orders is not None else nullcontext()

    def give_up(self) -> None:
        """Take no more orders."""
        if self._orders is not None:
            self._orders.stop_listening()

    def batches_ended(self, count: int) -> None:
        """Count batches, and obey the order that all workers obey after the newest."""
        self._batches += count
        request = self._orders.due(self._batches) if self._orders is not None else None
        if request is not None:
            self._obey(request)

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
            self._obey_all()
        self._paused = False
        writer.status(State.TRAINING)
        return time.monotonic() - begun

    def _obey_all(self) -> None:
        for request in take_requests(self._session.folder):
            if self._orders is not None and request.action in ORDERED:
                self._order_all(self._orders, request)
            else:
                self._obey(request)
        for name in take_rejected(self._session.folder)[:_MOST_REJECTED]:
            text = f"A file in control/ was no request of this run's owner and was set aside: {name}.bad"
            self._session.writer.event(
                RequestAcknowledged(id="", request="", outcome="refused", text=text, **self._place)
            )

    def _obey(self, request: Request) -> None:
        try:
            _OBEY[request.action](self, request)
        except Exception as error:  # a request must not end the recording
            self._answer(request, f"Not done: {type(error).__name__}: {error}.", outcome="refused")

    def _order_all(self, orders: WorkerOrders, request: Request) -> None:
        """Have every worker obey after the next batch; a killed one needs no batch."""
        refusal = orders.give(request, self._batches)
        if request.action is Action.KILL:
            self._obey(request)
        elif refusal:
            self._answer(request, refusal, outcome="refused")
        elif request.action is not Action.LEARNING_RATE:
            self._paused = False

    def _pause(self, request: Request) -> None:
        self._paused = True
        self._answer(request, "Paused between two batches.")

    def _resume(self, request: Request) -> None:
        self._paused = False
        self._answer(request, "Training goes on.")

    def _stop_after_batch(self, request: Request) -> None:
        self._session.stop_requested = True
        self._model.stop_training = True
        self._answer(request, "Stopping after this batch.")

    def _stop_after_epoch(self, request: Request) -> None:
        self._session.stop_requested = True
        self._stops_after_epoch = True
        self._paused = False
        self._answer(request, "Stopping after this epoch.")

    def _kill(self, request: Request) -> None:
        self._answer(request, "Killed.")
        self._session.writer.status(State.STOPPED, "Killed on request.", exit_code=128 + signal.SIGKILL)
        kill_process_group(os.getpid())

    def _measure(self, request: Request) -> None:
        if not self._session.budget.enabled:
            self._answer(request, "Nothing is measured: probes are off in this run.", outcome="refused")
            return
        self.measure_now = True
        self._answer(request, "Measuring when training goes on." if self._paused else "Measuring now.")

    def _note(self, request: Request) -> None:
        self._session.writer.event(NoteTaken(id=request.id, text=str(request.value or ""), **self._place))

    def _set_learning_rate(self, request: Request) -> None:
        optimizer = self._model.optimizer
        schedule = learning_rate_schedule(optimizer)
        if schedule is not None:
            name = type(schedule).__name__
            self._answer(
                request, f"The learning rate follows {name}, which would overwrite {request.value}.", outcome="refused"
            )
            return
        was = float(optimizer.learning_rate)
        optimizer.learning_rate = float(request.value or 0.0)
        self._answer(request, " ".join((f"Learning rate {request.value:g}, was {was:g}.", *self._warnings)))

    def _answer(self, request: Request, text: str, *, outcome: str = "done") -> None:
        self._session.writer.event(
            RequestAcknowledged(id=request.id, request=request.action, outcome=outcome, text=text, **self._place)
        )


_OBEY: Mapping[Action, Callable[[Steering, Request], None]] = {
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
        names = [base.__name__ for base in type(callback).__mro__]
        warnings += [f"{name} among the callbacks {does}." for name, does in _OVERWRITERS.items() if name in names]
    return tuple(warnings)
