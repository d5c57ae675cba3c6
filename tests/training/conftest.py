"""Fixtures of tests that train for real."""

from collections.abc import Callable

import pytest

from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.probe.budget import ProbeBudget
from tui_monitor.training.record.session import Session

OpenSession = Callable[..., Session]


@pytest.fixture(scope="session")
def open_session(tmp_path_factory: pytest.TempPathFactory) -> OpenSession:
    """Return a function that opens a run in a temporary folder of its own."""

    def open_one(probe_budget: float = 0.02, name: str = "run", probe_seconds: float = 0.0) -> Session:
        folder = tmp_path_factory.mktemp("runs") / name
        writer = RunWriter(folder, RunInfo(name=name), heartbeat_seconds=None)
        return Session(writer, folder, ProbeBudget(fraction=probe_budget, seconds=probe_seconds))

    return open_one
