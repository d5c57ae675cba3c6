"""Logging from a loop of one's own, whatever the framework: `log_batch`, `log_epoch` and `start_loop`."""

import atexit
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from tui_monitor.run_log.events.notifications import AlertRaised
from tui_monitor.run_log.format.error_text import in_a_line, in_words
from tui_monitor.run_log.format.layout import State
from tui_monitor.training.backends.shared_names import run_as_python
from tui_monitor.training.guard import attempt, tell
from tui_monitor.training.loops.loop_requests import LoopRequests
from tui_monitor.training.loops.own_loop import LoggedBatch, OwnLoop, Plan
from tui_monitor.training.loops.values import named_numbers, whole_number
from tui_monitor.training.record.open_run import open_run
from tui_monitor.training.record.session import Session, is_any_fit_recorded

Metrics = Mapping[str, Any] | None
"""Metric names to numbers, or to arrays or tensors that hold one."""

_IN_A_FIT = (
    "log_batch and log_epoch record nothing while a fit is recorded: its batches and epochs are recorded already."
)


@run_as_python
def log_batch(
    metrics: Metrics = None,
    /,
    *,
    epoch: int | None = None,
    step: int | None = None,
    size: int | None = None,
    **values: Any,
) -> None:
    """Record a batch of a loop of one's own: its losses and whatever else has a value for it.

    Every metric belongs into the loop's first batch. Nothing given here can fail the script: what can't be recorded is
    said in the run, once.

    Args:
        metrics: names to values, for names that are no identifiers or are taken here.
        epoch: of the batch, as the script counts them, from 0 or from 1; a new number ends the epoch before.
        step: of the batch, as the script counts them. Calls with the same step are one batch.
        size: samples in the batch. Epoch means count batches by it where all of them tell it.
        values: names to values, such as `loss=loss, d_loss=d, g_loss=g`.

    Raises:
        KeyboardInterrupt: somebody asked for the run to be stopped, from the screen or by `tui-monitor stop`.
    """
    _log.batch(metrics, values, epoch, step, size)


@run_as_python
def log_epoch(metrics: Metrics = None, /, *, epoch: int | None = None, **values: Any) -> None:
    """Record the end of an epoch of a loop of one's own; values of validation are named `val_…`.

    A metric of its batches that is not given here gets their mean. Nothing given here can fail the script.

    Args:
        metrics: names to values, as for `log_batch`.
        epoch: as the script counts them, from 0 or from 1; by default the one under way.
        values: names to values, such as `val_loss=loss, val_accuracy=accuracy`.

    Raises:
        KeyboardInterrupt: as for `log_batch`.
    """
    _log.epoch(metrics, values, epoch)


@run_as_python
def start_loop(
    title: str = "",
    *,
    epochs: int | None = None,
    steps_per_epoch: int | None = None,
    name: str | None = None,
    runs: str | None = None,
) -> None:
    """Begin another loop of one's own in this process's run, such as the next fold; without it the first log does.

    Args:
        title: what is trained, such as `GAN` or `fold 2`.
        epochs: planned, for the progress and the time left.
        steps_per_epoch: batches planned in each, likewise.
        name: of the run, where one is opened; see `open_run`.
        runs: folder of the runs, likewise.
    """
    _log.start(Plan(str(title), whole_number(epochs), whole_number(steps_per_epoch) or None), name, runs)


class _Log:
    """The loop that this process logs; all calls come one after the other, whatever threads they come from."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._loop: OwnLoop | None = None
        self._plan = Plan()
        self._session: Session | None = None
        self._requests: LoopRequests | None = None
        self._is_off = False
        """Whether no run could be opened, or recording failed."""
        self._said: set[str] = set()

    def start(self, plan: Plan, name: str | None, runs: str | None) -> None:
        """Have what is logged next begin a new loop."""

        def start() -> None:
            if self._opened(name, runs) is not None:
                self._rest()
                self._loop, self._plan = None, plan

        self._attempt(start)

    def batch(self, metrics: Any, values: Mapping[str, Any], epoch: Any, step: Any, size: Any) -> None:
        """Take what a call says of a batch."""

        def batch() -> None:
            loop = self._loop_under_way()
            numbers = self._numbers(metrics, values) if loop is not None else {}
            # A function that is being traced calls this with values that are none yet.
            if loop is not None and numbers:
                seconds = loop.batch(LoggedBatch(numbers, whole_number(size), whole_number(epoch), whole_number(step)))
                self._apply_requests(lambda requests: requests.batch_ended(loop.epoch, loop.batches, seconds))

        self._attempt(batch)

    def epoch(self, metrics: Any, values: Mapping[str, Any], epoch: Any) -> None:
        """Take the end of an epoch."""

        def end() -> None:
            loop = self._loop_under_way()
            if loop is not None:
                ended = loop.epoch
                loop.epoch_ended(self._numbers(metrics, values), whole_number(epoch))
                self._apply_requests(lambda requests: requests.epoch_ended(ended, 0))

        self._attempt(end)

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            with self._lock:
                if not self._is_off:
                    action()
        except Exception as error:  # training must go on
            tell(self._failed, error)

    def _failed(self, error: Exception) -> None:
        self._is_off = True
        text = f"log_batch and log_epoch record nothing from now on ({in_a_line(error)})."
        if self._session is not None:
            self._session.writer.event(AlertRaised(text=f"{text} Training goes on."))
        else:
            print(f"tui-monitor: {text}", file=sys.stderr)

    def _opened(self, name: str | None = None, runs: str | None = None) -> Session | None:
        """Return the session that records, opening a run where there is none; None in a fork of its process."""
        if self._session is None:
            self._session = session = open_run(name, runs)
            self._requests = LoopRequests(session)
            session.before_fit = self._rest
            session.logs_loops = True
            atexit.register(self._end, session)
        return self._session if self._session.is_here() else None

    def _loop_under_way(self) -> OwnLoop | None:
        session = self._opened()
        if session is None:
            return None
        if is_any_fit_recorded():
            self._say(_IN_A_FIT)
            return None
        if self._loop is None or self._loop.is_over:
            if self._loop is not None:
                self._plan = Plan()
            self._loop = OwnLoop(session, self._plan, self._say)
        return self._loop

    def _numbers(self, metrics: Any, values: Mapping[str, Any]) -> dict[str, float]:
        if metrics is not None and not isinstance(metrics, Mapping):
            self._say(f"A {type(metrics).__name__} can't be logged: give metrics by name, such as loss=0.5.")
            metrics = None
        numbers, refused = named_numbers({**(metrics or {}), **values})
        for name in refused:
            self._say(f"{name} can't be recorded: what was logged is not one number, or has no value yet.")
        return numbers

    def _apply_requests(self, apply: Callable[[LoopRequests], None]) -> None:
        if self._requests is not None:
            apply(self._requests)

    def _say(self, text: str) -> None:
        if text not in self._said and self._session is not None:
            self._said.add(text)
            self._session.writer.event(AlertRaised(text=text))

    def _rest(self) -> None:
        if self._loop is not None:
            attempt(self._failed, self._loop.rest, otherwise=None)

    def _end(self, session: Session) -> None:
        """Write at the process's end what still waits, and how the run ended where nobody else does."""
        if not session.is_here():
            return
        self._rest()
        if session.ends_with_fit and self._loop is not None:
            error = getattr(sys, "last_value", None) if "IPython" not in sys.modules else None
            if error is not None:
                session.writer.status(State.FAILED, in_words(error))
            else:
                session.writer.status(State.STOPPED if session.stop_requested else State.FINISHED)


_log = _Log()
