"""What stays while the user goes from the table of runs into a run and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tui_monitor.run_log.runs.catalogue import Catalogue
from tui_monitor.run_log.runs.place import RunsPlace
from tui_monitor.run_log.runs.removal import Deleted
from tui_monitor.view.runs.table_state import TableState
from tui_monitor.view.view_state import ViewState


@dataclass
class RunsSession:
    """One session of the table over one runs folder."""

    place: RunsPlace
    catalogue: Catalogue
    """What is known of the runs."""
    deleted: Deleted
    """What can be undone."""
    state: TableState = field(default_factory=TableState)
    """What the table showed last."""
    views: dict[str, ViewState] = field(default_factory=dict)
    """Name of each run that was opened to what its screen showed last."""

    @property
    def runs(self) -> Path:
        """The runs folder, or the copy of one elsewhere."""
        return self.place.folder

    @classmethod
    def over(cls, place: RunsPlace | Path) -> RunsSession:
        """Return a new session over a runs folder."""
        if isinstance(place, Path):
            place = RunsPlace(place)
        return cls(place, Catalogue(place.folder), Deleted(place.folder))

    def close(self) -> None:
        """Keep what is known for the next session, and delete for good what was deleted."""
        self.catalogue.save()
        self.deleted.forget()
