"""Records reach a reader once each, through the ring buffer or through the file, whenever it looks."""

import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.run_log.events.notifications import NoteTaken
from tui_monitor.run_log.format import ring_buffer
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.format.ring_buffer import RING_BUFFER_SUFFIX, ROOM
from tui_monitor.run_log.read.reader import RunReader
from tui_monitor.run_log.write.writer import RunWriter

INFO = RunInfo(name="run")
SLOTS = "batches.bin" + RING_BUFFER_SUFFIX


def training(folder: Path) -> RunWriter:
    """Return a writer within its first fit, whose time stands still: the file gets records when it is told to."""
    writer = RunWriter(folder, INFO, clock=lambda: 0.0, heartbeat_seconds=None)
    writer.begin_fit(["loss", "accuracy"])
    return writer


def read(reader: RunReader) -> list[float]:
    """Return the losses that are new."""
    return [loss for _, records in reader.poll().batches for loss in records["loss"].tolist()]


@given(
    steps=st.lists(
        st.tuples(st.integers(0, ROOM + 9), st.sampled_from(["nothing", "send", "look", "look, send and look"])),
        max_size=12,
    )
)
def test_each_record_is_read_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str]]
) -> None:
    """However batches, sends and looks follow each other, a reader has what was recorded, no more, no less."""
    folder = tmp_path_factory.mktemp("run")
    writer, reader, seen, number = training(folder), RunReader(folder), [], 0
    for batches, then in steps:
        for _ in range(batches):
            number += 1
            writer.batch(1, 1, (number, 0.5))
        for action in then.split(" "):
            if action.startswith("look"):
                seen += read(reader)
                assert seen == list(range(1, number + 1))
            elif action == "send":
                writer.event(NoteTaken(""))
        assert read(RunReader(folder)) == list(range(1, number + 1))
    writer.close()
    assert seen + read(reader) == list(range(1, number + 1))
    assert not (folder / SLOTS).exists()


def test_what_was_not_sent_survives_the_process(tmp_path: Path) -> None:
    """The file lacks the newest records, the slots have them, and a reader doesn't know the difference."""
    writer = training(tmp_path)
    for number in range(1, 31):
        writer.batch(1, 1, (number, 0.5))
    assert (tmp_path / "batches.bin").stat().st_size < 30 * 24
    assert read(RunReader(tmp_path)) == list(range(1, 31))


def test_nobody_else_may_write_or_cut_the_slots(tmp_path: Path) -> None:
    """The file can only be read, and by its owner: cutting it would end the training."""
    writer = training(tmp_path)
    writer.batch(1, 1, (1.0, 0.5))
    assert stat.S_IMODE((tmp_path / SLOTS).stat().st_mode) == 0o400
    writer.close()


def test_a_file_that_turns_out_otherwise_starts_over(tmp_path: Path) -> None:
    """Records taken from the slots that the file does not confirm are withdrawn."""
    writer, reader = training(tmp_path), RunReader(tmp_path)
    writer.event(NoteTaken(""))
    for number in range(1, 6):
        writer.batch(1, 1, (number, 0.5))
    assert read(reader) == [1, 2, 3, 4, 5]
    other = np.zeros(7, writer.info.fits[0].dtype)
    other["epoch"], other["loss"] = 1, np.arange(7)
    (tmp_path / SLOTS).unlink()
    with (tmp_path / "batches.bin").open("ab") as file:
        file.write(other[(tmp_path / "batches.bin").stat().st_size // 24 :].tobytes())
    arrival = reader.poll()
    assert arrival.restarted
    assert len(arrival.batches[0][1]) == 7


@given(content=st.binary(max_size=4096) | st.binary(min_size=32 * ROOM, max_size=32 * ROOM))
def test_damaged_slots_are_no_records(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Whatever the file of slots holds, what is in the file of records is read."""
    folder = tmp_path_factory.mktemp("run")
    writer = training(folder)
    writer.batch(1, 1, (1.0, 0.5))
    writer.close()
    (folder / SLOTS).write_bytes(content)
    assert read(RunReader(folder))[0] == 1.0


def test_where_memory_can_not_be_shared_each_record_is_written_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system whose mapped pages may fail, a record is in the file when the call returns."""
    monkeypatch.setattr(ring_buffer, "_SAFE_TO_MAP", frozenset())
    writer = training(tmp_path)
    for number in range(1, 100):
        writer.batch(1, 1, (number, 0.5))
        assert (tmp_path / "batches.bin").stat().st_size == number * 24
    assert not (tmp_path / SLOTS).exists()
    writer.close()
    writer.batch(1, 1, (100, 0.5))
    assert (tmp_path / "batches.bin").stat().st_size == 99 * 24


def test_a_slot_that_is_written_while_it_is_read_is_no_mixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the training writes a record between its two halves being read, the whole of it comes."""
    writer, reader = training(tmp_path), RunReader(tmp_path)
    for number in range(1, ROOM + 1):
        writer.batch(1, 1, (number, 0.5))
    writer.event(NoteTaken(""))
    assert len(read(reader)) == ROOM
    read_bytes = Path.read_bytes

    def torn(path: Path) -> bytes:
        if path.name != SLOTS:
            return read_bytes(path)
        monkeypatch.undo()
        before = read_bytes(path)
        writer.batch(1, 1, (ROOM + 1, 0.5))
        return before[:24] + read_bytes(path)[24:]

    monkeypatch.setattr(Path, "read_bytes", torn)
    assert read(reader) == [ROOM + 1]


def test_a_poll_that_takes_no_more_than_the_file_has_says_that_more_may_wait(tmp_path: Path) -> None:
    """Whoever reads until all is read gets the slots' records, however few are taken at once."""
    writer = training(tmp_path)
    for number in range(1, 31):
        writer.batch(1, 1, (number, 0.5))
        if number == 25:
            writer.event(NoteTaken(""))
    reader, seen, complete = RunReader(tmp_path), [], False
    while not complete:
        arrival = reader.poll(max_records=5)
        complete = arrival.complete
        seen += [loss for _, records in arrival.batches for loss in records["loss"].tolist()]
    assert seen == list(range(1, 31))


def test_a_batch_without_a_fit_leaves_no_file(tmp_path: Path) -> None:
    """It is counted as lost, and the first fit gets the first file."""
    writer = RunWriter(tmp_path, INFO, clock=lambda: 0.0, heartbeat_seconds=None)
    writer.batch(1, 1, (1.0, 0.5))
    assert writer.lost_batches == 1
    assert not list(tmp_path.glob("batches*"))
    assert writer.begin_fit(["loss"]).batches == "batches.bin"
    writer.close()
