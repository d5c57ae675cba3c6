"""`export`: a run's epochs or batches for other tools, or as a picture or report for people."""

import asyncio
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tui_monitor.errors import FolderNotWritable, UsageError
from tui_monitor.export.parquet_file import write_parquet
from tui_monitor.export.tables import Table, batch_table, epoch_table
from tui_monitor.export.tensorboard_files import write_tensorboard
from tui_monitor.export.text_files import write_csv, write_jsonl
from tui_monitor.run_log.format.replace_file import replaced
from tui_monitor.run_log.format.run_json import read_run_info
from tui_monitor.run_log.runs.place import local_run, local_runs
from tui_monitor.view.layout import SMALLEST

_SIZE = re.compile(r"(\d{2,3})[x×](\d{2,3})")
_LARGEST = (400, 200)
_PICTURES = ("svg", "text", "report")
_MARKDOWN = (".md", ".markdown")
_TEXT = {"csv": write_csv, "jsonl": write_jsonl}


def export(
    run: str | None,
    runs: str | None,
    *,
    form: str,
    what: str,
    output: str | None,
    chart: str | None = None,
    size: str = "120x40",
) -> int:
    """Write a run in another format and return the exit code.

    Args:
        run: path or name; for `runs` a filter, or None for all of them.
        runs: the runs folder asked for.
        form: `csv`, `jsonl`, `parquet`, `tensorboard`, `svg`, `text` or `report`.
        what: `epochs` or `batches`, for tables, or `runs` for one of all runs.
        output: path of the file, or of the folder for TensorBoard; None or `-` for standard output.
        chart: metric to draw alone, for `svg` and `text`.
        size: columns and rows of what `svg` and `text` draw.

    Raises:
        RunNotFound: no run of that name or path.
        NothingMeasured: the run holds none of what is asked for.
        UsageError: the format can't go to standard output.
        DependencyMissing: a package that the format needs is not installed.
    """
    path = None if output in (None, "-") else Path(str(output)).expanduser()
    if what == "runs":
        return _export_runs(local_runs(runs), form, path, run or "")
    if run is None:
        raise UsageError("Name a run to export, or all of them with --what runs.")
    folder = local_run(run, runs)
    if form in _PICTURES:
        _put(_drawn(folder, form, path, chart, size), path)
        return 0
    table = batch_table(folder) if what == "batches" else epoch_table(folder)
    if form == "tensorboard":
        if path is None:
            raise UsageError("TensorBoard's format is a folder: name it with -o.")
        write_tensorboard(table, path, read_run_info(folder).created)
    else:
        _write_table(table, form, path)
    return 0


def _export_runs(runs: Path, form: str, path: Path | None, filter_by: str) -> int:
    """Write the table of all runs that fit, and return the exit code."""
    if form in _PICTURES or form == "tensorboard":
        raise UsageError(f"All runs are a table: write it as csv, jsonl or parquet, not as {form}.")
    from tui_monitor.export.runs_table import runs_table

    _write_table(runs_table(runs, filter_by), form, path)
    return 0


def _write_table(table: Table, form: str, path: Path | None) -> None:
    if path is None:
        _write_to_standard_output(table, form)
    else:
        _write_to_file(table, form, path)


def _drawn(folder: Path, form: str, path: Path | None, chart: str | None, size: str) -> str:
    if form == "report":
        from tui_monitor.export.report import run_report

        return run_report(folder, as_markdown=path is not None and path.suffix.lower() in _MARKDOWN)
    cells = _cells(size)
    if chart is not None:
        from tui_monitor.export.run_charts import chart_picture

        return chart_picture(folder, form, chart, cells)
    from tui_monitor.app.screenshots.screenshot import screen_text, screenshot

    return asyncio.run((screenshot if form == "svg" else screen_text)(folder, cells))


def _cells(size: str) -> tuple[int, int]:
    match = _SIZE.fullmatch(size.strip())
    cells = (int(match[1]), int(match[2])) if match else (0, 0)
    if not all(low <= value <= high for low, value, high in zip(SMALLEST, cells, _LARGEST, strict=True)):
        raise UsageError(f"No such size: {size!r}. Name columns and rows from 60x20 to 400x200, such as 120x40.")
    return cells


def _put(text: str, path: Path | None) -> None:
    if path is None:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()
    else:
        _replace(path, lambda part: part.write_text(text, encoding="utf-8", newline=""))


def _write_to_standard_output(table: Table, form: str) -> None:
    if form in _TEXT:
        _TEXT[form](table, sys.stdout)
    elif sys.stdout.isatty():
        raise UsageError("Parquet is binary: name a file with -o, or send standard output into one.")
    else:
        write_parquet(table, sys.stdout.buffer)
    sys.stdout.flush()


def _write_to_file(table: Table, form: str, path: Path) -> None:
    _replace(path, lambda part: _write(table, form, part))


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Replace a file only once all of it is written."""
    try:
        with replaced(path) as temporary:
            write(Path(temporary))
    except OSError as error:
        raise FolderNotWritable(
            f"Can't write {path}: {error.strerror or error}. Name another place with -o."
        ) from error


def _write(table: Table, form: str, path: Path) -> None:
    options: dict[str, Any] = {"encoding": "utf-8", "newline": ""}
    if form in _TEXT:
        with path.open("w", **options) as text:
            _TEXT[form](table, text)
    else:
        with path.open("wb") as binary:
            write_parquet(table, binary)
