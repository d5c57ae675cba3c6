"""The pinned run as a baseline for another one's screen, read again where it grows or another is pinned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.errors import MonitorError
from tui_monitor.run_log.format.layout import EVENTS_FILE
from tui_monitor.run_log.runs.baseline import read_baseline

if TYPE_CHECKING:
    from tui_monitor.view.view_state import Baseline

PAUSE_SECONDS = 3.0
"""Between two looks at the pinned run."""


class BaselineSource:
    """Looks at the runs folder that a run lies in."""

    def __init__(self, folder: Path) -> None:
        """Name the run; nothing is read yet.

        Args:
            folder: of the run that is shown, which is never its own baseline.
        """
        self._folder = folder
        self._seen: tuple[str, int, int] | None = None
        self._baseline: Baseline | None = None

    def poll(self) -> Baseline | None:
        """Return the baseline, the same object while nothing has changed; None where none is pinned or it is gone."""
        name = read_baseline(self._folder.parent)
        if name == self._folder.name:
            name = ""
        seen = (name, *_stamp(self._folder.parent / name / EVENTS_FILE)) if name else ("", 0, 0)
        if seen != self._seen:
            self._seen = seen
            self._baseline = _read(self._folder.parent / name) if name else None
        return self._baseline


def _stamp(events: Path) -> tuple[int, int]:
    try:
        found = events.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _read(folder: Path) -> Baseline | None:
    from tui_monitor.history.load_epochs import load_epochs  # noqa: PLC0415 - the first frame comes before
    from tui_monitor.view.view_state import Baseline  # noqa: PLC0415

    try:
        snapshot = load_epochs(folder)
    except MonitorError:
        return None
    epochs = next((fit.epochs for fit in reversed(snapshot.fits) if fit.epochs), ())
    return Baseline(folder.name, epochs) if epochs else None
