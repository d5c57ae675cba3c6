"""`export`: a run's epochs or batches as a file that other tools read."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from tui_monitor.errors import UsageError
from tui_monitor.export.parquet_file import write_parquet
from tui_monitor.export.tables import Table, batch_table, epoch_table
from tui_monitor.export.tensorboard_files import write_tensorboard
from tui_monitor.export.text_files import write_csv, write_jsonl
from tui_monitor.run_log.folders import find_run, runs_folder
from tui_monitor.run_log.identity import read_run_info

_TEXT = {"csv": write_csv, "jsonl": write_jsonl}


def export(run: str, runs: str | None, *, form: str, what: str, output: str | None) -> int:
    """Write a run in another format and return the exit code.

    Args:
        run: path or name.
        runs: the runs folder asked for.
        form: `csv`, `jsonl`, `parquet` or `tensorboard`.
        what: `epochs` or `batches`.
        output: path of the file, or of the folder for TensorBoard; None or `-` for standard output.

    Raises:
        RunNotFound: no run of that name or path.
        NothingMeasured: the run holds none of what is asked for.
        UsageError: the format can't go to standard output.
        DependencyMissing: a package that the format needs is not installed.
    """
    folder = find_run(run, runs_folder(runs))
    path = None if output in (None, "-") else Path(str(output)).expanduser()
    table = batch_table(folder) if what == "batches" else epoch_table(folder)
    if form == "tensorboard":
        if path is None:
            raise UsageError("TensorBoard's format is a folder: name it with -o.")
        write_tensorboard(table, path, read_run_info(folder).created)
    elif path is None:
        _write_to_standard_output(table, form)
    else:
        _write_to_file(table, form, path)
    return 0


def _write_to_standard_output(table: Table, form: str) -> None:
    if form in _TEXT:
        _TEXT[form](table, sys.stdout)
    elif sys.stdout.isatty():
        raise UsageError("Parquet is binary: name a file with -o, or send standard output into one.")
    else:
        write_parquet(table, sys.stdout.buffer)
    sys.stdout.flush()


def _write_to_file(table: Table, form: str, path: Path) -> None:
    """Replace the file only once all of it is written."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        _write(table, form, temporary)
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _write(table: Table, form: str, path: Path) -> None:
    options: dict[str, Any] = {"encoding": "utf-8", "newline": ""}
    if form in _TEXT:
        with path.open("w", **options) as text:
            _TEXT[form](table, text)
    else:
        with path.open("wb") as binary:
            write_parquet(table, binary)
