"""The screen's side of a run folder: only whole records are taken, each once, in bounded time."""

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tui_monitor.run_log.events.lines import RecordedEvent, parse_event_line
from tui_monitor.run_log.format.batch_records import Records
from tui_monitor.run_log.format.file_id import FileId, file_id
from tui_monitor.run_log.format.layout import EVENTS_FILE, OUTPUT_FILE, RUN_FILE, RunInfo
from tui_monitor.run_log.format.run_json import parse_run_info
from tui_monitor.run_log.read.block_reader import Summaries
from tui_monitor.run_log.read.fit_records import READ_WHOLE, FitRecords
from tui_monitor.run_log.read.stored_records import StoredRecords
from tui_monitor.run_log.read.tail import ReplacedError, Tail

_EVENT_BYTES_AT_ONCE = 2**18
_LONGEST_EVENT = 2**24
_OUTPUT_BYTES_AT_ONCE = 2**18
_MOST_OUTPUT_WAITING = 2**21
_PASSED_BYTES_AT_ONCE = 2**20


@dataclass(frozen=True)
class Arrival:
    """What came in since the poll before. `info`, `restarted` and `missing` concern the whole folder."""

    info: RunInfo | None = None
    """The run's identity, when it is new or changed."""
    batches: tuple[tuple[int, Records], ...] = ()
    """(fit index, its records) in the order of writing; a fit may come several times in a row."""
    summaries: tuple[tuple[int, Summaries], ...] = ()
    """(fit index, its first batches summarised): they come before any of the fit's `batches`, in place of as
    many records, and once."""
    stored: tuple[tuple[int, StoredRecords], ...] = ()
    """(fit index, where its batches so far can be read again), for the fits with new batches."""
    events: tuple[RecordedEvent, ...] = ()
    """Events in the order of writing; every batch that ended before one of them was written comes no later
    than in the same arrival, unless `complete` is false."""
    output: bytes = b""
    """The script's own output, cut anywhere."""
    output_lines_skipped: int = 0
    """Lines of output passed over, because far more waited than anybody will look at; they precede `output`."""
    events_skipped: int = 0
    """Complete lines of events that are not a JSON object, in this arrival."""
    batches_skipped: int = 0
    """Batch records no training can have written (zeroed by a crash, overwritten), in this arrival."""
    torn_bytes: int = 0
    """Bytes behind the last complete record and line, over the whole folder, as they stand now."""
    restarted: bool = False
    """A file was replaced or cut: forget what came before, all of it comes again."""
    missing: bool = False
    """The folder is not there (any more)."""
    complete: bool = True
    """Nothing more waits now. If false, poll again at once."""
    workers: tuple[tuple[int, "Arrival"], ...] = ()
    """(rank, what came in of its own folder), under several workers; empty for a training of one process."""
    covered: int = 1
    """Workers whose samples the newest of `batches` hold."""

    def __bool__(self) -> bool:
        return bool(
            self.info is not None
            or self.batches
            or self.summaries
            or self.events
            or self.output
            or self.output_lines_skipped
            or self.events_skipped
            or self.batches_skipped
            or self.restarted
            or any(arrival for _, arrival in self.workers)
        )


class RunReader:
    """Follows one run folder from its beginning. Not safe across threads."""

    def __init__(
        self, folder: Path, *, clock: Callable[[], float] = time.monotonic, read_whole: float = READ_WHOLE
    ) -> None:
        """Name the folder; it need not be there yet.

        Args:
            folder: of the run.
            clock: seconds that never go backwards.
            read_whole: batches up to which all records of a fit are read; of a longer one only those without a
                summary.
        """
        self._folder = folder
        self._clock = clock
        self._read_whole = read_whole
        self._folder_id: FileId | None = None
        self._forget()

    def poll(self, max_seconds: float = 0.02, max_records: int = 250_000) -> Arrival:
        """Return what arrived since the last call, at least one piece of what waits.

        Args:
            max_seconds: time after which no further piece is begun.
            max_records: batch records to return at most; at least one is returned if one waits.

        Raises:
            RunUnreadable: `run.json` is damaged or of a newer format.
        """
        try:
            found = self._folder.stat()
        except OSError:
            return Arrival(missing=True)
        folder_id = file_id(found)
        restarted = self._folder_id not in (None, folder_id)
        self._folder_id = folder_id
        if restarted:
            self._forget()
        deadline = self._clock() + max_seconds
        try:
            return self._poll(deadline, max(max_records, 1), restarted=restarted)
        except ReplacedError:
            self._forget()
        try:
            return self._poll(deadline, max(max_records, 1), restarted=True)
        except ReplacedError:
            self._forget()
            return Arrival(restarted=True, complete=False)

    def _forget(self) -> None:
        self._info: RunInfo | None = None
        self._info_stamp: tuple[int, int, int] | None = None
        self._events = _EventLines(Tail(self._folder / EVENTS_FILE))
        self._output = _Output(Tail(self._folder / OUTPUT_FILE))
        self._fits: list[FitRecords] = []

    def _poll(self, deadline: float, max_records: int, *, restarted: bool) -> Arrival:
        # Events before batches: what an event tells of has then been written when the batches are read.
        events, events_skipped = self._events.take(lambda: self._clock() >= deadline)
        info = self._changed_info()
        batches = self._take_batches(deadline, max_records)
        output, lines_skipped = self._output.take(lambda: self._clock() >= deadline)
        return replace(
            batches,
            info=info,
            events=tuple(events),
            output=output,
            output_lines_skipped=lines_skipped,
            events_skipped=events_skipped,
            torn_bytes=self._events.torn_bytes + sum(fit.torn_bytes for fit in self._fits),
            restarted=restarted,
            complete=self._is_complete(),
        )

    def _is_complete(self) -> bool:
        return (
            not self._events.more_waits
            and not self._output.more_waits
            and not any(fit.more_waits for fit in self._fits)
        )

    def _changed_info(self) -> RunInfo | None:
        path = self._folder / RUN_FILE
        try:
            with path.open("rb") as file:
                # Of the open file: by its path, the stamp might be that of a file which replaces this one meanwhile.
                found = os.fstat(file.fileno())
                stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
                if stamp == self._info_stamp:
                    return None
                content = file.read()
        except OSError:
            # Not there yet, or stale on a network file system: the next poll tries again.
            return None
        info = parse_run_info(content, str(path))
        # Only once it was parsed: a damaged file is then read, and complained of, at every poll.
        self._info_stamp = stamp
        if info == self._info:
            return None
        self._follow_fits(info)
        self._info = info
        return info

    def _follow_fits(self, info: RunInfo) -> None:
        for known, fit in zip(self._fits, info.fits, strict=False):
            if (known.info.columns, known.info.batches) != (fit.columns, fit.batches):
                raise ReplacedError
        if len(info.fits) < len(self._fits):
            raise ReplacedError
        for fit in info.fits[len(self._fits) :]:
            # A worker's records are put together with those of the others, so each of them is needed.
            read_whole = self._read_whole if info.worker is None else math.inf
            self._fits.append(FitRecords(fit, self._folder, read_whole))

    def _take_batches(self, deadline: float, max_records: int) -> Arrival:
        """Return what arrived of the batches, and nothing else."""
        batches: list[tuple[int, Records]] = []
        summaries: list[tuple[int, Summaries]] = []
        stored: list[tuple[int, StoredRecords]] = []
        skipped = 0
        for fit in self._fits:
            if fit.is_through:
                continue
            is_newest = fit is self._fits[-1]
            index = fit.info.index
            if (first := fit.take_summaries()) is not None:
                summaries.append((index, first))
            pieces = fit.take(lambda: self._clock() >= deadline, max_records)
            for records, bad in pieces:
                max_records -= len(records) + bad
                skipped += bad
                if len(records):
                    batches.append((index, records))
            if pieces:
                stored.append((index, fit.stored))
            # A later fit's batches must not come before the rest of this one's.
            if fit.more_waits:
                break
            # The writer closes the records of a fit before it names the next one: nothing can be added after that.
            fit.is_through = not is_newest
        return Arrival(
            batches=tuple(batches), summaries=tuple(summaries), stored=tuple(stored), batches_skipped=skipped
        )


class _EventLines:
    """How far the events have been read."""

    def __init__(self, tail: Tail) -> None:
        self.more_waits = False
        self.torn_bytes = 0
        self._tail = tail
        self._is_overlong = False

    def take(self, is_late: Callable[[], bool]) -> tuple[list[RecordedEvent], int]:
        """Return the events, and how many complete lines were none."""
        events: list[RecordedEvent] = []
        skipped = 0
        limit = _EVENT_BYTES_AT_ONCE
        self.more_waits = False
        with self._tail as tail:
            while content := tail.read(limit):
                whole = content[: content.rfind(b"\n") + 1]
                if not whole:
                    if len(content) < limit:
                        break
                    if limit >= _LONGEST_EVENT:
                        # Longer than any event: it is passed over, and so is its rest, which ends in the next newline.
                        tail.take(content)
                        self._is_overlong = True
                    # A line longer than one piece: read again with room for the longest event.
                    limit = _LONGEST_EVENT
                    continue
                tail.take(whole)
                limit = _EVENT_BYTES_AT_ONCE
                skipped += self._parse(whole, events)
                if is_late():
                    self.more_waits = tail.waiting > 0
                    break
            self.torn_bytes = 0 if self.more_waits else tail.waiting
        return events, skipped

    def _parse(self, whole: bytes, events: list[RecordedEvent]) -> int:
        skipped = 0
        for line in whole.split(b"\n")[:-1]:
            if self._is_overlong:
                self._is_overlong = False
                skipped += 1
            elif line.strip():
                event = parse_event_line(line)
                if event is None:
                    skipped += 1
                else:
                    events.append(event)
        return skipped


class _Output:
    """How far the script's own output has been read."""

    def __init__(self, tail: Tail) -> None:
        self.more_waits = False
        self._tail = tail

    def take(self, is_late: Callable[[], bool]) -> tuple[bytes, int]:
        """Return the next output, and the number of lines passed over before it."""
        skipped = 0
        with self._tail as tail:
            while tail.waiting > _MOST_OUTPUT_WAITING:
                content = tail.read(_PASSED_BYTES_AT_ONCE)
                if not content:
                    break
                # Cut after whole lines, so that each is counted once and the output kept begins with a whole one.
                content = content[: content.rfind(b"\n") + 1] or content
                skipped += content.count(b"\n")
                tail.take(content)
                if is_late():
                    self.more_waits = True
                    return b"", skipped
            content = tail.read(_OUTPUT_BYTES_AT_ONCE)
            tail.take(content)
            self.more_waits = bool(content) and tail.waiting > 0
        return content, skipped
