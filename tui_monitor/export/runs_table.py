"""All runs of a folder as a table: one row a run, with its arguments, and best and last values."""

import math
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tui_monitor.errors import NothingMeasured, UsageError
from tui_monitor.export.tables import Column, Table
from tui_monitor.run_log.runs.catalogue import Catalogue
from tui_monitor.run_log.runs.entry import RunEntry
from tui_monitor.view.runs.query import read_query


def runs_table(runs: Path, filter_by: str = "") -> Table:
    """Return the runs, newest first: identity, then `best.`, `best_epoch.` and `last.` of metrics, then `argument.`.

    Args:
        runs: the runs folder.
        filter_by: words that must hold for a run, see `read_query`.

    Raises:
        UsageError: the filter can't be read.
        NothingMeasured: no run fits.
    """
    query = read_query(filter_by)
    if query.complaint:
        raise UsageError(query.complaint)
    catalogue = Catalogue(runs)
    entries = [entry for entry in catalogue.refresh().values() if query.keeps(entry)]
    catalogue.save()
    if not entries:
        raise NothingMeasured(f"{runs} holds no run" + (f" that fits {filter_by!r}." if filter_by else "."))
    ordered = sorted(entries, key=lambda entry: (-entry.created, entry.name))
    columns = dict(_columns(ordered))
    return Table(tuple(columns), iter((tuple(columns.values()),)))


def _columns(entries: list[RunEntry]) -> Iterable[tuple[str, Column]]:
    # A folder's name need not be UTF-8, which no table can hold.
    yield "name", np.array([os.fsencode(entry.name).decode(errors="replace") for entry in entries], dtype=object)
    for name in ("state", "script", "host"):
        yield name, np.array([str(getattr(entry, name)) for entry in entries], dtype=object)
    yield "tags", np.array([" ".join(entry.tags) for entry in entries], dtype=object)
    for name in ("fit", "epoch"):
        yield name, np.array([getattr(entry, name) for entry in entries], np.int64)
    for name in ("created", "seconds"):
        yield name, np.array([getattr(entry, name) for entry in entries], np.float64)
    metrics = dict.fromkeys(name for entry in entries for name in (*entry.best, *entry.values))
    for metric in metrics:
        best = [entry.best.get(metric) for entry in entries]
        is_absent = [held is None for held in best]
        yield f"best.{metric}", _masked([math.nan if held is None else held.value for held in best], is_absent)
        epochs = np.array([0 if held is None else held.epoch for held in best], np.int64)
        yield f"best_epoch.{metric}", np.ma.masked_array(epochs, is_absent)
        last = [entry.values.get(metric, math.nan) for entry in entries]
        yield f"last.{metric}", _masked(last, [metric not in entry.values for entry in entries])
    for name in dict.fromkeys(name for entry in entries for name in entry.arguments):
        texts = np.array([entry.arguments.get(name, "") for entry in entries], dtype=object)
        yield f"argument.{name}", texts


def _masked(values: list[float], is_absent: list[bool]) -> Column:
    return np.ma.masked_array(np.array(values, np.float64), is_absent)
