"""What the user chose in the table of runs: a frozen value that, with the entries, decides the whole table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tui_monitor.view.keys.of_many_runs import MOST_MARKED


@dataclass(frozen=True)
class TableState:
    """Everything the keys of the table change."""

    filter: str = ""
    sort: str = "started"
    """As for `sorted_entries`."""
    metric: str = ""
    """Whose best value is shown; empty for the one that matters."""
    hidden: frozenset[str] = frozenset()
    """Columns that are not shown though there is room."""
    cursor: str = ""
    """Name of the run under the cursor; empty for the first."""
    top: int = 0
    """Index of the first run in the window."""
    marked: tuple[str, ...] = ()
    """Names of the marked runs, in the order in which they were marked."""
    baseline: str = ""
    """Name of the run that others are measured against; empty for none."""

    def toggled(self, name: str) -> TableState:
        """Return the state with a run marked, or its mark taken away; no more than `MOST_MARKED` are."""
        if name in self.marked:
            return replace(self, marked=tuple(mark for mark in self.marked if mark != name))
        return replace(self, marked=(*self.marked, name)) if len(self.marked) < MOST_MARKED else self

    def moved(self, names: Sequence[str], step: int, height: int) -> TableState:
        """Return the state with the cursor that many runs lower, and the window around it.

        Args:
            names: of the runs in the table, in order.
            step: below 0 goes up.
            height: runs in the window.
        """
        if not names:
            return replace(self, cursor="", top=0)
        index = min(max(self.index_in(names) + step, 0), len(names) - 1)
        return replace(self, cursor=names[index], top=window_top(self.top, index, height, len(names)))

    def index_in(self, names: Sequence[str]) -> int:
        """Return where the cursor is; 0 where its run is not in the table."""
        try:
            return names.index(self.cursor)
        except ValueError:
            return 0

    def without(self, name: str) -> TableState:
        """Return the state after a run is gone."""
        return replace(
            self,
            marked=tuple(mark for mark in self.marked if mark != name),
            baseline="" if self.baseline == name else self.baseline,
        )

    def renamed(self, old: str, new: str) -> TableState:
        """Return the state after a run got another name."""
        return replace(
            self,
            cursor=new if self.cursor == old else self.cursor,
            marked=tuple(new if mark == old else mark for mark in self.marked),
            baseline=new if self.baseline == old else self.baseline,
        )


def window_top(top: int, index: int, height: int, count: int) -> int:
    """Return the first run of a window that holds the cursor, moved as little as need be.

    Args:
        top: of the window before.
        index: of the cursor.
        height: runs in the window.
        count: runs in all.
    """
    height = max(1, height)
    top = min(max(top, index - height + 1), index)
    return max(0, min(top, count - height))
