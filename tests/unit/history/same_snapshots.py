"""A run read for replay, and what makes two snapshots the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from tui_monitor.history.replay.recorded_output import RecordedOutput
from tui_monitor.history.replay.recording import Recording
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.run_log.read.reader import RunReader


def recorded(folder: Path) -> tuple[Recording, RecordedOutput]:
    """Read a run for replay to its present end."""
    reader, recording, output = RunReader(folder), Recording(), RecordedOutput(folder)
    while True:
        arrival = reader.poll(max_seconds=0.001)
        recording.fold(arrival)
        if arrival.complete:
            output.refresh()
            return recording, output


def without_series(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot in a form that `==` compares."""
    return replace(snapshot, revision=0, fits=tuple(replace(fit, series={}) for fit in snapshot.fits))


def assert_same(one: Snapshot, other: Snapshot) -> None:
    """Compare two snapshots, all values and summaries of the series included."""
    assert repr(without_series(one)) == repr(without_series(other))
    for mine, theirs in zip(one.fits, other.fits, strict=True):
        assert list(mine.series) == list(theirs.series)
        for name, series in mine.series.items():
            np.testing.assert_array_equal(series.values(), theirs.series[name].values())
            edges = np.linspace(0, len(series), 7)
            for mine_of, theirs_of in zip(
                vars(series.envelope(edges)).values(), vars(theirs.series[name].envelope(edges)).values(), strict=True
            ):
                np.testing.assert_array_equal(mine_of, theirs_of)
