"""Where runs live and how they are named: a run's folder is always a plain name under the runs folder."""

import os
import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from tui_monitor.errors import FolderNotWritable, RunNotFound
from tui_monitor.run_log.format.layout import CONTROL_FOLDER, HEARTBEAT_FILE, RUN_FILE, has_a_day
from tui_monitor.run_log.runs.liveness import GRACE_SECONDS, file_system_time

RUNS_VARIABLE = "TUI_MONITOR_RUNS"
"""Environment variable that names the runs folder."""

_LONGEST_NAME = 80
_LONGEST_NAME_BYTES = 200
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://.+", re.IGNORECASE)
_UNSAFE = re.compile(r"[^\w.+=@-]+")
_MOST_NAMED = 5
_CREATED = re.compile(rb'"created": ?([0-9.eE+]+)')
_HEAD_BYTES = 4096


def runs_folder(option: str | None = None) -> Path:
    """Return the folder that holds the runs: the option, else `TUI_MONITOR_RUNS`, else `./runs`.

    Raises:
        FolderNotWritable: an address is named, where runs can only be read.
    """
    named = option or os.environ.get(RUNS_VARIABLE) or "runs"
    if is_address(named):
        raise FolderNotWritable(
            f"{printable(named)} can only be read. Name a folder of this machine with --runs or {RUNS_VARIABLE}."
        )
    return Path(named).expanduser()


def is_address(text: str) -> bool:
    """Whether a run is named by an address, such as `s3://bucket/run`, rather than a path."""
    return _ADDRESS.fullmatch(text) is not None


def absolute(path: Path) -> Path:
    """Return a path that does not depend on the working folder, as far as there is one."""
    try:
        return path.absolute()
    except OSError:
        return path


def create_run_folder(runs: Path, name: str | None, stem: str, now: datetime) -> Path:
    """Create a new run's folder, readable by its owner alone, and return it.

    Args:
        runs: the runs folder; created when missing.
        name: name asked for, or None for one made of `stem` and the time. What could lead out of the runs
            folder or upset a terminal is replaced; a name that is taken gets a number.
        stem: what runs, such as the script's name.
        now: local time of the start.

    Raises:
        FolderNotWritable: the runs folder can't be created or written to.
    """
    wanted = safe_name(name) if name else f"{safe_name(stem)}-{now:%Y%m%d-%H%M%S}"
    try:
        runs.mkdir(parents=True, exist_ok=True)
        folder = _create_unique(runs, wanted)
        (folder / CONTROL_FOLDER).mkdir(mode=0o700)
    except OSError as error:
        raise FolderNotWritable(
            f"Can't create a run in {printable(str(runs))}: {error.strerror}. "
            f"Name a folder you can write to with --runs or {RUNS_VARIABLE}."
        ) from error
    return folder


def safe_name(text: str) -> str:
    """Return a text as a plain, visible file name of at most 80 characters; `run` where nothing is left."""
    name = _UNSAFE.sub("-", unicodedata.normalize("NFC", text)).strip("-.")[:_LONGEST_NAME]
    while len(name.encode("utf-8", errors="replace")) > _LONGEST_NAME_BYTES:
        name = name[:-1]
    return name.rstrip("-.") or "run"


def printable(text: str) -> str:
    """Return a text with what a terminal would obey or can't encode replaced by `?`."""
    return "".join(character if character.isprintable() else "?" for character in text)


def is_run_folder(path: Path) -> bool:
    """Return whether a folder holds a run, if only one that is about to start."""
    return (path / RUN_FILE).is_file() or (path / CONTROL_FOLDER).is_dir()


def find_run(text: str, runs: Path) -> Path:
    """Return the folder of the run that a user names.

    Args:
        text: a path to a run folder, or a run's name under the runs folder or an unambiguous beginning of it.
        runs: the runs folder.

    Raises:
        RunNotFound: no run, or several, fit; the message says where it looked and what comes closest.
    """
    path = Path(text).expanduser()
    if path.name == RUN_FILE and _does(path.is_file):
        path = path.parent
    for candidate in (path, runs / path.name if path.name == text else path):
        if text and _does(partial(is_run_folder, candidate)):
            return candidate
    names = [folder.name for folder in list_runs(runs)]
    matches = [name for name in names if text and name.startswith(text)]
    if len(matches) == 1:
        return runs / matches[0]
    raise RunNotFound(_not_found(text, path, runs, names, matches))


def list_runs(runs: Path) -> list[Path]:
    """Return the folders of all runs, newest first; empty where there is no runs folder."""
    try:
        with os.scandir(runs) as entries:
            names = [entry.name for entry in entries if _is_folder(entry)]
    except OSError:
        return []
    where = str(runs)
    stamped = [(created, name) for name in names if (created := _created(f"{where}/{name}")) is not None]
    return [runs / name for _, name in sorted(stamped, reverse=True)]


def may_live(runs: Path, folders: Sequence[Path]) -> list[Path]:
    """Return the runs with a heartbeat or a change in the last minute, in the same order; one `stat` decides most."""
    young = file_system_time(runs) - GRACE_SECONDS
    return [folder for folder in folders if max(_changed(folder / HEARTBEAT_FILE), _changed(folder)) > young]


def _create_unique(runs: Path, wanted: str) -> Path:
    number = 1
    while True:
        folder = runs / (wanted if number == 1 else f"{wanted}-{number}")
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            number += 1
        else:
            return folder


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return not entry.name.startswith(".") and entry.is_dir()
    except OSError:
        return False


def _does(check: Callable[[], bool]) -> bool:
    """Return what a check of a path says; no for a path that can't exist, such as one far too long."""
    try:
        return check()
    except (OSError, ValueError):
        return False


def _created(folder: str) -> float | None:
    """Return when a run began, from the head of its `run.json`; None where there is no run. Paths would cost more."""
    try:
        descriptor = os.open(f"{folder}/{RUN_FILE}", os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        is_starting = os.path.isdir(f"{folder}/{CONTROL_FOLDER}")  # noqa: PTH112 - ten thousand times
        return _changed(folder) if is_starting else None
    try:
        found = _CREATED.search(os.read(descriptor, _HEAD_BYTES))
        created = float(found[1]) if found else -1.0
        return created if has_a_day(created) else os.fstat(descriptor).st_mtime
    except (OSError, ValueError):
        return 0.0
    finally:
        os.close(descriptor)


def _changed(path: str | Path) -> float:
    try:
        return os.stat(path).st_mtime  # noqa: PTH116 - ten thousand times
    except OSError:
        return 0.0


def _not_found(text: str, path: Path, runs: Path, names: list[str], matches: list[str]) -> str:
    shown = printable(text[:_LONGEST_NAME])
    if matches:
        return f"Several runs in {printable(str(runs))} begin with {shown!r}: {_listed(matches)}."
    if text and _does(path.is_dir):
        return f"{printable(str(path))} is a folder, but no run: it holds no {RUN_FILE}."
    where = f"No run {shown!r}: looked for a folder of that path and in {printable(str(runs.absolute()))}"
    import difflib  # noqa: PLC0415 - for a name that was not found

    close = difflib.get_close_matches(text, names, n=_MOST_NAMED, cutoff=0.4)
    if close:
        return f"{where}. Closest: {_listed(close)}."
    if names:
        return f"{where}. Newest there: {_listed(names)}."
    return f"{where}, which holds no runs. Name another with --runs or {RUNS_VARIABLE}."


def _listed(names: list[str]) -> str:
    shown = ", ".join(printable(name) for name in names[:_MOST_NAMED])
    return f"{shown} and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else shown
