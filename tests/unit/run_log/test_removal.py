"""Runs that are renamed, deleted and brought back."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.run_log.many_runs import make_runs
from tui_monitor.errors import UsageError
from tui_monitor.run_log.format.layout import RUN_FILE, State
from tui_monitor.run_log.runs.entry import read_entry
from tui_monitor.run_log.runs.folders import list_runs
from tui_monitor.run_log.runs.removal import Deleted, rename_run


def test_a_deleted_run_is_hidden_until_it_is_brought_back(tmp_path: Path) -> None:
    """A deletion can be undone, the last first, until the session is over; then it is gone for good."""
    make_runs(tmp_path, 3, epochs=1)
    deleted = Deleted(tmp_path)
    for name in ("run-00000", "run-00001"):
        deleted.delete(read_entry(tmp_path / name))
    assert [folder.name for folder in list_runs(tmp_path)] == ["run-00002"]
    assert deleted.undo() == "run-00001"
    assert (tmp_path / "run-00001" / RUN_FILE).is_file()
    deleted.forget()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run-00001", "run-00002"]


def test_what_can_not_be_undone_is_said(tmp_path: Path) -> None:
    """Nothing is overwritten: a run of the same name stays, and the deleted one waits."""
    make_runs(tmp_path, 1, epochs=1)
    deleted = Deleted(tmp_path)
    with pytest.raises(UsageError, match="No run was deleted"):
        deleted.undo()
    deleted.delete(read_entry(tmp_path / "run-00000"))
    (tmp_path / "run-00000").mkdir()
    with pytest.raises(UsageError, match="another run"):
        deleted.undo()
    (tmp_path / "run-00000").rmdir()
    assert deleted.undo() == "run-00000"


def test_live_runs_and_taken_names_are_refused(tmp_path: Path) -> None:
    """A run that goes on keeps folder and name; so does one whose new name is taken."""
    make_runs(tmp_path, 2, epochs=1)
    entry = read_entry(tmp_path / "run-00000")
    live = replace(entry, state=State.TRAINING)
    for refused in (lambda: Deleted(tmp_path).delete(live), lambda: rename_run(tmp_path, live, "new")):
        with pytest.raises(UsageError, match="still going"):
            refused()
    with pytest.raises(UsageError, match="already"):
        rename_run(tmp_path, entry, "run-00001")
    assert rename_run(tmp_path, entry, "../a name") == "a-name"
    assert (tmp_path / "a-name" / RUN_FILE).is_file()
