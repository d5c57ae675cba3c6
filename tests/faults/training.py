"""A training without a model: it uses the real writer and the real requests, batch after batch, in its own process."""

import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from tui_monitor.run_log.events.notifications import RequestAcknowledged
from tui_monitor.run_log.events.progress import EpochBegan, EpochEnded
from tui_monitor.run_log.format.layout import RunInfo, State
from tui_monitor.run_log.runs.control import Action, receive_requests
from tui_monitor.run_log.write.writer import RunWriter

BATCHES = 40
"""Batches in an epoch."""
_FOREVER = 2**31

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.faults.training"])


def train(
    folder: Path,
    told: Connection,
    *,
    epochs: int = _FOREVER,
    seconds_a_batch: float = 0.0,
    before_batch: Callable[[int], None] | None = None,
    metrics: tuple[str, ...] = ("loss", "accuracy"),
) -> None:
    """Record epochs of batches whose loss counts them, and tell each record once its write has returned.

    Args:
        folder: of the run.
        told: gets `b` for a batch, `e` for an event and `l` for a batch that could not be recorded.
        epochs: to train.
        seconds_a_batch: time between batches.
        before_batch: does harm from inside; called with the number of batches before.
        metrics: names of two metrics.
    """
    info = RunInfo(name=folder.name, host=socket.gethostname(), pid=os.getpid())
    with RunWriter(folder, info, heartbeat_seconds=0.1) as writer:
        writer.begin_fit(metrics, epochs=min(epochs, 1000), steps_per_epoch=BATCHES)
        writer.status(State.TRAINING)
        state, number, lost = State.FINISHED, 0, 0
        for epoch in range(1, epochs + 1):
            writer.event(EpochBegan(epoch=epoch))
            for _ in range(BATCHES):
                if before_batch is not None:
                    before_batch(number)
                number += 1
                writer.batch(epoch, 1, (number, 0.5))
                os.write(told.fileno(), b"b" if writer.lost_batches == lost else b"l")
                lost = writer.lost_batches
                for request in receive_requests(folder):
                    writer.event(RequestAcknowledged("done", str(request.value or "done"), request.id, request.action))
                    if request.action is Action.STOP_BATCH:
                        state = State.STOPPED
                if seconds_a_batch:
                    time.sleep(seconds_a_batch)
                if state is State.STOPPED:
                    break
            writer.event(EpochEnded(epoch=epoch, batches=BATCHES, logs=dict.fromkeys(metrics, 1 / epoch)))
            os.write(told.fileno(), b"e")
            if state is State.STOPPED:
                break
        writer.status(state, exit_code=0)


class Training:
    """A training in a process of its own, cheap to start: it is forked from one that has imported everything."""

    def __init__(self, folder: Path, harm: str = "", **options: object) -> None:
        """Start training.

        Args:
            folder: of the run.
            harm: name of a fault from inside, of `tests.faults.harm`.
            options: of `train`.
        """
        self.folder = folder
        self._reading, writing = _context.Pipe(duplex=False)
        self.process: BaseProcess = _context.Process(target=_main, args=(folder, writing, harm, options), daemon=True)
        self.process.start()
        writing.close()
        self._told = b""
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        with suppress(OSError):
            while told := os.read(self._reading.fileno(), 4096):
                self._told += told

    @property
    def batches(self) -> int:
        """Batches recorded so far."""
        return self._told.count(b"b")

    @property
    def lost(self) -> int:
        """Batches that could not be recorded."""
        return self._told.count(b"l")

    @property
    def epochs(self) -> int:
        """Epochs recorded so far."""
        return self._told.count(b"e")

    def wait_for(self, batches: int) -> None:
        """Return once so many batches more have ended, recorded or not."""
        goal = self.batches + self.lost + batches
        wait_until(lambda: self.batches + self.lost >= goal)

    def end(self, seconds: float = 30) -> bool:
        """Wait for the end; return whether the training ended by itself."""
        self.process.join(seconds)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        self._thread.join(10)
        return self.process.exitcode == 0


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Return once a condition holds.

    Raises:
        AssertionError: it did not in that time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.005)


def _main(folder: Path, told: Connection, harm: str, options: dict[str, object]) -> None:
    from tests.faults import harm as harms

    before = getattr(harms, harm)() if harm else None
    train(folder, told, before_batch=before, **options)  # type: ignore[arg-type]
