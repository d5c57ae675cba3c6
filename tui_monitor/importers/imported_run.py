"""The run folder of an import: it can be continued later, and what was provisional can be truncated."""

import math
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import numpy as np

from tui_monitor.run_log.events.lines import Event, RecordedEvent, event_line, fields_of
from tui_monitor.run_log.events.progress import EpochBegan, EpochEnded, FitBegan, StatusChanged
from tui_monitor.run_log.format.layout import (
    EVENTS_FILE,
    OUTPUT_FILE,
    FitInfo,
    RunInfo,
    State,
    batch_columns,
    batches_file,
    blocks_file,
)
from tui_monitor.run_log.format.run_json import write_run_info
from tui_monitor.run_log.write.append_file import AppendFile
from tui_monitor.run_log.write.block_writer import cut_blocks, extend_blocks
from tui_monitor.run_log.write.output_index import OutputIndex

_MOST_WAITING = 2**16


@dataclass(frozen=True)
class Checkpoint:
    """How much of a run folder holds for good."""

    events: int = 0
    """Bytes of `events.jsonl`."""
    output: int = 0
    """Bytes of `output.log`."""
    batches: int = 0
    """Bytes of the newest fit's batch records."""
    phases: int = 0
    """Calls of `fit` that the run has begun; named as in `source.json`."""
    seconds: float = 0.0
    """Run time of the last record."""


class ImportedRun:
    """Writes one run from a log, under the log's own time.

    `RunWriter` serves a training: it never raises and can't be taken up again. An import must do both. A
    disk that is full raises `OSError` from every method that writes.
    """

    def __init__(self, folder: Path, info: RunInfo) -> None:
        """Open the folder of a run, new or imported before.

        Args:
            folder: the run folder, which exists.
            info: its identity; fits it holds are continued.
        """
        self.folder = folder
        self.seconds = 0.0
        """Run time that the next record is stamped with."""
        self._info = info
        self._waiting: list[bytes] = []
        """Events that are not written yet: a system call for each would take longer than all else."""
        self._waiting_size = 0
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._events = self._opened(EVENTS_FILE, None)
        self._output = self._opened(OUTPUT_FILE, None, repair=False)
        self._output_index = OutputIndex()
        self._batches = self._opened_batches()
        self._dtype = self._fit.dtype if self._fit else None
        write_run_info(self._descriptor, info)

    @property
    def info(self) -> RunInfo:
        """The run's identity with the fits begun."""
        return self._info

    @property
    def _fit(self) -> FitInfo | None:
        return self._info.fits[-1] if self._info.fits else None

    def move_clock(self, at: float | None, passed: float) -> None:
        """Set the run's time to `at`, or let `passed` seconds pass; it never goes back."""
        self.seconds = max(self.seconds, at if at is not None else self.seconds + max(passed, 0.0))

    def begin_fit(
        self, columns_metrics: Sequence[str], *, epochs: int | None = None, initial_epoch: int = 0
    ) -> FitInfo:
        """Begin the records of one `fit` call and return its description."""
        index = len(self._info.fits) + 1
        fit = FitInfo(
            index=index,
            columns=batch_columns(columns_metrics),
            batches=batches_file(index),
            epochs=epochs,
            initial_epoch=initial_epoch,
        )
        self._describe((*self._info.fits, fit))
        self.event(FitBegan())
        return fit

    def batch(self, epoch: int, size: int, values: Sequence[float]) -> None:
        """Record the end of one batch, at the run's present time."""
        if self._dtype is not None:
            record = np.array([(self.seconds, epoch, size, *values)], self._dtype)
            self._batches.append(record.tobytes())

    def event(self, event: Event) -> None:
        """Append one event, stamped with the run's time and the fit under way."""
        index = self._fit.index if self._fit else None
        recorded = RecordedEvent(event, round(self.seconds, 6), index)
        line = _epoch_line(recorded) or event_line(recorded)
        self._waiting.append(line)
        self._waiting_size += len(line)
        if self._waiting_size > _MOST_WAITING:
            self._flush()

    def status(self, state: State, detail: str = "") -> None:
        """Append the event that says what the run does from now on."""
        self.event(StatusChanged(state, detail))

    def output(self, content: bytes) -> None:
        """Append to the script's own output."""
        if content:
            self._output.append(content)

    def mark_output(self, size: int) -> None:
        """Note that so many bytes of the output belong to what happened up to the run's present time."""
        self._output_index.mark(self._descriptor, lambda: self.seconds, size)

    def checkpoint(self) -> Checkpoint:
        """Return how far the folder has come."""
        return Checkpoint(
            events=_size(self._events) + self._waiting_size,
            output=_size(self._output),
            batches=_size(self._batches),
            phases=len(self._info.fits),
            seconds=self.seconds,
        )

    def truncate(self, checkpoint: Checkpoint) -> None:
        """Return to an earlier checkpoint; records written since are gone."""
        self._flush()
        for fit in self._info.fits[checkpoint.phases :]:
            for name in (fit.batches, blocks_file(fit.batches)):
                (self.folder / name).unlink(missing_ok=True)
        self._describe(self._info.fits[: checkpoint.phases])
        for file, size in (
            (self._events, checkpoint.events),
            (self._output, checkpoint.output),
            (self._batches, checkpoint.batches),
        ):
            os.truncate(file.descriptor, min(size, _size(file)))
        if self._fit is not None:
            cut_blocks(self._descriptor, self._fit, checkpoint.batches // self._fit.dtype.itemsize)
        self._output_index.truncate(self._descriptor, checkpoint.output)
        self.seconds = checkpoint.seconds

    def close(self) -> None:
        """Write what waits, summarise the batches of every fit, and close the files."""
        with suppress(OSError):
            self._flush()
        for fit in self._info.fits:
            with suppress(OSError):
                while extend_blocks(self._descriptor, fit):
                    pass
        for file in (self._events, self._output, self._batches, self._output_index):
            file.close()
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _flush(self) -> None:
        waiting, self._waiting, self._waiting_size = self._waiting, [], 0
        if waiting:
            self._events.append(b"".join(waiting))

    def _describe(self, fits: tuple[FitInfo, ...]) -> None:
        if fits != self._info.fits:
            self._info = replace(self._info, fits=fits)
            self._batches.close()
            self._batches = self._opened_batches()
            self._dtype = self._fit.dtype if self._fit else None
            write_run_info(self._descriptor, self._info)

    def _opened_batches(self) -> AppendFile:
        fit = self._fit
        if fit is None:
            return self._opened(batches_file(1), 1)
        return self._opened(fit.batches, fit.dtype.itemsize)

    def _opened(self, name: str, piece: int | None, *, repair: bool = True) -> AppendFile:
        file = AppendFile(name, piece if repair else 1)
        file.open(self._descriptor)
        return file


def _epoch_line(recorded: RecordedEvent) -> bytes | None:
    """Return the line of an epoch's event, or None for another, and where it holds NaN or an infinity.

    A log may hold a million: what writes any event takes five times as long.
    """
    event = recorded.event
    if isinstance(event, EpochEnded):
        if not all(map(math.isfinite, event.logs.values())):
            return None
        if not math.isfinite(event.seconds or 0.0) or not math.isfinite(event.learning_rate or 0.0):
            return None
    elif not isinstance(event, EpochBegan):
        return None
    stamp = {"kind": event.kind, "time": recorded.seconds, "phase": recorded.fit}
    return msgspec.json.encode({**stamp, **fields_of(event)}) + b"\n"


def _size(file: AppendFile) -> int:
    return os.fstat(file.descriptor).st_size
