"""`replay`: a saved run, or one that still goes on, on the screen under a playback clock."""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.cli.screen_options import chosen_options
from tui_monitor.cli.watch_command import has_terminal, marker_set
from tui_monitor.errors import UsageError
from tui_monitor.history.start import FASTEST, Start
from tui_monitor.run_log.runs.folders import find_run, runs_folder
from tui_monitor.run_log.runs.place import remote_run
from tui_monitor.run_log.runs.summary import summarise

if TYPE_CHECKING:
    from tui_monitor.run_log.runs.remote import RemoteRun

_SLOWEST, _FASTEST_NAMED = 0.25, 1000.0


def replay(
    run: str, runs: str | None, *, speed: str | None, epoch: int | None, moment: str | None, paused: bool
) -> int:
    """Replay a run until the user leaves, and return the exit code.

    Args:
        run: path, name or address.
        runs: the runs folder asked for.
        speed: factor or `max`, or None for a usual one.
        epoch: to start at the end of.
        moment: run time or percentage to start at.
        paused: whether to wait for the user.

    Raises:
        RunNotFound: no run of that name or path.
        UsageError: speed or moment make no sense.
        DependencyMissing: the package that reads such an address is not installed.
    """
    start = start_of(speed=speed, epoch=epoch, moment=moment, paused=paused)
    remote = remote_run(run, runs)
    return show(remote.folder if remote is not None else find_run(run, runs_folder(runs)), start, remote)


def show(folder: Path, start: Start, remote: "RemoteRun | None") -> int:
    """Show a replay until the user leaves, and return the exit code.

    Args:
        folder: of the run.
        start: where it begins.
        remote: what the folder is a copy of, kept up to date meanwhile; None for a run of this machine.
    """
    if not has_terminal():
        from tui_monitor.cli.headless import follow_headless

        with followed(remote, lambda sentence: print(sentence, file=sys.stderr)):
            follow_headless(folder, None)
        return 0
    options = chosen_options()
    from tui_monitor.app.replay_app import ReplayApp

    app = ReplayApp(folder, start=start, markers=marker_set(), options=options, opened=summarise(folder))
    with followed(remote, app.notify_from_thread):
        app.run()
    return app.return_code or 0


@contextmanager
def followed(remote: "RemoteRun | None", told: Callable[[str], object]) -> Iterator[None]:
    """Keep the copy of a remote run up to date meanwhile."""
    if remote is None:
        yield
        return
    from tui_monitor.run_log.runs.remote import RemoteFollower

    follower = RemoteFollower(remote, told)
    try:
        yield
    finally:
        follower.stop()


def start_of(*, speed: str | None, epoch: int | None, moment: str | None, paused: bool) -> Start:
    """Return where a replay begins.

    Raises:
        UsageError: as `replay`.
    """
    if epoch is not None and moment is not None:
        raise UsageError("Name one position to start from: --epoch or --at.")
    is_fraction = moment is not None and moment.strip().endswith("%")
    return Start(
        seconds=0.0 if moment is None or is_fraction else _seconds(moment),
        fraction=_fraction(str(moment)) if is_fraction else None,
        epoch=epoch,
        speed=None if speed is None else _speed(speed),
        is_playing=not paused,
    )


def _speed(text: str) -> float:
    if text.strip().lower() == "max":
        return FASTEST
    factor = _number(text.strip().removesuffix("x").removesuffix("×"))
    if factor is None or not _SLOWEST <= factor <= _FASTEST_NAMED:
        raise UsageError(f"No such speed: {text!r}. Name a factor from 0.25 to 1000, or max.")
    return factor


def _fraction(text: str) -> float:
    percent = _number(text.strip().removesuffix("%"))
    if percent is None or not 0 <= percent <= 100:
        raise UsageError(f"No such position in the run: {text!r}. Name a percentage from 0% to 100%.")
    return percent / 100


def _seconds(text: str) -> float:
    parts = [_number(part) for part in text.split(":")]
    if len(parts) > 3 or any(part is None or part < 0 for part in parts):
        raise UsageError(f"No such run time: {text!r}. Name seconds, or m:ss, or h:mm:ss.")
    seconds = 0.0
    for part in parts:
        seconds = seconds * 60 + (part or 0.0)
    return seconds


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
