"""Runs the command as a user does: another process, its own folder, no terminal."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment without what would change the command's behaviour."""
    kept = {name: value for name, value in os.environ.items() if name != "TUI_MONITOR_RUNS"}
    return {**kept, **changes}


def command_line(*arguments: str) -> list[str]:
    """Return the arguments that run `tui-monitor` in this Python."""
    return [sys.executable, "-m", "tui_monitor", *arguments]


@pytest.fixture
def tui_monitor(tmp_path: Path) -> Command:
    """Return a function that runs `tui-monitor` in an empty folder and waits for its end."""

    def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command_line(*arguments),
            cwd=tmp_path,
            env=environment(**changes),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=300,
        )

    return run
