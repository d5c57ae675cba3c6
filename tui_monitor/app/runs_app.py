"""The table of runs on screen: takes the runs from its reader thread, and keeps what the user chose to see of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from textual.app import SystemCommand
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input

from tui_monitor.app.bindings import bindings
from tui_monitor.app.command_palette import palette_commands
from tui_monitor.app.control.run_folders import RunFolders
from tui_monitor.app.control.runs_beside import GROUPS, RunsBeside
from tui_monitor.app.control.table_order import TableOrder
from tui_monitor.app.feed.runs_feed import RunsFeed
from tui_monitor.app.feed.runs_session import RunsSession
from tui_monitor.app.screens.help import HelpScreen
from tui_monitor.app.screens.runs_screen import RunsScreen
from tui_monitor.app.terminal.pacing import LONGEST_WAIT_SECONDS
from tui_monitor.app.terminal.screen_options import ScreenOptions
from tui_monitor.app.terminal.terminal_app import TerminalApp
from tui_monitor.app.widgets.runs_table import RunsTable
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.errors import MonitorError
from tui_monitor.run_log.runs.baseline import read_baseline, write_baseline
from tui_monitor.run_log.runs.entry import RunEntry
from tui_monitor.view.keys.key import Group
from tui_monitor.view.keys.table import OF_THE_TABLE
from tui_monitor.view.runs.prepared import PreparedRuns, kept, prepare
from tui_monitor.view.runs.table_state import TableState

_SCREENS = Path(__file__).with_name("screens")


@dataclass(frozen=True)
class Chosen:
    """The run that is to be opened in place of the table."""

    entry: RunEntry
    is_replay: bool = False


class RunsArrived(Message):
    """The reader thread has looked at the runs."""

    def __init__(self, entries: Mapping[str, RunEntry], prepared: PreparedRuns, baseline: str) -> None:
        super().__init__()
        self.entries = entries
        self.prepared = prepared
        self.baseline = baseline
        """Name of the run that is pinned."""


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
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        """Prepare the screen; nothing is read before it runs.

        Args:
            session: what stays from one time the table is shown to the next.
            markers: characters that the terminal can show.
            options: how to treat the terminal.
            meanwhile: run in a thread once the table stands, such as the import of what a run's screen needs.
        """
        super().__init__()
        self._meanwhile = meanwhile
        self.session = session
        self.chosen: Chosen | None = None
        """The run to open, once the app has ended."""
        self._options = options or ScreenOptions()
        self.markers = markers
        self._feed = RunsFeed(session.catalogue, lambda: self.session.state, session.place, self._told)
        self._entries: Mapping[str, RunEntry] = {}
        self._prepared: PreparedRuns | None = None
        self._shown: tuple[RunEntry, ...] = ()
        self._names: list[str] = []
        """Of the runs that are shown, in order."""
        self._waits = False
        self._does = self._handlers()
        self.set_class(self.is_ascii, "-ascii")
        if self._options.theme:
            self.theme = self._options.theme

    def _handlers(self) -> Mapping[str, Callable[[], None]]:
        """Return what each key of the table does."""
        folders, beside, order = RunFolders(self), RunsBeside(self), TableOrder(self)
        return {
            "open": self._open,
            "replay": self._replay,
            "mark": self._mark,
            "baseline": self._baseline,
            "compare": beside.compare,
            "overlay": beside.overlay,
            "sweep": beside.sweep,
            "clear": self._clear,
            "filter": self._filter,
            "sort": order.sort,
            "reverse": order.reverse,
            "metric": order.next_metric,
            "columns": order.columns,
            "tag": folders.tag,
            "rename": folders.rename,
            "delete": folders.delete,
            "undo": folders.undo,
        }

    def get_default_screen(self) -> RunsScreen:
        """Return the screen with the table."""
        self._table = RunsScreen(self.session.place.title, ascii_only=self.is_ascii)
        return self._table

    def on_ready(self) -> None:
        """Look at the runs, now that the first frame is on its way."""
        self.call_after_refresh(self.run_worker, self._read, thread=True, group="reader", exit_on_error=True)

    def _read(self) -> None:
        runs = self.session.runs
        self._feed.run(lambda entries, prepared: self.post_message(RunsArrived(entries, prepared, read_baseline(runs))))

    def _told(self, sentence: str) -> None:
        """Say something from a reader thread."""
        if self.is_running:
            self.call_from_thread(self.say, sentence)

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
        is_opening = any(worker.group in GROUPS and not worker.is_finished for worker in self.workers)
        is_drawn = getattr(self.screen, "is_settled", True)
        return self._prepared is not None and not self._waits and not is_opening and bool(is_drawn)

    def on_runs_arrived(self, event: RunsArrived) -> None:
        """Draw the runs as they are now."""
        if self._prepared is None and self._meanwhile is not None:
            self.call_after_refresh(self.run_worker, self._meanwhile, thread=True, group="meanwhile")
        self._entries, self._prepared = event.entries, event.prepared
        self.session.state = replace(self.state, baseline=event.baseline)
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
            self._keep(self.state)
            self.change(self.state.moved(self._names, 0, self._table.height))

    def _keep(self, state: TableState) -> None:
        if self._prepared is not None:
            self._shown = kept(self._prepared, state)
            self._names = [entry.name for entry in self._shown]

    # What keys of the table are about

    @property
    def is_ascii(self) -> bool:
        """Whether the terminal lacks UTF-8."""
        return self.markers is MarkerSet.ASCII

    @property
    def shown(self) -> Sequence[RunEntry]:
        """The runs that fit the filter, in order."""
        return self._shown

    @property
    def under_cursor(self) -> RunEntry | None:
        """The run under the cursor; None where no run is shown."""
        return self._shown[self.state.index_in(self._names)] if self._shown else None

    @property
    def marked(self) -> list[str]:
        """Names of the marked runs that are there, in the order in which they were marked."""
        return [name for name in self.state.marked if name in self._entries]

    @property
    def metric(self) -> str:
        """Whose best values the table shows."""
        return self._prepared.context.metric if self._prepared is not None else ""

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics that any of the runs has."""
        return self._prepared.metrics if self._prepared is not None else ()

    def what_differs(self, name: str) -> str:
        """Return the arguments by which a run can be told from others of its script."""
        return self._prepared.context.differences.text(self._entries[name]) if self._prepared is not None else ""

    # What becomes of runs

    def renamed(self, old: str, new: str) -> None:
        """Follow a run to its new name."""
        if self.state.baseline == old:
            with suppress(MonitorError):
                write_baseline(self.session.runs, new)
        self.session.state = self.state.renamed(old, new)

    def removed(self, name: str) -> None:
        """Take a run out of the table at once."""
        self.session.state = self.state.without(name)
        self._entries = {other: entry for other, entry in self._entries.items() if other != name}
        self._prepare()
        self._filter_anew()

    def go_to(self, name: str) -> None:
        """Look at the runs again, with the cursor on one of them."""
        self.session.state = replace(self.state, cursor=name)
        self.look_again()

    def look_again(self) -> None:
        """Look at the whole runs folder at once."""
        self._feed.refresh_now()

    def say(self, sentence: str) -> None:
        """Say why a key does nothing, once however often it is pressed."""
        self.clear_notifications()
        self.notify(sentence, severity="warning", markup=False)

    def change(self, state: TableState) -> None:
        """Show another state of the table."""
        before, self.session.state = self.state, state
        if self._prepared is None:
            return
        if (before.sort, before.metric) != (state.sort, state.metric):
            self._prepare()
        if (before.sort, before.metric, before.filter) != (state.sort, state.metric, state.filter):
            self._keep(state)
            self.session.state = state.moved(self._names, 0, self._table.height)
        self._table.show(self._prepared, self._shown, self._names, self.state)

    # Keys that move

    def action_move(self, step: int) -> None:
        """Move the cursor by so many runs."""
        self.change(self.state.moved(self._names, step, self._table.height))

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
        self._does[what]()

    def _open(self, *, is_replay: bool = False) -> None:
        entry = self.under_cursor
        if entry is not None and entry.problem:
            self.say(entry.problem)
        elif entry is not None:
            self.chosen = Chosen(entry, is_replay)
            self.exit()

    def _replay(self) -> None:
        self._open(is_replay=True)

    def _mark(self) -> None:
        entry = self.under_cursor
        if entry is None:
            return
        state = self.state.toggled(entry.name)
        if state is self.state:
            self.say(f"{len(state.marked)} runs are marked: more can't be told apart on one chart.")
        self.change(state.moved(self._names, 1, self._table.height))

    def _baseline(self) -> None:
        entry = self.under_cursor
        if entry is None:
            return
        name = "" if self.state.baseline == entry.name else entry.name
        try:
            write_baseline(self.session.runs, name)
        except MonitorError as error:
            self.say(str(error))
            return
        self.change(replace(self.state, baseline=name))

    def _clear(self) -> None:
        if self._table.is_typing:
            self._table.end_typing()
        if self.state.filter:
            self.change(replace(self.state, filter=""))
        else:
            self.change(replace(self.state, marked=()))

    def _filter(self) -> None:
        self._table.type_filter(self.state.filter)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as it is typed."""
        if event.input.id == "filter" and self._table.is_typing:
            self.change(replace(self.state, filter=event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go back to the table, filtered."""
        if event.input.id == "filter":
            self._table.end_typing()

    # The program

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every key by name, besides the choice of a theme."""
        yield from palette_commands(self, lambda name, parameters: True, OF_THE_TABLE)
        yield SystemCommand("Theme", "Change the colours.", self.action_change_theme)

    def action_help(self) -> None:
        """Show the list of keys."""
        if not isinstance(self.screen, HelpScreen):
            groups = getattr(self.screen, "GROUPS", (Group.TABLE,))
            self.push_screen(HelpScreen(ascii_only=self.is_ascii, groups=(*groups, Group.PROGRAM)))

    def action_leave(self) -> None:
        """Leave; whatever trains goes on."""
        self.exit()

    def action_interrupt(self) -> None:
        """Leave, as `q` does."""
        self.exit()
