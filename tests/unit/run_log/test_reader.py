"""The reader takes whole records only, each once, whatever happens to the folder."""

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.errors import RunUnreadable
from tui_monitor.run_log.events.notifications import NoteTaken
from tui_monitor.run_log.events.progress import StatusChanged
from tui_monitor.run_log.format.layout import EVENTS_FILE, OUTPUT_FILE, RUN_FILE, RunInfo, State
from tui_monitor.run_log.read.reader import Arrival, RunReader
from tui_monitor.run_log.write.writer import RunWriter

INFO = RunInfo(name="run")


def written(folder: Path, batches: int = 5, events: int = 3) -> RunWriter:
    """Write a small run and leave it open."""
    writer = RunWriter(folder, INFO, heartbeat_seconds=None)
    writer.begin_fit(["loss"])
    for number in range(batches):
        writer.batch(1, 1, (number,))
    for number in range(events):
        writer.event(NoteTaken("é—漢🎉", batch=number))
    return writer


def everything(reader: RunReader, **limits: Any) -> list[Arrival]:
    """Poll until nothing more waits."""
    arrivals = []
    for _ in range(10_000):
        arrivals.append(reader.poll(**limits))
        if arrivals[-1].complete:
            return arrivals
    raise AssertionError("the reader never came to the end")


def losses(arrivals: list[Arrival], fit: int = 1) -> list[float]:
    """Return the values of one fit's batches."""
    return [value for arrival in arrivals for index, part in arrival.batches if index == fit for value in part["loss"]]


def numbers(arrivals: list[Arrival]) -> list[int]:
    """Return the numbers of the notes."""
    told = [recorded.event for arrival in arrivals for recorded in arrival.events]
    return [event.batch for event in told if isinstance(event, NoteTaken) and event.batch is not None]


def test_each_record_comes_once(tmp_path: Path) -> None:
    """What was there comes at once, what is added comes next, and then nothing."""
    writer = written(tmp_path)
    reader = RunReader(tmp_path)
    first = reader.poll()
    assert first.info is not None
    assert first.info.name == "run"
    assert losses([first]) == [0, 1, 2, 3, 4]
    assert numbers([first]) == [0, 1, 2]
    assert not reader.poll()
    writer.batch(1, 1, (9,))
    (tmp_path / OUTPUT_FILE).write_bytes(b"hello\n")
    second = reader.poll()
    assert (second.info, losses([second]), second.events, second.output) == (None, [9], (), b"hello\n")
    assert second.complete


def test_bounds_are_kept(tmp_path: Path) -> None:
    """A poll returns no more records than asked for, and the pieces make the whole."""
    written(tmp_path, batches=100)
    arrivals = everything(RunReader(tmp_path), max_records=7, max_seconds=0)
    assert all(sum(len(part) for _, part in arrival.batches) <= 7 for arrival in arrivals)
    assert losses(arrivals) == list(range(100))


def test_a_late_poll_still_gets_on(tmp_path: Path) -> None:
    """Even with no time at all each poll brings something, so that reading always ends."""
    written(tmp_path, batches=10)
    with (tmp_path / EVENTS_FILE).open("ab") as file:
        file.writelines(b'{"kind": "note", "batch": 0}\n' for _ in range(30_000))
    arrivals = everything(RunReader(tmp_path), max_seconds=-1)
    assert len(numbers(arrivals)) == 3 + 30_000
    assert all(arrivals[:-1])


@pytest.fixture(scope="module")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small finished run."""
    folder = tmp_path_factory.mktemp("small") / "run"
    written(folder).close()
    return folder


@pytest.mark.parametrize("name", ["batches.bin", EVENTS_FILE])
def test_any_cut_reads_as_a_prefix(small_run: Path, tmp_path: Path, name: str) -> None:
    """Cut at every byte, a file reads as the records before the cut; the rest comes when it is written."""
    content = (small_run / name).read_bytes()
    for cut in range(len(content) + 1):
        folder = tmp_path / str(cut)
        shutil.copytree(small_run, folder)
        (folder / name).write_bytes(content[:cut])
        reader = RunReader(folder)
        before = reader.poll(max_seconds=60)
        whole = cut // 20 * 20 if name == "batches.bin" else content[:cut].rfind(b"\n") + 1
        assert losses([before]) == list(range(5))[: whole // 20 if name == "batches.bin" else 5]
        assert (before.events_skipped, before.batches_skipped) == (0, 0)
        assert before.torn_bytes == cut - whole
        with (folder / name).open("ab") as file:
            file.write(content[cut:])
        after = reader.poll()
        assert not after.restarted
        assert after.torn_bytes == 0
        assert losses([before, after]) == list(range(5))
        assert numbers([before, after]) == [0, 1, 2]


@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_flipped_bit_costs_no_more_than_its_records(
    small_run: Path, tmp_path_factory: pytest.TempPathFactory, position: int, bit: int
) -> None:
    """Damage in the events is skipped and counted; at most two neighbouring lines go, the others are read."""
    folder = tmp_path_factory.mktemp("flipped") / "run"
    shutil.copytree(small_run, folder)
    content = bytearray((folder / EVENTS_FILE).read_bytes())
    content[position % len(content)] ^= 1 << bit
    (folder / EVENTS_FILE).write_bytes(content)
    arrival = RunReader(folder).poll()
    # A flip may turn a line's end into a letter, or a letter into a line's end.
    assert len(arrival.events) >= 2
    assert len(arrival.events) + arrival.events_skipped >= 3
    assert losses([arrival]) == list(range(5))


@given(content=st.binary(max_size=400))
def test_any_bytes_as_events_are_survived(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Garbage never raises: it is an object, damage, or a torn tail."""
    folder = tmp_path_factory.mktemp("garbage")
    (folder / EVENTS_FILE).write_bytes(content + b'\n{"kind": "note", "batch": 7}\n')
    assert numbers([RunReader(folder).poll()]) == [7]


def test_deep_and_wide_garbage_is_damage(tmp_path: Path) -> None:
    """Nesting and numbers made to break a parser count as damage."""
    lines = [b"[" * 100_000, b'{"kind": ' + b"9" * 10_000 + b"}", b"null", b"\0\0", b'"text"', b"", b'{"kind": "x"}']
    (tmp_path / EVENTS_FILE).write_bytes(b"\n".join(lines) + b"\n")
    arrival = RunReader(tmp_path).poll()
    assert arrival.events_skipped == 5
    assert [recorded.event.kind for recorded in arrival.events] == ["x"]


def test_a_line_beyond_all_bounds_is_passed_over(tmp_path: Path) -> None:
    """A line of many megabytes is read within bounds: taken if it can be, else counted, and the next one read."""
    big = json.dumps({"kind": "big", "text": "x" * 2**20}).encode()
    huge = b'{"kind": "huge", "text": "' + b"x" * (2**24 + 2**19) + b'"}'
    (tmp_path / EVENTS_FILE).write_bytes(big + b"\n" + huge + b'\n{"kind": "note", "batch": 1}\n')
    arrivals = everything(RunReader(tmp_path))
    assert [recorded.event.kind for arrival in arrivals for recorded in arrival.events] == ["big", "note"]
    assert sum(arrival.events_skipped for arrival in arrivals) == 1


_TRAINING = """
import sys
from pathlib import Path
from tui_monitor.run_log.events.notifications import NoteTaken
from tui_monitor.run_log.format.layout import RunInfo, State
from tui_monitor.run_log.write.writer import RunWriter
with RunWriter(Path(sys.argv[1]), RunInfo(name="run")) as writer:
    for _ in range(3):
        writer.begin_fit(["loss"])
        for number in range(5000):
            writer.batch(1, 1, (number,))
            if number % 50 == 0:
                writer.event(NoteTaken("", batch=number))
    writer.status(State.FINISHED)
"""


def test_following_a_live_training_misses_and_repeats_nothing(tmp_path: Path) -> None:
    """Read while another process writes as fast as it can, each record arrives once and in order."""
    reader, arrivals = RunReader(tmp_path / "run"), []
    with subprocess.Popen([sys.executable, "-c", _TRAINING, str(tmp_path / "run")]) as process:
        while process.poll() is None:
            arrivals.append(reader.poll(max_records=700))
    arrivals += everything(reader)
    assert not any(arrival.restarted or arrival.events_skipped or arrival.batches_skipped for arrival in arrivals)
    for fit in (1, 2, 3):
        assert losses(arrivals, fit) == list(range(5000))
    assert numbers(arrivals) == list(range(0, 5000, 50)) * 3
    assert [recorded.event for arrival in arrivals for recorded in arrival.events][-1] == StatusChanged(State.FINISHED)


def test_records_no_training_wrote_are_skipped(tmp_path: Path) -> None:
    """Zeroed blocks after a power failure, and times that are none, are counted and left out."""
    fit = written(tmp_path, batches=4).info.fits[0]
    records = np.fromfile(tmp_path / "batches.bin", fit.dtype)
    records["time"][1] = math.nan
    records["epoch"][2] = 0
    records.tofile(tmp_path / "batches.bin")
    arrival = RunReader(tmp_path).poll()
    assert losses([arrival]) == [0, 3]
    assert arrival.batches_skipped == 2


def test_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    """Reading may begin before the training does: first nothing, then everything."""
    reader = RunReader(tmp_path / "run")
    assert reader.poll() == Arrival(missing=True)
    (tmp_path / "run").mkdir()
    assert reader.poll() == Arrival()
    written(tmp_path / "run")
    assert losses([reader.poll()]) == list(range(5))


def test_a_folder_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    """Gone is said so, without an exception; the same folder back again goes on where it was."""
    writer = written(tmp_path / "run")
    reader = RunReader(tmp_path / "run")
    reader.poll()
    (tmp_path / "run").rename(tmp_path / "away")
    assert reader.poll().missing
    writer.batch(1, 1, (9,))
    (tmp_path / "away").rename(tmp_path / "run")
    arrival = reader.poll()
    assert not arrival.restarted
    assert losses([arrival]) == [9]
    shutil.rmtree(tmp_path / "run")
    assert reader.poll().missing


def test_another_folder_in_its_place_starts_over(tmp_path: Path) -> None:
    """A new run under the same path is read from its beginning, and said to be new."""
    written(tmp_path / "run")
    reader = RunReader(tmp_path / "run")
    reader.poll()
    (tmp_path / "run").rename(tmp_path / "old")
    written(tmp_path / "run", batches=2, events=0)
    arrival = reader.poll()
    assert arrival.restarted
    assert arrival.info is not None
    assert losses([arrival]) == [0, 1]


@pytest.mark.parametrize("name", ["batches.bin", EVENTS_FILE, OUTPUT_FILE])
@pytest.mark.parametrize("change", ["truncated", "removed", "replaced", "rewritten"])
def test_a_file_that_is_not_what_it_was_starts_over(tmp_path: Path, name: str, change: str) -> None:
    """A file cut, removed, replaced or rewritten under the reader brings all of the folder again, once."""
    written(tmp_path)
    (tmp_path / OUTPUT_FILE).write_bytes(b"some\noutput\n")
    reader = RunReader(tmp_path)
    reader.poll()
    path = tmp_path / name
    content = path.read_bytes()
    if change == "truncated":
        os.truncate(path, 20)
    elif change == "removed":
        path.unlink()
    elif change == "replaced":
        path.rename(tmp_path / "old")
        path.write_bytes(content)
    else:
        os.truncate(path, 0)
        path.write_bytes(bytes(reversed(content)) + b"more")
    if change == "truncated" and name == OUTPUT_FILE:
        path.write_bytes(b"x")
    arrival = reader.poll()
    assert arrival.restarted
    assert arrival.info is not None
    left = {"truncated": 1, "removed": 0, "replaced": 5, "rewritten": 5 - arrival.batches_skipped}
    assert len(losses([arrival])) == (left[change] if name == "batches.bin" else 5)
    assert not reader.poll()


def test_a_damaged_identity_is_said_so(tmp_path: Path) -> None:
    """`run.json` of a newer format stops the reader with its sentence."""
    (tmp_path / RUN_FILE).write_text('{"format": 99}')
    with pytest.raises(RunUnreadable, match="Upgrade"):
        RunReader(tmp_path).poll()


def test_fits_come_in_order(tmp_path: Path) -> None:
    """Records of a later fit come after those of the earlier one, even in small pieces."""
    writer = written(tmp_path, batches=10, events=0)
    reader = RunReader(tmp_path)
    early = reader.poll(max_records=3, max_seconds=0)
    writer.begin_fit(["loss"])
    for number in range(5):
        writer.batch(1, 1, (number,))
    arrivals = [early, *everything(reader, max_records=3, max_seconds=0)]
    order = [index for arrival in arrivals for index, part in arrival.batches for _ in part]
    assert order == [1] * 10 + [2] * 5
    assert losses(arrivals, 2) == list(range(5))


def test_an_event_never_precedes_its_batches(tmp_path: Path) -> None:
    """When all is read, an event's earlier batches are in the same arrival or an earlier one."""
    writer = RunWriter(tmp_path, INFO, heartbeat_seconds=None)
    writer.begin_fit(["loss"])
    reader = RunReader(tmp_path)
    seen = 0
    for number in range(1, 50):
        writer.batch(1, 1, (number,))
        writer.event(NoteTaken("", batch=number))
        if number % 3 == 0:
            arrival = reader.poll()
            seen += len(losses([arrival]))
            assert max(numbers([arrival])) <= seen


def test_a_flood_of_output_is_passed_over_but_counted(tmp_path: Path) -> None:
    """Of hundreds of megabytes only the end is handed on; the lines before it are counted."""
    line = b"x" * 99 + b"\n"
    with (tmp_path / OUTPUT_FILE).open("wb") as file:
        for _ in range(100):
            file.write(line * 10_000)
    arrivals = everything(RunReader(tmp_path))
    output = b"".join(arrival.output for arrival in arrivals)
    assert len(output) <= 2 * 2**20
    assert output.startswith(line)
    assert sum(arrival.output_lines_skipped for arrival in arrivals) + output.count(b"\n") == 1_000_000


def test_ten_million_records_open_in_bounded_steps(tmp_path: Path) -> None:
    """The first piece of a huge run comes without reading the rest."""
    fit = written(tmp_path, batches=1).info.fits[0]
    record = (tmp_path / "batches.bin").read_bytes()
    with (tmp_path / "batches.bin").open("ab") as file:
        for _ in range(100):
            file.write(record * 100_000)
    arrival = RunReader(tmp_path).poll()
    assert not arrival.complete
    assert 0 < sum(len(part) for _, part in arrival.batches) <= 250_000
    assert arrival.batches[0][1].dtype == fit.dtype
