"""What keys of the table do to run folders: tags, names, deletion and its undo, each asked for where need be."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui_monitor.app.screens.entry import EntryScreen
from tui_monitor.app.screens.question import QuestionScreen
from tui_monitor.errors import MonitorError
from tui_monitor.run_log.runs.entry import RunEntry
from tui_monitor.run_log.runs.folders import printable
from tui_monitor.run_log.runs.removal import rename_run
from tui_monitor.run_log.runs.tags import tags_of, write_tags

if TYPE_CHECKING:
    from tui_monitor.app.runs_app import RunsApp

_KEEP, _DELETE = "keep", "delete"


class RunFolders:
    """Changes the folder of the run under the cursor; a training is never touched."""

    def __init__(self, app: RunsApp) -> None:
        """Prepare; nothing is changed before a key is pressed.

        Args:
            app: shows the dialogs, and the runs as they are afterwards.
        """
        self._app = app

    def tag(self) -> None:
        """Ask for the tags of a run."""
        entry = self._changeable()
        if entry is not None:
            screen = EntryScreen(
                f"Tags of {printable(entry.name)}",
                "Words parted by blanks; an empty line takes all away.",
                lambda text: "",
                hint="Enter keeps them, Escape does not.",
                text=" ".join(entry.tags),
            )
            self._app.push_screen(screen, lambda text: self._done(self._set_tags, entry, text))

    def _set_tags(self, entry: RunEntry, text: str) -> None:
        write_tags(self._app.session.runs / entry.name, tags_of(text))

    def rename(self) -> None:
        """Ask for another name of a run."""
        entry = self._changeable()
        if entry is not None:
            screen = EntryScreen(
                f"Another name for {printable(entry.name)}",
                "Its folder gets that name.",
                lambda text: "" if text.strip() else "A run needs a name.",
                longest=80,
                hint="Enter renames, Escape does not.",
                text=printable(entry.name),
            )
            self._app.push_screen(screen, lambda text: self._done(self._set_name, entry, text))

    def _set_name(self, entry: RunEntry, text: str) -> None:
        if text == printable(entry.name):
            return
        new = rename_run(self._app.session.runs, entry, text)
        self._app.renamed(entry.name, new)

    def delete(self) -> None:
        """Ask whether to delete a run that has ended."""
        entry = self._changeable()
        if entry is None:
            return
        if entry.is_live:
            self._app.say(f"{printable(entry.name)} is still going: stop it before you delete it.")
            return
        answers = {_KEEP: "Keep it", _DELETE: "Delete it; u brings it back until you leave"}
        screen = QuestionScreen(f"Delete {printable(entry.name)}?", answers)
        self._app.push_screen(screen, lambda answer: self._answered(entry, answer))

    def _answered(self, entry: RunEntry, answer: str | None) -> None:
        self._done(self._remove, entry, answer if answer == _DELETE else None)

    def _remove(self, entry: RunEntry, answer: str) -> None:
        self._app.session.deleted.delete(entry)
        self._app.removed(entry.name)

    def undo(self) -> None:
        """Bring back the run that was deleted last."""
        try:
            name = self._app.session.deleted.undo()
        except MonitorError as error:
            self._app.say(str(error))
            return
        self._app.go_to(name)

    def _changeable(self) -> RunEntry | None:
        """Return the run under the cursor; None, said why, where its folder can't be changed from here."""
        place = self._app.session.place
        if place.remote is not None:
            self._app.say(f"The runs of {place.title} are only read here: their names and tags are changed there.")
            return None
        return self._app.under_cursor

    def _done(self, action: Callable[[RunEntry, str], None], entry: RunEntry, text: str | None) -> None:
        """Do what a dialog was answered with, and look at the runs again; say why it can't be done."""
        if text is None:
            return
        try:
            action(entry, text)
        except MonitorError as error:
            self._app.say(str(error))
        self._app.look_again()
