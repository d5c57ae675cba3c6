"""`tui-monitor` alone: the table of runs, and the runs that are opened from it."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.cli.screen_options import chosen_options
from tui_monitor.cli.watch_command import has_terminal, marker_set
from tui_monitor.errors import MonitorError
from tui_monitor.run_log.runs.folders import runs_folder
from tui_monitor.run_log.runs.summary import summarise
from tui_monitor.view.view_state import Baseline, ViewState

if TYPE_CHECKING:
    from tui_monitor.app.feed.runs_session import RunsSession
    from tui_monitor.app.runs_app import Chosen


def browse(runs: str | None) -> int:
    """Show the runs until the user leaves, and return the exit code; where there is no terminal, list them.

    Args:
        runs: folder of the runs.
    """
    if not has_terminal():
        from tui_monitor.cli.list_command import list_all

        return list_all(runs)
    options, markers = chosen_options(), marker_set()
    from tui_monitor.app.feed.runs_session import RunsSession
    from tui_monitor.app.runs_app import RunsApp

    session = RunsSession.over(runs_folder(runs))
    try:
        while True:
            table = RunsApp(session, markers=markers, options=options)
            table.run()
            if table.return_code or table.chosen is None:
                return table.return_code or 0
            code = _open(session, table.chosen)
            if code is not None:
                return code
    finally:
        session.close()


def _baseline(session: "RunsSession", chosen: "Chosen") -> Baseline | None:
    """Return the pinned run; None where there is none, it is the one that is opened, or it can't be read."""
    name = session.state.baseline
    if not name or name == chosen.name:
        return None
    from tui_monitor.history.load_epochs import load_epochs

    try:
        snapshot = load_epochs(session.runs / name)
    except MonitorError:
        return None
    epochs = next((fit.epochs for fit in reversed(snapshot.fits) if fit.epochs), ())
    return Baseline(name, epochs) if epochs else None


def _open(session: "RunsSession", chosen: "Chosen") -> int | None:
    """Show a run, and return the exit code, or None where the user goes back to the table."""
    options, markers = chosen_options(), marker_set()
    folder: Path = session.runs / chosen.name
    view = replace(session.views.get(chosen.name, ViewState()), from_table=True, baseline=_baseline(session, chosen))
    from tui_monitor.app.live_app import LiveApp
    from tui_monitor.app.replay_app import ReplayApp

    kind = ReplayApp if chosen.is_replay else LiveApp
    app = kind(folder, markers=markers, view=view, options=options, opened=summarise(folder))
    app.run()
    session.views[chosen.name] = replace(app.view, pending="")
    return None if app.goes_back else app.return_code or 0
