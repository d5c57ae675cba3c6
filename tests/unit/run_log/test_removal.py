"""Runs that are renamed, deleted and brought back."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.run_log.many_runs import make_runs
from tui_monitor.errors import FolderNotWritable, UsageError
from tui_monitor.run_log.format.layout import EVENTS_FILE, HEARTBEAT_FILE, RUN_FILE
from tui_monitor.run_log.format.run_json import read_run_info
from tui_monitor.run_log.runs.folders import list_runs
from tui_monitor.run_log.runs.read_entry import read_entry
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
    """A run that goes on keeps folder and name, even if it had ended when the table looked; so does a taken name."""
    make_runs(tmp_path, 2, epochs=1)
    entry = read_entry(tmp_path / "run-00000")
    with (tmp_path / "run-00000" / EVENTS_FILE).open("a") as file:
        file.write('{"kind": "status", "time": 99, "phase": 1, "state": "training"}\n')
    (tmp_path / "run-00000" / HEARTBEAT_FILE).touch()
    for refused in (lambda: Deleted(tmp_path).delete(entry), lambda: rename_run(tmp_path, entry, "new")):
        with pytest.raises(UsageError, match="still going"):
            refused()
    other = read_entry(tmp_path / "run-00001")
    with pytest.raises(UsageError, match="already"):
        rename_run(tmp_path, other, "run-00000")
    before = read_run_info(tmp_path / "run-00001")
    assert rename_run(tmp_path, other, "../a name") == "a-name"
    assert read_run_info(tmp_path / "a-name") == replace(before, name="a-name")
    (tmp_path / "a-name" / RUN_FILE).write_text("{")
    assert rename_run(tmp_path, read_entry(tmp_path / "a-name"), "damaged") == "damaged"
    assert (tmp_path / "damaged" / RUN_FILE).read_text() == "{"


def test_two_sessions_delete_the_same_run(tmp_path: Path) -> None:
    """The second is told that it is gone, and what it deletes next is not in the way of anything."""
    make_runs(tmp_path, 2, epochs=1)
    entries = [read_entry(tmp_path / f"run-0000{number}") for number in range(2)]
    first, second = Deleted(tmp_path), Deleted(tmp_path)
    first.delete(entries[0])
    for attempt in (lambda: second.delete(entries[0]), lambda: rename_run(tmp_path, entries[0], "new")):
        with pytest.raises(UsageError, match="not there any more"):
            attempt()
    first.delete(entries[1])
    assert [first.undo(), first.undo()] == ["run-00001", "run-00000"]


def test_a_folder_that_can_not_be_written_keeps_its_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is said, and the next deletion works once the folder can be written."""
    make_runs(tmp_path, 1, epochs=1)
    entry, deleted = read_entry(tmp_path / "run-00000"), Deleted(tmp_path)

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refuse)
        with pytest.raises(FolderNotWritable, match="Permission denied"):
            deleted.delete(entry)
    assert [path.name for path in tmp_path.iterdir()] == ["run-00000"]
    deleted.delete(entry)
    assert deleted.undo() == "run-00000"
