"""Values that a script notes of its run."""

import pytest

from tests.training.conftest import OpenSession
from tui_monitor import note
from tui_monitor.run_log.runs.parameters import read_parameters
from tui_monitor.training import noted
from tui_monitor.training.record.session import activate


def test_what_is_noted_is_in_the_run(open_session: OpenSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Noted before there is a run, it waits for it; noted later, it is added; nothing of it can fail the script."""

    class Unspeakable:
        def __str__(self) -> str:
            raise ValueError

    monkeypatch.setattr(noted, "_noted", {})
    activate(None)
    note(lr=0.1, layers=[8, 8])
    session = open_session()
    try:
        activate(session)
        assert read_parameters(session.folder) == {"lr": "0.1", "layers": "[8, 8]"}
        note(lr=0.01, depth=3)
        assert read_parameters(session.folder) == {"lr": "0.01", "layers": "[8, 8]", "depth": "3"}
        note(bad=Unspeakable())
        assert read_parameters(session.folder)["depth"] == "3"
    finally:
        activate(None)
        session.writer.close()
