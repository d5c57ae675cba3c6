"""A runs folder elsewhere is read like one of this machine."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.run_log.many_runs import make_runs
from tui_monitor.cli.list_command import list_all
from tui_monitor.cli.sweep_command import print_sweeps
from tui_monitor.errors import FolderNotWritable, RunNotFound
from tui_monitor.run_log.format.layout import EVENTS_FILE, RUN_FILE
from tui_monitor.run_log.runs.catalogue import Catalogue
from tui_monitor.run_log.runs.folders import RUNS_VARIABLE, runs_folder
from tui_monitor.run_log.runs.place import local_run, place_of
from tui_monitor.run_log.runs.remote import CACHE_VARIABLE
from tui_monitor.run_log.runs.remote_runs import RemoteRuns
from tui_monitor.run_log.runs.tags import TAGS_FILE

ADDRESS = "memory://bucket/runs"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a file system in memory that holds four runs, what is no run, and names that must lead nowhere."""
    fsspec = pytest.importorskip("fsspec")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    make_runs(tmp_path / "runs", 4, epochs=3)
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    for path in (tmp_path / "runs").rglob("*.*"):
        memory.pipe_file(f"/bucket/runs/{path.relative_to(tmp_path / 'runs')}", path.read_bytes())
    memory.pipe_file("/bucket/runs/notes/readme.txt", b"no run")
    memory.pipe_file("/bucket/runs/.hidden/run.json", b"{}")
    memory.pipe_file("/bucket/runs/file.txt", b"x")
    memory.pipe_file("/bucket/runs/run-00001/batches.bin", b"\0" * 2400)
    yield memory
    memory.store.clear()


def test_a_folder_elsewhere_is_listed_and_ranked(files: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`ls` and `sweep` take an address for a runs folder; no batches are copied for them."""
    assert list_all(ADDRESS, every=True) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [f"run-0000{number}" for number in (3, 2, 1, 0)]
    assert print_sweeps("", ADDRESS, None) == 0
    assert "train.py: 4 runs" in capsys.readouterr().out
    folder = place_of(ADDRESS).folder
    assert not list(folder.rglob("batches.bin"))
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == [f"run-0000{n}" for n in range(4)]


def test_only_what_changed_is_read_again(files: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second look reads nothing, in this session or the next; growth, tags, new and missing runs are seen."""
    read: list[str] = []
    original = files.cat_file

    def cat_file(path: str, *arguments: Any, **options: Any) -> Any:
        read.append(path.rpartition("/")[2])
        return original(path, *arguments, **options)

    monkeypatch.setattr(type(files), "cat_file", lambda self, *given, **options: cat_file(*given, **options))
    runs = RemoteRuns(ADDRESS)
    runs.fetch()
    assert read
    for again in (runs, RemoteRuns(ADDRESS)):
        read.clear()
        again.fetch()
        assert read == []
    line = b'{"kind": "epoch", "time": 99, "phase": 1, "epoch": 4, "logs": {"val_loss": 0.001}}\n'
    events = "/bucket/runs/run-00002/" + EVENTS_FILE
    files.pipe_file(events, original(events) + line)
    files.pipe_file("/bucket/runs/run-00003/" + TAGS_FILE, b'{"tags": ["good"]}')
    files.pipe_file("/bucket/runs/new/" + RUN_FILE, original("/bucket/runs/run-00000/" + RUN_FILE))
    files.rm("/bucket/runs/run-00000", recursive=True)
    read.clear()
    runs.fetch()
    assert sorted(read) == sorted([EVENTS_FILE, TAGS_FILE, RUN_FILE])
    entries = Catalogue(runs.folder).refresh()
    assert sorted(entries) == ["new", "run-00001", "run-00002", "run-00003"]
    assert entries["run-00002"].best["val_loss"].epoch == 4
    assert entries["run-00003"].tags == ("good",)


def test_a_run_that_is_opened_is_all_here(files: Any) -> None:
    """By its name under the address, or an unambiguous beginning of it, or its own address."""
    for name, runs in (("run-00001", ADDRESS), ("run-00001", ADDRESS + "/"), (f"{ADDRESS}/run-00001", None)):
        folder = local_run(name, runs)
        assert (folder / "batches.bin").stat().st_size == 2400
        assert json.loads((folder / RUN_FILE).read_text())["name"] == "run-00001"
    with pytest.raises(RunNotFound, match="Closest"):
        local_run("run-9", ADDRESS)


def test_runs_are_never_written_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a run would be made, an address is refused with the reason, and no folder of that name is made."""
    with pytest.raises(FolderNotWritable, match="can only be read"):
        runs_folder("s3://bucket/runs")
    monkeypatch.setenv(RUNS_VARIABLE, ADDRESS)
    with pytest.raises(FolderNotWritable, match="folder of this machine"):
        runs_folder(None)


@pytest.mark.parametrize("address", ["nowhere://x/y", "memory://bucket/nothing"])
def test_an_address_without_runs_is_said(files: Any, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A kind of address that is none is refused; an empty folder has no runs."""
    if address.startswith("nowhere"):
        with pytest.raises(RunNotFound, match="nowhere"):
            list_all(address)
    else:
        assert list_all(address) == 0
        assert f"No runs in {address}" in capsys.readouterr().err
