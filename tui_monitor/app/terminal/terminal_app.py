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
    """How the monitor treats its terminal, whatever it shows there."""

    ENDING_SIGNALS: ClassVar[tuple[signal.Signals, ...]] = (signal.SIGTERM, signal.SIGHUP)
    """Signals on which the terminal is restored before the program ends."""

    def __init__(self, **options: Any) -> None:
        super().__init__(driver_class=TerminalDriver, **options)
        # Textual takes NO_COLOR out of the environment and turns colours into greys, which are colours too.
        self.console.no_color = self.no_color
        self._memory = TerminalMemory()
        self._pacer = FramePacer()

    def on_mount(self) -> None:
        """Be ready for signals, and for coming back from the background."""
        self.app_resume_signal.subscribe(self, lambda _: self.action_redraw())
        # Without handlers these signals end the process with the terminal in raw mode and on the alternate screen.
        # The event loop's own run between two callbacks, where it is safe to leave the app.
        loop = asyncio.get_running_loop()
        for number in self.ENDING_SIGNALS:
            try:
                loop.add_signal_handler(number, self.told_to_end, number)
            except (NotImplementedError, RuntimeError, ValueError):
                # Not the main thread, as in tests, or a system without such signals.
                return

    def told_to_end(self, number: signal.Signals) -> None:
        """Leave the app, as one of the ending signals has come."""
        self.exit()

    def on_resize(self) -> None:
        """Forget what was drawn at another size: terminals wrap and cut it as they like."""
        self._memory.forget()
        self._pacer.forget()

    def action_redraw(self) -> None:
        """Draw everything again, whatever the terminal shows now."""
        self._memory.forget()
        self._pacer.forget()
        self.refresh(layout=True)

    def difference(self, renderable: RenderableType | None) -> RenderableType | None:
        """Return an update reduced to the cells that change; anything else as it is."""
        # An inline app draws relative to the cursor; the differences address cells of the whole screen.
        if isinstance(renderable, CompositorUpdate) and not self.is_inline:
            return DiffUpdate(renderable, self._memory)
        return renderable

    # Private to Textual (as of 8.2), and the one method through which every frame passes to the driver.
    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, self.difference(renderable))

    @property
    def is_terminal_busy(self) -> bool:
        """Whether the terminal has not shown the last frame yet."""
        return not self._pacer.may_draw(time.monotonic())

    def ask_terminal(self) -> None:
        """Have `terminal_answered` called once the frame that is drawn next is shown."""
        if self._driver is not None and not self.is_headless and self._pacer.wants_question():
            self._pacer.ask(time.monotonic())
            # Behind the frame: the answer then says that the frame is on screen, not only sent.
            self.call_after_refresh(self._driver.write, CURSOR_QUESTION)

    def write_to_terminal(self, sequence: str) -> None:
        """Send a sequence that draws nothing."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)

    def on_cursor_position(self) -> None:
        """Note that the terminal has shown everything sent before its answer."""
        self._pacer.answer()
        self.terminal_answered()

    def terminal_answered(self) -> None:
        """Called when the terminal has caught up."""
