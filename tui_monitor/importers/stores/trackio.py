"""Runs in a store of trackio: an SQLite database a project, a row of JSON for each call of its `log`."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from tui_monitor.importers.records import Ended, Record
from tui_monitor.importers.tables.rows import fit_records

SQLITE = b"SQLite format 3\0"


def trackio_runs(path: Path) -> list[str]:
    """Return the names of the runs in a store, in the order they began; empty where it is none."""
    try:
        with closing(_opened(path)) as store:
            return [row[0] for row in store.execute("SELECT run_name FROM metrics GROUP BY run_name ORDER BY MIN(id)")]
    except sqlite3.Error:
        return []


def trackio_records(path: Path, run: str) -> Iterator[Record]:
    """Yield what a store tells of one run; a step is an epoch where nothing else counts them.

    Raises:
        OSError: the store can't be read.
    """
    query = "SELECT step, metrics, timestamp FROM metrics WHERE run_name = ? ORDER BY step, id"
    try:
        with closing(_opened(path)) as store:
            held = store.execute(query, (run,)).fetchall()
    except sqlite3.Error as error:
        raise OSError(f"{path.name}: {error}") from error
    rows, times = [], []
    for step, text, time in held:
        try:
            content: Any = json.loads(text)
        except (TypeError, ValueError, RecursionError):
            continue
        if isinstance(content, dict):
            rows.append({"epoch": step, **content} if not _counts_epochs(content) else content)
            times.append(_seconds(time))
    yield from fit_records(rows, at=[time - min(times) for time in times])
    yield Ended()


def _counts_epochs(content: dict[str, Any]) -> bool:
    return any(str(name).lower() == "epoch" for name in content)


def _seconds(text: Any) -> float:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return 0.0


def _opened(path: Path) -> sqlite3.Connection:
    # Without a journal to read, nothing must be written beside the store either.
    has_journal = path.with_name(f"{path.name}-wal").exists()
    how = "mode=ro" if has_journal else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)
