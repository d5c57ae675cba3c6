"""What a path holds, told by its content: each format says how sure it is, and the surest one has it."""

import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from tui_monitor.errors import UsageError
from tui_monitor.importers.csv_table import split_header
from tui_monitor.importers.history_table import is_history, json_lines
from tui_monitor.importers.mlflow_store import mlflow_runs
from tui_monitor.importers.progress_line import parse_header, parse_progress
from tui_monitor.importers.tensorboard_events import tensorboard_runs
from tui_monitor.importers.text_lines import TextLines
from tui_monitor.run_log.runs.folders import is_run_folder, printable

_HEAD_BYTES = 2**20
_LARGEST_JSON = 2**28
_MOST_FILES = 200
_SURE_IN_FOLDER = 0.9


class Format(StrEnum):
    """The logs that can be brought in."""

    KERAS_TEXT = "Keras progress text"
    TABLE = "a CSV table with an epoch column (CSVLogger, Lightning)"
    JSON = "Keras' History as JSON"
    ARRAYS = "Keras' History as .npz arrays"
    TENSORBOARD = "TensorBoard event files"
    MLFLOW = "an MLflow run"


@dataclass(frozen=True)
class Source:
    """One run to bring in."""

    path: Path
    format: Format
    sure: float
    """From 0, not at all, to 1."""


def find_sources(path: Path) -> list[Source]:
    """Return the runs that a path holds.

    Args:
        path: of a file, or of a folder with one run or several.

    Raises:
        UsageError: it holds none that can be read; says what was looked for and what was found.
        OSError: it can't be read.
    """
    if not path.exists():
        raise UsageError(f"No file or folder {printable(str(path))}.")
    if path.is_dir() and is_run_folder(path):
        raise UsageError(f"{printable(str(path))} is a run already. Watch it with: tui-monitor attach {path}")
    sources = _in_folder(path) if path.is_dir() else _in_file(path)
    if not sources:
        raise UsageError(
            f"Nothing to import in {printable(str(path))}: it is {_description(path)}. Looked for: {', '.join(Format)}."
        )
    return sources


def _in_folder(folder: Path) -> list[Source]:
    if folder.name in ("train", "validation") and tensorboard_runs(folder.absolute().parent):
        folder = folder.absolute().parent
    found = [Source(path, Format.TENSORBOARD, 1.0) for path in tensorboard_runs(folder)]
    found += [Source(path, Format.MLFLOW, 1.0) for path in mlflow_runs(folder)]
    if found:
        return found
    files = sorted(entry for entry in folder.iterdir() if entry.is_file())[:_MOST_FILES]
    return [source for file in files for source in _in_file(file) if source.sure >= _SURE_IN_FOLDER]


def _in_file(path: Path) -> list[Source]:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    rated = [Source(path, kind, rate(path, head)) for kind, rate in _RATINGS.items()]
    best = max(rated, key=lambda source: source.sure)
    return [best] if best.sure > 0 else []


def _rate_events(_path: Path, head: bytes) -> float:
    return 1.0 if b"brain.Event:" in head[:256] else 0.0


def _rate_arrays(path: Path, head: bytes) -> float:
    if not head.startswith(b"PK"):
        return 0.0
    try:
        with np.load(path, allow_pickle=False) as arrays:
            kinds = [arrays[name].dtype.kind for name in arrays.files]
    except (ValueError, OSError, zipfile.BadZipFile, EOFError):
        return 0.0
    return 0.95 if kinds and set(kinds) <= set("fiu") else 0.0


def _rate_json(path: Path, head: bytes) -> float:
    text = head.decode("utf-8-sig", errors="replace").lstrip()
    if not text.startswith(("{", "[")) or path.stat().st_size > _LARGEST_JSON:
        return 0.0
    whole = path.read_text(encoding="utf-8-sig", errors="replace") if len(head) == _HEAD_BYTES else text
    try:
        content: Any = json.loads(whole)
    except (ValueError, RecursionError):
        if json_lines(whole):
            return 0.95
        return 0.6 if any(f'"{name}"' in whole for name in ("loss", "accuracy", "acc")) else 0.0
    return 0.95 if is_history(content) else 0.0


def _rate_table(_path: Path, head: bytes) -> float:
    lines = [line for line in _lines(head, is_terminal=False) if line.strip()][:2]
    if not lines or split_header(lines[0].removesuffix("\r")) is None:
        return 0.0
    return 0.97 if len(lines) > 1 else 0.8


def _rate_text(path: Path, head: bytes) -> float:
    rating = _rate_lines(_lines(head, is_terminal=True))
    if rating or len(head) < _HEAD_BYTES:
        return rating
    with path.open("rb") as file:
        while content := file.read(16 * _HEAD_BYTES):
            if b"poch" in content or b"loss:" in content:
                rating = max(rating, _rate_lines(_lines(content, is_terminal=True)))
            if rating > 0.5:
                return rating
    return rating


def _rate_lines(lines: Iterator[str]) -> float:
    has_header = has_figures = False
    for line in lines:
        has_header = has_header or parse_header(line) is not None
        if not has_figures and " - " in line:
            progress = parse_progress(line)
            has_figures = progress is not None and bool(progress.figures)
        if has_header and has_figures:
            return 0.95
    return 0.7 if has_figures else 0.4 if has_header else 0.0


def _lines(content: bytes, *, is_terminal: bool) -> Iterator[str]:
    text = TextLines(is_terminal=is_terminal)
    yield from (line.text for line in text.feed(content))
    yield from (line.text for line in text.close())


_RATINGS: dict[Format, Callable[[Path, bytes], float]] = {
    Format.TENSORBOARD: _rate_events,
    Format.ARRAYS: _rate_arrays,
    Format.JSON: _rate_json,
    Format.TABLE: _rate_table,
    Format.KERAS_TEXT: _rate_text,
}

_WANDB = b":W&B"
_MAGIC = {
    _WANDB: "an offline run of Weights & Biases, which only its own package reads: export it from there as CSV",
    b"\x1f\x8b": "gzip-compressed data: unpack it first",
    b"PK": "a zip archive: unpack it first",
    b"\x89HDF": "an HDF5 file",
    b"\x80": "binary data, perhaps a pickle: those can run code and are not opened",
}


def _begins_with(path: Path, magic: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(magic)) == magic
    except OSError:
        return False


def _description(path: Path) -> str:
    return _folder_description(path) if path.is_dir() else _file_description(path)


def _folder_description(path: Path) -> str:
    if any(_begins_with(entry, _WANDB) for entry in sorted(path.glob("*.wandb"))):
        return _MAGIC[_WANDB]
    names = sorted(entry.name for entry in path.iterdir())
    runs = [name for name in names if is_run_folder(path / name)]
    if runs:
        return f"a folder of runs; watch one with tui-monitor attach {printable(str(path / runs[-1]))}"
    shown = ", ".join(printable(name) for name in names[:5])
    return f"a folder with {len(names)} entries ({shown})" if names else "an empty folder"


def _file_description(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        return "an empty file"
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            return what
    if b"\0" in head:
        return "binary data"
    first = head.decode("utf-8", errors="replace").strip().splitlines()
    return f"text that begins with {printable(first[0][:60])!r}" if first else "blank text"
