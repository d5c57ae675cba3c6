"""What a run folder holds: file names, record layouts, and the identity in `run.json`.

Of each fit there are the records of its batches, in `batches.bin`, `batches-2.bin` and so on, and beside them
summaries of each 256 of those records, in `batches.blocks`, `batches-2.blocks` and so on. Everything can be told from
the records alone; with the summaries a long run opens without reading them (`block_summaries` has the layout).
Records of the last moment may be in `batches.bin.newest` alone (`ring_buffer` has that layout).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

from tui_monitor.errors import RunUnreadable

FORMAT_VERSION = 1
"""Raised when an older reader would misread a newer folder. Readers open every version up to theirs."""

RUN_FILE = "run.json"
EVENTS_FILE = "events.jsonl"
OUTPUT_FILE = "output.log"
OUTPUT_INDEX_FILE = "output.times"
HEARTBEAT_FILE = "heartbeat"
CONTROL_FOLDER = "control"


class State(StrEnum):
    """What a run is doing, in the word that the screen, `ls` and `events.jsonl` all use."""

    STARTING = "starting"
    TRAINING = "training"
    VALIDATING = "validating"
    MEASURING = "measuring"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    LOST = "lost"
    """Never written: concluded by a reader when the process is gone without having said how it ended."""

    @property
    def ended(self) -> bool:
        """Whether the training process is through, for better or worse."""
        return self in _ENDED


_ENDED = frozenset({State.FINISHED, State.STOPPED, State.FAILED, State.LOST})


BASE_COLUMNS: tuple[tuple[str, str], ...] = (("time", "<f8"), ("epoch", "<u4"), ("size", "<u4"))
"""Columns of every batch record: seconds since the run began, at its end; epoch, from 1; samples."""

LARGEST_COUNT = 2**53
"""Whole numbers beyond this are damage: floats can't tell them apart."""

METRIC_TYPE = "<f4"
"""The NumPy type of every metric column."""

_YEAR_9999 = 253_370_764_800.0
_BATCHES_NAME = re.compile(r"batches[-0-9A-Za-z]{0,32}\.bin")


def batches_file(fit: int) -> str:
    """Return the name of a fit's batch records, fits counting from 1."""
    return "batches.bin" if fit == 1 else f"batches-{fit}.bin"


def blocks_file(batches: str) -> str:
    """Return the name of the file that summarises a fit's batch records, from the name of theirs."""
    return batches.removesuffix(".bin") + ".blocks"


def batch_columns(metrics: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the columns of a batch record, for metrics in the order their values will come.

    Args:
        metrics: Keras' names. One that is empty, taken or a base column's gets a number, so that each is unique.
    """
    taken = {name for name, _ in BASE_COLUMNS}
    columns = list(BASE_COLUMNS)
    for metric in metrics:
        stem = str(metric).encode("utf-8", errors="replace").decode() or "metric"
        name, number = stem, 1
        while name in taken:
            number += 1
            name = f"{stem}_{number}"
        taken.add(name)
        columns.append((name, METRIC_TYPE))
    return tuple(columns)


@dataclass(frozen=True)
class FitInfo:
    """One `fit` call of the run. Several in one script (folds, fine-tuning) are several fits."""

    index: int
    """From 1, in the order the calls began."""
    columns: tuple[tuple[str, str], ...]
    """(name, NumPy type) of each field of a batch record: `BASE_COLUMNS`, then `<f4` metrics under Keras' own names."""
    batches: str
    """Name of the file with this fit's batch records, in the run folder."""
    epochs: int | None = None
    """Last epoch planned, or None when unknown."""
    initial_epoch: int = 0
    """Epochs counted as done before this fit began, as in `fit(initial_epoch=...)`."""
    steps_per_epoch: int | None = None
    """Batches planned in each epoch, or None until the first epoch has shown it."""
    model: Mapping[str, Any] = field(default_factory=dict)
    """Model summary: `name`, `parameters`, `layers`, `optimizer`, `loss`, `learning_rate`, ... as far as known."""
    fit: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of `fit` in a printable form."""
    running_means: tuple[str, ...] = ()
    """Metrics whose batch values are running means since the epoch's begin, as nothing tells the batch's own."""

    @property
    def dtype(self) -> "np.dtype[Any]":
        """The NumPy type of one batch record, packed, little-endian."""
        import numpy as np  # noqa: PLC0415 - a list of runs is printed without it

        return np.dtype([(name, kind) for name, kind in self.columns])

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metric columns, as Keras spells them, `loss` first."""
        return tuple(name for name, _ in self.columns[len(BASE_COLUMNS) :])


@dataclass(frozen=True)
class WorkerInfo:
    """One of several processes that train the same model together."""

    rank: int
    """From 0, the chief's."""
    workers: int
    """How many there are in all."""
    cluster: str = ""
    """What tells their cluster from others."""


@dataclass(frozen=True)
class RunInfo:
    """The identity of a run: everything in `run.json`."""

    name: str
    """The folder's name when it was created."""
    command: tuple[str, ...] = ()
    """The command line that started the run."""
    host: str = ""
    """Name of the machine that trains."""
    pid: int = 0
    """Process id of the training process on that machine; 0 for an import."""
    created: float = 0.0
    """Seconds since 1970-01-01 UTC at the run's time 0."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Versions of Python and of the packages that trained."""
    description: str = ""
    """What this run shows, in one or two sentences; empty for a user's own script."""
    fits: tuple[FitInfo, ...] = ()
    """Fits begun so far."""
    keeps_output: bool = True
    """Whether the script's output is in the folder; not where it went to streams of the caller's own."""
    worker: WorkerInfo | None = None
    """Which of several workers writes this folder; None where one process trains alone."""
    format: int = FORMAT_VERSION


def run_info_to_json(info: RunInfo) -> dict[str, Any]:
    """Return `run.json`'s content as plain JSON types."""
    worker = info.worker
    return {
        "format": info.format,
        **({"worker": {"rank": worker.rank, "workers": worker.workers, "cluster": worker.cluster}} if worker else {}),
        **({} if info.keeps_output else {"keeps_output": False}),
        "name": info.name,
        "command": list(info.command),
        "host": info.host,
        "pid": info.pid,
        "created": info.created,
        "versions": dict(info.versions),
        "description": info.description,
        "phases": [fit_info_to_json(fit) for fit in info.fits],
    }


def fit_info_to_json(fit: FitInfo) -> dict[str, Any]:
    """Return what `run.json` holds of one fit as plain JSON types."""
    return {
        "index": fit.index,
        "columns": [list(column) for column in fit.columns],
        "batches": fit.batches,
        "epochs": fit.epochs,
        "initial_epoch": fit.initial_epoch,
        "steps_per_epoch": fit.steps_per_epoch,
        "model": dict(fit.model),
        "fit": dict(fit.fit),
        **({"running_means": list(fit.running_means)} if fit.running_means else {}),
    }


def run_info_from_json(content: Any, where: str = RUN_FILE) -> RunInfo:
    """Return the identity that `run.json` holds.

    Keys this version does not know are ignored, keys an older one did not write get their defaults.

    Args:
        content: the parsed JSON.
        where: what to call the file in an error's sentence.

    Raises:
        RunUnreadable: the content is damaged, or its format is newer than `FORMAT_VERSION`.
    """
    if not isinstance(content, dict):
        raise RunUnreadable(f"{where} is damaged: it holds no JSON object. Restore it from a copy.")
    version = content.get("format")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise RunUnreadable(f"{where} is damaged: it names no format version. Restore it from a copy.")
    if version > FORMAT_VERSION:
        raise RunUnreadable(
            f"{where} was written by a newer version (format {version}; this one reads up to "
            f"{FORMAT_VERSION}). Upgrade with `pip install --upgrade tui-monitor`."
        )
    try:
        return _run_info(content)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise RunUnreadable(f"{where} is damaged: {error}. Restore it from a copy.") from error


def _run_info(content: Mapping[str, Any]) -> RunInfo:
    fits = tuple(_fit_info(entry) for entry in content.get("phases", ()))
    if [fit.index for fit in fits] != list(range(1, len(fits) + 1)):
        raise ValueError("its fits are not numbered from 1")
    if len({fit.batches for fit in fits}) != len(fits):
        raise ValueError("two of its fits share a file of batch records")
    return RunInfo(
        name=str(content.get("name", "")),
        command=tuple(str(word) for word in content.get("command", ())),
        host=str(content.get("host", "")),
        pid=int(content.get("pid", 0)),
        created=_timestamp(content.get("created", 0.0)),
        versions={str(name): str(version) for name, version in content.get("versions", {}).items()},
        description=str(content.get("description", "")),
        fits=fits,
        keeps_output=content.get("keeps_output") is not False,
        worker=_worker_info(content.get("worker")),
        format=content["format"],
    )


def _worker_info(entry: Any) -> WorkerInfo | None:
    if entry is None:
        return None
    worker = WorkerInfo(int(entry["rank"]), int(entry["workers"]), str(entry.get("cluster", "")))
    if not 0 <= worker.rank < worker.workers <= LARGEST_COUNT:
        raise ValueError("it is of a worker that its cluster does not have")
    return worker


def _fit_info(entry: Mapping[str, Any]) -> FitInfo:
    columns = tuple((str(name), str(kind)) for name, kind in entry["columns"])
    if columns[: len(BASE_COLUMNS)] != BASE_COLUMNS:
        raise ValueError("a fit's first columns are not time, epoch and size")
    if any(kind != METRIC_TYPE for _, kind in columns[len(BASE_COLUMNS) :]):
        raise ValueError(f"a fit's metric columns are not of type {METRIC_TYPE}")
    if len({name for name, _ in columns}) != len(columns) or not all(name for name, _ in columns):
        raise ValueError("a fit's columns do not each have a name of their own")
    batches = str(entry["batches"])
    if not _BATCHES_NAME.fullmatch(batches):
        raise ValueError("a fit's file of batch records is not named like one")
    return FitInfo(
        index=int(entry["index"]),
        columns=columns,
        batches=batches,
        epochs=_optional_count(entry.get("epochs")),
        initial_epoch=_optional_count(entry.get("initial_epoch")) or 0,
        steps_per_epoch=_optional_count(entry.get("steps_per_epoch"), least=1),
        model=dict(entry.get("model", {})),
        fit=dict(entry.get("fit", {})),
        running_means=tuple(str(name) for name in entry.get("running_means", ())),
    )


def has_a_day(seconds: float) -> bool:
    """Return whether a calendar has a day for so many seconds since 1970."""
    return 0 <= seconds < _YEAR_9999


def _timestamp(value: Any) -> float:
    """Return seconds since 1970 that a calendar has a day for, else 0: one damaged run must not end a list of all."""
    seconds = float(value)
    return seconds if has_a_day(seconds) else 0.0


def _optional_count(value: Any, least: int = 0) -> int | None:
    """Return a planned number; None where none was planned, or none that arithmetic could use."""
    count = None if value is None else int(value)
    return count if count is not None and least <= count <= LARGEST_COUNT else None
