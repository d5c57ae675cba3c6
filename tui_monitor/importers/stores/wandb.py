"""Offline runs of Weights & Biases: `run-….wandb`, records of LevelDB's log format that hold protocol buffers.

The format of the log: https://github.com/google/leveldb/blob/main/doc/log_format.md. What its records hold is told by
the definitions in the `wandb` package, which reads its files in a program of its own since version 0.20.
"""

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tui_monitor.errors import DependencyMissing
from tui_monitor.importers.records import Ended, Record, Remark
from tui_monitor.importers.tables.rows import fit_records
from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.format.strict_json import number

MAGIC = b":W&B"
_FILE_HEADER = 7
_BLOCK, _HEADER = 2**15, 7
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_PER_BATCH = re.compile(r"^batch/")


def wandb_files(folder: Path) -> list[Path]:
    """Return the files of offline runs in a folder and those of its runs, in the order of their names."""
    found = {*folder.glob("*.wandb"), *folder.glob("*/*.wandb"), *folder.glob("wandb/*/*.wandb")}
    # `latest-run` is a link to a run that is found under its own name as well.
    return sorted({path.resolve() for path in found if path.is_file()})


def wandb_records(path: Path) -> Iterator[Record]:
    """Yield what an offline run's file tells.

    Raises:
        DependencyMissing: the `wandb` package is not installed.
        OSError: the file can't be read.
    """
    if importlib.util.find_spec("wandb") is None:
        raise DependencyMissing(
            "Reading .wandb files needs the wandb package, which is not installed. "
            "Install it with: pip install 'tui-monitor[wandb]'"
        )
    from google.protobuf.message import DecodeError  # noqa: PLC0415
    from wandb.proto import wandb_internal_pb2  # noqa: PLC0415

    rows: list[dict[str, Any]] = []
    exit_code: int | None = None
    damaged = 0
    for content in _contents(path.read_bytes()):
        try:
            record = wandb_internal_pb2.Record.FromString(content)
        except DecodeError:
            damaged += 1
            continue
        kind = record.WhichOneof("record_type")
        if kind == "history":
            rows.append(_row(record.history.item))
        elif kind == "exit":
            exit_code = int(record.exit.exit_code)
    epochs = [row for row in rows if not all(_PER_BATCH.match(name) or name.startswith("_") for name in row)]
    if damaged:
        yield Remark(f"{damaged} records of the file are damaged: left out.")
    if len(epochs) < len(rows):
        yield Remark(f"{len(rows) - len(epochs)} rows hold values of single batches: left out.", kind="note")
    yield from fit_records([_counted(row, position) for position, row in enumerate(epochs)], at=_times(epochs))
    yield Ended(*_state(exit_code))


def _row(items: Any) -> dict[str, Any]:
    row = {}
    for item in items:
        try:
            row[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
        except (ValueError, RecursionError):
            continue
    return row


def _counted(row: dict[str, Any], position: int) -> dict[str, Any]:
    """Return a row with the epoch that Keras' callbacks log as `epoch/epoch`, or its own index."""
    epoch = next((number(row[name]) for name in ("epoch", "epoch/epoch") if name in row), None)
    others = {name: value for name, value in row.items() if name != "epoch/epoch" and not _PER_BATCH.match(name)}
    return {"epoch": position if epoch is None else epoch, **{k: v for k, v in others.items() if k != "epoch"}}


def _times(rows: list[dict[str, Any]]) -> list[float]:
    times = [number(row.get("_runtime")) for row in rows]
    return [time or 0.0 for time in times] if all(time is not None for time in times) else []


def _state(exit_code: int | None) -> tuple[State, str]:
    if exit_code is None:
        return State.STOPPED, "The file ends without an exit code."
    return (State.FINISHED, "") if exit_code == 0 else (State.FAILED, f"Exit code {exit_code}.")


def _contents(data: bytes) -> Iterator[bytes]:
    """Yield the records of a log; what is torn ends it."""
    position, parts = _FILE_HEADER, b""
    while position + _HEADER <= len(data):
        left = _BLOCK - position % _BLOCK
        if left < _HEADER:
            position += left
            continue
        length = int.from_bytes(data[position + 4 : position + 6], "little")
        kind = data[position + 6]
        content = data[position + _HEADER : position + _HEADER + length]
        if kind not in (_FULL, _FIRST, _MIDDLE, _LAST) or len(content) < length:
            return
        position += _HEADER + length
        parts = content if kind in (_FULL, _FIRST) else parts + content
        if kind in (_FULL, _LAST):
            yield parts
