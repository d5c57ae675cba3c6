"""Runs are created safely and found by what people type."""

import json
import os
import stat
import time
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.cli.list_command import list_all
from tui_monitor.errors import FolderNotWritable, RunNotFound
from tui_monitor.export.report import run_report
from tui_monitor.run_log.format.layout import RUN_FILE
from tui_monitor.run_log.runs.folders import (
    RUNS_VARIABLE,
    create_run_folder,
    find_run,
    is_run_folder,
    list_runs,
    may_live,
    printable,
    runs_folder,
    safe_name,
)

NOW = datetime(2026, 11, 22, 15, 4, 5)


def run_at(runs: Path, name: str, created: float) -> Path:
    """Create a run with nothing but an identity."""
    folder = create_run_folder(runs, name, "x", NOW)
    (folder / RUN_FILE).write_text(json.dumps({"format": 1, "name": name, "created": created}))
    return folder


def test_the_option_wins_over_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Option, then `TUI_MONITOR_RUNS`, then `./runs`; empty counts as not given."""
    monkeypatch.setenv(RUNS_VARIABLE, "from-variable")
    assert runs_folder("from-option") == Path("from-option")
    assert runs_folder(None) == Path("from-variable")
    monkeypatch.setenv(RUNS_VARIABLE, "")
    assert runs_folder("") == Path("runs")


def test_a_new_run_is_named_after_script_and_time(tmp_path: Path) -> None:
    """Without a name asked for, the folder says what ran and when; a second one in that second gets a number."""
    first = create_run_folder(tmp_path / "runs", None, "train", NOW)
    second = create_run_folder(tmp_path / "runs", None, "train", NOW)
    assert (first.name, second.name) == ("train-20261122-150405", "train-20261122-150405-2")
    assert stat.S_IMODE(first.stat().st_mode) == 0o700
    assert is_run_folder(first)


@given(name=st.text(max_size=300))
def test_any_name_is_a_plain_visible_one(name: str) -> None:
    """No name leads out of the runs folder, hides, upsets a terminal or is too long for a file system."""
    safe = safe_name(name)
    assert safe == Path(safe).name
    assert not safe.startswith((".", "-"))
    assert safe.isprintable()
    assert len(safe.encode()) <= 200
    assert safe_name(safe) == safe


@pytest.mark.parametrize("name", ["../../etc", "/etc/passwd", "a\nb", "\x1b[31mred", "..", ".", "", "con\0", "~root"])
def test_hostile_names_stay_inside(tmp_path: Path, name: str) -> None:
    """A run's folder is a direct child of the runs folder, whatever name was asked for."""
    folder = create_run_folder(tmp_path, name, "stem", NOW)
    assert folder.parent == tmp_path
    assert folder.resolve().parent == tmp_path.resolve()


def test_an_unusable_runs_folder_is_told(tmp_path: Path) -> None:
    """The sentence names the folder and what to do."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(FolderNotWritable, match=r"file/runs: .*--runs or TUI_MONITOR_RUNS"):
        create_run_folder(tmp_path / "file" / "runs", None, "train", NOW)


def test_runs_list_newest_first(tmp_path: Path) -> None:
    """The order is that of the runs' own times, not of copies; what is no run is left out."""
    run_at(tmp_path, "old", 100)
    run_at(tmp_path, "new", 300)
    run_at(tmp_path, "middle", 200)
    (tmp_path / "no-run").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert [folder.name for folder in list_runs(tmp_path)] == ["new", "middle", "old"]
    assert list_runs(tmp_path / "nowhere") == []


def test_a_damaged_run_is_still_listed(tmp_path: Path) -> None:
    """A list shows what is there, whole or not."""
    (run_at(tmp_path, "broken", 1) / RUN_FILE).write_bytes(b"\xff")
    assert [folder.name for folder in list_runs(tmp_path)] == ["broken"]


def test_a_run_is_found_by_name_path_or_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Name, unambiguous beginning, relative and absolute path, and `run.json` itself all lead to it."""
    runs = tmp_path / "runs"
    folder = run_at(runs, "train-a", 1)
    run_at(runs, "train-b", 2)
    run_at(runs, "train", 3)
    assert find_run("train-a", runs) == folder
    assert find_run("train", runs) == runs / "train"
    assert find_run(str(folder), runs) == folder
    assert find_run(f"{folder}/", runs) == folder
    assert find_run(str(folder / RUN_FILE), runs) == folder
    monkeypatch.chdir(tmp_path)
    assert find_run("runs/train-a", Path("elsewhere")) == Path("runs/train-a")
    run_at(runs, "solo-x", 4)
    assert find_run("so", runs) == runs / "solo-x"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("train-", r"Several runs in .* begin with 'train-': train-b, train-a\."),
        ("trian-a", r"No run 'trian-a': looked .* Closest: train-a"),
        ("zzz", r"Newest there: train-b, train-a"),
        ("", r"No run ''"),
        ("\x1b[31m", r"No run '\?\[31m'"),
        ("a\0b", r"No run 'a\?b'"),
        ("x" * 5000, r"No run 'xxx"),
    ],
)
def test_what_is_not_found_is_told_with_what_comes_closest(tmp_path: Path, text: str, sentence: str) -> None:
    """The message says where it looked, never echoes control characters, and is a `RunNotFound`."""
    run_at(tmp_path, "train-a", 1)
    run_at(tmp_path, "train-b", 2)
    with pytest.raises(RunNotFound, match=sentence):
        find_run(text, tmp_path)


def test_a_folder_that_is_no_run_is_told(tmp_path: Path) -> None:
    """A path to something else says what is missing there."""
    with pytest.raises(RunNotFound, match=r"is a folder, but no run: it holds no run\.json"):
        find_run(str(tmp_path), tmp_path / "runs")
    with pytest.raises(RunNotFound, match="holds no runs"):
        find_run("x", tmp_path / "runs")


def test_printable_text_stays(tmp_path: Path) -> None:
    """Only what a terminal would obey is replaced."""
    assert printable("é漢 a\x1b[0m\u202e\ud800") == "é漢 a?[0m??"


def test_the_newest_come_first_whatever_their_folders_are_called(tmp_path: Path) -> None:
    """Order is by when a run began; one without a readable time goes by its file, one about to start by its folder."""
    for name, created in (("b", "1700000002.5"), ("a", "1.7000000035e9"), ("c", '"x"'), ("d", "1700000001")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(f'{{"format":1,"command":["{"x" * 100}"],"created":{created}}}')
    (tmp_path / "starting" / "control").mkdir(parents=True)
    (tmp_path / "no run").mkdir()
    os.utime(tmp_path / "c" / "run.json", (1.6e9, 1.6e9))
    assert [folder.name for folder in list_runs(tmp_path)] == ["starting", "a", "b", "d", "c"]


def test_runs_without_a_heartbeat_are_told_by_one_check(tmp_path: Path) -> None:
    """A heartbeat of this minute, or a folder just made, may be live; others aren't."""
    for name, age in (("live", 5), ("old", 600)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "heartbeat").write_text("{}")
        for path in (tmp_path / name / "heartbeat", tmp_path / name):
            os.utime(path, (time.time() - age,) * 2)
    assert may_live(tmp_path, [tmp_path / "old", tmp_path / "live"]) == [tmp_path / "live"]


@pytest.mark.parametrize("created", ["1e18", "-1e18", "1e308", "253402300800"])
def test_a_date_that_is_none_costs_no_other_run(
    tmp_path: Path, created: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A damaged `created` leaves the run without a date; `ls` lists it and all others, and its report is written."""
    run_at(tmp_path, "good", 1.7e9)
    run_at(tmp_path, "damaged", 0.0)
    (tmp_path / "damaged" / RUN_FILE).write_text(f'{{"format": 1, "name": "damaged", "created": {created}}}')
    assert list_all(str(tmp_path)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["run", "damaged", "good"]
    assert "2023-11-14" in lines[2]
    assert "damaged" in run_report(tmp_path / "damaged", as_markdown=True)
