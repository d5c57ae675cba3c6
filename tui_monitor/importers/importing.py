"""A source becomes a run folder; imported again, the folder gets what the source has got since."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

import msgspec

from tui_monitor.errors import MonitorError
from tui_monitor.explain.watch.alerts import AlertWatch
from tui_monitor.history.load import load
from tui_monitor.importers.csv_table import CsvTable
from tui_monitor.importers.history_table import json_records, npz_records
from tui_monitor.importers.imported_run import ImportedRun, Mark
from tui_monitor.importers.kept_source import KeptSource, find_kept, fingerprint, keep
from tui_monitor.importers.line_importer import LineImporter, LineParser, LineState
from tui_monitor.importers.mlflow_store import mlflow_records
from tui_monitor.importers.progress_log import ProgressLog
from tui_monitor.importers.recognise import Format, Source, find_sources
from tui_monitor.importers.records import BatchEnded, Ended, EpochBegan, Record, Recorder, Remark, epoch_figures
from tui_monitor.importers.tensorboard_events import tensorboard_records
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.format.run_json import read_run_info
from tui_monitor.run_log.runs.folders import create_run_folder

_CHUNK = 2**20

_PARSERS: dict[Format, Callable[[LineState], LineParser]] = {
    Format.KERAS_TEXT: lambda state: ProgressLog(state.parser),
    Format.TABLE: lambda state: CsvTable(state.parser),
}
_READERS: dict[Format, Callable[[Path], Iterator[Record]]] = {
    Format.JSON: json_records,
    Format.ARRAYS: npz_records,
    Format.TENSORBOARD: tensorboard_records,
    Format.MLFLOW: mlflow_records,
}


def import_path(path: Path, runs: Path, now: datetime) -> list[Path]:
    """Bring every run that a path holds into the runs folder and return their folders.

    A source that was imported before and has only grown gets its new records added to the run it has.

    Args:
        path: of a file or a folder; it is only read.
        runs: the runs folder.
        now: local time, for names.

    Raises:
        UsageError: the path holds nothing that can be imported.
        DependencyMissing: a package that the format needs is not installed.
        FolderNotWritable: the runs folder can't be written to.
        OSError: the source can't be read or the run not written.
    """
    return [_import(source, runs, now) for source in find_sources(path)]


def _import(source: Source, runs: Path, now: datetime) -> Path:
    path = source.path.resolve()
    found = find_kept(runs, path, source.format.name)
    take = _take_lines if source.format in _PARSERS else _take_records
    if found is not None:
        folder, kept = found
        try:
            info = read_run_info(folder)
        except MonitorError:
            info = None
        if info is not None:
            with ImportedRun(folder, info) as run:
                if take(source, path, run, kept):
                    return folder
    folder = create_run_folder(runs, None, path.stem or "import", now)
    with ExitStack() as unless_done:
        unless_done.callback(shutil.rmtree, folder, ignore_errors=True)
        with ImportedRun(folder, _identity(folder, source, path)) as run:
            take(source, path, run, None)
        unless_done.pop_all()
    return folder


def _identity(folder: Path, source: Source, path: Path) -> RunInfo:
    return RunInfo(
        name=folder.name,
        command=("tui-monitor", "import", str(source.path)),
        created=path.stat().st_mtime,
        description=f"Imported from {path.name}: {source.format}.",
    )


def _take_lines(source: Source, path: Path, run: ImportedRun, kept: KeptSource | None) -> bool:
    """Add what the source has got since; return False, with nothing changed, where it is another one by now."""
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        state = LineState()
        if kept is not None:
            if found.st_size < kept.size or fingerprint(file, kept.taken) != kept.fingerprint:
                return False
            if (found.st_size, found.st_mtime_ns) == (kept.size, kept.modified):
                return True
            run.take_back(kept.mark)
            state = msgspec.convert(kept.state, LineState)
        is_kept = source.format is Format.KERAS_TEXT
        importer = LineImporter(
            run,
            _PARSERS[source.format](state),
            move_clock=run.move_clock,
            state=state,
            reached=run.mark_output if is_kept else lambda _consumed: None,
            alerts=_alerts_so_far(run) if kept is not None else None,
        )
        file.seek(state.consumed)
        left = found.st_size - state.consumed
        while left > 0 and (content := file.read(min(_CHUNK, left))):
            left -= len(content)
            importer.feed(content)
            if is_kept:
                run.output(content)
        state = importer.state
        mark = _mark_of(run, state, file.tell())
        importer.close()
        if is_kept:
            run.mark_output(file.tell())
        taken = state.consumed or found.st_size
        keep(
            run.folder,
            KeptSource(
                path=str(path),
                format=source.format.name,
                size=found.st_size,
                modified=found.st_mtime_ns,
                taken=taken,
                fingerprint=fingerprint(file, taken),
                mark=mark,
                state=asdict(state),
            ),
        )
    return True


def _mark_of(run: ImportedRun, state: LineState, read: int) -> Mark:
    """Return what holds for good: the output up to the last line's end, and nothing where that is unknown."""
    if not state.consumed:
        return Mark()
    mark = run.mark()
    return Mark(**{**asdict(mark), "output": max(mark.output - (read - state.consumed), 0)})


def _take_records(source: Source, path: Path, run: ImportedRun, kept: KeptSource | None) -> bool:
    """Add the records that are new; return False, with nothing changed, where the earlier ones differ."""
    read = _READERS[source.format]
    held = _Held(0, hashlib.blake2b(digest_size=16).hexdigest(), Mark())
    if kept is not None:
        if _digest(read(path), kept.taken) != kept.fingerprint:
            return False
        run.take_back(kept.mark)
        held = _Held(kept.taken, kept.fingerprint, kept.mark)
    held = _add_records(read(path), run, held)
    keep(run.folder, KeptSource(str(path), source.format.name, 0, 0, held.taken, held.digest, held.mark))
    return True


@dataclass(frozen=True)
class _Held:
    """How far a run holds for good."""

    taken: int
    """Records, remarks not counted: they tell of the source as it was read."""
    digest: str
    mark: Mark


def _alerts_so_far(run: ImportedRun) -> AlertWatch:
    """Return a watch that has seen the epochs of the phase under way, whose alerts the run holds already."""
    watch = AlertWatch()
    phase = load(run.folder).phase
    for row in phase.epochs if phase is not None else ():
        watch.epoch(epoch_figures(row.epoch, row.figures))
    return watch


def _digest(records: Iterator[Record], count: int) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for record in islice((record for record in records if _is_solid(record)), count):
        digest.update(repr(record).encode())
    return digest.hexdigest()


def _is_solid(record: Record) -> bool:
    return not isinstance(record, Remark | Ended)


def _add_records(records: Iterator[Record], run: ImportedRun, held: _Held) -> _Held:
    """Write all but the records held already; return what holds now: all before the newest epoch, which may grow."""
    recorder = Recorder(run, run.move_clock, _alerts_so_far(run))
    digest = hashlib.blake2b(digest_size=16)
    taken, skipped, waiting = 0, held.taken, held
    for record in records:
        is_solid = _is_solid(record)
        if taken >= skipped:
            if waiting.taken != taken and not isinstance(record, BatchEnded):
                waiting = _Held(taken, digest.hexdigest(), run.mark())
            if isinstance(record, EpochBegan):
                held = waiting
            recorder.take(record)
        if is_solid:
            digest.update(repr(record).encode())
            taken += 1
    return held
