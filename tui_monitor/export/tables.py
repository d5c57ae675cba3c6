"""A run as tables: the same columns and the same values, bit for bit, whatever file they end in."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_monitor.errors import NothingMeasured
from tui_monitor.history.load import load
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.run_log.format.batch_records import Records
from tui_monitor.run_log.format.canonical_metrics import canonical_names
from tui_monitor.run_log.format.layout import FitInfo
from tui_monitor.run_log.read.cluster_reader import ClusterReader

_FIRST = ("loss", "accuracy", "val_loss", "val_accuracy")
_EPOCH_COLUMNS = ("fit", "epoch")
_BATCH_COLUMNS = ("fit", "epoch", "batch", "step", "size", "time")

Column = NDArray[Any]
"""Values of one column; a masked array where some are absent, which is not NaN."""


@dataclass(frozen=True)
class Table:
    """Values by column, in blocks of rows."""

    columns: tuple[str, ...]
    blocks: Iterator[tuple[Column, ...]]
    """Each holds one array per column, all of one length; together they are read once."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The columns that hold metrics."""
        return self.columns[len(_BATCH_COLUMNS if self.holds_batches else _EPOCH_COLUMNS) :]

    @property
    def holds_batches(self) -> bool:
        """Whether a row is a batch, as opposed to an epoch."""
        return self.columns[: len(_BATCH_COLUMNS)] == _BATCH_COLUMNS


def epoch_table(folder: Path) -> Table:
    """Return a run's finished epochs: `fit`, from 1, and `epoch`, then every metric under its matched name as float64.

    Raises:
        RunNotFound: there is no run in the folder.
        RunUnreadable: its `run.json` is damaged or of a newer format.
        NothingMeasured: no epoch has ended yet.
    """
    snapshot = load(folder)
    numbered = [(fit.info.index, row) for fit in snapshot.fits for row in fit.epochs]
    rows = [row for _, row in numbered]
    if not rows:
        raise NothingMeasured(f"{folder.name} holds no finished epoch (yet).")
    metrics = _ordered(name for row in rows for name in row.metrics)
    columns: list[Column] = [
        np.array([fit for fit, _ in numbered], np.int64),
        np.array([row.epoch for row in rows], np.int64),
    ]
    for metric in metrics:
        values = np.array([row.metrics.get(metric, math.nan) for row in rows], np.float64)
        columns.append(np.ma.masked_array(values, [metric not in row.metrics for row in rows]))
    return Table((*_EPOCH_COLUMNS, *_headings(metrics, _EPOCH_COLUMNS)), iter((tuple(columns),)))


def batch_table(folder: Path) -> Table:
    """Return a run's batches: `fit,epoch,batch,step,size,time`, then every metric under its matched name as float32.

    `batch` counts from 1 within its epoch, `step` from 1 over the run; `time` is seconds since the run began,
    `size` is samples. A metric of which a fit has running means alone is named so: `running_mean_loss`.

    Raises:
        RunNotFound: there is no run in the folder.
        RunUnreadable: its `run.json` is damaged or of a newer format.
        NothingMeasured: no batch was recorded.
    """
    snapshot = load(folder)
    if not any(fit.batches for fit in snapshot.fits):
        raise NothingMeasured(f"{folder.name} holds no batches: an imported log has epochs, see --what epochs.")
    metrics = _ordered(name for fit in snapshot.fits for name in _batch_names(fit.info).values())
    return Table((*_BATCH_COLUMNS, *_headings(metrics, _BATCH_COLUMNS)), _batch_blocks(folder, snapshot, metrics))


def _batch_names(info: FitInfo) -> dict[str, str]:
    """Return the name of each recorded metric: what is no value of a batch alone is called a running mean."""
    names = canonical_names(info.metrics)
    return {column: f"running_mean_{name}" if column in info.running_means else name for column, name in names.items()}


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(names))
    return (*(name for name in _FIRST if name in found), *(name for name in found if name not in _FIRST))


def _headings(metrics: Sequence[str], taken: Sequence[str]) -> Iterator[str]:
    """Yield each metric's heading: its name, with a number where a column of ours has that name."""
    used = {*taken, *metrics}
    for metric in metrics:
        heading, number = metric, 1
        while heading in taken or (number > 1 and heading in used):
            number += 1
            heading = f"{metric}_{number}"
        used.add(heading)
        yield heading


def _batch_blocks(folder: Path, snapshot: Snapshot, metrics: Sequence[str]) -> Iterator[tuple[Column, ...]]:
    columns_of = {fit.info.index: _batch_names(fit.info) for fit in snapshot.fits}
    reader = ClusterReader(folder, patience=0, read_whole=math.inf)
    step, counted = 0, (0, 0, 0)
    while True:
        arrival = reader.poll()
        for fit, records in arrival.batches:
            if fit not in columns_of or not len(records):
                continue
            batch = _batch_numbers(records["epoch"], counted[2] if counted[:2] == (fit, records["epoch"][0]) else 0)
            counted = (fit, int(records["epoch"][-1]), int(batch[-1]))
            steps = np.arange(step + 1, step + 1 + len(records))
            step += len(records)
            held = {name: column for column, name in columns_of[fit].items()}
            yield (
                np.full(len(records), fit, np.int64),
                records["epoch"],
                batch,
                steps,
                records["size"],
                records["time"],
                *(_values(records, held.get(metric)) for metric in metrics),
            )
        if arrival.complete:
            return


def _batch_numbers(epochs: NDArray[Any], before: int) -> NDArray[np.int64]:
    """Return each batch's number in its epoch, `before` of the first epoch's having come already."""
    indices = np.arange(len(epochs))
    starts = np.flatnonzero(np.diff(epochs, prepend=epochs[:1]) != 0)
    begun = np.zeros(len(epochs), np.int64)
    begun[starts] = starts
    begun = np.maximum.accumulate(begun)
    return indices - begun + 1 + np.where(begun == 0, before, 0)


def _values(records: Records, column: str | None) -> Column:
    if column is None:
        return np.ma.masked_array(np.zeros(len(records), np.float32), mask=True)
    values: Column = records[column]
    return values
