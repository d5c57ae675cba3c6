"""The program on screen: takes snapshots in, keeps what the user looks at, and lets every panel draw."""

import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from textual.app import SystemCommand
from textual.message import Message
from textual.screen import Screen

from tui_monitor.app.bindings import bindings
from tui_monitor.app.control.training_control import AskingApp
from tui_monitor.app.feed.follow import Mailbox, SnapshotSource, follow
from tui_monitor.app.screens.help import HelpScreen
from tui_monitor.app.screens.main_screen import MainScreen
from tui_monitor.app.terminal.notification import notice
from tui_monitor.app.terminal.pacing import LONGEST_WAIT_SECONDS
from tui_monitor.app.terminal.screen_options import ScreenOptions
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.errors import FolderNotWritable, MonitorError
from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.summary import RunSummary
from tui_monitor.view.enabled_actions import ASKING, is_useful
from tui_monitor.view.key_table import KEYS
from tui_monitor.view.news import News
from tui_monitor.view.view_state import SMOOTHING, View, ViewState

USUAL = ScreenOptions()


class PanelsLoaded(Message):
    """All that draws the run is imported."""


class SnapshotArrived(Message):
    """The mailbox holds a snapshot."""


class ReadingFailed(Message):
    """The run can't be read any more."""

    def __init__(self, error: MonitorError) -> None:
        super().__init__()
        self.error = error


class MonitorApp(AskingApp):
    """Follows one run until the user leaves. Training is never touched but by a request the user confirms."""

    CSS_PATH = Path(__file__).with_name("screens") / "splash.tcss"
    TITLE = "tui-monitor"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS = bindings()

    def __init__(
        self,
        folder: Path,
        *,
        launched: bool = False,
        kill: Callable[[], object] | None = None,
        source: SnapshotSource | None = None,
        markers: MarkerSet = MarkerSet.BRAILLE,
        view: ViewState | None = None,
        options: ScreenOptions = USUAL,
        launch: Callable[[], object] | None = None,
        opened: RunSummary | None = None,
    ) -> None:
        """Prepare the screen; nothing is read before it runs.

        Args:
            folder: of the run.
            launched: whether this command started the training, which words the question on leaving.
            kill: ends the training process at once, where this command started it.
            source: where snapshots come from; by default the folder, live.
            markers: characters to draw curves with.
            view: what to show first.
            options: how to treat the terminal.
            launch: starts the training, called in a thread once there are panels to draw it.
            opened: what is known of the run, for the first picture.
        """
        super().__init__(folder, launched=launched, kill=kill)
        self.view = view or ViewState()
        self._source = source
        self._opened = opened or RunSummary(folder, folder.name, State.STARTING)
        self._markers = markers
        self._options = options
        self._launch = launch
        self._news = News()
        self._mailbox = Mailbox()
        self._stopping = threading.Event()
        self._wanted = threading.Event()
        self._held_back = False
        self._failure_shown = False
        self.set_class(markers is MarkerSet.ASCII, "-ascii")
        if options.theme:
            self.theme = options.theme

    def get_default_screen(self) -> MainScreen:
        """Return the one screen there is."""
        self._main = MainScreen(self._opened, self._markers, coarse=self._options.low_bandwidth)
        return self._main

    @property
    def main(self) -> MainScreen:
        """The monitor itself, under whatever dialog is open."""
        return self._main

    def on_ready(self) -> None:
        """Import what draws and reads the run, now that the first picture is on its way."""
        self.call_after_refresh(self.run_worker, self._follow, thread=True, group="reader", exit_on_error=True)

    async def on_panels_loaded(self) -> None:
        """Lay the panels out; only now the training may take the cores."""
        if self._launch is not None:
            self.run_worker(self._start_training, thread=True, group="launch", exit_on_error=True)
        await self.main.fill()
        self.main.focus_view(self.view.view)

    def on_unmount(self) -> None:
        """Let the reader thread end."""
        self._stopping.set()
        self._wanted.set()

    def look_again(self) -> None:
        """Have the source polled at once."""
        self._wanted.set()

    def _start_training(self) -> None:
        assert self._launch is not None
        try:
            self._launch()
        except OSError as error:
            reason = f"Can't start the training: {error.strerror}: {error.filename or self.folder}."
            self.post_message(ReadingFailed(FolderNotWritable(reason)))

    def _holds_back(self) -> bool:
        """Whether reading waits for the terminal: on its answer it goes on at once, not after a pause."""
        self._held_back = self.is_terminal_busy
        return self._held_back

    def open_source(self) -> SnapshotSource:
        """Return where snapshots come from. Called once, in the reader thread."""
        from tui_monitor.app.feed.live_source import LiveSource  # noqa: PLC0415 - imported after the first picture

        return self._source or LiveSource(self.folder)

    def _follow(self) -> None:
        import tui_monitor.app.screens.layout  # noqa: F401, PLC0415 - likewise, so that the loop need not wait for it

        self.post_message(PanelsLoaded())
        follow(
            self.open_source(),
            self._mailbox,
            self._stopping,
            wanted=self._wanted,
            is_busy=self._holds_back,
            pause_seconds=1 / self._options.frames_a_second,
            arrived=lambda: self.post_message(SnapshotArrived()),
            failed=lambda error: self.post_message(ReadingFailed(error)),
        )

    def on_snapshot_arrived(self) -> None:
        """Draw the newest snapshot, unless the terminal is still busy with the one before."""
        if self.is_terminal_busy:
            self.set_timer(LONGEST_WAIT_SECONDS, self.on_snapshot_arrived)
            return
        snapshot = self._mailbox.take()
        if snapshot is None:
            return
        self.ask_terminal()
        self.snapshot = snapshot
        self.look_at_requests()
        if self._options.notifies:
            for text in self._news.of(snapshot):
                self.write_to_terminal(notice(snapshot.run.name, text, os.environ))
        if snapshot.state is State.FAILED and not self._failure_shown and snapshot.playback is None:
            self._failure_shown = True
            self.action_show(View.OUTPUT.value)
            return
        self._draw()

    def terminal_answered(self) -> None:
        """Draw what came while the terminal was busy, or have the newest read that was not."""
        if self._held_back:
            self._held_back = False
            self._wanted.set()
        self.on_snapshot_arrived()

    def on_reading_failed(self, event: ReadingFailed) -> None:
        """Leave, with the reason on the terminal."""
        self.exit(return_code=event.error.exit_code, message=str(event.error))

    def _draw(self) -> None:
        if self.snapshot is not None:
            self.main.show(self.snapshot, self.view)
            self.refresh_bindings()

    def _look(self, view: ViewState) -> None:
        if view != self.view:
            self.view = view
            self._draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Refuse actions that would change nothing now; requests say themselves why they can't be made."""
        return action in ASKING or self._is_useful(action, parameters)

    def _is_useful(self, action: str, parameters: tuple[object, ...]) -> bool:
        if self.snapshot is None:
            return action not in ASKING
        spelled = f"{action}({', '.join(repr(p) for p in parameters)})" if parameters else action
        return is_useful(spelled, self.snapshot, self.view)

    def action_show(self, view: str) -> None:
        """Arrange the screen for one of the views."""
        self.view = replace(self.view, view=View(view))
        self._draw()
        self.main.focus_view(self.view.view)

    def action_zoom(self, factor: float) -> None:
        """Look at less (below 1) or more of the x axis."""
        from tui_monitor.view.charts.epoch_axis import full_range, newest  # noqa: PLC0415 - imported by the panels

        phase = self.view.phase_of(self.snapshot) if self.snapshot else None
        if phase is not None:
            self._look(self.view.zoomed(factor, full_range(phase), newest(phase)))

    def action_pan(self, share: float) -> None:
        """Move the zoomed window by a share of its width."""
        from tui_monitor.view.charts.epoch_axis import full_range  # noqa: PLC0415 - imported by the panels

        phase = self.view.phase_of(self.snapshot) if self.snapshot else None
        if phase is not None:
            self._look(self.view.panned(share, full_range(phase)))

    def action_whole_axis(self) -> None:
        """Show the whole x axis."""
        self._look(replace(self.view, window=None))

    def action_smooth(self) -> None:
        """Step to the next smoothing."""
        self._look(replace(self.view, smoothing=(self.view.smoothing + 1) % len(SMOOTHING)))

    def action_toggle_log(self) -> None:
        """Switch between linear and logarithmic y axes."""
        self._look(replace(self.view, log_y=not self.view.log_y))

    def action_next_metric(self) -> None:
        """Show the next metric in the second chart."""
        self._look(replace(self.view, metric=self.view.metric + 1))

    def action_phase(self, step: int) -> None:
        """Show an earlier or later call of fit."""
        if self.snapshot is None:
            return
        count = len(self.snapshot.phases)
        shown = min(max((self.view.phase or count) + step, 1), count)
        self._look(replace(self.view, phase=None if shown == count else shown, window=None))

    def action_help(self) -> None:
        """Show the list of keys."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(ascii_only=self._markers is MarkerSet.ASCII))

    @property
    def is_settled(self) -> bool:
        """Whether the first snapshot is drawn, and every chart in its newest state."""
        return self.snapshot is not None and self.main.is_settled

    def requests_changed(self, asked: str) -> None:
        """Say in the header what is asked and not answered yet."""
        self._look(replace(self.view, asked=asked))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every key's action by name, besides the choice of a theme."""
        for key in KEYS:
            if key.action != "command_palette" and self._is_useful(*_split(key.action)):
                yield SystemCommand(key.label.capitalize(), key.help, self._runner(key.action))
        yield SystemCommand("Theme", "Change the colours.", self.action_change_theme)

    def _runner(self, action: str) -> "_Run":
        return _Run(self, action)


class _Run:
    """Runs an action by name when called."""

    def __init__(self, app: MonitorApp, action: str) -> None:
        self._app, self._action = app, action

    def __call__(self) -> None:
        self._app.call_later(self._app.run_action, self._action)


def _split(action: str) -> tuple[str, tuple[object, ...]]:
    from textual.actions import parse  # noqa: PLC0415

    _, name, parameters = parse(action)
    return name, parameters
