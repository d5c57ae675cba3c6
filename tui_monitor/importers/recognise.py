"""What a path holds, detected from its content: each format says how sure it is, and the surest one has it."""

import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from tui_monitor.errors import UsageError
from tui_monitor.importers import refusal
from tui_monitor.importers.stores.keras_tuner import tuner_trials
from tui_monitor.importers.stores.mlflow import mlflow_runs
from tui_monitor.importers.stores.tensorboard import tensorboard_runs
from tui_monitor.importers.stores.trackio import SQLITE, trackio_runs
from tui_monitor.importers.stores.wandb import MAGIC, wandb_files
from tui_monitor.importers.tables.downloads import download_runs, is_download, named_runs
from tui_monitor.importers.tables.header import read_heading
from tui_monitor.importers.tables.history import fits_of, read_text
from tui_monitor.importers.tables.objects import read_objects
from tui_monitor.importers.text.captured import captured_text
from tui_monitor.importers.text.lines import TextLines
from tui_monitor.importers.text.places import clean, segments
from tui_monitor.importers.text.progress_line import parse_header, parse_progress
from tui_monitor.run_log.runs.folders import is_run_folder, printable

_HEAD_BYTES = 2**20
_LARGEST_OBJECT = 2**28
_MOST_FILES = 200
_SURE_IN_FOLDER = 0.9
_LINES_BEFORE_TABLE = 20


class Format(StrEnum):
    """The logs that can be brought in."""

    KERAS_TEXT = "Keras progress text"
    CAPTURED = "Keras progress text in a notebook or a service's JSON"
    TABLE = "a table of epochs (CSVLogger, pandas, Lightning, Ultralytics, fastai)"
    OBJECTS = "History, JSON or JSON lines of metrics"
    ARRAYS = "Keras' History as .npz arrays"
    DOWNLOAD = "downloaded charts of TensorBoard or Weights & Biases"
    TENSORBOARD = "TensorBoard event files"
    MLFLOW = "an MLflow run"
    TUNER = "a trial of Keras Tuner"
    WANDB = "an offline run of Weights & Biases"
    TRACKIO = "a run in a store of trackio"
    PATTERN = "text, by the pattern"


@dataclass(frozen=True)
class Source:
    """One run to bring in."""

    path: Path
    format: Format
    sure: float
    """From 0, not at all, to 1."""
    part: str = ""
    """The run's name where a path holds several; else empty."""
    files: tuple[Path, ...] = ()
    """Those that the run is put together from, where they are not the path itself."""
    patterns: tuple[str, ...] = ()
    """Of the user's, for text that is read by them."""

    @property
    def key(self) -> str:
        """What tells the ways of reading one path apart."""
        return "\n".join((self.format.name, *filter(None, (self.part, *self.patterns))))


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
            f"Nothing to import in {printable(str(path))}: it is {refusal.description(path)}. "
            f"Looked for: {', '.join(kind for kind in Format if kind is not Format.PATTERN)}."
        )
    return sources


def _in_folder(folder: Path) -> list[Source]:
    if folder.name in ("train", "validation") and tensorboard_runs(folder.absolute().parent):
        folder = folder.absolute().parent
    found = [Source(path, Format.TENSORBOARD, 1.0) for path in tensorboard_runs(folder)]
    found += [Source(path, Format.MLFLOW, 1.0) for path in mlflow_runs(folder)]
    found += [Source(path, Format.TUNER, 1.0) for path in tuner_trials(folder)]
    found += [Source(path, Format.WANDB, 1.0) for path in wandb_files(folder)]
    if found:
        return found
    files = sorted(entry for entry in folder.iterdir() if entry.is_file())[:_MOST_FILES]
    downloads = [file for file in files if _rate_download(file, _head(file)) > 0]
    found = _downloads(folder, downloads)
    others = (file for file in files if file not in downloads)
    return found + [source for file in others for source in _in_file(file) if source.sure >= _SURE_IN_FOLDER]


def _downloads(path: Path, files: Sequence[Path]) -> list[Source]:
    if not files:
        return []
    names = named_runs(download_runs(files))
    return [Source(path, Format.DOWNLOAD, 0.98, part=name, files=tuple(files)) for name in names]


def _in_file(path: Path) -> list[Source]:
    head = _head(path)
    rated = [Source(path, kind, rate(path, head)) for kind, rate in _RATINGS.items()]
    likely = (source for source in sorted(rated, key=lambda source: -source.sure) if source.sure > 0)
    return next(filter(None, map(_runs_of, likely)), [])


def _runs_of(source: Source) -> list[Source]:
    """Return the runs of a file that is read as one format; none where it only begins like it."""
    if source.format is Format.DOWNLOAD:
        return _downloads(source.path, [source.path])
    if source.format is Format.TRACKIO:
        return [Source(source.path, Format.TRACKIO, 1.0, part=name) for name in trackio_runs(source.path)]
    return [source]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def _rate_events(_path: Path, head: bytes) -> float:
    return 1.0 if b"brain.Event:" in head[:256] else 0.0


def _rate_wandb(_path: Path, head: bytes) -> float:
    return 1.0 if head.startswith(MAGIC) else 0.0


def _rate_trackio(path: Path, head: bytes) -> float:
    return 1.0 if head.startswith(SQLITE) and trackio_runs(path) else 0.0


def _rate_arrays(path: Path, head: bytes) -> float:
    if not head.startswith(b"PK"):
        return 0.0
    try:
        with np.load(path, allow_pickle=False) as arrays:
            kinds = [arrays[name].dtype.kind for name in arrays.files]
    except (ValueError, OSError, zipfile.BadZipFile, EOFError):
        return 0.0
    return 0.95 if kinds and set(kinds) <= set("fiu") else 0.0


def _rate_objects(path: Path, head: bytes) -> float:
    if b"{" not in head or head.startswith((b"PK", b"\x80", SQLITE)) or path.stat().st_size > _LARGEST_OBJECT:
        return 0.0
    found = read_objects(read_text(path))
    if found is None or not fits_of(found.contents, is_whole=not found.is_damaged):
        return 0.0
    return 0.6 if found.is_damaged else 0.96


def _rate_captured(path: Path, head: bytes) -> float:
    if b"{" not in head[:4096] or path.stat().st_size > _LARGEST_OBJECT:
        return 0.0
    text = captured_text(read_text(path))
    return 0.98 if text and _rate_lines(_lines(text.encode(), is_terminal=True)) > 0.5 else 0.0


def _rate_download(_path: Path, head: bytes) -> float:
    text = head[:65536].decode("utf-8", errors="replace")
    return 0.98 if "\0" not in text and text.strip() and is_download(text) else 0.0


def _rate_table(_path: Path, head: bytes) -> float:
    from tui_monitor.importers.tables.csv_table import CsvTable  # noqa: PLC0415

    lines = [line for line in _lines(head[:65536], is_terminal=False) if line.strip()]
    for index, line in enumerate(lines[:_LINES_BEFORE_TABLE]):
        heading = read_heading(line.removesuffix("\r"))
        if heading is None:
            continue
        table = CsvTable()
        rows = [line, *lines[index + 1 : index + 4]]
        for row in rows:
            list(table.line(row))
        if table.holds_rows:
            return 0.97 if index == 0 else 0.6
        if index == 0 and len(lines) == 1 and heading.epoch is not None:
            return 0.8
    return 0.0


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
    has_header = has_metrics = False
    for line in lines:
        for part in segments(clean(line).text) if "poch" in line or " - " in line else ():
            has_header = has_header or parse_header(part) is not None
            if not has_metrics and "-" in part:
                progress = parse_progress(part)
                has_metrics = progress is not None and bool(progress.metrics)
        if has_header and has_metrics:
            return 0.95
    return 0.7 if has_metrics else 0.4 if has_header else 0.0


def _lines(content: bytes, *, is_terminal: bool) -> Iterator[str]:
    text = TextLines(is_terminal=is_terminal)
    yield from (line.text for line in text.feed(content))
    yield from (line.text for line in text.close())


_RATINGS: dict[Format, Callable[[Path, bytes], float]] = {
    Format.TENSORBOARD: _rate_events,
    Format.WANDB: _rate_wandb,
    Format.TRACKIO: _rate_trackio,
    Format.ARRAYS: _rate_arrays,
    Format.DOWNLOAD: _rate_download,
    Format.CAPTURED: _rate_captured,
    Format.OBJECTS: _rate_objects,
    Format.TABLE: _rate_table,
    Format.KERAS_TEXT: _rate_text,
}
