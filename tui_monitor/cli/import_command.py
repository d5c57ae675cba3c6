"""`import`, `open` and `-`: logs of other tools, and standard input, become runs."""

import os
import platform
import shutil
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from tui_monitor.cli.boundary import INTERRUPTED
from tui_monitor.cli.watch_command import watch
from tui_monitor.errors import MonitorError, UsageError
from tui_monitor.importers import refusal
from tui_monitor.importers.importing import import_runs
from tui_monitor.importers.standard_input import Pump
from tui_monitor.importers.text.pattern_log import check_patterns
from tui_monitor.run_log.format.layout import OUTPUT_FILE, RunInfo
from tui_monitor.run_log.runs.folders import create_run_folder, is_run_folder, printable, runs_folder
from tui_monitor.run_log.write.writer import RunWriter

_TERMINAL = "/dev/tty"
_INPUT, _OUTPUT = 0, 1
_USAGE = "Use it as: python train.py 2>&1 | tui-monitor -"


def import_paths(paths: Sequence[str], runs: str | None, patterns: Sequence[str] = ()) -> int:
    """Bring logs into the runs folder, print the run folders, and return the exit code.

    What was skipped, repaired or guessed is said in a line each on standard error.

    Args:
        paths: of files and folders; those after one that can't be imported are tried as well.
        runs: the runs folder asked for.
        patterns: that text is to be read by; often none.

    Raises:
        UsageError: a path holds nothing that can be imported.
        DependencyMissing: a package that a format needs is not installed.
        FolderNotWritable: the runs folder can't be written to.
    """
    refused: MonitorError | None = None
    for text in paths:
        try:
            for folder in _imported(text, runs, patterns):
                sys.stdout.write(f"{folder}\n")
                sys.stdout.flush()
        except UsageError as error:
            if refused is not None:
                print(f"tui-monitor: {refused}", file=sys.stderr)
            refused = error
    if refused is not None:
        raise refused
    return 0


def open_paths(paths: Sequence[str], runs: str | None, patterns: Sequence[str] = ()) -> int:
    """Bring logs into the runs folder, show the first, and return the exit code.

    Raises:
        MonitorError: as `import_paths`.
    """
    folders = [folder for text in paths for folder in _imported(text, runs, patterns)]
    for folder in folders[1:]:
        print(f"Also imported: {printable(str(folder))}", file=sys.stderr)
    return watch(folders[0], None)


def _imported(text: str, runs: str | None, patterns: Sequence[str]) -> list[Path]:
    path = Path(text).expanduser()
    with suppress(OSError, ValueError):
        if path.is_dir() and is_run_folder(path):
            return [path]
    folders = []
    for imported in import_runs(path, runs_folder(runs), datetime.now(UTC).astimezone(), patterns=patterns):
        for sentence in imported.remarks:
            _remark(path.name, sentence)
        folders.append(imported.folder)
    return folders


def _remark(source: str, sentence: str) -> None:
    print(f"{printable(source)}: {printable(sentence)}", file=sys.stderr)


def follow_standard_input(runs: str | None, *, tee: bool, headless: bool, patterns: Sequence[str] = ()) -> int:
    """Record the text on standard input as a run while showing it, and return the exit code.

    What is left when the user leaves the screen is still recorded, so that the writing end never breaks.

    Args:
        runs: the runs folder asked for.
        tee: pass the text on to standard output.
        headless: plain lines even where there is a terminal.
        patterns: that the text is to be read by; often none.

    Raises:
        UsageError: standard input is a terminal, or ended without an epoch: no run is left. Text that came without
            one is kept in a file beside the runs.
        FolderNotWritable: the runs folder can't be written to.
    """
    if sys.stdin.isatty():
        raise UsageError(f"Nothing is piped in. {_USAGE}")
    check_patterns(patterns)
    folder = create_run_folder(runs_folder(runs), None, "stdin", datetime.now(UTC).astimezone())
    # Copies, because the screen takes the terminal as descriptors 0 and 1 below.
    source, passed_on = os.dup(_INPUT), os.dup(_OUTPUT) if tee else None
    # A screen over the text that is passed on would be unreadable, and so would be the text.
    is_shown = not headless and not (tee and sys.stdout.isatty()) and _take_terminal()
    info = RunInfo(
        name=folder.name,
        command=("tui-monitor", *sys.argv[1:]),
        host=platform.node(),
        description="Standard input.",
    )
    with RunWriter(folder, info) as writer:
        pump = Pump(source, writer, passed_on, patterns)
        thread = threading.Thread(target=pump.run, name="standard-input", daemon=True)
        thread.start()
        code = _watch_to_the_end(folder, thread, is_shown=is_shown)
    if not pump.has_text:
        shutil.rmtree(folder, ignore_errors=True)
        raise UsageError(f"Standard input ended before anything came, so there is no run. {_USAGE}")
    for sentence in pump.remarks:
        _remark("standard input", sentence)
    if not pump.epochs:
        kept = _keep_text(folder)
        raise UsageError(
            f"{refusal.no_epoch(kept, 'Keras progress text' if not patterns else 'text, by the pattern', ())} "
            f"No run is left; the text is in {printable(str(kept))}."
        )
    return code


def _keep_text(folder: Path) -> Path:
    """Keep what came on standard input beside the runs, and leave no run of it."""
    kept = folder.with_name(f"{folder.name}.txt")
    (folder / OUTPUT_FILE).replace(kept)
    shutil.rmtree(folder, ignore_errors=True)
    return kept


def _watch_to_the_end(folder: Path, thread: threading.Thread, *, is_shown: bool) -> int:
    try:
        code = watch(folder, None, headless=not is_shown)
        thread.join()
    except KeyboardInterrupt:
        # Ctrl-C goes to the whole pipeline: what the training prints because of it comes first. A second one ends this.
        thread.join()
        return INTERRUPTED
    return code


def _take_terminal() -> bool:
    """Make the terminal the standard input and output, which are pipes; return whether there is one."""
    try:
        descriptor = os.open(_TERMINAL, os.O_RDWR)
    except OSError:
        return False
    os.dup2(descriptor, _INPUT)
    os.dup2(descriptor, _OUTPUT)
    os.close(descriptor)
    return True
