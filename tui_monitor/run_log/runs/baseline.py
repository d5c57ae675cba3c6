"""The run that others are measured against, in a file of the runs folder: it is pinned until another is, or none."""

import json
from pathlib import Path
from typing import Any

from tui_monitor.errors import FolderNotWritable
from tui_monitor.run_log.format.replace_file import replace_file
from tui_monitor.run_log.format.strict_json import encode

BASELINE_FILE = ".baseline.json"
"""In the runs folder; its name begins with a dot, as no run's does."""

_LARGEST = 2**12


def read_baseline(runs: Path) -> str:
    """Return the name of the pinned run, which may be gone by now; empty where none is pinned."""
    try:
        with (runs / BASELINE_FILE).open("rb") as file:
            content: Any = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return ""
    name = content.get("run") if isinstance(content, dict) else None
    # A name and never a path: what lies elsewhere is not among these runs.
    return name if isinstance(name, str) and name == Path(name).name else ""


def write_baseline(runs: Path, name: str) -> None:
    """Pin a run, or none where the name is empty.

    Raises:
        FolderNotWritable: the runs folder is not writable; what was pinned stays.
    """
    try:
        if name:
            replace_file(runs / BASELINE_FILE, encode({"run": name}) + b"\n")
        else:
            (runs / BASELINE_FILE).unlink(missing_ok=True)
    except OSError as error:
        raise FolderNotWritable(f"Can't pin a baseline in {runs}: {error.strerror}.") from error
