"""`ls`: the runs in a folder, one line each, or one JSON object each."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tui_monitor import units
from tui_monitor.errors import UsageError
from tui_monitor.run_log.format.strict_json import with_nulls
from tui_monitor.run_log.runs.entry import RunEntry
from tui_monitor.run_log.runs.folders import list_runs, may_live
from tui_monitor.run_log.runs.liveness import file_system_time
from tui_monitor.run_log.runs.place import place_of
from tui_monitor.run_log.runs.read_entry import read_entry, with_state
from tui_monitor.view.runs.columns import (
    COLUMN_NAMES,
    COLUMNS,
    TableContext,
    fitted,
    knows,
    metric_that_matters,
    sorted_entries,
)
from tui_monitor.view.runs.differences import differences
from tui_monitor.view.runs.query import Query, read_query
from tui_monitor.view.text.width import cell_len, set_cell_size

NEWEST = 40
"""Runs listed unless all are asked for; live ones besides."""
_UNLIMITED = 10_000


def list_all(
    runs: str | None,
    *,
    every: bool = False,
    sort: str | None = None,
    filter_by: str | None = None,
    as_json: bool = False,
) -> int:
    """Print runs, by default the newest and all live ones, newest first, and return the exit code.

    Args:
        runs: folder of the runs.
        every: print all runs.
        sort: column, metric or argument to sort all of them by, `-` before it to turn the order round.
        filter_by: words that must hold for a run, see `read_query`; every run that fits is printed.
        as_json: print every run as a JSON object.

    Raises:
        UsageError: the filter can't be read, or no run has what is to be sorted by.
    """
    place = place_of(runs)
    folder = place.folder
    query = read_query(filter_by or "")
    if query.complaint:
        raise UsageError(query.complaint)
    place.refresh()
    is_whole = every or as_json or sort is not None or filter_by is not None
    found, total = _every_entry(folder) if is_whole else _newest_entries(folder)
    if not total:
        print(f"No runs in {place.title}. Start one with: tui-monitor demo", file=sys.stderr)
        return 0
    kept = [entry for entry in found if query.keeps(entry)]
    context = TableContext(metric_that_matters(kept), differences(found), time.time())
    _check_names(query, sort, found)
    ordered = sorted_entries(kept, sort or "started", context) if is_whole else kept
    if as_json:
        for entry in ordered:
            sys.stdout.write(_line(_as_json(folder, entry, context)) + "\n")
        return 0
    listed = ordered if every or filter_by is not None or not is_whole else ordered[:NEWEST]
    _print_table(listed, context)
    if not listed:
        print(f"None of {units.count(total)} runs fits {filter_by!r}.", file=sys.stderr)
    elif filter_by is None and len(listed) < total:
        older = "older " if sort is None else ""
        print(f"{units.count(total - len(listed))} {older}runs are not listed: --all", file=sys.stderr)
    return 0


def _every_entry(folder: Path) -> tuple[list[RunEntry], int]:
    from tui_monitor.run_log.runs.catalogue import Catalogue

    catalogue = Catalogue(folder)
    entries = list(catalogue.refresh().values())
    catalogue.save()
    return entries, len(entries)


def _newest_entries(folder: Path) -> tuple[list[RunEntry], int]:
    """Return the newest runs and those that may be live, and how many runs there are: no other run is opened."""
    folders = list_runs(folder)
    listed = [*folders[:NEWEST], *may_live(folder, folders[NEWEST:])]
    now = file_system_time(folder)
    return [with_state(entry, read_entry(entry), now) for entry in listed], len(folders)


def _check_names(query: Query, sort: str | None, entries: Sequence[RunEntry]) -> None:
    if sort is not None and not knows(sort, entries):
        metrics = dict.fromkeys(name for entry in entries for name in entry.best)
        known = ", ".join([*COLUMN_NAMES, *metrics])
        raise UsageError(f"No run has {sort.removeprefix('-')!r} to sort by. Name one of {known}, or an argument.")
    for name in query.names:
        if not knows(name, entries):
            print(f"No run has a value called {name!r}.", file=sys.stderr)


def _terminal_width() -> int:
    # A list in a pipe has no use for it at its start.
    import shutil

    return shutil.get_terminal_size().columns


def _print_table(entries: Sequence[RunEntry], context: TableContext) -> None:
    rows = [[column.heading(context) for column in COLUMNS]]
    rows += [[column.cell(entry, context) for column in COLUMNS] for entry in entries]
    width = _terminal_width() if sys.stdout.isatty() else _UNLIMITED
    shown = fitted(COLUMNS, rows, width, cell_len)
    for row in rows:
        cells = []
        for column, size in shown:
            text = row[COLUMNS.index(column)]
            text = text if cell_len(text) <= size else set_cell_size(text, size - 1) + "…"
            blank = " " * (size - cell_len(text))
            cells.append(text + blank if column.is_left else blank + text)
        sys.stdout.write("  ".join(cells).rstrip() + "\n")


def _line(content: Mapping[str, Any]) -> str:
    """Return JSON; a folder's name that is not UTF-8 is escaped, as no output can carry it."""
    line = json.dumps(content, ensure_ascii=False)
    return line if line.isascii() or _can_be_written(line) else json.dumps(content)


def _can_be_written(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _as_json(folder: Path, entry: RunEntry, context: TableContext) -> Mapping[str, Any]:
    """Return all that is known of a run; a value that is not finite is null."""
    return {
        "name": entry.name,
        "folder": str(folder / entry.name),
        "state": str(entry.state),
        "live": entry.is_live,
        "detail": entry.detail,
        "problem": entry.problem,
        "script": entry.script,
        "fit": entry.fit,
        "epoch": entry.epoch,
        "epochs": entry.epochs,
        "best": {name: {"value": best.value, "epoch": best.epoch} for name, best in entry.best.items()},
        "last": with_nulls(entry.values),
        "trend": {"metric": entry.trace.metric, "values": with_nulls(entry.trace.values)},
        "created": entry.created,
        "seconds": entry.seconds,
        "host": entry.host,
        "pid": entry.pid,
        "exit_code": entry.exit_code,
        "tags": list(entry.tags),
        "arguments": dict(entry.arguments),
        "differs": dict(context.differences.of(entry)),
    }
