"""The run that is pinned as baseline."""

from pathlib import Path

import pytest

from tests.unit.run_log.many_runs import make_runs
from tui_monitor.app.feed.baseline_source import BaselineSource
from tui_monitor.errors import FolderNotWritable
from tui_monitor.run_log.format.layout import EVENTS_FILE, RUN_FILE
from tui_monitor.run_log.runs.baseline import BASELINE_FILE, read_baseline, write_baseline
from tui_monitor.run_log.runs.folders import list_runs


def test_a_pin_is_kept_until_another(tmp_path: Path) -> None:
    """Whatever the name, and however often; the file is no run."""
    assert read_baseline(tmp_path) == ""
    for name in ("run", "a run \n\U0001f600", ""):
        write_baseline(tmp_path, name)
        assert read_baseline(tmp_path) == name
    write_baseline(tmp_path, "run")
    assert list_runs(tmp_path) == []


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"\xff", b'{"run": 1}', b'{"run": "../elsewhere"}', b'{"run": "/etc"}']
)
def test_a_damaged_pin_is_none(tmp_path: Path, content: bytes) -> None:
    """Whatever the file holds, no run outside the runs folder is read."""
    (tmp_path / BASELINE_FILE).write_bytes(content)
    assert read_baseline(tmp_path) == ""


def test_a_pin_that_can_not_be_kept_is_refused(tmp_path: Path) -> None:
    """The message says where."""
    (tmp_path / "file").touch()
    with pytest.raises(FolderNotWritable, match="file"):
        write_baseline(tmp_path / "file", "run")


def test_the_pinned_run_is_read_on(tmp_path: Path) -> None:
    """The same object while nothing changes; a new epoch, another pin, a damaged or missing run are all seen."""
    make_runs(tmp_path, 3, epochs=2)
    source = BaselineSource(tmp_path / "run-00000")
    assert source.poll() is None
    write_baseline(tmp_path, "run-00001")
    first = source.poll()
    assert first is not None
    assert (first.name, len(first.epochs)) == ("run-00001", 2)
    assert source.poll() is first
    with (tmp_path / "run-00001" / EVENTS_FILE).open("a") as file:
        file.write('{"kind": "epoch", "time": 99, "phase": 1, "epoch": 3, "logs": {"val_loss": 0.1}}\n')
    grown = source.poll()
    assert grown is not None
    assert grown.value_at(3, "val_loss") == 0.1
    for name, content in (("run-00000", None), ("gone", None), ("run-00002", "{")):
        if content is not None:
            (tmp_path / name / RUN_FILE).write_text(content)
        write_baseline(tmp_path, name)
        assert source.poll() is None
