"""The workers of one training: how far each is, when it last stirred, and who holds up whom."""

from collections.abc import Iterable

from tui_monitor.history.snapshot import Snapshot, WorkerSnapshot
from tui_monitor.history.state.workers import hold_up
from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.workers import named_ranks
from tui_monitor.units import count, duration
from tui_monitor.view.panels.resource_usage import cpu_words, memory_words
from tui_monitor.view.text.rows import BLANK, Row, Rows, left, plain, right, wrap

_WORKER, _NUMBER, _HOST = 9, 9, 18
_STATE = 12
_SYSTEM = 22
_HOLDS = "▲"
"""Mark of the worker that holds up the others."""


def header_note(snapshot: Snapshot) -> tuple[str, str]:
    """Return what the header says of several workers: how many there are, and which are lost; both may be empty."""
    if not snapshot.workers:
        return "", ""
    lost = [worker.rank for worker in snapshot.workers if worker.rank and worker.state is State.LOST]
    return f"{_expected(snapshot)} workers", f"{named_ranks(lost)} lost" if lost else ""


def workers_note(snapshot: Snapshot) -> str:
    """Return how many there are, for the title row, and that a replay does not turn them back."""
    playback = snapshot.playback
    is_past = playback is not None and playback.position < playback.end
    notes = (*header_note(snapshot), "as at the end of the run" if is_past else "")
    return " · ".join(note for note in notes if note)


def workers_rows(snapshot: Snapshot, width: int) -> Rows:
    """Return a table with a row for each worker, then what is to be said of them, in sentences.

    Args:
        snapshot: of a training on several workers.
        width: cells a row.
    """
    wide = width >= _WORKER + _STATE + _HOST + 6 * _NUMBER
    widest = wide and width >= _WORKER + _STATE + _HOST + 6 * _NUMBER + _SYSTEM
    used = widest and any(worker.system for worker in snapshot.workers)
    held = hold_up(snapshot.workers)
    rows = [(*_head(wide=wide), *((right("uses", _SYSTEM, "muted"),) if used else ()))]
    front = max((worker.batches for worker in snapshot.workers), default=0)
    holder = held.rank if held is not None else None
    for worker in snapshot.workers:
        row = _row(worker, front, wide=wide, holds=worker.rank == holder)
        rows.append((*row, right(_used(worker), _SYSTEM)) if used else row)
    rows.append(BLANK)
    for sentence, style in _sentences(snapshot):
        rows += wrap(sentence, width, style, indent="  ")
    return tuple(rows)


def _head(*, wide: bool) -> Row:
    names = ["batches", "a second", "behind", "heartbeat"]
    times = ["fetches", "computes"] if wide else []
    return (
        left("worker", _WORKER, "muted"),
        *((left("state", _STATE, "muted"), left("host", _HOST, "muted")) if wide else ()),
        *(right(name, _NUMBER, "muted") for name in (*names, *times, "waits")),
    )


def _row(worker: WorkerSnapshot, front: int, *, wide: bool, holds: bool) -> Row:
    lost = worker.state is State.LOST
    age = worker.heartbeat_age
    numbers = [
        count(worker.batches),
        "–" if worker.batches_per_second is None else f"{worker.batches_per_second:.1f}",
        count(front - worker.batches),
        worker.state.value if worker.state.ended else "–" if age is None else f"{duration(age)} ago",
    ]
    step_times = worker.step_times
    times = [None] * 3 if step_times is None else [step_times.fetching, step_times.computing, step_times.waiting]
    shown = times if wide else times[2:]
    return (
        left(f"{worker.rank}{f' {_HOLDS}' if holds else ''}", _WORKER, "alert" if lost else "strong"),
        *(
            (left(worker.state.value, _STATE, "alert" if lost else ""), left(plain(worker.host), _HOST, "muted"))
            if wide
            else ()
        ),
        *(right(number, _NUMBER, "alert" if lost else "") for number in numbers),
        *(right("–" if time is None else _milliseconds(time), _NUMBER) for time in shown),
    )


def _used(worker: WorkerSnapshot) -> str:
    known = None if worker.state.ended else worker.system
    return " · ".join(filter(None, (cpu_words(known), memory_words(known)))) or "–"


def _sentences(snapshot: Snapshot) -> Iterable[tuple[str, str]]:
    """Yield what is to be said, each with its style, the most urgent first."""
    workers = snapshot.workers
    for worker in workers:
        if worker.state is State.LOST:
            yield f"Worker {worker.rank} is lost: {worker.detail} The others wait for it, or fail.", "alert"
    expected = _expected(snapshot)
    absent = sorted(set(range(expected)) - {worker.rank for worker in workers})
    if absent:
        has, it = ("has", "it is") if len(absent) == 1 else ("have", "they are")
        who = named_ranks(absent).capitalize()
        yield (
            f"{who} {has} no records in this folder: {it} not recorded, or on another disk.",
            "caution",
        )
    yield _hold_up_sentence(workers), ""
    if snapshot.covered < expected:
        yield "Batch values are of worker 0's part of each batch alone; an epoch's are of all workers.", "caution"
    else:
        yield f"Batch values are of whole batches, put together from the {expected} workers' parts.", "muted"
    yield "Times are a batch's: to fetch its data, callbacks included, to compute, and to wait for the others.", "muted"


def _hold_up_sentence(workers: tuple[WorkerSnapshot, ...]) -> str:
    held = hold_up(workers)
    if held is None:
        known = sum(worker.step_times is not None for worker in workers)
        return "No worker holds up the others." if known > 1 else "Who holds up whom is not known yet."
    why = [
        f"{_milliseconds(seconds)} more {doing}"
        for seconds, doing in ((held.fetching, "to fetch its data, callbacks included"), (held.computing, "to compute"))
        if seconds > 0.2 * held.seconds
    ]
    takes = f": it takes {' and '.join(why)}" if why else ""
    return f"{_HOLDS} Worker {held.rank} holds up the others by {_milliseconds(held.seconds)} a batch{takes}."


def _milliseconds(seconds: float) -> str:
    return (
        f"{seconds * 1000:.1f} ms"
        if seconds < 0.01
        else f"{seconds * 1000:.0f} ms"
        if seconds < 10
        else duration(seconds)
    )


def _expected(snapshot: Snapshot) -> int:
    worker = snapshot.run.worker
    return worker.workers if worker is not None else len(snapshot.workers)
