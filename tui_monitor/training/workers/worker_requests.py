"""Has every worker apply a control request after the same batch: one that stopped alone would leave the others waiting.

The chief sends it between two batches and waits there; no other worker can finish the next batch without the chief.
So either all acknowledge the request in time and apply it after that batch, or none does.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import msgspec

from tui_monitor.run_log.format.replace_file import replace_file
from tui_monitor.run_log.runs.control import Action, ControlRequest
from tui_monitor.run_log.runs.process import kill_process_group
from tui_monitor.run_log.runs.workers import WORKERS_FOLDER, named_ranks, rank_folders, run_of
from tui_monitor.run_log.write.writer import RunWriter

ACKNOWLEDGE_SECONDS = 20.0
"""How long the chief holds the training for the others' acknowledgements before it withdraws a request."""
_TICK_SECONDS = 0.2
_REQUEST_FILE, _SEEN_FILE = "order.json", "order-seen"

FOR_ALL_WORKERS = frozenset({Action.STOP_BATCH, Action.STOP_EPOCH, Action.LEARNING_RATE, Action.KILL})
"""Requests that every worker must apply. The rest concern the chief alone: all others wait when it pauses."""


class _Decision(StrEnum):
    SENT = "asked"
    GIVEN = "given"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class _SharedRequest:
    id: str
    action: Action
    value: float | str | None
    fit: int
    after: int
    """Batches of the `fit` after which to apply it."""
    decision: _Decision = _Decision.SENT


class WorkerRequests:
    """The control requests to all workers in one `fit`, as one worker sends or receives them."""

    def __init__(self, writer: RunWriter) -> None:
        """Listen to nothing yet.

        Args:
            writer: of this worker's own records; says which worker it is.
        """
        self._writer = writer
        self._rank = writer.info.worker.rank if writer.info.worker else 0
        self._workers = writer.info.worker.workers if writer.info.worker else 1
        self._run = run_of(writer.folder)
        self._file = self._run / WORKERS_FOLDER / _REQUEST_FILE
        self._pending: _SharedRequest | None = None
        self._known = ""
        self._ended = threading.Event()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Acknowledge the chief's requests inside the block, in another thread: training's own waits in the step."""
        if self._rank == 0:
            yield
            return
        shared = self._read()
        # The file still holds the newest request of an earlier fit, which nobody is to apply again.
        self._known = shared.id if shared is not None else ""
        self._ended.clear()
        thread = threading.Thread(target=self._listen, name="worker-requests", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()

    def stop_listening(self) -> None:
        """Acknowledge nothing more: nobody counts this worker's batches any more."""
        self._ended.set()

    def send(self, request: ControlRequest, batches: int) -> str:
        """Have all workers apply a request after the next batch; return why they can't, or an empty string.

        Args:
            request: the one sent to the run.
            batches: of this `fit` that have ended; the chief stands between two.
        """
        others = rank_folders(self._run)
        absent = [rank for rank in range(1, self._workers) if rank not in others]
        if absent:
            return f"{_have(absent)} not recorded in this folder and can't be reached: nothing was done."
        shared = _SharedRequest(request.id, request.action, request.value, len(self._writer.info.fits), batches + 1)
        self._write(shared)
        deadline = time.monotonic() + ACKNOWLEDGE_SECONDS
        while silent := [rank for rank, folder in others.items() if _seen(folder) != shared.id]:
            if time.monotonic() >= deadline:
                self._write(replace(shared, decision=_Decision.WITHDRAWN))
                return f"{_have(silent)} not acknowledged it in {ACKNOWLEDGE_SECONDS:.0f} seconds: nothing was done."
            time.sleep(_TICK_SECONDS / 4)
        self._pending = replace(shared, decision=_Decision.GIVEN)
        # Before the chief's next batch, without which no other worker can finish the one in question.
        self._write(self._pending)
        return ""

    def due(self, batches: int) -> ControlRequest | None:
        """Return the request to apply now, once.

        Args:
            batches: of this `fit` that have ended.
        """
        shared = self._pending
        if shared is None or batches < shared.after:
            return None
        self._pending = None
        deadline = time.monotonic() + ACKNOWLEDGE_SECONDS
        while shared.decision is _Decision.SENT and time.monotonic() < deadline:
            # The chief has decided before it took part in this batch; a shared disk may show it late.
            decided = self._read()
            shared = decided if decided is not None and decided.id == shared.id else shared
            if shared.decision is _Decision.SENT:
                time.sleep(_TICK_SECONDS / 4)
        given = shared.decision is _Decision.GIVEN
        return ControlRequest(shared.id, shared.action, shared.value, sender="worker 0") if given else None

    def _listen(self) -> None:
        while not self._ended.wait(_TICK_SECONDS):
            shared = self._read()
            if shared is None or shared.id == self._known:
                continue
            self._known = shared.id
            if shared.fit != len(self._writer.info.fits) or shared.decision is not _Decision.SENT:
                continue
            # Set before it is acknowledged: once the chief reads that, the batch after which it is due may end.
            self._pending = shared
            # Not written, the chief waits in vain and withdraws the request, so that no worker applies it.
            with suppress(OSError):
                replace_file(self._writer.folder / _SEEN_FILE, shared.id.encode())
            # Here and not after a batch: the training thread may wait in a step for a worker that is gone.
            if shared.action is Action.KILL:
                kill_process_group(os.getpid())

    def _read(self) -> _SharedRequest | None:
        with suppress(OSError, msgspec.MsgspecError):
            return msgspec.json.decode(self._file.read_bytes(), type=_SharedRequest)
        return None

    def _write(self, shared: _SharedRequest) -> None:
        replace_file(self._file, msgspec.json.encode(shared))


def _seen(folder: Path) -> str:
    try:
        return (folder / _SEEN_FILE).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _have(ranks: list[int]) -> str:
    return f"{named_ranks(ranks).capitalize()} {'has' if len(ranks) == 1 else 'have'}"
