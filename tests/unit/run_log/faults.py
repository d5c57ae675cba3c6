"""What tests of faults need: a clock set by hand, a fork, and what a reader finds afterwards."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from tui_monitor.history.load import load


class Clock:
    """Run time that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time set."""
        return self.now


def forked(action: Callable[[], None]) -> None:
    """Do something in a child process, so that its limits don't bind the tests; fails where it fails."""
    child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def loaded(folder: Path) -> list[float]:
    """Return the losses that a reader finds in a run's newest fit."""
    fit = load(folder).fit
    assert fit is not None
    losses: list[float] = fit.series["loss"].values().tolist()
    return losses
