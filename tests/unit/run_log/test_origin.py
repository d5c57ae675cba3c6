"""Where a run's code came from."""

import subprocess
from pathlib import Path

import pytest

from tui_monitor.run_log.runs import origin as origin_module
from tui_monitor.run_log.runs.origin import ORIGIN_FILE, Origin, find_origin, read_origin, record_origin

SCRIPT = """
import os, data.load
from helper import name
from . import nothing
import missing
def later():
    import lazy
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with a script, modules that it imports, and files that are none of the run's business."""
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    for name, text in (
        ("train.py", SCRIPT),
        ("helper.py", "import helper\nname = 1\n"),
        ("lazy.py", "x = (\n"),
        ("unused.py", "secret = 1\n"),
        ("data/__init__.py", "from ..outside import x\n"),
        ("data/load.py", "from .files import f\n"),
        ("data/files.py", "f = open\n"),
        ("data/private.csv", "1,2\n"),
        ("../outside.py", "x = 1\n"),
    ):
        (folder / name).write_text(text)
    (folder / "linked.py").symlink_to(tmp_path / "outside.py")
    return folder


def test_what_a_script_imports_from_its_folder_is_kept(project: Path) -> None:
    """Modules below the script's folder are kept, as far as its text imports them, and nothing else is."""
    found = find_origin(project / "train.py", asks_git=False)
    expected = {"train.py", "helper.py", "lazy.py", "data/__init__.py", "data/load.py", "data/files.py"}
    assert set(found.sources) == expected
    assert next(iter(found.sources)) == "train.py"
    assert found.sources["train.py"] == SCRIPT


def test_no_more_is_kept_than_the_limits_allow(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large file is left out, and how many are left out is kept."""
    monkeypatch.setattr(origin_module, "MOST_BYTES", 200)
    (project / "helper.py").write_text("#" * 300)
    found = find_origin(project / "train.py", asks_git=False)
    assert "helper.py" not in found.sources
    assert found.left_out == 1


def test_the_commit_and_what_differs_from_it(project: Path, tmp_path: Path) -> None:
    """Under git the commit is kept, and the tracked files that were changed since."""
    for arguments in (["init", "-q"], ["add", "train.py"], ["commit", "-qm", "x"]):
        identity = ["-c", "user.name=x", "-c", "user.email=x@x"]
        subprocess.run(["git", *identity, *arguments], cwd=project, check=True, capture_output=True)
    assert find_origin(project / "train.py").changed == ()
    (project / "train.py").write_text("pass\n")
    record_origin(tmp_path, project / "train.py")
    found = read_origin(tmp_path)
    assert len(found.commit) == 40
    assert found.changed == ("train.py",)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"sources": 3}', '{"left_out": "x"}', '{"changed": 5}'])
def test_a_damaged_origin_is_none(tmp_path: Path, content: str) -> None:
    """Whatever the file holds, a comparison goes on without it."""
    (tmp_path / ORIGIN_FILE).write_text(content)
    assert read_origin(tmp_path) == Origin()
