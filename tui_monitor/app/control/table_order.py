"""What keys choose to see of the runs: their order, the metric whose best value counts, and the columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui_monitor.app.screens.choice import ChoiceScreen
from tui_monitor.view.runs.columns import COLUMNS

if TYPE_CHECKING:
    from tui_monitor.app.runs_app import RunsApp


class TableOrder:
    """Changes the state of the table; no run is touched."""

    def __init__(self, app: RunsApp) -> None:
        """Prepare; nothing is changed before a key is pressed.

        Args:
            app: draws the table in its new state.
        """
        self._app = app

    def sort(self) -> None:
        """Sort by the next column."""
        state = self._app.state
        names = [column.name for column in COLUMNS if column.name not in ("trend", *state.hidden)]
        now = state.sort.removeprefix("-")
        following = names[(names.index(now) + 1) % len(names)] if now in names else names[0]
        self._app.change(replace(state, sort=following))

    def reverse(self) -> None:
        """Turn the order round."""
        sort = self._app.state.sort
        turned = sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"
        self._app.change(replace(self._app.state, sort=turned))

    def next_metric(self) -> None:
        """Show the best values of the next metric, and sort by them."""
        metrics, now = self._app.metrics, self._app.metric
        if metrics:
            index = metrics.index(now) + 1 if now in metrics else 0
            self._app.change(replace(self._app.state, metric=metrics[index % len(metrics)], sort="best"))

    def columns(self) -> None:
        """Ask for the columns."""
        names = [column.name for column in COLUMNS if column.name != "run"]
        shown = [name for name in names if name not in self._app.state.hidden]
        self._app.push_screen(ChoiceScreen("Columns", names, shown), self._choose_columns)

    def _choose_columns(self, chosen: frozenset[str] | None) -> None:
        if chosen is not None:
            hidden = frozenset(column.name for column in COLUMNS if column.name not in chosen) - {"run"}
            self._app.change(replace(self._app.state, hidden=hidden))
