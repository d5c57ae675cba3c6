"""`tui-monitor` alone: the table of runs, and the runs that are opened from it."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.cli.screen_options import chosen_options
from tui_monitor.cli.watch_command import has_terminal, marker_set
from tui_monitor.errors import MonitorError
from tui_monitor.run_log.runs.place import place_of
from tui_monitor.run_log.runs.summary import summary_of
from tui_monitor.view.view_state import ViewState

if TYPE_CHECKING:
    from tui_monitor.app.feed.runs_session import RunsSession
    from tui_monitor.app.monitor_app import MonitorApp
    from tui_monitor.app.runs_app import Chosen
    from tui_monitor.app.terminal.screen_options import ScreenOptions


def browse(runs: str | None) -> int:
    """Show the runs until the user leaves, and return the exit code; where there is no terminal, list them.

    Args:
        runs: folder of the runs.
    """
    if not has_terminal():
        from tui_monitor.cli.list_command import list_all

        return list_all(runs)
    options = chosen_options()
    from tui_monitor.app.feed.runs_session import RunsSession
    from tui_monitor.app.runs_app import RunsApp

    session = RunsSession.over(place_of(runs))
    try:
        while True:
            table = RunsApp(session, markers=marker_set(), options=options, meanwhile=_import_what_opens)
            table.run()
            if table.return_code or table.chosen is None:
                return table.return_code or 0
            # A theme that was chosen on one screen is kept on the next.
            code, theme = _open(session, table.chosen, replace(options, theme=table.theme))
            options = replace(options, theme=theme)
            if code is not None:
                return code
    finally:
        session.close()


def _import_what_opens() -> None:
    """Import what draws a run, so that opening one does not wait for it."""
    import tui_monitor.app.control.training_control
    import tui_monitor.app.feed.live_source
    import tui_monitor.app.live_app
    import tui_monitor.app.screens.layout  # noqa: F401


def _open(session: "RunsSession", chosen: "Chosen", options: "ScreenOptions") -> tuple[int | None, str]:
    """Show a run; return the exit code, or None where the user goes back to the table, and the theme at the end."""
    folder: Path = session.runs / chosen.entry.name
    view = replace(session.views.get(folder.name, ViewState()), from_table=True)
    from tui_monitor.app.live_app import LiveApp
    from tui_monitor.app.replay_app import ReplayApp
    from tui_monitor.cli.replay_command import followed
    from tui_monitor.history.start import Start

    opened, markers = summary_of(session.runs, chosen.entry), marker_set()
    remote = session.place.remote.run(folder.name) if session.place.remote is not None else None
    app: MonitorApp
    if remote is not None:
        # As a replay, which stands at the end at first: no request reaches its training from here.
        with suppress(MonitorError):  # what is here is shown, and the screen says what fails
            remote.fetch()
        start = None if chosen.is_replay else Start(fraction=1.0)
        app = ReplayApp(folder, start=start, markers=markers, view=view, options=options, opened=opened)
        with followed(remote, app.notify_from_thread):
            app.run()
    else:
        kind = ReplayApp if chosen.is_replay else LiveApp
        app = kind(folder, markers=markers, view=view, options=options, opened=opened)
        app.run()
    session.views[folder.name] = replace(app.view, pending="")
    return None if app.goes_back else app.return_code or 0, app.theme
