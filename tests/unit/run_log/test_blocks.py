"""Summaries are believed only where they fit their records; without them, all is read as it ever was."""

import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.run_log.long_runs import ORDINARY, grow, some_records, written
from tui_monitor.importers.imported_run import ImportedRun
from tui_monitor.run_log.format.block_summaries import BLOCK, block_type
from tui_monitor.run_log.format.layout import FitInfo, RunInfo, WorkerInfo, batch_columns
from tui_monitor.run_log.read.reader import Arrival, RunReader
from tui_monitor.run_log.write.block_writer import LEAST_ADDED, cut_blocks, extend_blocks
from tui_monitor.run_log.write.writer import RunWriter

FIT = FitInfo(1, batch_columns(["loss", "acc"]), "batches.bin", epochs=5)
SIZE = block_type(FIT).itemsize
MANY = LEAST_ADDED * BLOCK
"""Batches that are worth summarising."""
TAKEN = 7 * BLOCK
"""Batches of an ordinary run that are taken by their summaries: the newest 1024 are read."""


def summarised(folder: Path, read_whole: float = 0) -> int:
    """Return how many batches a reader takes without their records, all the others being read."""
    arrival = RunReader(folder, read_whole=read_whole).poll(max_seconds=10, max_records=10**7)
    assert arrival.complete
    taken = sum(summaries.batches for _, summaries in arrival.summaries)
    records = (folder / "batches.bin").stat().st_size // FIT.dtype.itemsize
    assert taken + sum(len(part) for _, part in arrival.batches) + arrival.batches_skipped == records
    return taken


def extended(folder: Path) -> bytes:
    """Bring a run's blocks up to date and return them."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        while extend_blocks(descriptor, FIT, least=1):
            pass
    finally:
        os.close(descriptor)
    return (folder / "batches.blocks").read_bytes()


@settings(max_examples=30)
@given(cuts=st.lists(st.integers(0, ORDINARY), max_size=6), torn=st.integers(0, 3 * SIZE))
def test_blocks_are_the_same_whenever_they_are_written(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], torn: int
) -> None:
    """In any number of pieces, and after some of the last bytes were lost, the file ends up the same."""
    records, parent = some_records(), tmp_path_factory.mktemp("runs")
    expected = extended(written(parent / "whole", records))
    assert len(expected) == ORDINARY // BLOCK * SIZE
    folder, start = written(parent / "pieces", records[:0]), 0
    for cut in sorted(cuts):
        grow(folder, records[start:cut])
        start = cut
        extend = os.open(folder, os.O_RDONLY)
        extend_blocks(extend, FIT, least=1)
        os.close(extend)
        path = folder / "batches.blocks"
        if path.exists():
            os.truncate(path, max(path.stat().st_size - torn, 0))
    grow(folder, records[start:])
    assert extended(folder) == expected


def test_a_short_run_is_read_whole(tmp_path: Path) -> None:
    """Its records take a few milliseconds, and whatever is wrong with them is seen."""
    folder = written(tmp_path / "run", some_records())
    assert summarised(folder, read_whole=ORDINARY) == 0
    assert summarised(folder, read_whole=ORDINARY - 1) == TAKEN


def test_opening_a_long_run_reads_its_end(tmp_path: Path) -> None:
    """Of three hundred thousand batches a reader takes the newest thousand as records, all others as summaries."""
    folder = written(tmp_path / "run", some_records(300_000, steps=10_000))
    arrival = RunReader(folder).poll(max_seconds=0)
    assert arrival.complete
    assert 1024 <= sum(len(part) for _, part in arrival.batches) < 1024 + BLOCK


def test_without_its_file_a_run_is_read_whole(tmp_path: Path) -> None:
    """A run of before there were summaries, or whose file was removed, is read as it was."""
    folder = written(tmp_path / "run", some_records())
    (folder / "batches.blocks").unlink()
    assert summarised(folder) == 0


@pytest.mark.parametrize("byte", range(0, SIZE, 5))
@pytest.mark.parametrize("block", [0, 3, 6])
def test_a_damaged_block_ends_what_is_believed(tmp_path: Path, block: int, byte: int) -> None:
    """One wrong byte anywhere, and the records are read from that block on."""
    folder = written(tmp_path / "run", some_records())
    path = folder / "batches.blocks"
    content = bytearray(path.read_bytes())
    content[block * SIZE + byte] ^= 0x40
    path.write_bytes(content)
    assert summarised(folder) == block * BLOCK


@settings(max_examples=40)
@given(garbage=st.one_of(st.binary(max_size=3 * SIZE), st.integers(0, 5000).map(bytes)))
def test_garbage_is_never_believed(tmp_path_factory: pytest.TempPathFactory, garbage: bytes) -> None:
    """Neither noise nor zeros, whatever their length, pass for summaries."""
    folder = written(tmp_path_factory.mktemp("runs") / "run", some_records())
    (folder / "batches.blocks").write_bytes(garbage)
    assert summarised(folder) == 0


@pytest.mark.parametrize("cut", [0, 1, SIZE - 1, SIZE, 3 * SIZE + 10, 100 * SIZE])
def test_any_cut_reads_as_fewer_blocks(tmp_path: Path, cut: int) -> None:
    """A torn file stands for the blocks that are whole."""
    folder = written(tmp_path / "run", some_records())
    path = folder / "batches.blocks"
    path.write_bytes(path.read_bytes()[:cut])
    assert summarised(folder) == min(cut // SIZE * BLOCK, TAKEN)


def test_blocks_in_another_order_are_not_believed(tmp_path: Path) -> None:
    """A block counts only at its own position."""
    folder = written(tmp_path / "run", some_records())
    path = folder / "batches.blocks"
    content = path.read_bytes()
    path.write_bytes(content[SIZE : 2 * SIZE] + content[:SIZE] + content[2 * SIZE :])
    assert summarised(folder) == 0


def test_blocks_of_other_records_are_not_believed(tmp_path: Path) -> None:
    """Summaries left behind by another run of the same shape, or of records overwritten since, are passed over."""
    folder = written(tmp_path / "run", some_records())
    other = written(tmp_path / "other", some_records(seed=1))
    (folder / "batches.blocks").write_bytes((other / "batches.blocks").read_bytes())
    assert summarised(folder) == 0


def test_fewer_records_than_blocks(tmp_path: Path) -> None:
    """Where records were lost, no block stands for them, and the next ones are summarised anew."""
    records = some_records()
    folder = written(tmp_path / "run", records)
    os.truncate(folder / "batches.bin", 6 * BLOCK * FIT.dtype.itemsize)
    assert summarised(folder) == 2 * BLOCK
    other = some_records(seed=2)
    (folder / "batches.bin").write_bytes(other[:1000].tobytes())
    extended(folder)
    grow(folder, other[1000:])
    assert extended(folder) == extended(written(tmp_path / "other", other))


def test_records_no_training_wrote_are_not_summarised(tmp_path: Path) -> None:
    """Blocks end before a zeroed record, for good: each such record is counted by who reads it."""
    records = some_records()
    records[1000] = np.zeros((), records.dtype)
    folder = written(tmp_path / "run", records)
    assert len(extended(folder)) == 1000 // BLOCK * SIZE
    arrival = RunReader(folder, read_whole=0).poll(max_seconds=10)
    assert arrival.batches_skipped == 1
    assert arrival.stored[0][1].count <= 1000


def test_a_training_summarises_itself(tmp_path: Path) -> None:
    """Heartbeats add blocks when many have been filled, each fit's for itself; a short fit gets no file."""
    writer = RunWriter(tmp_path / "run", RunInfo(name="run"), heartbeat_seconds=None)
    files = [tmp_path / "run" / name for name in ("batches.blocks", "batches-2.blocks", "batches-3.blocks")]
    for fit, batches in enumerate((2 * MANY, MANY, 1000)):
        writer.begin_fit(["loss", "acc"])
        for number in range(batches):
            writer.batch(1, 32, (number, math.nan))
            if number in (MANY - 2, MANY - 1):
                writer._beat()
                assert files[fit].exists() == (number == MANY - 1)
    writer.close()
    assert [path.exists() and path.stat().st_size // SIZE * BLOCK for path in files] == [2 * MANY, MANY, False]
    arrival = RunReader(tmp_path / "run", read_whole=0).poll(max_seconds=10)
    assert [(index, summaries.batches) for index, summaries in arrival.summaries] == [
        (1, 2 * MANY - 1024),
        (2, MANY - 1024),
    ]


_KILLED_TRAINING = """
import os, signal, sys
from pathlib import Path
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.write.writer import RunWriter
writer = RunWriter(Path(sys.argv[1]), RunInfo(name="run"), heartbeat_seconds=0.02)
writer.begin_fit(["loss", "acc"])
number = 0
while not Path(sys.argv[1], "batches.blocks").exists() or number % 50_000:
    writer.batch(number // 7000 + 1, 32, (number, 0.5))
    number += 1
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_training_reads_the_same_with_summaries(tmp_path: Path) -> None:
    """After `kill -9`, heartbeats having summarised beside it, every batch is there, in order, with and without."""
    done = subprocess.run([sys.executable, "-c", _KILLED_TRAINING, str(tmp_path / "run")], check=False)
    assert done.returncode == -signal.SIGKILL
    found = []
    for read_whole in (0, math.inf):
        arrival = RunReader(tmp_path / "run", read_whole=read_whole).poll(max_seconds=30, max_records=10**7)
        assert arrival.complete
        assert len(arrival.summaries) == (read_whole == 0)
        taken = [summaries.stored.column("loss", np.arange(summaries.batches)) for _, summaries in arrival.summaries]
        found.append(np.concatenate([*taken, *(part["loss"] for _, part in arrival.batches)]))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], np.arange(len(found[0])))
    assert len(found[0]) % 50_000 == 0


def test_what_prevents_summaries_prevents_nothing_else(tmp_path: Path) -> None:
    """Where they can't be written, every batch is recorded and read all the same."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "batches.blocks").mkdir()
    with RunWriter(tmp_path / "run", RunInfo(name="run"), heartbeat_seconds=None) as writer:
        writer.begin_fit(["loss", "acc"])
        for _ in range(2 * MANY):
            writer.batch(1, 32, (0.5, 0.5))
        writer._beat()
        assert writer.lost_batches == 0
        assert writer.last_error
    assert summarised(tmp_path / "run") == 0


def test_a_worker_of_several_needs_no_summaries(tmp_path: Path) -> None:
    """Its records are put together with those of the others, each of them."""
    info = RunInfo(name="run", worker=WorkerInfo(0, 2))
    with RunWriter(tmp_path / "run", info, heartbeat_seconds=None) as writer:
        writer.begin_fit(["loss", "acc"])
        for _ in range(MANY):
            writer.batch(1, 32, (0.5, 0.5))
    assert not (tmp_path / "run" / "batches.blocks").exists()


def test_an_import_is_summarised(tmp_path: Path) -> None:
    """A log's batches get their blocks when it has been read; what is truncated loses them."""
    tmp_path.joinpath("run").mkdir()
    with ImportedRun(tmp_path / "run", RunInfo(name="run")) as run:
        run.begin_fit(["loss", "acc"])
        for number in range(MANY):
            run.batch(1, 32, (number, 0.5))
            if number == 2999:
                checkpoint = run.checkpoint()
    path = tmp_path / "run" / "batches.blocks"
    assert path.stat().st_size == LEAST_ADDED * SIZE
    with ImportedRun(tmp_path / "run", run.info) as run:
        run.truncate(checkpoint)
        assert path.stat().st_size == 3000 // BLOCK * SIZE
        for number in range(1000):
            run.batch(2, 32, (number, 0.25))
    assert summarised(tmp_path / "run") == 3000 // BLOCK * BLOCK


def test_cutting_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    """A run without blocks can be truncated too."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    cut_blocks(descriptor, FIT, 0)
    os.close(descriptor)
    assert Arrival() == Arrival(summaries=())
