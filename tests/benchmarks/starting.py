"""How long commands and screens take to their first answer, beside the least that could be there instead."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.measuring import Ratio, ratio_in_turns

LAST_OF_FIRST_PAINT = "quit"
"""In the lowest row of the first frame, behind the run's name, state and values."""
PART_OF_CHART = "└"
"""The corner of a chart: no chart is drawn in parts."""
_LONGEST_SECONDS = 60.0
_POSITION_ASKED, _POSITION = b"\x1b[6n", b"\x1b[1;1R"
_SMALLEST_SCREEN = """
from textual.app import App
from textual.widgets import Static
class Smallest(App):
    def compose(self):
        yield Static("first-paint")
Smallest().run()
"""


def command_ratio(arguments: Sequence[str], runs: Path, groups: int = 8) -> Ratio:
    """Return the time of a `tui-monitor` command over that of importing NumPy, each in a fresh interpreter."""
    ours = [sys.executable, "-m", "tui_monitor", *arguments, "--runs", str(runs)]
    return ratio_in_turns(
        lambda: _seconds_of(ours), lambda: _seconds_of([sys.executable, "-c", "import numpy"]), groups
    )


def screen_ratio(arguments: Sequence[str], runs: Path, shown: str, groups: int = 6) -> Ratio:
    """Return the time to the first paint of a `tui-monitor` screen over that of the smallest Textual program.

    Args:
        arguments: of the command.
        runs: where its runs are.
        shown: text that is waited for.
        groups: of four turns.
    """
    ours = [sys.executable, "-m", "tui_monitor", *arguments, "--runs", str(runs)]
    return ratio_in_turns(
        lambda: _seconds_to_paint(ours, shown),
        lambda: _seconds_to_paint([sys.executable, "-c", _SMALLEST_SCREEN], "first-paint"),
        groups,
    )


def _seconds_of(command: Sequence[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def _seconds_to_paint(command: Sequence[str], shown: str) -> float:
    """Return the seconds from the start of a program in a terminal of 120×40 until it has written a text."""
    begun = time.perf_counter()
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(TERM="xterm-256color", LANG="C.UTF-8")
        os.execv(command[0], list(command))
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    written = b""
    try:
        while shown.encode() not in written:
            ready, _, _ = select.select([terminal], [], [], _LONGEST_SECONDS)
            if not ready:
                raise TimeoutError(f"{command[-1]} did not show {shown!r} within {_LONGEST_SECONDS:.0f} s")
            content = os.read(terminal, 65536)
            written += content
            if _POSITION_ASKED in content:
                os.write(terminal, _POSITION)
        return time.perf_counter() - begun
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(terminal)
