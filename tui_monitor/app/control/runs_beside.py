"""What is opened from the table over several runs: why two differ, curves on one chart, hyper-parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_monitor.errors import MonitorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_monitor.app.runs_app import RunsApp
    from tui_monitor.run_log.runs.entry import RunEntry

GROUPS = ("compare", "overlay", "sweep")
"""Groups of the workers that read what is opened."""


class RunsBeside:
    """Reads runs in a thread, as NumPy and events take a moment, and then opens the screen that shows them."""

    def __init__(self, app: RunsApp) -> None:
        """Prepare; nothing is read before a key is pressed.

        Args:
            app: knows which runs are marked, and shows the screens.
        """
        self._app = app

    def compare(self) -> None:
        """Say why the second marked run differs from the first."""
        pair = self._app.marked
        entry = self._app.under_cursor
        if not pair and len(self._app.shown) == 2:
            # There is nothing to choose: the newer one against the older.
            pair = [run.name for run in sorted(self._app.shown, key=lambda run: run.created)]
        if len(pair) == 1 and entry is not None and entry.name != pair[0]:
            pair.append(entry.name)
        if len(pair) != 2:
            self._app.say("Mark two runs with space: c then says why the second differs from the first.")
            return
        self._open(GROUPS[0], lambda: self._comparison(*pair))

    def _comparison(self, first: str, second: str) -> None:
        from tui_monitor.app.screens.comparison import ComparisonScreen  # noqa: PLC0415
        from tui_monitor.compare.comparison import compare  # noqa: PLC0415

        app = self._app
        place = app.session.place
        found = compare(place.bring(first), place.bring(second))
        app.call_from_thread(app.push_screen, ComparisonScreen(found, ascii_only=app.is_ascii))

    def overlay(self) -> None:
        """Draw the marked runs on one chart."""
        names = self._app.marked
        if len(names) < 2:
            self._app.say("Mark 2 to 8 runs with space: o then draws them on one chart.")
            return
        texts = {name: self._app.what_differs(name) for name in names}
        self._open(GROUPS[1], lambda: self._overlay(texts))

    def _overlay(self, texts: dict[str, str]) -> None:
        from tui_monitor.app.screens.overlay import OverlayScreen  # noqa: PLC0415

        app = self._app
        app.call_from_thread(app.push_screen, OverlayScreen(app.session.place, texts, markers=app.markers))

    def sweep(self) -> None:
        """Rank the runs of the script under the cursor, those that fit the filter, by their hyper-parameters."""
        entry = self._app.under_cursor
        if entry is None:
            return
        runs = [run for run in self._app.shown if run.script == entry.script and not run.problem]
        metric = self._app.metric
        if sum(metric in run.best for run in runs) < 2:
            self._app.say(f"A ranking needs two runs of one script with a value of {metric}.")
            return
        self._open(GROUPS[2], lambda: self._sweep(entry.script, runs, metric))

    def _sweep(self, script: str, runs: list[RunEntry], metric: str) -> None:
        from tui_monitor.app.screens.sweep import SweepScreen  # noqa: PLC0415

        app = self._app
        app.call_from_thread(app.push_screen, SweepScreen(script, runs, metric, ascii_only=app.is_ascii))

    def _open(self, group: str, read: Callable[[], None]) -> None:
        def attempt() -> None:
            try:
                read()
            except MonitorError as error:
                self._app.call_from_thread(self._app.say, str(error))

        self._app.run_worker(attempt, thread=True, group=group, exclusive=True)
