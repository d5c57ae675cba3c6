"""What a run's events change in its entry: a fold that can be taken up where it ended.

A table reads thousands of runs at its first look. So lines are told apart by how they begin, those of an epoch are
decoded without what an entry has no use for, and the values of successive epochs are looked at a metric at a time.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Annotated, Any

import msgspec

from tui_monitor.metric_names import VALIDATION_PREFIX, is_better, is_higher_better
from tui_monitor.run_log.events.progress import EpochBegan, EpochEnded, StatusChanged
from tui_monitor.run_log.format.canonical_metrics import canonical_names
from tui_monitor.run_log.format.layout import LARGEST_COUNT
from tui_monitor.run_log.format.strict_json import number, whole
from tui_monitor.run_log.runs.entry import Best, RunEntry, Trace

_MOST_METRICS = 24
_LONGEST_LINE = 2**20


def _beginnings(kind: str) -> tuple[bytes, bytes]:
    return f'{{"kind":"{kind}"'.encode(), f'{{"kind": "{kind}"'.encode()


_EPOCH, _STATUS, _BEGUN = map(_beginnings, (EpochEnded.kind, StatusChanged.kind, EpochBegan.kind))
_ANY = (b'{"kind":"', b'{"kind": "')


class _Line(msgspec.Struct, gc=False):
    """The fields of a line that an entry needs, unchecked; the others are passed over."""

    kind: Any = None
    time: Any = None
    phase: Any = None
    epoch: Any = None
    logs: Any = None
    state: Any = None
    detail: Any = None
    exit_code: Any = None


_Count = Annotated[int, msgspec.Meta(ge=-LARGEST_COUNT, le=LARGEST_COUNT)]


class _Epoch(msgspec.Struct, gc=False):
    """The same of an epoch that ended, as it mostly is: each of its values a number."""

    epoch: _Count
    logs: dict[str, float]
    phase: _Count | None = None


_LINE, _ORDINARY = msgspec.json.Decoder(_Line), msgspec.json.Decoder(_Epoch)
_FIELDS = _Line.__struct_fields__
_REFUSED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


@dataclass
class _Sorted:
    """Lines by what they tell, each with its index."""

    statuses: list[bytes] = field(default_factory=list)
    epochs: list[tuple[int, bytes]] = field(default_factory=list)
    begun: list[tuple[int, bytes]] = field(default_factory=list)


def changes(entry: RunEntry, content: bytes) -> dict[str, Any]:
    """Return the fields of an entry that further events give another value.

    Args:
        entry: as it stands.
        content: whole lines of `events.jsonl` behind those that the entry knows.
    """
    lines = content.split(b"\n")
    found = _sorted(lines)
    epoch, at, changed = entry.epoch, -1, {}
    ended = _epochs(found.epochs)
    if ended:
        at, newest = ended[-1]
        epoch = newest.epoch
        changed = _of_epochs(entry, [line for _, line in ended])
    for index, raw in reversed(found.begun):
        if index < at:
            break
        if (line := _line(raw)) and (begun := whole(line.epoch)) is not None:
            epoch = begun
            break
    return {**changed, **_of_status(found.statuses), "epoch": epoch, "seconds": _newest_time(lines, entry.seconds)}


def _sorted(lines: Sequence[bytes]) -> _Sorted:
    found = _Sorted()
    for index, line in enumerate(lines):
        if line.startswith(_EPOCH):
            found.epochs.append((index, line))
        elif line.startswith(_STATUS):
            found.statuses.append(line)
        elif line.startswith(_BEGUN):
            found.begun.append((index, line))
        elif not line.startswith(_ANY):
            _sort_unusual(index, line, found)
    return found


def _sort_unusual(index: int, line: bytes, found: _Sorted) -> None:
    """Sort in a line that does not begin as this program writes them."""
    if b'"epoch' not in line and b'"status"' not in line:
        return
    parsed = _line(line)
    match parsed.kind if parsed is not None else None:
        case EpochEnded.kind:
            found.epochs.append((index, line))
        case EpochBegan.kind:
            found.begun.append((index, line))
        case StatusChanged.kind:
            found.statuses.append(line)


def _epochs(lines: Sequence[tuple[int, bytes]]) -> Sequence[tuple[int, _Epoch]]:
    """Return epochs that ended, each with the index of its line; what says no epoch is left out.

    They are decoded in one call where that gives one for each line.
    """
    try:
        decoded = _ORDINARY.decode_lines(b"\n".join([line for _, line in lines]))
    except _REFUSED:
        decoded = []
    if len(decoded) == len(lines):
        return [(index, epoch) for (index, _), epoch in zip(lines, decoded, strict=True)]
    read = ((index, _unusual_epoch(line)) for index, line in lines)
    return [(index, epoch) for index, epoch in read if epoch is not None]


def _unusual_epoch(raw: bytes) -> _Epoch | None:
    """Return the epoch of a line that is damaged, or holds a value that is not a finite number."""
    line = _line(raw)
    epoch = whole(line.epoch) if line is not None else None
    return None if line is None or epoch is None else _Epoch(epoch, _numbers(line.logs), whole(line.phase))


def _line(raw: bytes) -> _Line | None:
    if len(raw) > _LONGEST_LINE:
        return None
    try:
        return _LINE.decode(raw)
    except _REFUSED:
        # Stricter, and five times as fast: what it refuses may still be read.
        return _leniently(raw)


def _leniently(raw: bytes) -> _Line | None:
    try:
        content: Any = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return _Line(**{name: content.get(name) for name in _FIELDS}) if isinstance(content, dict) else None


def _of_status(lines: Sequence[bytes]) -> Mapping[str, Any]:
    for raw in reversed(lines):
        line = _line(raw)
        told = {"state": line.state, "detail": line.detail, "exit_code": line.exit_code} if line is not None else {}
        status = StatusChanged.read(told)
        if status is not None:
            state = status.state
            return {"last_word": state, "state": state, "detail": status.detail, "exit_code": status.exit_code}
    return {}


def _newest_time(lines: Sequence[bytes], before: float) -> float:
    for raw in reversed(lines[-4:]):
        line = _line(raw) if raw else None
        seconds = number(line.time) if line is not None else None
        if seconds is not None and math.isfinite(seconds):
            return max(before, seconds)
    return before


def _of_epochs(entry: RunEntry, lines: Sequence[_Epoch]) -> dict[str, Any]:
    """Return what epochs that ended change; those of a fit before the last one count no more."""
    fit, first, best, trace = entry.fit, 0, dict(entry.best), entry.trace
    for index, line in enumerate(lines):
        of = line.phase or fit
        if of != fit:
            # Values of another model, or on other data: they can't be compared.
            fit, first, best, trace = of, index, {}, Trace()
    epochs, logs = [line.epoch for line in lines[first:]], [line.logs for line in lines[first:]]
    at, names = 0, {}
    for spelt, group in groupby(logs, key=tuple):
        rows = [tuple(values.values()) for values in group]
        names = canonical_names(spelt)
        columns = {names[name]: column for name, column in zip(spelt, zip(*rows, strict=True), strict=True)}
        _improve(best, columns, epochs[at : at + len(rows)])
        metric = next((name for name in (VALIDATION_PREFIX + "loss", "loss") if name in columns), None)
        if metric is not None:
            trace = trace.added(metric, columns[metric])
        at += len(rows)
    values = {names[name]: value for name, value in logs[-1].items()}
    return {"fit": fit, "values": values, "best": best, "trace": trace}


def _numbers(logs: Any) -> dict[str, float]:
    if not isinstance(logs, dict):
        return {}
    return {name: found for name, value in logs.items() if (found := number(value)) is not None}


def _improve(best: dict[str, Best], columns: Mapping[str, Sequence[float]], epochs: Sequence[int]) -> None:
    """Put the best finite value of each metric in, where it is better than the one that is known.

    Args:
        best: of each metric; new ones come in the order in which they had a finite value first.
        columns: the metrics' values.
        epochs: of which the values are.
    """
    fresh: list[tuple[int, str, Best]] = []
    for name, column in columns.items():
        finite = column if math.isfinite(sum(column)) else [value for value in column if math.isfinite(value)]
        if not finite:
            continue
        value = max(finite) if is_higher_better(name) else min(finite)
        found, known = Best(value, epochs[column.index(value)]), best.get(name)
        if known is None:
            fresh.append((column.index(finite[0]), name, found))
        elif is_better(name, value, known.value):
            best[name] = found
    fresh.sort(key=lambda entry: entry[0])
    best.update({name: found for _, name, found in fresh[: _MOST_METRICS - len(best)]})
