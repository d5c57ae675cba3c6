"""`History.history` and other objects of metrics, in every shape they are saved: rows, columns, or one of many fits."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tui_monitor.importers.records import Ended, Record, Remark
from tui_monitor.importers.tables.objects import read_objects
from tui_monitor.importers.tables.rows import Row, fit_records
from tui_monitor.run_log.format.strict_json import number

_NESTED = ("history", "logs", "metrics", "log_history", "data", "epochs", "results")
_EPOCH = re.compile(r"epochs?|epoch_num(?:ber)?", re.IGNORECASE)
_METRIC = re.compile("loss|acc", re.IGNORECASE)
_DEEPEST = 3
_OF_TRAINER = ("eval_runtime", "train_runtime", "grad_norm")
"""Names that Hugging Face's trainer alone logs."""
_DIGITS = re.compile(r"-?\d+(?:\.0)?")


@dataclass(frozen=True)
class Fit:
    """The rows of one call of `fit`."""

    rows: Sequence[Row]
    remarks: tuple[str, ...] = ()
    has_rate: bool = False
    """Whether rows hold the learning rate beside their values."""
    is_over: bool = True
    """Whether its last epoch is known to have ended."""


def object_records(path: Path) -> Iterator[Record]:
    """Yield what a file of objects tells.

    Raises:
        OSError: the file can't be read.
    """
    found = read_objects(read_text(path))
    if found is None:
        yield Ended()
        return
    if found.is_damaged:
        yield Remark("The text is damaged: read as far as its values are whole.")
    if found.skipped_lines:
        yield Remark(f"{found.skipped_lines} lines hold no object: left out.", kind="note")
    for fit in fits_of(found.contents, is_whole=not found.is_damaged):
        yield from (Remark(text, kind="note") for text in fit.remarks)
        yield from fit_records(fit.rows, is_over=fit.is_over, has_rate=fit.has_rate)
    yield Ended()


def npz_records(path: Path) -> Iterator[Record]:
    """Yield what an `.npz` file of one array per metric tells; nothing in it is executed.

    Raises:
        OSError: the file can't be read.
    """
    with np.load(path, allow_pickle=False) as arrays:
        content = {name: np.atleast_1d(arrays[name]).tolist() for name in arrays.files}
    for fit in fits_of((content,)):
        yield from (Remark(text, kind="note") for text in fit.remarks)
        yield from fit_records(fit.rows)
    yield Ended()


def read_text(path: Path) -> str:
    """Return a file's text, in UTF-8 or, where that does not fit, UTF-16 or Windows-1252."""
    content = path.read_bytes()
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def fits_of(contents: Sequence[Any], *, is_whole: bool = True) -> list[Fit]:
    """Return the fits among parsed objects: rows that follow each other are one, histories are one each."""
    rows = [content for content in contents if _is_row(content)]
    if rows and len(rows) >= len(contents) - 1 and (len(contents) > 1 or _has_epoch(rows[0])):
        held = [_flat(row) for row in rows]
        if any(name in row for row in held for name in _OF_TRAINER):
            return _trainer({"log_history": held})
        return [Fit(held, is_over=is_whole and not any(_is_step_row(row) for row in held))] if _counts(held) else []
    return [fit for content in contents for fit in _fits(content, is_whole=is_whole)]


def _fits(content: Any, *, is_whole: bool, depth: int = 0) -> list[Fit]:
    if isinstance(content, list):
        if content and all(_is_row(item) for item in content):
            return fits_of(content) if len(content) > 1 else [Fit([_flat(content[0])])]
        inner = content
    elif not isinstance(content, Mapping):
        return []
    elif isinstance(content.get("log_history"), list):
        return _trainer(content)
    else:
        held = _one_fit(content, is_whole=is_whole)
        if held is not None:
            return [held]
        nested = [content[name] for name in _NESTED if isinstance(content.get(name), Mapping | list)]
        inner = nested or [item for item in content.values() if isinstance(item, Mapping)]
    return [fit for item in inner if depth < _DEEPEST for fit in _fits(item, is_whole=is_whole, depth=depth + 1)]


def _one_fit(content: Mapping[str, Any], *, is_whole: bool) -> Fit | None:
    table = _split(content)
    if table:
        return Fit(table)
    series = _series(content)
    if any(not _EPOCH.fullmatch(name) for name in series):
        return _from_series(series, is_whole=is_whole)
    table = _indexed(content)
    return Fit(table) if table else None


def _trainer(content: Mapping[str, Any]) -> list[Fit]:
    """Return what Hugging Face's `trainer_state.json` tells."""
    rows = [_flat(row) for row in content["log_history"] if isinstance(row, Mapping)]
    kept = [
        {
            name: value
            for name, value in row.items()
            if not re.search(r"_(?:runtime|per_second)$|^total_flos$|^num_input_tokens_seen$", name)
        }
        for row in rows
        if "train_runtime" not in row
    ]
    remarks = []
    if len(kept) < len(rows):
        remarks.append("The closing summary of the whole training is no epoch: left out.")
    steps, planned = number(content.get("global_step")), number(content.get("max_steps"))
    is_over = planned is not None and planned > 0 and steps == planned
    return [Fit(kept, tuple(remarks), has_rate=True, is_over=is_over)] if kept else []


def _series(content: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the lists of values in an object, or the columns that pandas writes as objects by row number."""
    found = {str(name): values for name, values in content.items() if _is_series(values)}
    columns = {
        str(name): [values[key] for key in sorted(values, key=float)]
        for name, values in content.items()
        if isinstance(values, Mapping)
        and values
        and all(_DIGITS.fullmatch(str(key)) for key in values)
        and all(value is None or number(value) is not None for value in values.values())
        and not _DIGITS.fullmatch(str(name))
    }
    return found or columns


def _is_series(values: Any) -> bool:
    return isinstance(values, list) and bool(values) and all(v is None or number(v) is not None for v in values)


def _split(content: Mapping[str, Any]) -> list[Row]:
    """Return the rows that pandas writes with `orient="split"`."""
    columns, data = content.get("columns"), content.get("data")
    if not isinstance(columns, list) or not isinstance(data, list):
        return []
    return [dict(zip(map(str, columns), row, strict=False)) for row in data if isinstance(row, list)]


def _indexed(content: Mapping[str, Any]) -> list[Row]:
    """Return the rows that pandas writes with `orient="index"`."""
    if not content or not all(_DIGITS.fullmatch(str(key)) and _is_row(row) for key, row in content.items()):
        return []
    return [_flat(content[key]) for key in sorted(content, key=lambda key: float(str(key)))]


def _from_series(series: dict[str, list[Any]], *, is_whole: bool) -> Fit:
    counter = next((name for name in series if _EPOCH.fullmatch(name)), None)
    printed = [number(value) for value in series.pop(counter, [])] if counter is not None else []
    length = max(map(len, series.values()), default=0)
    indices = {
        name: _indices(name, len(values), length if is_whole else len(values)) for name, values in series.items()
    }
    remarks = []
    for name, (_, every) in indices.items():
        if every != 1:
            how = f"taken for every {every} epochs" if every else "taken for the first ones"
            remarks.append(f"{name} has {len(series[name])} values for {length} epochs: {how}.")
    rows: list[dict[str, Any]] = [{} for _ in range(length)]
    for name, values in series.items():
        for index, value in zip(indices[name][0], values, strict=True):
            rows[index][name] = value
    if len(printed) == length:
        rows = [{"epoch": epoch, **row} for epoch, row in zip(printed, rows, strict=True)]
    return Fit(rows, tuple(remarks))


def _indices(name: str, count: int, length: int) -> tuple[range, int]:
    """Return the rows that a shorter list's values belong to, as `validation_freq` leaves them, and the step."""
    if count == length:
        return range(length), 1
    for every in range(2, length + 1):
        if length // every == count and name.startswith("val_"):
            return range(every - 1, every * count, every), every
    return range(count), 0


def _is_row(content: Any) -> bool:
    """Return whether an object holds single values, perhaps one level down, and no history of them."""
    if not isinstance(content, Mapping) or "log_history" in content or not _flat(content):
        return False
    series = _series(content)
    return not series or (_has_epoch(content) and not any(_METRIC.search(name) for name in series))


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}/{inner}": held for inner, held in value.items() if number(held) is not None}
        elif value is None or number(value) is not None or isinstance(value, str):
            flat[str(name)] = value
    return flat if any(number(value) is not None for value in flat.values()) else {}


def _has_epoch(row: Mapping[str, Any]) -> bool:
    return any(_EPOCH.fullmatch(str(name).rsplit("/", 1)[-1]) for name in row)


def _is_step_row(row: Mapping[str, Any]) -> bool:
    epoch = next((number(value) for name, value in row.items() if _EPOCH.fullmatch(name)), None)
    return epoch is not None and epoch != int(epoch)


def _counts(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether rows are of a training: they count epochs, or hold a loss."""
    return any(_has_epoch(row) for row in rows) or any("loss" in name.lower() for row in rows for name in row)
