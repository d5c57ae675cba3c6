"""All runs as entries, most of them out of one file."""

import math
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.unit.run_log.many_runs import make_runs
from tui_monitor.run_log.events.progress import EpochEnded
from tui_monitor.run_log.format.layout import RUN_FILE, RunInfo, State
from tui_monitor.run_log.runs import catalogue as catalogue_module
from tui_monitor.run_log.runs.catalogue import CATALOGUE_FILE, Catalogue
from tui_monitor.run_log.runs.entry import RunEntry
from tui_monitor.run_log.runs.read_entry import read_entry
from tui_monitor.run_log.runs.tags import write_tags
from tui_monitor.run_log.write.writer import RunWriter


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Return a runs folder with twenty runs, one of them damaged, whose catalogue is written."""
    make_runs(tmp_path / "runs", 20, epochs=3)
    (tmp_path / "runs" / "damaged").mkdir()
    (tmp_path / "runs" / "damaged" / RUN_FILE).write_text("{")
    (tmp_path / "runs" / "no-run").mkdir()
    catalogue = Catalogue(tmp_path / "runs")
    catalogue.refresh()
    catalogue.save()
    return tmp_path / "runs"


def test_the_file_spares_reading(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of runs that did not change no file is opened again, and the entries are those that reading gives."""
    expected = {name: read_entry(runs / name) for name in (f"run-{n:05}" for n in range(20))}
    opened: list[Path] = []
    monkeypatch.setattr(catalogue_module, "read_entry", lambda folder, **_: opened.append(folder))
    entries = dict(Catalogue(runs).refresh())
    assert "is damaged" in entries.pop("damaged").problem
    assert entries == expected
    assert not opened


def test_many_unknown_runs_are_named_before_they_are_read(runs: Path) -> None:
    """All are told of at once, by name alone and never as live, then again as they are read, newest first."""
    (runs / CATALOGUE_FILE).unlink()
    told: list[dict[str, bool]] = []
    catalogue = Catalogue(runs)

    def tell(entries: Mapping[str, RunEntry]) -> None:
        told.append({name: entry.is_read for name, entry in entries.items()})
        assert not any(entry.is_live for entry in entries.values())

    entries = catalogue.refresh(tell, every=5)
    assert [len(each) for each in told] == [21, 21, 21, 21]
    assert [sum(each.values()) for each in told] == [0, 5, 10, 20]
    newest = sorted(entries, key=lambda name: -(runs / name).stat().st_mtime_ns)
    assert {name for name, is_read in told[1].items() if is_read} == set(newest[:5])
    assert all(entry.is_read for entry in entries.values())


def test_what_changed_is_read(runs: Path) -> None:
    """Tags, further events, another run and a missing one are all seen, before and after the file is read."""
    catalogue = Catalogue(runs)
    catalogue.refresh()
    write_tags(runs / "run-00003", ["good"])
    with (runs / "run-00004" / "events.jsonl").open("a") as file:
        file.write('{"kind": "epoch", "time": 99, "phase": 1, "epoch": 4, "logs": {"val_loss": 0.001}}\n')
    shutil.rmtree(runs / "run-00005")
    make_runs(runs / "more", 1)
    (runs / "more" / "run-00000").rename(runs / "another")
    for entries in (catalogue.refresh(), Catalogue(runs).refresh()):
        assert entries["run-00003"].tags == ("good",)
        assert entries["run-00004"].best["val_loss"].epoch == 4
        assert "run-00005" not in entries
        assert entries["another"].name == "another"


@pytest.mark.parametrize("content", [b"", b"\xff\xff", b"{}", b"\x82\xa7version\x02\xa7entries\x90", b"\x90" * 50])
def test_a_damaged_file_is_made_anew(runs: Path, content: bytes) -> None:
    """Whatever the file holds, the runs themselves are what counts."""
    (runs / CATALOGUE_FILE).write_bytes(content)
    assert len(Catalogue(runs).refresh()) == 21


def test_a_live_run_is_followed(runs: Path) -> None:
    """A run that goes on is read on from where it was, and values that are not finite survive the file."""
    writer = RunWriter(runs / "live", RunInfo(name="live", host="elsewhere"), heartbeat_seconds=3600)
    writer.begin_fit(["loss"], epochs=9)
    writer.status(State.TRAINING)
    catalogue = Catalogue(runs)
    assert catalogue.refresh()["live"].is_live
    writer.event(EpochEnded(epoch=1, logs={"loss": math.nan, "val_loss": math.inf}))
    assert catalogue.refresh_live()["live"].epoch == 1
    writer.status(State.FINISHED)
    writer.close()
    assert not catalogue.refresh_live()["live"].is_live
    catalogue.save()
    known = Catalogue(runs).refresh()["live"]
    assert str(known) == str(read_entry(runs / "live"))


def test_no_runs_folder_is_no_error(tmp_path: Path) -> None:
    """Where nothing was trained yet there is nothing to list, and nothing is made."""
    catalogue = Catalogue(tmp_path / "none")
    assert not catalogue.refresh()
    catalogue.save()
    assert not (tmp_path / "none").exists()


def test_odd_names_do_no_harm(runs: Path) -> None:
    """A name that is not UTF-8, of 200 characters, with a line's end or a terminal's command is a run like others."""
    names = ["by\udcfftes", "x" * 200, "new\nline", "esc\x1b[31mred", "\U0001f600 run", "[bold]x"]
    for name in names:
        (runs / "run-00000").rename(runs / name)
        shutil.copytree(runs / name, runs / "run-00000")
    for _ in range(2):
        catalogue = Catalogue(runs)
        entries = catalogue.refresh()
        assert all(entries[name].best for name in names)
        catalogue.save()
    (runs / "run-00001" / "tags.json").write_text('{"tags": ["later"]}')
    assert Catalogue(runs).refresh()["run-00001"].tags == ("later",)
