"""Folders that are renamed, vanish or can't be made, and descriptors that a script closes: training goes on."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.unit.run_log.faults import Clock, forked
from tui_monitor.history.load import load
from tui_monitor.run_log.events.notifications import NoteTaken
from tui_monitor.run_log.format.layout import HEARTBEAT_FILE, RunInfo
from tui_monitor.run_log.format.ring_buffer import ROOM
from tui_monitor.run_log.write.writer import RunWriter

INFO = RunInfo(name="run")


def test_a_renamed_folder_is_followed(tmp_path: Path) -> None:
    """Tidying up while a training runs moves its records along; nothing is written to the old place."""
    writer = RunWriter(tmp_path / "old", INFO, heartbeat_seconds=60)
    writer.begin_fit(["loss"])
    writer.batch(1, 1, (1.0,))
    (tmp_path / "old").rename(tmp_path / "new")
    writer.batch(1, 1, (2.0,))
    writer.event(NoteTaken(text="moved"))
    writer._beat()
    writer.begin_fit(["loss"])
    writer.batch(1, 1, (3.0,))
    writer.close()
    snapshot = load(tmp_path / "new")
    assert [fit.series["loss"].values().tolist() for fit in snapshot.fits] == [[1.0, 2.0], [3.0]]
    assert (tmp_path / "new" / HEARTBEAT_FILE).exists()
    assert not (tmp_path / "old").exists()


def test_a_removed_folder_stays_removed_and_training_goes_on(tmp_path: Path) -> None:
    """Nothing raises, nothing is created anew, and the loss is counted once it is noticed."""
    clock = Clock()
    writer = RunWriter(tmp_path / "run", INFO, clock=clock, heartbeat_seconds=None)
    writer.begin_fit(["loss"])
    writer.batch(1, 1, (1.0,))
    shutil.rmtree(tmp_path / "run")
    writer._beat()
    for _ in range(5):
        clock.now += 1
        writer.batch(1, 1, (2.0,))
        writer.event(NoteTaken(text="x"))
    writer.begin_fit(["loss"])
    writer.batch(1, 1, (3.0,))
    writer.close()
    assert not (tmp_path / "run").exists()
    assert writer.lost_batches == 6
    assert "No such file" in (writer.last_error or "")


def test_a_folder_that_comes_back_is_written_again(tmp_path: Path) -> None:
    """A path that is there again gets an identity and the records that waited, and goes on."""
    clock = Clock()
    writer = RunWriter(tmp_path / "run", INFO, clock=clock, heartbeat_seconds=None)
    writer.begin_fit(["loss"])
    shutil.rmtree(tmp_path / "run")
    writer._beat()
    writer.batch(1, 1, (1.0,))
    (tmp_path / "run").mkdir()
    clock.now = 10
    writer.batch(1, 1, (2.0,))
    snapshot = load(tmp_path / "run")
    assert snapshot.fit is not None
    assert snapshot.fit.series["loss"].values().tolist() == [1.0, 2.0]
    assert snapshot.damage.batches_lost == 0


def test_a_folder_that_can_not_be_made_is_no_error(tmp_path: Path) -> None:
    """A run that can't be recorded at all still trains."""
    (tmp_path / "file").write_text("x")
    writer = RunWriter(tmp_path / "file" / "run", INFO)
    fit = writer.begin_fit(["loss"])
    writer.batch(1, 1, (1.0,))
    writer.event(NoteTaken(""))
    writer.close()
    assert fit.metrics == ("loss",)
    assert writer.lost_batches == 1
    assert writer.last_error


def test_a_run_that_can_not_be_written_is_tried_twice_a_second_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches in between cost the training no system call, and each is counted as lost."""
    (tmp_path / "file").write_text("x")
    clock = Clock()
    writer = RunWriter(tmp_path / "file" / "run", INFO, clock=clock, heartbeat_seconds=None)
    writer.begin_fit(["loss"])
    tries: list[Any] = []
    opened = os.open

    def counted(*args: Any, **options: Any) -> int:
        tries.append(args)
        return opened(*args, **options)

    monkeypatch.setattr(os, "open", counted)
    for _ in range(10):
        clock.now += 0.05
        writer.batch(1, 1, (1.0,))
    assert len(tries) == 1
    clock.now += 0.5
    writer.batch(1, 1, (1.0,))
    assert len(tries) == 2
    assert writer.lost_batches == 11


def test_descriptors_closed_by_the_script_are_noticed(tmp_path: Path) -> None:
    """A script that closes every descriptor costs no record, and keeps those that it opens under their numbers."""
    (tmp_path / "own").write_bytes(bytes(ROOM * 32))  # as long as the slots

    def train() -> None:
        clock = Clock()
        writer = RunWriter(tmp_path, INFO, clock=clock, heartbeat_seconds=None)
        writer.begin_fit(["loss"])
        writer.batch(1, 1, (1.0,))
        os.closerange(3, 256)
        others = [os.open(tmp_path / "own", os.O_RDONLY) for _ in range(64)]
        writer._beat()
        clock.now = 1
        writer.batch(1, 1, (2.0,))
        writer.event(NoteTaken(text="still here"))
        assert writer.lost_batches == 0, writer.last_error
        writer.close()
        for other in others:
            os.close(other)

    forked(train)
    snapshot = load(tmp_path)
    assert snapshot.fit is not None
    assert snapshot.fit.series["loss"].values().tolist() == [1.0, 2.0]
    assert [entry.text for entry in snapshot.timeline] == ["still here"]


def test_another_file_under_our_descriptor_is_left_alone(tmp_path: Path) -> None:
    """A descriptor that the script reused for its own file is recognised at the next heartbeat."""
    clock = Clock()
    writer = RunWriter(tmp_path / "run", INFO, clock=clock, heartbeat_seconds=None)
    writer.begin_fit(["loss"])
    descriptor = writer._batches.descriptor
    other: Any = os.open(tmp_path / "other", os.O_RDWR | os.O_CREAT)
    os.dup2(other, descriptor)
    writer._beat()
    writer.batch(1, 1, (1.0,))
    writer.close()
    assert (tmp_path / "other").read_bytes() == b""
    os.fstat(descriptor)
    os.close(descriptor)
    os.close(other)
    assert (tmp_path / "run" / "batches.bin").stat().st_size == 20
