"""Has every worker do the same thing after the same batch: one that stopped alone would leave the others waiting.

The chief asks between two batches and holds there. The others can't finish the next batch without it, so once each
has said that it knows, all of them carry the order out after that batch, or none does.
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
from tui_monitor.run_log.runs.control import Action, Request
from tui_monitor.run_log.runs.process import kill_process_group
from tui_monitor.run_log.runs.workers import WORKERS_FOLDER, named_ranks, rank_folders, run_of
from tui_monitor.run_log.write.writer import RunWriter

ANSWER_SECONDS = 20.0
"""How long the chief holds the training for the others' answers before it takes an order back."""
_LOOK_SECONDS = 0.2
_ORDER_FILE, _SEEN_FILE = "order.json", "order-seen"

ORDERED = frozenset({Action.STOP_BATCH, Action.STOP_EPOCH, Action.LEARNING_RATE, Action.KILL})
"""Requests that every worker must obey; the others concern the chief alone, or hold all by holding it."""


class _Decision(StrEnum):
    ASKED = "asked"
    GIVEN = "given"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class _Order:
    id: str
    action: Action
    value: float | str | None
    fit: int
    after: int
    """Batches of the `fit` after which to obey."""
    decision: _Decision = _Decision.ASKED


class WorkerOrders:
    """The orders of one `fit`, as one worker gives or gets them."""

    def __init__(self, writer: RunWriter) -> None:
        """Listen to nothing yet.

        Args:
            writer: of this worker's own records; says which worker it is.
        """
        self._writer = writer
        self._rank = writer.info.worker.rank if writer.info.worker else 0
        self._workers = writer.info.worker.workers if writer.info.worker else 1
        self._run = run_of(writer.folder)
        self._file = self._run / WORKERS_FOLDER / _ORDER_FILE
        self._pending: _Order | None = None
        self._known = ""
        self._ended = threading.Event()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Answer the chief inside the block, from a thread of its own: the training's waits in the step."""
        if self._rank == 0:
            yield
            return
        order = self._read()
        self._known = order.id if order is not None else ""
        self._ended.clear()
        thread = threading.Thread(target=self._listen, name="worker-orders", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()

    def stop_listening(self) -> None:
        """Give no more answers: nobody counts this worker's batches any more."""
        self._ended.set()

    def give(self, request: Request, batches: int) -> str:
        """Order all workers to obey a request after the next batch; return why that can't be, or nothing.

        Args:
            request: what was asked of the run.
            batches: of this `fit` that have ended; the chief stands between two.
        """
        others = rank_folders(self._run)
        absent = [rank for rank in range(1, self._workers) if rank not in others]
        if absent:
            return f"{_have(absent)} not recorded in this folder and can't be asked: nothing was done."
        order = _Order(request.id, request.action, request.value, len(self._writer.info.fits), batches + 1)
        self._write(order)
        deadline = time.monotonic() + ANSWER_SECONDS
        while silent := [rank for rank, folder in others.items() if _seen(folder) != order.id]:
            if time.monotonic() >= deadline:
                self._write(replace(order, decision=_Decision.WITHDRAWN))
                return f"{_have(silent)} not answered in {ANSWER_SECONDS:.0f} seconds: nothing was done."
            time.sleep(_LOOK_SECONDS / 4)
        self._pending = replace(order, decision=_Decision.GIVEN)
        self._write(self._pending)
        return ""

    def due(self, batches: int) -> Request | None:
        """Return the request to obey now, once.

        Args:
            batches: of this `fit` that have ended.
        """
        order = self._pending
        if order is None or batches < order.after:
            return None
        self._pending = None
        deadline = time.monotonic() + ANSWER_SECONDS
        while order.decision is _Decision.ASKED and time.monotonic() < deadline:
            # The chief has decided before it took part in this batch; a shared disk may show it late.
            decided = self._read()
            order = decided if decided is not None and decided.id == order.id else order
            if order.decision is _Decision.ASKED:
                time.sleep(_LOOK_SECONDS / 4)
        given = order.decision is _Decision.GIVEN
        return Request(order.id, order.action, order.value, sender="worker 0") if given else None

    def _listen(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            order = self._read()
            if order is None or order.id == self._known:
                continue
            self._known = order.id
            if order.fit != len(self._writer.info.fits) or order.decision is not _Decision.ASKED:
                continue
            self._pending = order
            with suppress(OSError):
                replace_file(self._writer.folder / _SEEN_FILE, order.id.encode())
            if order.action is Action.KILL:
                kill_process_group(os.getpid())

    def _read(self) -> _Order | None:
        with suppress(OSError, msgspec.MsgspecError):
            return msgspec.json.decode(self._file.read_bytes(), type=_Order)
        return None

    def _write(self, order: _Order) -> None:
        replace_file(self._file, msgspec.json.encode(order))


def _seen(folder: Path) -> str:
    try:
        return (folder / _SEEN_FILE).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _have(ranks: list[int]) -> str:
    return f"{named_ranks(ranks).capitalize()} {'has' if len(ranks) == 1 else 'have'}"
