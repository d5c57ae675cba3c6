"""`History.history` kept as JSON or NumPy arrays: lists of figures by metric, or objects by epoch."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tui_monitor.importers.records import Ended, EpochBegan, EpochEnded, PhaseBegan, Record, Remark
from tui_monitor.run_log.format.strict_json import number

_SERIES = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:\s*\[([^\[\]{}"]*)(\])?')
_NESTED = ("history", "logs", "metrics")
_EPOCH = "epoch"


def json_records(path: Path) -> Iterator[Record]:
    """Yield what a JSON file of figures tells.

    Raises:
        OSError: the file can't be read.
    """
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError):
        rows = json_lines(text)
        if rows:
            yield from _row_records(rows)
            return
        yield Remark("The JSON is damaged: read as far as its lists of figures are whole.")
        content = {found[1]: _salvaged(found[2], is_closed=bool(found[3])) for found in _SERIES.finditer(text)}
        yield from _records(content, is_whole=False)
        return
    yield from _records(content)


def npz_records(path: Path) -> Iterator[Record]:
    """Yield what an `.npz` file of one array per metric tells; nothing in it is executed.

    Raises:
        OSError: the file can't be read.
    """
    with np.load(path, allow_pickle=False) as arrays:
        yield from _records({name: np.atleast_1d(arrays[name]).tolist() for name in arrays.files})


def json_lines(text: str) -> list[Mapping[str, Any]]:
    """Return the objects of a text with one JSON object a line; empty where it is not that."""
    rows = []
    for line in text.splitlines():
        try:
            row: Any = json.loads(line) if line.strip() else None
        except (ValueError, RecursionError):
            continue
        if isinstance(row, Mapping):
            rows.append(row)
    return rows if rows and all(_EPOCH in row for row in rows) else []


def is_history(content: Any) -> bool:
    """Return whether parsed JSON holds figures in a shape this module reads."""
    if isinstance(content, Mapping):
        return bool(_series(content))
    return isinstance(content, list) and bool(content) and all(isinstance(row, Mapping) for row in content)


def _records(content: Any, *, is_whole: bool = True) -> Iterator[Record]:
    if isinstance(content, list):
        yield from _row_records([row for row in content if isinstance(row, Mapping)])
        return
    series = _series(content)
    printed = [number(value) for value in series.pop(_EPOCH, [])]
    length = max(map(len, series.values()), default=0)
    places = {name: _places(name, len(values), length if is_whole else len(values)) for name, values in series.items()}
    for name, (_, every) in places.items():
        if every != 1:
            how = f"taken for every {every} epochs" if every else "taken for the first ones"
            yield Remark(f"{name} has {len(series[name])} figures for {length} epochs: {how}.", kind="note")
    rows: list[dict[str, Any]] = [{} for _ in range(length)]
    for name, values in series.items():
        for place, value in zip(places[name][0], values, strict=True):
            rows[place][name] = value
    numbers = printed if len(printed) == length else list(range(length))
    yield from _row_records([{_EPOCH: epoch, **row} for epoch, row in zip(numbers, rows, strict=True)])


def _row_records(rows: Sequence[Mapping[str, Any]]) -> Iterator[Record]:
    offset = int(any(number(row.get(_EPOCH)) == 0 for row in rows))
    last, phases, left_out = 0, 0, 0
    for index, row in enumerate(rows):
        printed = number(row.get(_EPOCH, index + 1 - offset))
        if printed is None or not math.isfinite(printed) or printed + offset < 1:
            left_out += 1
            continue
        epoch = int(printed) + offset
        if not phases or epoch <= last:
            phases += 1
            yield PhaseBegan(initial_epoch=epoch - 1)
        last = epoch
        logs = {str(name): figure for name, value in row.items() if (figure := number(value)) is not None}
        logs.pop(_EPOCH, None)
        yield EpochBegan(epoch)
        yield EpochEnded(epoch, logs)
    if left_out:
        yield Remark(f"{left_out} entries have no usable epoch number: left out.")
    yield Ended()


def _series(content: Any) -> dict[str, list[Any]]:
    """Return the lists of figures in an object, or in the one it wraps."""
    if not isinstance(content, Mapping):
        return {}
    found = {str(name): values for name, values in content.items() if _is_series(values)}
    if found:
        return found
    return next((inner for name in _NESTED if (inner := _series(content.get(name)))), {})


def _is_series(values: Any) -> bool:
    return isinstance(values, list) and bool(values) and all(v is None or number(v) is not None for v in values)


def _places(name: str, count: int, length: int) -> tuple[range, int]:
    """Return the rows that a shorter list's figures belong to, as `validation_freq` leaves them, and the step."""
    if count == length:
        return range(length), 1
    for every in range(2, length + 1):
        if length // every == count and name.startswith("val_"):
            return range(every - 1, every * count, every), every
    return range(count), 0


def _salvaged(text: str, *, is_closed: bool) -> list[float | None]:
    cells = text.split(",") if is_closed else text.split(",")[:-1]
    values: list[float | None] = []
    for cell in cells:
        try:
            values.append(float(cell))
        except ValueError:
            values.append(None)
    return values
