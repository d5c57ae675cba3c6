"""What a run says of processor, memory and GPUs is in the snapshot of its moment, live and replayed."""

from pathlib import Path
from typing import Any

import pytest

from tests.clock import Clock
from tests.unit.history.plain_runs import followed
from tests.unit.history.same_snapshots import recorded
from tui_monitor.history.system_figures import GpuFigures, SystemFigures, system_figures
from tui_monitor.run_log.format import RunInfo
from tui_monitor.run_log.writer import RunWriter

GPU = {"utilisation_percent": 35, "memory_bytes": 2**31, "memory_total_bytes": 2**33}


def test_a_replay_shows_the_figures_of_its_moment(tmp_path: Path) -> None:
    """Before the first there are none; then those written last, in any order of seeking; the newest at the end."""
    clock = Clock()
    with RunWriter(tmp_path, RunInfo(name="run"), clock=clock, heartbeat_seconds=None) as writer:
        writer.begin_phase(["loss"])
        for percent in (50.0, 143.0, 80.0):
            clock.now += 2
            writer.event("system", cpu_percent=percent, cores=2, memory_bytes=600, gpus=[GPU])
    newest = followed(tmp_path).snapshot().system
    assert newest == SystemFigures(80.0, 2, 600, gpus=(GpuFigures(35, 2**31, 2**33),))
    recording, _ = recorded(tmp_path)
    moments: tuple[tuple[float, float | None], ...] = ((5, 143.0), (2, 50.0), (6, 80.0), (1, None), (4, 143.0))
    for seconds, expected in moments:
        figures = recording.at(seconds).system
        assert (figures.cpu_percent if figures else None) == expected
    assert recording.at(recording.end).system == newest


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"failure": "ImportError: no psutil"}, None),
        ({"cpu_percent": "NaN", "memory_bytes": -1}, None),
        ({"cpu_percent": 12, "gpus": "none"}, SystemFigures(12)),
        (
            {"memory_bytes": 5, "gpus": [7, {"memory_bytes": "much"}]},
            SystemFigures(memory_bytes=5, gpus=(GpuFigures(),)),
        ),
    ],
)
def test_what_makes_no_sense_is_no_figure(fields: dict[str, Any], expected: SystemFigures | None) -> None:
    """An event of another version or of a failure leaves out what can't be read, and harms nothing."""
    assert system_figures({"kind": "system", **fields}) == expected
