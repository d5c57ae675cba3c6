"""The table of runs on screen: what its keys do to the table and to the runs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from textual.app import SystemCommand
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input

from tui_monitor.app.bindings import bindings
from tui_monitor.app.command_palette import palette_commands
from tui_monitor.app.feed.runs_feed import RunsFeed
from tui_monitor.app.feed.runs_session import RunsSession
from tui_monitor.app.screens.choice import ChoiceScreen
from tui_monitor.app.screens.entry import EntryScreen
from tui_monitor.app.screens.help import HelpScreen
from tui_monitor.app.screens.question import QuestionScreen
from tui_monitor.app.screens.runs_screen import RunsScreen
from tui_monitor.app.terminal.pacing import LONGEST_WAIT_SECONDS
from tui_monitor.app.terminal.screen_options import ScreenOptions
from tui_monitor.app.terminal.terminal_app import TerminalApp
from tui_monitor.app.widgets.runs_table import RunsTable
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.errors import MonitorError
from tui_monitor.run_log.runs.entry import RunEntry
from tui_monitor.run_log.runs.folders import printable
from tui_monitor.run_log.runs.removal import rename_run
from tui_monitor.run_log.runs.tags import tags_of, write_tags
from tui_monitor.view.key_table import OF_THE_TABLE
from tui_monitor.view.runs.columns import COLUMNS
from tui_monitor.view.runs.table import PreparedRuns, kept, prepare
from tui_monitor.view.runs.table_state import TableState

_SCREENS = Path(__file__).with_name("screens")
_KEEP, _DELETE = "keep", "delete"
_OPENING = ("compare", "overlay")
"""Groups of workers that read what is opened from the table."""


@dataclass(frozen=True)
class Chosen:
    """The run that is to be opened in place of the table."""

    name: str
    is_replay: bool = False


class RunsArrived(Message):
    """The reader thread has looked at the runs."""

    def __init__(self, entries: Mapping[str, RunEntry], prepared: PreparedRuns) -> None:
        super().__init__()
        self.entries = entries
        self.prepared = prepared


class RunsApp(TerminalApp):
    """Shows the table until the user opens a run or leaves."""

    # Textual types this as a list of paths or one.
    CSS_PATH = [_SCREENS / name for name in ("splash.tcss", "monitor.tcss", "runs.tcss")]  # noqa: RUF012
    TITLE = "tui-monitor"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS = bindings(OF_THE_TABLE)

    def __init__(
        self,
        session: RunsSession,
        *,
        markers: MarkerSet = MarkerSet.BRAILLE,
        options: ScreenOptions | None = None,
    ) -> None:
        """Prepare the screen; nothing is read before it runs.

        Args:
            session: what stays from one time the table is shown to the next.
            markers: characters that the terminal can show.
            options: how to treat the terminal.
        """
        super().__init__()
        self.session = session
        self.chosen: Chosen | None = None
        """The run to open, once the app has ended."""
        self._options = options or ScreenOptions()
        self._markers = markers
        self._is_ascii = markers is MarkerSet.ASCII
        self._feed = RunsFeed(session.catalogue, lambda: self.session.state)
        self._entries: Mapping[str, RunEntry] = {}
        self._prepared: PreparedRuns | None = None
        self._shown: tuple[RunEntry, ...] = ()
        self._waits = False
        self.set_class(self._is_ascii, "-ascii")
        if self._options.theme:
            self.theme = self._options.theme

    def get_default_screen(self) -> RunsScreen:
        """Return the screen with the table."""
        self._table = RunsScreen(printable(str(self.session.runs)), ascii_only=self._is_ascii)
        return self._table

    def on_ready(self) -> None:
        """Look at the runs, now that the first frame is on its way."""
        self.call_after_refresh(self.run_worker, self._read, thread=True, group="reader", exit_on_error=True)

    def _read(self) -> None:
        self._feed.run(lambda entries, prepared: self.post_message(RunsArrived(entries, prepared)))

    def on_unmount(self) -> None:
        """Let the reader thread end."""
        self._feed.stop()

    @property
    def state(self) -> TableState:
        """What the user chose."""
        return self.session.state

    @property
    def is_settled(self) -> bool:
        """Whether the runs were looked at and are drawn, and so is what was opened from the table."""
        is_opening = any(worker.group in _OPENING and not worker.is_finished for worker in self.workers)
        is_drawn = getattr(self.screen, "is_settled", True)
        return self._prepared is not None and not self._waits and not is_opening and bool(is_drawn)

    def on_runs_arrived(self, event: RunsArrived) -> None:
        """Draw the runs as they are now."""
        self._entries, self._prepared = event.entries, event.prepared
        if event.prepared.sort != self.state.sort or event.prepared.metric != self.state.metric:
            self._prepare()
        self._draw_if_possible()

    def _draw_if_possible(self) -> None:
        """Draw, unless the terminal is still busy with the frame before."""
        self._waits = self.is_terminal_busy
        if self._waits:
            self.set_timer(LONGEST_WAIT_SECONDS, self._draw_if_possible)
            return
        self.ask_terminal()
        self._filter_anew()

    def terminal_answered(self) -> None:
        """Draw what came while the terminal was busy."""
        if self._waits:
            self._draw_if_possible()

    def _prepare(self) -> None:
        self._prepared = prepare(self._entries, self.state, time.time(), self._prepared)

    def _filter_anew(self) -> None:
        if self._prepared is not None:
            self._shown = kept(self._prepared, self.state)
            self._change(self.state.moved(self._names, 0, self._table.height))

    @property
    def _names(self) -> list[str]:
        return [entry.name for entry in self._shown]

    @property
    def _under_cursor(self) -> RunEntry | None:
        return self._shown[self.state.index_in(self._names)] if self._shown else None

    def _change(self, state: TableState) -> None:
        """Show another state of the table."""
        before, self.session.state = self.state, state
        if self._prepared is None:
            return
        if (before.sort, before.metric) != (state.sort, state.metric):
            self._prepare()
        if (before.sort, before.metric, before.filter) != (state.sort, state.metric, state.filter):
            self._shown = kept(self._prepared, state)
            self.session.state = state.moved(self._names, 0, self._table.height)
        self._table.show(self._prepared, self._shown, self.state)

    # Keys that move

    def action_move(self, step: int) -> None:
        """Move the cursor by so many runs."""
        self._change(self.state.moved(self._names, step, self._table.height))

    def action_move_page(self, pages: int) -> None:
        """Move the cursor by so many windows."""
        self.action_move(pages * max(1, self._table.height - 1))

    def action_move_end(self, direction: int) -> None:
        """Move the cursor to the first or the last run."""
        self.action_move(direction * max(1, len(self._shown)))

    def on_runs_table_moved(self, event: RunsTable.Moved) -> None:
        """Move the cursor with the wheel."""
        self.action_move(event.step)

    def on_runs_table_pointed(self, event: RunsTable.Pointed) -> None:
        """Move the cursor to where was clicked; a second click opens."""
        index = self.state.top + event.row
        if index < len(self._shown):
            self.action_move(index - self.state.index_in(self._names))
            if event.twice:
                self._open()

    def on_runs_table_resized(self, event: RunsTable.Resized) -> None:
        """Keep the cursor in the window."""
        self._filter_anew()

    # Keys that do something to the table or to a run

    def action_table(self, what: str) -> None:
        """Do what one of the keys of the table says."""
        getattr(self, f"_{what}")()

    def _open(self, *, is_replay: bool = False) -> None:
        entry = self._under_cursor
        if entry is not None and entry.problem:
            self._say(entry.problem)
        elif entry is not None:
            self.chosen = Chosen(entry.name, is_replay)
            self.exit()

    def _replay(self) -> None:
        self._open(is_replay=True)

    def _mark(self) -> None:
        entry = self._under_cursor
        if entry is None:
            return
        state = self.state.toggled(entry.name)
        if state is self.state:
            self._say(f"{len(state.marked)} runs are marked: more can't be told apart on one chart.")
        self._change(state.moved(self._names, 1, self._table.height))

    def _baseline(self) -> None:
        entry = self._under_cursor
        if entry is not None:
            self._change(replace(self.state, baseline="" if self.state.baseline == entry.name else entry.name))

    def _compare(self) -> None:
        pair = [name for name in self.state.marked if name in self._entries]
        entry = self._under_cursor
        if len(pair) == 1 and entry is not None and entry.name != pair[0]:
            pair.append(entry.name)
        if len(pair) != 2:
            self._say("Mark two runs with space: c then says why the second differs from the first.")
            return
        self.run_worker(lambda: self._read_pair(*pair), thread=True, group=_OPENING[0], exclusive=True)

    def _read_pair(self, first: str, second: str) -> None:
        # In this thread: NumPy and two runs' events take a moment.
        from tui_monitor.app.screens.comparison import ComparisonScreen  # noqa: PLC0415
        from tui_monitor.compare.comparison import compare  # noqa: PLC0415

        try:
            found = compare(self.session.runs / first, self.session.runs / second)
        except MonitorError as error:
            self.call_from_thread(self._say, str(error))
            return
        self.call_from_thread(self.push_screen, ComparisonScreen(found, ascii_only=self._is_ascii))

    def _overlay(self) -> None:
        names = [name for name in self.state.marked if name in self._entries]
        if len(names) < 2:
            self._say("Mark 2 to 8 runs with space: o then draws them on one chart.")
            return
        self.run_worker(lambda: self._open_overlay(names), thread=True, group=_OPENING[1], exclusive=True)

    def _open_overlay(self, names: list[str]) -> None:
        # In this thread: NumPy takes a moment to import.
        from tui_monitor.app.screens.overlay import OverlayScreen  # noqa: PLC0415

        found = self._prepared.context.differences if self._prepared is not None else None
        texts = {name: found.text(self._entries[name]) if found is not None else "" for name in names}
        self.call_from_thread(self.push_screen, OverlayScreen(self.session.runs, texts, markers=self._markers))

    def _clear(self) -> None:
        if self._table.is_typing:
            self._table.end_typing()
        if self.state.filter:
            self._change(replace(self.state, filter=""))
        else:
            self._change(replace(self.state, marked=()))

    def _filter(self) -> None:
        self._table.type_filter(self.state.filter)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as it is typed."""
        if event.input.id == "filter" and self._table.is_typing:
            self._change(replace(self.state, filter=event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go back to the table, filtered."""
        if event.input.id == "filter":
            self._table.end_typing()

    def _sort(self) -> None:
        names = [column.name for column in COLUMNS if column.name not in ("trend", *self.state.hidden)]
        now = self.state.sort.removeprefix("-")
        following = names[(names.index(now) + 1) % len(names)] if now in names else names[0]
        self._change(replace(self.state, sort=following))

    def _reverse(self) -> None:
        sort = self.state.sort
        self._change(replace(self.state, sort=sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"))

    def _metric(self) -> None:
        metrics = self._prepared.metrics if self._prepared is not None else ()
        if metrics and self._prepared is not None:
            now = self._prepared.context.metric
            index = metrics.index(now) + 1 if now in metrics else 0
            self._change(replace(self.state, metric=metrics[index % len(metrics)], sort="best"))

    def _columns(self) -> None:
        names = [column.name for column in COLUMNS if column.name != "run"]
        shown = [name for name in names if name not in self.state.hidden]
        self.push_screen(ChoiceScreen("Columns", names, shown), self._choose_columns)

    def _choose_columns(self, chosen: frozenset[str] | None) -> None:
        if chosen is not None:
            hidden = frozenset(column.name for column in COLUMNS if column.name not in chosen) - {"run"}
            self._change(replace(self.state, hidden=hidden))

    def _tag(self) -> None:
        entry = self._under_cursor
        if entry is not None:
            screen = EntryScreen(
                f"Tags of {printable(entry.name)}",
                "Words parted by blanks; an empty line takes all away.",
                lambda text: "",
                hint="Enter keeps them, Escape does not.",
                text=" ".join(entry.tags),
            )
            self.push_screen(screen, lambda text: self._done(self._set_tags, entry, text))

    def _set_tags(self, entry: RunEntry, text: str) -> None:
        write_tags(self.session.runs / entry.name, tags_of(text))

    def _rename(self) -> None:
        entry = self._under_cursor
        if entry is not None:
            screen = EntryScreen(
                f"Another name for {printable(entry.name)}",
                "Its folder gets that name.",
                lambda text: "" if text.strip() else "A run needs a name.",
                longest=80,
                hint="Enter renames, Escape does not.",
                text=entry.name,
            )
            self.push_screen(screen, lambda text: self._done(self._set_name, entry, text))

    def _set_name(self, entry: RunEntry, text: str) -> None:
        new = rename_run(self.session.runs, entry, text)
        self.session.state = self.state.renamed(entry.name, new)

    def _delete(self) -> None:
        entry = self._under_cursor
        if entry is None:
            return
        if entry.is_live:
            self._say(f"{printable(entry.name)} is still going: stop it before you delete it.")
            return
        answers = {_KEEP: "Keep it", _DELETE: "Delete it; u brings it back until you leave"}
        screen = QuestionScreen(f"Delete {printable(entry.name)}?", answers)
        self.push_screen(screen, lambda answer: self._done(self._remove, entry, answer if answer == _DELETE else None))

    def _remove(self, entry: RunEntry, answer: str) -> None:
        # Looked up again: a run that was ended when the question was asked may have been resumed.
        self.session.deleted.delete(self._entries.get(entry.name, entry))
        self.session.state = self.state.without(entry.name)
        self._entries = {name: other for name, other in self._entries.items() if name != entry.name}
        self._prepare()
        self._filter_anew()

    def _undo(self) -> None:
        try:
            name = self.session.deleted.undo()
        except MonitorError as error:
            self._say(str(error))
            return
        self.session.state = replace(self.state, cursor=name)
        self._feed.refresh_now()

    def _done(self, action: object, entry: RunEntry, text: str | None) -> None:
        """Do what a dialog was answered with, and look at the runs again; say why it can't be done."""
        if text is None:
            return
        try:
            action(entry, text)  # type: ignore[operator]
        except MonitorError as error:
            self._say(str(error))
        self._feed.refresh_now()

    def _say(self, sentence: str) -> None:
        self.clear_notifications()
        self.notify(sentence, severity="warning", markup=False)

    # The program

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every key by name, besides the choice of a theme."""
        yield from palette_commands(self, lambda name, parameters: True, OF_THE_TABLE)
        yield SystemCommand("Theme", "Change the colours.", self.action_change_theme)

    def action_help(self) -> None:
        """Show the list of keys."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(ascii_only=self._is_ascii, groups=OF_THE_TABLE))

    def action_leave(self) -> None:
        """Leave; whatever trains goes on."""
        self.exit()

    def action_interrupt(self) -> None:
        """Leave, as `q` does."""
        self.exit()
