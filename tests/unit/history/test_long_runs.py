"""A long run known by its summaries, its records left in their file, is the same as one that was read whole."""

import math
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.history.same_snapshots import assert_same
from tests.unit.run_log.long_runs import grow, read_to_end, some_fits, some_records, written
from tui_monitor.history.batches.batch_track import KEPT, RecordedBatches
from tui_monitor.history.batches.series import BatchSeries, whole_blocks
from tui_monitor.history.replay.recording import Recording
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.history.state.fold import History
from tui_monitor.run_log.format.batch_records import Records
from tui_monitor.run_log.format.layout import FitInfo, batch_columns
from tui_monitor.run_log.read.reader import RunReader
from tui_monitor.run_log.read.stored_records import StoredRecords


def read(folder: Path, read_whole: float) -> tuple[Snapshot, Recording, RunReader]:
    """Return a run's snapshot, and all of it for a replay."""
    reader, history, recording = RunReader(folder, read_whole=read_whole), History(), Recording()
    read_to_end(reader, history, recording)
    return history.snapshot(), recording, reader


def assert_same_envelopes(one: Snapshot, other: Snapshot, windows: list[tuple[float, float]], columns: int) -> None:
    """Compare what charts draw of windows, each given by two fractions of a fit."""
    for mine, theirs in zip(one.fits, other.fits, strict=True):
        for name, series in mine.series.items():
            for window in windows:
                low, high = sorted(share * mine.batches for share in window)
                edges = whole_blocks(np.linspace(low, high, columns + 1))
                assert_same_envelope(series, theirs.series[name], edges)


def assert_same_envelope(one: BatchSeries, other: BatchSeries, edges: np.ndarray) -> None:
    """Compare two series' envelopes to the last bit."""
    for mine, theirs in zip(vars(one.envelope(edges)).values(), vars(other.envelope(edges)).values(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


SHARES = st.floats(0, 1)


@settings(max_examples=25)
@given(
    fits=some_fits(),
    windows=st.lists(st.tuples(SHARES, SHARES), min_size=1, max_size=4),
    columns=st.integers(1, 300),
    upto=st.sampled_from((2999, 2000, 1280, 1279, 1)),
)
def test_summaries_give_what_records_give(
    fits: list[Records], windows: list[tuple[float, float]], columns: int, upto: int
) -> None:
    """For any values, epochs, fits and windows: the same snapshot, charts and replay, also of what comes later."""
    with tempfile.TemporaryDirectory() as parent:
        folder = written(Path(parent) / "run", *fits, upto=upto)
        whole, whole_recording, whole_reader = read(folder, math.inf)
        mine, recording, reader = read(folder, 0)
        assert_same(mine, whole)
        assert_same_envelopes(mine, whole, windows, columns)
        if len(fits) == 1:
            grow(folder, fits[0][upto:])
            read_to_end(reader, recording)
            read_to_end(whole_reader, whole_recording)
        assert recording.end == whole_recording.end
        for index, track in recording._tracks.items():
            assert track.now().begun == whole_recording._tracks[index].now().begun
        for position in np.linspace(0, recording.end, 12).tolist():
            assert_same(recording.at(position), whole_recording.at(position))
            assert recording.batch_after(position) == whole_recording.batch_after(position)
            assert recording.batch_before(position) == whole_recording.batch_before(position)


@settings(max_examples=15)
@given(
    records=st.builds(some_records, st.integers(256, 5000), seed=st.integers(0, 999), ill=st.sampled_from((0.0, 0.1))),
    cuts=st.lists(st.integers(1, 900), min_size=1, max_size=6),
    kept=st.sampled_from((1, 256, 700)),
)
def test_what_is_let_go_is_read_again(records: Records, cuts: list[int], kept: int) -> None:
    """However few values stay in memory, a track shows the same batches now and at any moment before."""
    with tempfile.TemporaryDirectory() as parent:
        path = Path(parent) / "records"
        path.write_bytes(records.tobytes())
        found = path.stat()
        info = FitInfo(1, batch_columns(["loss", "acc"]), "batches.bin")
        small, large = RecordedBatches(kept), RecordedBatches()
        for track in (small, large):
            track.describe(info)
        start, turn = 0, 0
        while start < len(records):
            stop = min(start + cuts[turn % len(cuts)], len(records))
            for track in (small, large):
                track.append(records[start:stop])
            small.evict(StoredRecords(path, info.dtype, (found.st_dev, found.st_ino), stop))
            start, turn = stop, turn + 1
        np.testing.assert_array_equal(small.now().recent, large.now().recent)
        for count in {1, len(records) // 3, len(records) - 1, len(records)}:
            mine, theirs = small.after(count), large.after(count)
            assert (mine.starts, mine.numbers, mine.begun) == (theirs.starts, theirs.numbers, theirs.begun)
            assert mine.seconds == theirs.seconds
            np.testing.assert_array_equal(mine.recent, theirs.recent)
            for name, series in mine.series.items():
                np.testing.assert_array_equal(series.values(), theirs.series[name].values())
                for columns in (1, 9, 200):
                    assert_same_envelope(series, theirs.series[name], np.linspace(0, count, columns + 1))
        for position in np.linspace(0, large.ends[len(records) - 1], 20).tolist():
            for side in ("left", "right"):
                assert small.ends.searchsorted(position, side) == large.ends.searchsorted(position, side)


def test_few_values_of_a_long_run_stay_in_memory(tmp_path: Path) -> None:
    """Followed from its first batch, a run of any length keeps a bounded number of values."""
    folder = written(tmp_path / "run", some_records(700_000, steps=400_000))
    (folder / "batches.blocks").unlink()
    history = History()
    read_to_end(RunReader(folder), history)
    fit = history.snapshot().fit
    assert fit is not None
    series = fit.series["loss"]
    assert len(series) == 700_000
    assert KEPT <= len(series) - series._kept_from <= 2 * KEPT


@pytest.mark.parametrize("harm", ["removed", "replaced", "cut", "zeroed"])
def test_records_that_went_are_shown_as_bad(tmp_path: Path, harm: str) -> None:
    """Values that can't be read again are NaN, where they would be seen; what is summarised or kept stays."""
    records = some_records()
    folder = written(tmp_path / "run", records)
    snapshot, recording, _ = read(folder, 0)
    path = folder / "batches.bin"
    if harm == "removed":
        path.unlink()
    elif harm == "replaced":
        path.rename(folder / "old")
        path.write_bytes(records[::-1].tobytes())
    elif harm == "cut":
        os.truncate(path, 0)
    else:
        with path.open("r+b") as file:
            file.write(bytes(len(records) * records.dtype.itemsize))
    assert snapshot.fit is not None
    series = snapshot.fit.series["loss"]
    assert np.isnan(series.values(0, 300)).all()
    assert series.envelope([0, 300]).bad.all()
    np.testing.assert_array_equal(series.values(2900), records["loss"][2900:])
    assert series.envelope([0, 256]).high[0] == records["loss"][:256].max()
    assert recording.at(recording.end / 2).fit is not None
