"""What a run says of processor, memory and GPUs is in the snapshot of its moment, live and replayed."""

from pathlib import Path
from typing import Any

import pytest

from tests.clock import Clock
from tests.unit.history.plain_runs import followed
from tests.unit.history.same_snapshots import recorded
from tui_monitor.run_log.events.lines import recorded_event
from tui_monitor.run_log.events.usage import GpuUsage, ResourceUsage, UsageSampled
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.write.writer import RunWriter

GPU = {"utilisation_percent": 35, "memory_bytes": 2**31, "memory_total_bytes": 2**33}


def test_a_replay_shows_the_usage_of_its_time(tmp_path: Path) -> None:
    """Before the first there are none; then those written last, in any order of seeking; the newest at the end."""
    clock = Clock()
    with RunWriter(tmp_path, RunInfo(name="run"), clock=clock, heartbeat_seconds=None) as writer:
        writer.begin_fit(["loss"])
        for percent in (50.0, 143.0, 80.0):
            clock.now += 2
            writer.event(UsageSampled(ResourceUsage(percent, 2, 600, gpus=(GpuUsage(**GPU),))))
    newest = followed(tmp_path).snapshot().system
    assert newest == ResourceUsage(80.0, 2, 600, gpus=(GpuUsage(35, 2**31, 2**33),))
    recording, _ = recorded(tmp_path)
    markers: tuple[tuple[float, float | None], ...] = ((5, 143.0), (2, 50.0), (6, 80.0), (1, None), (4, 143.0))
    for seconds, expected in markers:
        usage = recording.at(seconds).system
        assert (usage.cpu_percent if usage else None) == expected
    assert recording.at(recording.end).system == newest


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"failure": "ImportError: no psutil"}, None),
        ({"cpu_percent": "NaN", "memory_bytes": -1}, None),
        ({"cpu_percent": 12, "gpus": "none"}, ResourceUsage(12)),
        (
            {"memory_bytes": 5, "gpus": [7, {"memory_bytes": "much"}]},
            ResourceUsage(memory_bytes=5, gpus=(GpuUsage(),)),
        ),
    ],
)
def test_what_makes_no_sense_is_no_value(fields: dict[str, Any], expected: ResourceUsage | None) -> None:
    """An event of another version or of a failure leaves out what can't be read, and harms nothing."""
    event = recorded_event({"kind": "system", **fields}).event
    assert isinstance(event, UsageSampled)
    assert event.usage == expected
