"""The run folder of an import: it can be continued later, and what was provisional can be taken back."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from tui_monitor.run_log.events.lines import Event, RecordedEvent, event_line
from tui_monitor.run_log.events.progress import PhaseBegan, StatusChanged
from tui_monitor.run_log.format.layout import (
    EVENTS_FILE,
    OUTPUT_FILE,
    PhaseInfo,
    RunInfo,
    State,
    batch_columns,
    batches_file,
    blocks_file,
)
from tui_monitor.run_log.format.run_json import write_run_info
from tui_monitor.run_log.write.append_file import AppendFile
from tui_monitor.run_log.write.block_writer import cut_blocks, extend_blocks
from tui_monitor.run_log.write.output_index import OutputMarks


@dataclass(frozen=True)
class Mark:
    """How much of a run folder holds for good."""

    events: int = 0
    """Bytes of `events.jsonl`."""
    output: int = 0
    """Bytes of `output.log`."""
    batches: int = 0
    """Bytes of the newest phase's batch records."""
    phases: int = 0
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
            info: its identity; phases it holds are continued.
        """
        self.folder = folder
        self.seconds = 0.0
        """Run time that the next record is stamped with."""
        self._info = info
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._events = self._opened(EVENTS_FILE, None)
        self._output = self._opened(OUTPUT_FILE, None, mend=False)
        self._output_marks = OutputMarks()
        self._batches = self._opened_batches()
        self._dtype = self._phase.dtype if self._phase else None
        write_run_info(self._descriptor, info)

    @property
    def info(self) -> RunInfo:
        """The run's identity with the phases begun."""
        return self._info

    @property
    def _phase(self) -> PhaseInfo | None:
        return self._info.phases[-1] if self._info.phases else None

    def move_clock(self, at: float | None, passed: float) -> None:
        """Set the run's time to `at`, or let `passed` seconds pass; it never goes back."""
        self.seconds = max(self.seconds, at if at is not None else self.seconds + max(passed, 0.0))

    def begin_phase(
        self, columns_metrics: Sequence[str], *, epochs: int | None = None, initial_epoch: int = 0
    ) -> PhaseInfo:
        """Begin the records of one `fit` call and return its description."""
        index = len(self._info.phases) + 1
        phase = PhaseInfo(
            index=index,
            columns=batch_columns(columns_metrics),
            batches=batches_file(index),
            epochs=epochs,
            initial_epoch=initial_epoch,
        )
        self._describe((*self._info.phases, phase))
        self.event(PhaseBegan())
        return phase

    def batch(self, epoch: int, size: int, values: Sequence[float]) -> None:
        """Record the end of one batch, at the run's present time."""
        if self._dtype is not None:
            record = np.array([(self.seconds, epoch, size, *values)], self._dtype)
            self._batches.append(record.tobytes())

    def event(self, event: Event) -> None:
        """Append one event, stamped with the run's time and the phase under way."""
        index = self._phase.index if self._phase else None
        self._events.append(event_line(RecordedEvent(event, round(self.seconds, 6), index)))

    def status(self, state: State, detail: str = "") -> None:
        """Append the event that says what the run does from now on."""
        self.event(StatusChanged(state, detail))

    def output(self, content: bytes) -> None:
        """Append to the script's own output."""
        if content:
            self._output.append(content)

    def mark_output(self, size: int) -> None:
        """Note that so many bytes of the output belong to what happened up to the run's present time."""
        self._output_marks.mark(self._descriptor, lambda: self.seconds, size)

    def mark(self) -> Mark:
        """Return how far the folder has come."""
        return Mark(
            events=_size(self._events),
            output=_size(self._output),
            batches=_size(self._batches),
            phases=len(self._info.phases),
            seconds=self.seconds,
        )

    def take_back(self, mark: Mark) -> None:
        """Return to an earlier mark; records written since are gone."""
        for phase in self._info.phases[mark.phases :]:
            for name in (phase.batches, blocks_file(phase.batches)):
                (self.folder / name).unlink(missing_ok=True)
        self._describe(self._info.phases[: mark.phases])
        for file, size in ((self._events, mark.events), (self._output, mark.output), (self._batches, mark.batches)):
            os.truncate(file.descriptor, min(size, _size(file)))
        if self._phase is not None:
            cut_blocks(self._descriptor, self._phase, mark.batches // self._phase.dtype.itemsize)
        self._output_marks.take_back(self._descriptor, mark.output)
        self.seconds = mark.seconds

    def close(self) -> None:
        """Summarise the batches of every phase, and let go of the files."""
        for phase in self._info.phases:
            with suppress(OSError):
                while extend_blocks(self._descriptor, phase):
                    pass
        for file in (self._events, self._output, self._batches, self._output_marks):
            file.close()
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _describe(self, phases: tuple[PhaseInfo, ...]) -> None:
        if phases != self._info.phases:
            self._info = replace(self._info, phases=phases)
            self._batches.close()
            self._batches = self._opened_batches()
            self._dtype = self._phase.dtype if self._phase else None
            write_run_info(self._descriptor, self._info)

    def _opened_batches(self) -> AppendFile:
        phase = self._phase
        if phase is None:
            return self._opened(batches_file(1), 1)
        return self._opened(phase.batches, phase.dtype.itemsize)

    def _opened(self, name: str, piece: int | None, *, mend: bool = True) -> AppendFile:
        file = AppendFile(name, piece if mend else 1)
        file.open(self._descriptor)
        return file


def _size(file: AppendFile) -> int:
    return os.fstat(file.descriptor).st_size
