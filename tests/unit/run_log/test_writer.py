"""The writer records everything, in order, with the system at once."""

import json
import math
import os
import signal
import stat
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.run_log.events.lines import UnknownEvent
from tui_monitor.run_log.events.notifications import NoteTaken
from tui_monitor.run_log.events.progress import EpochEnded
from tui_monitor.run_log.format.layout import EVENTS_FILE, HEARTBEAT_FILE, RUN_FILE, RunInfo, State
from tui_monitor.run_log.format.run_json import read_run_info
from tui_monitor.run_log.read.reader import RunReader
from tui_monitor.run_log.write.writer import RunWriter

INFO = RunInfo(name="run", host="here", pid=1)


def writer_at(folder: Path, **options: Any) -> RunWriter:
    """Return a writer without a heartbeat thread, unless it is asked for."""
    return RunWriter(folder, INFO, **{"heartbeat_seconds": None, **options})


def events_in(folder: Path) -> list[dict[str, Any]]:
    """Return the events recorded, each line by a plain JSON parser."""
    return [json.loads(line) for line in (folder / EVENTS_FILE).read_bytes().split(b"\n")[:-1]]


def batches_in(folder: Path) -> Any:
    """Return the newest fit's batch records, as another process reads them."""
    newest = len(read_run_info(folder).fits)
    return np.concatenate([records for index, records in RunReader(folder).poll().batches if index == newest])


def test_records_are_there_when_the_call_returns(tmp_path: Path) -> None:
    """Another process sees a batch and an event as soon as they were recorded, before any close."""
    writer = writer_at(tmp_path)
    writer.begin_fit(["loss", "acc"], epochs=2)
    writer.batch(1, 32, (0.5, math.nan))
    writer.batch(2, 16, (math.inf, -math.inf))
    writer.event(EpochEnded(epoch=1, logs={"loss": math.nan}))
    batches = batches_in(tmp_path)
    assert batches["epoch"].tolist() == [1, 2]
    assert batches["size"].tolist() == [32, 16]
    np.testing.assert_array_equal(batches["loss"], np.array([0.5, np.inf], np.float32))
    np.testing.assert_array_equal(batches["acc"], np.array([np.nan, -np.inf], np.float32))
    assert events_in(tmp_path)[-1]["logs"] == {"loss": "NaN"}


def test_time_follows_the_given_clock(tmp_path: Path) -> None:
    """Run time starts at 0 and is that of a clock which no change of the wall clock moves."""
    times = iter([100.0, 100.5, 101.25])
    writer = writer_at(tmp_path, clock=lambda: next(times))
    assert writer.seconds() == 0.5
    writer.event(NoteTaken(text="x"))
    assert events_in(tmp_path)[-1] == {"kind": "note", "time": 1.25, "phase": None, "text": "x"}


def test_fits_follow_each_other(tmp_path: Path) -> None:
    """Each `fit` gets its own file, its own columns and an event; `run.json` names them all."""
    writer = writer_at(tmp_path)
    first = writer.begin_fit(["loss"], epochs=1, steps_per_epoch=3, model={"parameters": np.int64(5)})
    writer.batch(1, 1, (1.0,))
    second = writer.begin_fit(["loss", "acc"], epochs=4, initial_epoch=2, fit={"callbacks": [object]})
    writer.batch(3, 1, (2.0, 0.5))
    info = read_run_info(tmp_path)
    assert [fit.batches for fit in info.fits] == [first.batches, second.batches]
    assert info.fits[1].metrics == ("loss", "acc")
    assert info.fits[0].model == {"parameters": 5}
    assert [(event["kind"], event["phase"]) for event in events_in(tmp_path)] == [("phase", 1), ("phase", 2)]
    assert batches_in(tmp_path)["loss"].tolist() == [2.0]


def test_files_are_the_owners_alone(tmp_path: Path) -> None:
    """What a run prints may be private: 0700 for its folder, 0600 for its files."""
    folder = tmp_path / "new" / "run"
    writer = writer_at(folder, heartbeat_seconds=60)
    writer.begin_fit(["loss"])
    writer.close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    names = {path.name for path in folder.iterdir()}
    assert names == {RUN_FILE, EVENTS_FILE, HEARTBEAT_FILE, "batches.bin"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


ANYTHING = st.none() | st.integers() | st.floats() | st.text(max_size=3) | st.binary(max_size=3)


@given(
    epoch=ANYTHING,
    size=ANYTHING,
    values=st.lists(ANYTHING, max_size=4),
)
def test_no_argument_raises_or_shifts_the_records(
    tmp_path_factory: pytest.TempPathFactory, epoch: Any, size: Any, values: list[Any]
) -> None:
    """Values of a wrong type, number or range still make one whole record between two others."""
    folder = tmp_path_factory.mktemp("run")
    writer = writer_at(folder)
    writer.begin_fit(["loss", "acc"])
    writer.batch(1, 1, (1, 1))
    writer.batch(epoch, size, values)
    writer.batch(3, 3, (3, 3))
    writer.close()
    batches = np.fromfile(folder / "batches.bin", read_run_info(folder).fits[0].dtype)
    assert len(batches) == 3
    assert batches["epoch"][[0, 2]].tolist() == [1, 3]
    assert batches["acc"][2] == 3


def test_a_value_too_large_for_its_column_is_infinite(tmp_path: Path) -> None:
    """An exploding loss is recorded as what it has become."""
    writer = writer_at(tmp_path)
    writer.begin_fit(["loss"])
    writer.batch(1, 1, (-1e300,))
    writer.batch(1, 1, (np.float64(1e300),))
    assert batches_in(tmp_path)["loss"].tolist() == [-math.inf, math.inf]
    assert writer.lost_batches == 0


def test_no_event_raises(tmp_path: Path) -> None:
    """Odd kinds and fields are written as text; reserved names are not overwritten."""
    writer = writer_at(tmp_path)
    writer.event(UnknownEvent("odd", {"time": "x", "phase": "y", "thing": object, "text": "\ud800\u2028\n"}))
    writer.event(UnknownEvent(3))  # type: ignore[arg-type]
    event, other = events_in(tmp_path)
    assert event["phase"] is None
    assert isinstance(event["time"], float)
    assert event["text"] == "?\u2028\n"
    assert other["kind"] == "3"


def test_events_of_many_threads_stay_whole(tmp_path: Path) -> None:
    """Lines written at once by several threads never mix, and none is missing."""
    writer = writer_at(tmp_path)

    def write(thread: int) -> None:
        for number in range(200):
            writer.event(NoteTaken("x" * 200, epoch=thread, batch=number))

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = [(event["epoch"], event["batch"]) for event in events_in(tmp_path)]
    assert len(seen) == 800
    for wanted in range(4):
        assert [number for owner, number in seen if owner == wanted] == list(range(200))


def test_a_signal_handler_may_record_too(tmp_path: Path) -> None:
    """A handler that interrupts the recording of an event writes its own, whole; none is lost or doubled."""
    writer = writer_at(tmp_path)
    handled = 0

    def handle(number: int, frame: object) -> None:
        nonlocal handled
        handled += 1
        writer.event(NoteTaken("handled", batch=handled))

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        written = 0
        while handled < 100:
            written += 1
            writer.event(NoteTaken("", batch=written))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    events = events_in(tmp_path)
    assert [event["batch"] for event in events if not event["text"]] == list(range(1, written + 1))
    # A handler may interrupt a handler, so theirs need not be in order.
    assert sorted(event["batch"] for event in events if event["text"]) == list(range(1, handled + 1))


def test_a_script_may_change_its_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative run folder stays where it was."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path)
    writer = writer_at(Path("run"))
    monkeypatch.chdir(tmp_path / "work")
    writer.begin_fit(["loss"])
    writer.batch(1, 1, (1.0,))
    assert len(batches_in(tmp_path / "run")) == 1
    assert writer.folder == tmp_path / "run"


def test_a_forked_child_never_writes(tmp_path: Path) -> None:
    """A data loader that inherits the writer leaves the run as it is."""
    writer = writer_at(tmp_path, heartbeat_seconds=60)
    writer.begin_fit(["loss"])
    writer.batch(1, 1, (1.0,))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    child = os.fork()
    if child == 0:
        writer.batch(1, 1, (2.0,))
        writer.event(NoteTaken(text="child"))
        writer.status(State.FAILED)
        writer.begin_fit(["other"])
        writer.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    writer.batch(1, 1, (3.0,))
    assert batches_in(tmp_path)["loss"].tolist() == [1.0, 3.0]
    assert writer.lost_batches == 0


def test_after_close_nothing_happens(tmp_path: Path) -> None:
    """A late callback does no harm, and closing twice neither."""
    with writer_at(tmp_path, heartbeat_seconds=60) as writer:
        writer.begin_fit(["loss"])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    writer.batch(1, 1, (1.0,))
    writer.event(NoteTaken(text="late"))
    writer.close()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_torn_tail_of_an_earlier_process_is_mended(tmp_path: Path) -> None:
    """Appending to events that end in half a line keeps the new line whole."""
    (tmp_path / EVENTS_FILE).write_bytes(b'{"kind": "no')
    writer_at(tmp_path).event(NoteTaken(text="whole"))
    arrival = RunReader(tmp_path).poll()
    assert [recorded.event for recorded in arrival.events] == [NoteTaken("whole")]
    assert arrival.events_skipped == 1


def test_batch_records_of_others_are_not_touched(tmp_path: Path) -> None:
    """A fit whose file is there already gets another file, and `run.json` says which."""
    (tmp_path / "batches.bin").write_bytes(b"something else")
    writer = writer_at(tmp_path)
    fit = writer.begin_fit(["loss"])
    writer.batch(1, 1, (1.0,))
    assert (tmp_path / "batches.bin").read_bytes() == b"something else"
    assert len(batches_in(tmp_path)) == 1
    assert read_run_info(tmp_path).fits[0].batches == fit.batches


def test_the_heartbeat_renews_its_file(tmp_path: Path) -> None:
    """The file's time of change moves while the process lives, and a removed file comes back."""
    writer = writer_at(tmp_path, heartbeat_seconds=60)
    heartbeat = tmp_path / HEARTBEAT_FILE
    os.utime(heartbeat, (1, 1))
    writer._beat()
    assert heartbeat.stat().st_mtime > 1
    heartbeat.unlink()
    writer._beat()
    assert json.loads(heartbeat.read_bytes())["pid"] == os.getpid()
    writer.close()


def test_the_heartbeat_beats_by_itself(tmp_path: Path) -> None:
    """A thread does it, so that a training deep in native code still shows life."""
    beaten = threading.Event()

    class Counting(RunWriter):
        def _beat(self) -> None:
            super()._beat()
            beaten.set()

    with Counting(tmp_path, INFO, heartbeat_seconds=0.001):
        assert beaten.wait(timeout=10)
