"""An app that is kind to its terminal: sends differences only, waits for slow lines, and leaves it as it was."""

import asyncio
import signal
import time
from typing import Any, ClassVar

from rich.console import RenderableType
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.screen import Screen

from tui_monitor.app.terminal.cell_diff import DiffUpdate, TerminalMemory
from tui_monitor.app.terminal.pacing import CURSOR_QUESTION, FramePacer
from tui_monitor.app.terminal.terminal_driver import TerminalDriver


class TerminalApp(App[None]):
    """What the monitor needs of a terminal, apart from what it shows there."""

    ENDING_SIGNALS: ClassVar[tuple[signal.Signals, ...]] = (signal.SIGTERM, signal.SIGHUP)
    """Signals on which the terminal is restored before the program ends."""

    def __init__(self, **options: Any) -> None:
        super().__init__(driver_class=TerminalDriver, **options)
        # Textual takes NO_COLOR out of the environment and turns colours into greys, which are colours too.
        self.console.no_color = self.no_color
        self._memory = TerminalMemory()
        self._pacer = FramePacer()

    def on_mount(self) -> None:
        """Be ready to be ended, and to come back from the background."""
        self.app_resume_signal.subscribe(self, lambda _: self.action_redraw())
        loop = asyncio.get_running_loop()
        for number in self.ENDING_SIGNALS:
            try:
                loop.add_signal_handler(number, self.exit)
            except (NotImplementedError, RuntimeError, ValueError):
                # Not the main thread, or a system without these signals: nothing to restore from.
                return

    def on_resize(self) -> None:
        """Trust nothing that was drawn at another size."""
        self._memory.forget()
        self._pacer.forget()

    def action_redraw(self) -> None:
        """Draw everything again, whatever the terminal shows now."""
        self._memory.forget()
        self._pacer.forget()
        self.refresh(layout=True)

    def difference(self, renderable: RenderableType | None) -> RenderableType | None:
        """Return an update reduced to the cells that change; anything else as it is."""
        if isinstance(renderable, CompositorUpdate) and not self.is_inline:
            return DiffUpdate(renderable, self._memory)
        return renderable

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, self.difference(renderable))

    @property
    def is_terminal_busy(self) -> bool:
        """Whether the terminal has not yet shown the last picture it was asked about."""
        return not self._pacer.may_draw(time.monotonic())

    def ask_terminal(self) -> None:
        """Ask to be told, by `terminal_answered`, when what is drawn next has been shown."""
        if self._driver is not None and not self.is_headless and self._pacer.wants_question():
            self._pacer.ask(time.monotonic())
            self.call_after_refresh(self._driver.write, CURSOR_QUESTION)

    def write_to_terminal(self, sequence: str) -> None:
        """Send what is no picture."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)

    def on_cursor_position(self) -> None:
        """Note the answer."""
        self._pacer.answer()
        self.terminal_answered()

    def terminal_answered(self) -> None:
        """Called when the terminal has caught up."""
