"""The training's side of a run folder: every record is with the system when its call returns, and no call raises."""

import math
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

from tui_monitor.run_log.events.lines import Event, RecordedEvent, event_line
from tui_monitor.run_log.events.progress import BatchesLost, FitBegan, StatusChanged
from tui_monitor.run_log.format.error_text import in_a_line
from tui_monitor.run_log.format.layout import (
    EVENTS_FILE,
    FitInfo,
    RunInfo,
    State,
    batch_columns,
    batches_file,
)
from tui_monitor.run_log.format.run_json import RunFile
from tui_monitor.run_log.runs.process import identify
from tui_monitor.run_log.write.batch_file import BatchFile
from tui_monitor.run_log.write.event_file import EventFile
from tui_monitor.run_log.write.folder_handle import FolderHandle
from tui_monitor.run_log.write.heartbeat import INTERVAL_SECONDS, Heartbeat, touch_heartbeat
from tui_monitor.run_log.write.output_index import OutputIndex
from tui_monitor.run_log.write.record_values import as_count, as_float32, count_or_none
from tui_monitor.run_log.write.run_blocks import RunBlocks


class RunWriter:
    """Writes one run from inside the process that trains it.

    No method raises an `Exception` of its own: what can't be written is counted in `lost_batches`, or waits to be
    tried again. A forked child of the process (a data loader) writes nothing. `batch` and `begin_fit` belong to the
    training thread; `event` may be called from any thread and from signal handlers.
    """

    def __init__(
        self,
        folder: Path,
        info: RunInfo,
        *,
        clock: Callable[[], float] = time.monotonic,
        heartbeat_seconds: float | None = INTERVAL_SECONDS,
        pass_on: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        """Write `run.json` and start the run's clock.

        Args:
            folder: the run folder; created when missing.
            info: the run's identity; a `created` of 0 is filled with the present.
            clock: seconds that never go backwards, from any origin. An import passes its own.
            heartbeat_seconds: time between heartbeats, or None for a run that no process trains.
            pass_on: called with each error before the writer handles it; raises those that it must not catch, because
                a signal handler of the script has raised them.
        """
        self._clock = clock
        self._pass_on = pass_on
        self._start = clock()
        self._pid = os.getpid()
        self._lock = threading.RLock()  # re-entrant: a signal handler may record while its thread is recording
        self._folder = FolderHandle(folder)
        self._info = info if info.created else replace(info, created=time.time())
        self._run_file = RunFile()
        self._info_is_written = False
        self._events = EventFile(self._folder_descriptor, self._lock)
        self._output_index = OutputIndex()
        self._fit: FitInfo | None = None
        self._batches = self._batch_file(batches_file(1), metrics=0)
        self._batches.disown()
        self._lost_batches = 0
        self._unreported = 0
        self._last_error: str | None = None
        self._closed = False
        self._blocks = RunBlocks()
        self._process = identify(self._pid)
        _writers.add(self)
        self._attempt(self._open)
        self._heartbeat: Heartbeat | None = None
        if heartbeat_seconds is not None:
            self._attempt(self._touch)
            self._heartbeat = Heartbeat(self._beat, heartbeat_seconds)

    @property
    def folder(self) -> Path:
        """The run folder, by the path it was opened with."""
        return self._folder.path

    @property
    def info(self) -> RunInfo:
        """The run's identity as it stands, with the fits begun."""
        return self._info

    @property
    def lost_batches(self) -> int:
        """Batch records that could not be written, over the whole run."""
        return self._lost_batches

    @property
    def last_error(self) -> str | None:
        """What went wrong the last time something did, or None."""
        trouble = self._batches.trouble
        return self._last_error if trouble is None else _sentence(trouble)

    def seconds(self) -> float:
        """Return the time since the run began, in seconds; a change of the wall clock does not touch it."""
        return self._clock() - self._start

    def begin_fit(
        self,
        columns_metrics: Sequence[str],
        *,
        epochs: int | None = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        model: Mapping[str, Any] | None = None,
        fit: Mapping[str, Any] | None = None,
        running_means: Sequence[str] = (),
    ) -> FitInfo:
        """Begin the records of one `fit` call and return its description.

        Args:
            columns_metrics: names of the metrics that `batch` will get, in that order, `loss` first.
            epochs: last epoch planned, or None.
            initial_epoch: epochs counted as done already.
            steps_per_epoch: batches planned in an epoch, or None.
            model: summary of the model; anything JSON has no type for is kept as text.
            fit: arguments of `fit`, kept in the same way.
            running_means: metrics whose batch values are running means since the epoch's begin.
        """
        index = len(self._info.fits) + 1
        begun = FitInfo(
            index=index,
            columns=batch_columns(columns_metrics),
            batches=batches_file(index),
            epochs=count_or_none(epochs),
            initial_epoch=count_or_none(initial_epoch) or 0,
            steps_per_epoch=count_or_none(steps_per_epoch) or None,
            model=dict(model or {}),
            fit=dict(fit or {}),
            running_means=tuple(running_means),
        )
        if os.getpid() != self._pid:
            return begun
        with self._lock:
            self._close_batches()
            self._attempt(self._report_lost)
            begun = replace(begun, batches=self._free_batches_file(begun))
            self._info = replace(self._info, fits=(*self._info.fits, begun))
            self._info_is_written = False
            self._fit = begun
            self._batches = self._batch_file(begun.batches, len(begun.metrics))
            self._attempt(self._open)
        self.event(FitBegan())
        return begun

    def batch(self, epoch: int, size: float, values: Sequence[float]) -> float:
        """Record the end of one batch, now, and return the run's time.

        Args:
            epoch: from 1.
            size: samples in the batch; what is no number counts as 0.
            values: one value for each metric of the fit, the batch's own; NaN and infinity are kept.
        """
        try:
            return self._batches.put(epoch, int(size), values)
        except Exception as error:  # training must go on
            return self._repair(error, epoch, size, values)

    def event(self, event: Event) -> None:
        """Append one event, stamped with the run's time and the fit under way.

        Batches that ended before it are flushed first. NaN and the infinities are written as strings.
        """
        if os.getpid() != self._pid or self._closed:
            return
        self._flush_batches()
        self._attempt(self._mark_output)
        self._attempt(lambda: self._append_event(event))

    def event_of_fork(self, event: Event) -> None:
        """Append one event from a forked process; all else is written by the process that the run belongs to.

        Args:
            event: what happened.

        Raises:
            OSError: the file can't be written.
        """
        line = event_line(RecordedEvent(event, round(self.seconds(), 6), self._fit_index()))
        # Not the copied descriptor and its lock: a thread that the fork did not copy may have held that lock.
        descriptor = os.open(self.folder / EVENTS_FILE, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)

    def status(self, state: State, detail: str = "", exit_code: int | None = None) -> None:
        """Append the event that says what the run does from now on."""
        self.event(StatusChanged(state, detail, exit_code))

    def mark_output(self) -> None:
        """Note how much the script has printed by now; every event and heartbeat does so too."""
        if os.getpid() == self._pid and not self._closed:
            self._attempt(self._mark_output)

    def close(self) -> None:
        """Write what still waits and end the heartbeat. What is called afterwards does nothing."""
        if os.getpid() != self._pid or self._closed:
            return
        if self._heartbeat is not None:
            # Before the lock is taken: a beat under way may need it, and is waited for here.
            self._heartbeat.stop()
        with self._lock:
            self._close_batches()
        # Without the lock: summing up reads files, and other threads may have events to write meanwhile.
        self._attempt(self._sum_up)
        with self._lock:
            self._attempt(self._report_lost)
            self._attempt(self._events.flush)
            self._attempt(self._mark_output)
            self._closed = True
            self._output_index.close()
            self._events.close()
            self._folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def disown(self) -> None:
        """Never write again: this is a copy of the writer in a forked child. Touches no lock and no file."""
        self._closed = True
        self._batches.disown()
        self._output_index.invalidate()

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:  # training must go on
            self._pass_on(error)
            self._last_error = _sentence(error)

    def _open(self) -> None:
        self._folder_descriptor()
        self._events.flush()
        if self._fit is not None and self._batches.descriptor < 0:
            self._batches.open()

    def _batch_file(self, name: str, metrics: int) -> BatchFile:
        return BatchFile(name, metrics, self._folder_descriptor, self._lock, self._clock, self._start)

    def _flush_batches(self) -> None:
        self._batches.flush()
        if self._batches.trouble is None:
            self._attempt(self._report_lost)

    def _close_batches(self) -> None:
        """Close the records of the fit, those that could not be written counted as lost."""
        lost = self._batches.close()
        if self._batches.trouble is not None:
            self._last_error = _sentence(self._batches.trouble)
        self._lose(lost)

    def _folder_descriptor(self) -> int:
        descriptor, is_new = self._folder.descriptor()
        if is_new or not self._info_is_written:
            self._run_file.write(descriptor, self._info)
            self._info_is_written = True
        return descriptor

    def _free_batches_file(self, fit: FitInfo) -> str:
        name, number = fit.batches, 1
        stem = name.removesuffix(".bin")
        # Where the folder was written to before, records of this fit must not follow those of another.
        while self._is_there(name):
            number += 1
            name = f"{stem}-again{number}.bin"
        return name

    def _is_there(self, name: str) -> bool:
        try:
            os.stat(name, dir_fd=self._folder.descriptor()[0])
        except OSError:
            return False
        return True

    def _append_event(self, event: Event) -> None:
        line = event_line(RecordedEvent(event, round(self.seconds(), 6), self._fit_index()))
        self._events.append(line)

    def _mark_output(self) -> None:
        with self._lock:
            self._output_index.mark(self._folder_descriptor(), self.seconds)

    def _fit_index(self) -> int | None:
        return self._fit.index if self._fit is not None else None

    def _repair(self, error: Exception, epoch: int, size: float, values: Sequence[float]) -> float:
        """Record a batch once more, with values that a record can hold, or count it as lost; return the run's time."""
        self._pass_on(error)
        if not self._closed and os.getpid() == self._pid:
            why_lost = self._put_again(error, epoch, size, values)
            if why_lost is not None:
                self._last_error = why_lost
                self._lose(1)
        return self.seconds()

    def _put_again(self, error: Exception, epoch: int, size: float, values: Sequence[float]) -> str | None:
        """Return None, or why the batch is lost."""
        if self._fit is None:
            return "a batch ended before its fit began"
        # The file can't be written: other values would not help, unlike after an error of packing.
        if isinstance(error, OSError):
            return _sentence(error)
        padded = [as_float32(value) for value in values][: self._batches.metrics]
        padded += [math.nan] * (self._batches.metrics - len(padded))
        try:
            self._batches.put(as_count(epoch), as_count(size), padded)
        except Exception as again:  # training must go on
            self._pass_on(again)
            return _sentence(again)
        return None

    def _lose(self, batches: int) -> None:
        self._lost_batches += batches
        self._unreported += batches

    def _report_lost(self) -> None:
        if self._unreported:
            lost, self._unreported = self._unreported, 0
            self._append_event(BatchesLost(lost, self._last_error or ""))

    def _touch(self) -> None:
        with self._lock:
            touch_heartbeat(self._folder_descriptor(), self._process)

    def _beat(self) -> None:
        try:
            if os.getpid() == self._pid:
                self._look_after_files()
        except Exception as error:  # a thread's error would be printed into the script's output
            self._last_error = _sentence(error)

    def _look_after_files(self) -> None:
        """Renew the heartbeat, send what waits, and have files opened anew that are not in place any more."""
        self._attempt(self._touch)
        self._attempt(self._mark_output)
        with self._lock:
            self._events.leave_if_replaced()
            self._batches.leave_if_replaced()
            self._flush_batches()
            if self._events.waits:
                self._attempt(self._events.flush)
        self._attempt(self._sum_up)

    def _sum_up(self) -> None:
        """Summarise the batches recorded since the last time: beside the training thread, never in it."""
        # The parts of several workers are put together, so a summary of one is of no use.
        if self._info.worker is None:
            # The fit before the newest may have ended since the last time.
            self._blocks.extend(self._own_descriptor, self._info.fits[-2:])

    def _own_descriptor(self) -> int:
        with self._lock:
            # A copy: without the lock, another thread may close the folder meanwhile.
            return os.dup(self._folder_descriptor())


_writers: WeakSet[RunWriter] = WeakSet()


def _disown_all() -> None:
    for writer in list(_writers):
        writer.disown()


# A check of the process number in every `batch` would cost a system call; this costs nothing there.
os.register_at_fork(after_in_child=_disown_all)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return in_a_line(error)
