"""`import`, `open` and `-`: logs of other tools, and standard input, become runs."""

import os
import shutil
import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from tui_monitor.cli.boundary import INTERRUPTED
from tui_monitor.cli.watch_command import watch
from tui_monitor.errors import UsageError
from tui_monitor.importers.importing import import_path
from tui_monitor.importers.standard_input import Pump
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.runs.folders import create_run_folder, is_run_folder, printable, runs_folder
from tui_monitor.run_log.write.writer import RunWriter

_TERMINAL = "/dev/tty"
_INPUT, _OUTPUT = 0, 1
_USAGE = "Use it as: python train.py 2>&1 | tui-monitor -"


def import_paths(paths: Sequence[str], runs: str | None) -> int:
    """Bring logs into the runs folder, print the run folders, and return the exit code.

    Raises:
        UsageError: a path holds nothing that can be imported.
        DependencyMissing: a package that a format needs is not installed.
        FolderNotWritable: the runs folder can't be written to.
    """
    for text in paths:
        for folder in _imported(text, runs):
            sys.stdout.write(f"{folder}\n")
    return 0


def open_paths(paths: Sequence[str], runs: str | None) -> int:
    """Bring logs into the runs folder, show the first, and return the exit code.

    Raises:
        MonitorError: as `import_paths`.
    """
    folders = [folder for text in paths for folder in _imported(text, runs)]
    for folder in folders[1:]:
        print(f"Also imported: {printable(str(folder))}", file=sys.stderr)
    return watch(folders[0], None)


def _imported(text: str, runs: str | None) -> list[Path]:
    path = Path(text).expanduser()
    with suppress(OSError, ValueError):
        if path.is_dir() and is_run_folder(path):
            return [path]
    return import_path(path, runs_folder(runs), datetime.now(UTC).astimezone())


def follow_standard_input(runs: str | None, *, tee: bool, headless: bool) -> int:
    """Record the text on standard input as a run while showing it, and return the exit code.

    What is left when the user leaves the screen is still recorded, so that the writing end never breaks.

    Args:
        runs: the runs folder asked for.
        tee: pass the text on to standard output.
        headless: plain lines even where there is a terminal.

    Raises:
        UsageError: standard input is a terminal, or ended without a byte: nothing is piped in, and no run is left.
        FolderNotWritable: the runs folder can't be written to.
    """
    if sys.stdin.isatty():
        raise UsageError(f"Nothing is piped in. {_USAGE}")
    folder = create_run_folder(runs_folder(runs), None, "stdin", datetime.now(UTC).astimezone())
    # Copies, because the screen takes the terminal as descriptors 0 and 1 below.
    source, passed_on = os.dup(_INPUT), os.dup(_OUTPUT) if tee else None
    # A screen over the text that is passed on would be unreadable, and so would be the text.
    is_shown = not headless and not (tee and sys.stdout.isatty()) and _take_terminal()
    info = RunInfo(
        name=folder.name,
        command=("tui-monitor", *sys.argv[1:]),
        host=socket.gethostname(),
        description="Standard input.",
    )
    with RunWriter(folder, info) as writer:
        # A daemon: standard input may never end, and must not keep the command alive after a second Ctrl-C.
        pump = Pump(source, writer, passed_on)
        thread = threading.Thread(target=pump.run, name="standard-input", daemon=True)
        thread.start()
        code = _watch_to_the_end(folder, thread, is_shown=is_shown)
    if not pump.has_text:
        shutil.rmtree(folder, ignore_errors=True)
        raise UsageError(f"Standard input ended before anything came, so there is no run. {_USAGE}")
    return code


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
