"""Watching a run: on the screen where there is a terminal, in plain lines where there is none."""

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.charts.markers import MarkerSet
from tui_monitor.cli.screen_options import chosen_options
from tui_monitor.errors import RunNotFound, TrainingFailed
from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.folders import find_run, is_address, list_runs, may_live, printable
from tui_monitor.run_log.runs.place import RunsPlace, place_of, remote_run
from tui_monitor.run_log.runs.summary import summarise

if TYPE_CHECKING:
    from tui_monitor.launch import TrainingProcess


def has_terminal() -> bool:
    """Whether a screen can be drawn: both ends are terminals, and one that can place a cursor."""
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


_WITHOUT_BRAILLE = re.compile(r"vt\d|linux|ansi|cons25|sun")
"""Terminals, by the start of their names, whose fonts hold no braille, whatever the locale."""


def _shows_braille() -> bool:
    """Whether locale and font can show it; a Latin-1 terminal would show escapes instead, a console empty boxes."""
    speaks_unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    return speaks_unicode and not _WITHOUT_BRAILLE.match(os.environ.get("TERM", ""))


def marker_set() -> MarkerSet:
    """Return the characters that were asked for, else those that the terminal can show."""
    is_ascii = chosen_options().ascii_only or not _shows_braille()
    return MarkerSet.ASCII if is_ascii else MarkerSet.BRAILLE


def attach(run: str | None, runs: str | None) -> int:
    """Watch a run until the user leaves or it ends; return the exit code.

    Raises:
        RunNotFound: no such run, or none at all.
    """
    place = place_of(runs)
    if place.remote is not None or (run is not None and is_address(run)):
        return _attach_elsewhere(run, runs, place)
    return watch(find_run(run, place.folder) if run else _newest(place.folder), None)


def _attach_elsewhere(run: str | None, runs: str | None, place: RunsPlace) -> int:
    """Show a run elsewhere as it stands: as a replay at its end, as no request reaches it from here."""
    from tui_monitor.cli.replay_command import show
    from tui_monitor.history.start import Start

    if run is None:
        place.refresh()
        run = _newest(place.folder).name
    remote = remote_run(run, runs)
    assert remote is not None
    return show(remote.folder, Start(fraction=1.0), remote)


def _newest(runs: Path) -> Path:
    """Return the newest live run, or the newest one where none is live."""
    folders = list_runs(runs)
    if not folders:
        raise RunNotFound(f"No runs in {printable(str(runs.absolute()))}. Start one with: tui-monitor demo")
    # All runs are checked only if none has a heartbeat: a stopped process has none and is live.
    for candidates in (may_live(runs, folders), folders):
        for folder in candidates:
            if not summarise(folder).state.ended:
                return folder
    return folders[0]


def watch(
    folder: Path, training: "TrainingProcess | None", *, headless: bool = False, tells_failure: bool = True
) -> int:
    """Show a run and return the exit code.

    Args:
        folder: of the run.
        training: started here, the screen first where there is one; None for a run of someone else.
        headless: plain lines even where there is a terminal.
        tells_failure: whether a failed training of ours is an error of this command; a script tells its own.

    Raises:
        TrainingFailed: the run this command started has failed.
    """
    if headless or not has_terminal():
        from tui_monitor.cli.headless import follow_headless, train_headless

        if training is not None:
            train_headless(folder, training)
        else:
            follow_headless(folder, None)
    else:
        options = chosen_options()
        from tui_monitor.app.live_app import LiveApp

        app = LiveApp(folder, own=training, markers=marker_set(), options=options, opened=summarise(folder))
        app.run()
        if app.return_code:
            return app.return_code
    return _conclusion(folder, training if tells_failure else None)


def _conclusion(folder: Path, training: "TrainingProcess | None") -> int:
    summary = summarise(folder)
    if not summary.state.ended:
        print(f"Training goes on. Watch it again with: tui-monitor attach {folder}", file=sys.stderr)
        return 0
    if training is not None and summary.state in (State.FAILED, State.LOST):
        raise TrainingFailed(
            f"Training {summary.state}: {printable(summary.detail)} Its whole output is in {folder / 'output.log'}."
        )
    return 0
