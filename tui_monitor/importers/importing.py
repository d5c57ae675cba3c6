"""A source becomes a run folder; imported again, the folder gets what the source has got since."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from tui_monitor.errors import MonitorError, UsageError
from tui_monitor.explain.watch.alerts import AlertWatch
from tui_monitor.history.load import load
from tui_monitor.importers import refusal
from tui_monitor.importers.imported_run import Checkpoint, ImportedRun
from tui_monitor.importers.kept_source import KeptSource, find_kept, fingerprint, keep
from tui_monitor.importers.line_importer import LineImporter, LineParser, LineState
from tui_monitor.importers.recognise import Format, Source, find_sources
from tui_monitor.importers.records import BatchEnded, Ended, EpochBegan, Record, Recorder, Remark, epoch_losses
from tui_monitor.importers.stores.keras_tuner import tuner_parameters, tuner_records
from tui_monitor.importers.stores.mlflow import mlflow_parameters, mlflow_records
from tui_monitor.importers.stores.tensorboard import tensorboard_records
from tui_monitor.importers.stores.trackio import trackio_records
from tui_monitor.importers.stores.wandb import wandb_records
from tui_monitor.importers.tables.csv_table import CsvTable
from tui_monitor.importers.tables.downloads import download_records
from tui_monitor.importers.tables.history import npz_records, object_records, read_text
from tui_monitor.importers.text.captured import captured_text
from tui_monitor.importers.text.pattern_log import PatternLog, check_patterns
from tui_monitor.importers.text.progress_log import ProgressLog
from tui_monitor.importers.text.reading import text_records
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.format.run_json import read_run_info
from tui_monitor.run_log.runs.folders import create_run_folder, printable
from tui_monitor.run_log.runs.parameters import write_parameters

_CHUNK = 2**20

_PARSERS: dict[Format, Callable[[Source, LineState], LineParser]] = {
    Format.KERAS_TEXT: lambda _source, state: ProgressLog(state.parser),
    Format.TABLE: lambda _source, state: CsvTable(state.parser),
    Format.PATTERN: lambda source, state: PatternLog(source.patterns, state.parser),
}
_READERS: dict[Format, Callable[[Source, Path], Iterator[Record]]] = {
    Format.CAPTURED: lambda _source, path: text_records(captured_text(read_text(path)), ProgressLog()),
    Format.OBJECTS: lambda _source, path: object_records(path),
    Format.ARRAYS: lambda _source, path: npz_records(path),
    Format.DOWNLOAD: lambda source, _path: download_records(source.files, source.part),
    Format.TENSORBOARD: lambda _source, path: tensorboard_records(path),
    Format.MLFLOW: lambda _source, path: mlflow_records(path),
    Format.TUNER: lambda _source, path: tuner_records(path),
    Format.WANDB: lambda _source, path: wandb_records(path),
    Format.TRACKIO: lambda source, path: trackio_records(path, source.part),
}
_PARAMETERS: dict[Format, Callable[[Path], Mapping[str, Any]]] = {
    Format.MLFLOW: mlflow_parameters,
    Format.TUNER: tuner_parameters,
}
"""How hyper-parameters are read where a format keeps them."""
_KEEPS_TEXT = (Format.KERAS_TEXT, Format.PATTERN)


@dataclass(frozen=True)
class Imported:
    """What came of one source."""

    folder: Path
    """The run's."""
    remarks: tuple[str, ...] = ()
    """What was skipped, repaired or guessed, a sentence each; the run holds them too."""


def import_path(path: Path, runs: Path, now: datetime, *, patterns: Sequence[str] = ()) -> list[Path]:
    """Bring every run that a path holds into the runs folder and return their folders; `import_runs` says more."""
    return [imported.folder for imported in import_runs(path, runs, now, patterns=patterns)]


def import_runs(path: Path, runs: Path, now: datetime, *, patterns: Sequence[str] = ()) -> list[Imported]:
    """Bring every run that a path holds into the runs folder.

    A source that was imported before and has only grown gets its new records added to the run it has. Where a path
    holds several runs, those without an ended epoch are left out.

    Args:
        path: of a file or a folder; it is only read.
        runs: the runs folder.
        now: local time, for names.
        patterns: those that text is to be read by, whatever the file looks like; often none.

    Raises:
        UsageError: the path holds nothing that can be imported, or no epoch that has ended; no run is left then.
        DependencyMissing: a package that the format needs is not installed.
        FolderNotWritable: the runs folder can't be written to.
        OSError: the source can't be read or the run not written.
    """
    if patterns:
        check_patterns(patterns)
        if not path.is_file():
            raise UsageError(f"--pattern reads a file of text, and {printable(str(path))} is none.")
        sources = [Source(path, Format.PATTERN, 1.0, patterns=tuple(patterns))]
    else:
        sources = find_sources(path)
    imported, refused = [], []
    for source in sources:
        try:
            imported.append(_import(source, runs, now))
        except NoEpoch as error:
            refused.append(str(error))
    if not imported:
        raise UsageError(refused[0] + (f" So it is with {len(refused) - 1} others." if len(refused) > 1 else ""))
    if refused:
        left = f"{len(refused)} of {len(sources)} runs hold no epoch that has ended: left out."
        imported[0] = replace(imported[0], remarks=(*imported[0].remarks, left))
    return imported


class NoEpoch(UsageError):
    """A source of a known format in which no epoch has ended."""


def _import(source: Source, runs: Path, now: datetime) -> Imported:
    path = source.path.resolve()
    found = find_kept(runs, path, source.key)
    take = _take_lines if source.format in _PARSERS else _take_records
    if found is not None:
        folder, kept = found
        try:
            info = read_run_info(folder)
        except MonitorError:
            info = None
        if info is not None:
            with ImportedRun(folder, info) as run:
                taken = take(source, path, run, kept)
            if taken is not None:
                _keep_parameters(source, path, folder)
                return Imported(folder, taken.remarks)
    name = source.part if source.part.strip() else path.stem
    folder = create_run_folder(runs, None, name or "import", now)
    with ExitStack() as unless_done:
        unless_done.callback(shutil.rmtree, folder, ignore_errors=True)
        with ImportedRun(folder, _identity(folder, source, path)) as run:
            taken = take(source, path, run, None)
        if taken is None or not taken.epochs:
            raise NoEpoch(refusal.no_epoch(source.path, source.format, taken.remarks if taken else ()))
        _keep_parameters(source, path, folder)
        unless_done.pop_all()
    return Imported(folder, taken.remarks)


def _keep_parameters(source: Source, path: Path, folder: Path) -> None:
    read = _PARAMETERS.get(source.format)
    parameters = read(path) if read is not None else {}
    if parameters:
        write_parameters(folder, parameters)


@dataclass(frozen=True)
class _Taken:
    """What a source gave its run."""

    epochs: int
    """Ended ones, in this reading."""
    remarks: tuple[str, ...] = ()


def _identity(folder: Path, source: Source, path: Path) -> RunInfo:
    return RunInfo(
        name=folder.name,
        command=("tui-monitor", "import", str(path)),
        created=path.stat().st_mtime,
        description=f"Imported from {path.name}: {source.format}.",
    )


def _take_lines(source: Source, path: Path, run: ImportedRun, kept: KeptSource | None) -> _Taken | None:
    """Add what the source has got since; return None, with nothing changed, where it is another one by now."""
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        state = LineState()
        if kept is not None:
            if found.st_size < kept.size or fingerprint(file, kept.taken) != kept.fingerprint:
                return None
            if (found.st_size, found.st_mtime_ns) == (kept.size, kept.modified):
                return _Taken(0)
            run.truncate(kept.mark)
            state = msgspec.convert(kept.state, LineState)
        is_kept = source.format in _KEEPS_TEXT
        importer = LineImporter(
            run,
            _PARSERS[source.format](source, state),
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
        checkpoint = _checkpoint_of(run, state, file.tell())
        importer.close()
        if is_kept:
            run.mark_output(file.tell())
        taken = state.consumed or found.st_size
        keep(
            run.folder,
            KeptSource(
                path=str(path),
                format=source.key,
                size=found.st_size,
                modified=found.st_mtime_ns,
                taken=taken,
                fingerprint=fingerprint(file, taken),
                mark=checkpoint,
                state=asdict(state),
            ),
        )
    return _Taken(importer.recorder.epochs, importer.recorder.remarks)


def _checkpoint_of(run: ImportedRun, state: LineState, read: int) -> Checkpoint:
    """Return what holds for good: the output up to the last line's end, and nothing where that is unknown."""
    if not state.consumed:
        return Checkpoint()
    checkpoint = run.checkpoint()
    return Checkpoint(**{**asdict(checkpoint), "output": max(checkpoint.output - (read - state.consumed), 0)})


def _take_records(source: Source, path: Path, run: ImportedRun, kept: KeptSource | None) -> _Taken | None:
    """Add the records that are new; return None, with nothing changed, where the earlier ones differ."""
    read = _READERS[source.format]
    held = _Held(0, hashlib.blake2b(digest_size=16).hexdigest(), Checkpoint())
    if kept is not None:
        if _digest(read(source, path), kept.taken) != kept.fingerprint:
            return None
        run.truncate(kept.mark)
        held = _Held(kept.taken, kept.fingerprint, kept.mark)
    recorder = Recorder(run, run.move_clock, _alerts_so_far(run))
    held = _add_records(read(source, path), recorder, run, held)
    keep(run.folder, KeptSource(str(path), source.key, 0, 0, held.taken, held.digest, held.mark))
    return _Taken(recorder.epochs, recorder.remarks)


@dataclass(frozen=True)
class _Held:
    """How far a run holds for good."""

    taken: int
    """Records, remarks not counted: they tell of the source as it was read."""
    digest: str
    mark: Checkpoint


def _alerts_so_far(run: ImportedRun) -> AlertWatch:
    """Return a watch that has seen the epochs of the fit under way, whose alerts the run holds already."""
    watch = AlertWatch()
    fit = load(run.folder).fit
    for row in fit.epochs if fit is not None else ():
        watch.epoch(epoch_losses(row.epoch, row.metrics))
    return watch


def _digest(records: Iterator[Record], count: int) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for record in islice((record for record in records if _is_solid(record)), count):
        digest.update(repr(record).encode())
    return digest.hexdigest()


def _is_solid(record: Record) -> bool:
    return not isinstance(record, Remark | Ended)


def _add_records(records: Iterator[Record], recorder: Recorder, run: ImportedRun, held: _Held) -> _Held:
    """Write all but the records held already; return what holds now: all before the newest epoch, which may grow."""
    digest = hashlib.blake2b(digest_size=16)
    taken, skipped, waiting = 0, held.taken, held
    for record in records:
        is_solid = _is_solid(record)
        if taken >= skipped:
            if waiting.taken != taken and not isinstance(record, BatchEnded):
                waiting = _Held(taken, digest.hexdigest(), run.checkpoint())
            if isinstance(record, EpochBegan):
                held = waiting
            recorder.take(record)
        if is_solid:
            digest.update(repr(record).encode())
            taken += 1
    return held
