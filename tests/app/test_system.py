"""The header says what the training uses where it has room, to the precision worth reading, while it trains."""

from dataclasses import replace

import pytest

from tests.app.snapshots import snapshot
from tests.app.worker_snapshots import FAST, SLOW, on_workers, said
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.run_log.events.usage import GpuUsage, ResourceUsage
from tui_monitor.run_log.format.layout import State
from tui_monitor.view.panels.header import header_rows
from tui_monitor.view.panels.resource_usage import usage_words
from tui_monitor.view.text.rows import width_of
from tui_monitor.view.view_state import ViewState

GIB = 2**30
BUSY = ResourceUsage(143.4, 2, 0.61 * GIB, 75.0, 40.0, (GpuUsage(35.0, 2.1 * GIB, 8 * GIB),))
WORDS = "CPU 143 % · 0.6 GiB · GPU 35 % 2.1/8.0 GiB"


def top(moment: Snapshot, width: int, view: ViewState | None = None) -> str:
    """Return the header's first row."""
    row = header_rows(moment, view or ViewState(), width)[0]
    assert width_of(row) <= width
    return "".join(run.text for run in row)


def test_the_header_says_it_where_there_is_room() -> None:
    """From 100 columns on; below, the row is what it was, as for a run that says nothing and one that has ended."""
    for width in (100, 120, 200):
        assert f" {WORDS} · gpu-01 · running 29 s" in top(snapshot(system=BUSY), width)
    for width in (60, 80, 99):
        assert top(snapshot(system=BUSY), width) == top(snapshot(), width)
    for width in (80, 120):
        assert "CPU" not in top(snapshot(), width)
        assert top(snapshot(State.FINISHED, system=BUSY), width) == top(snapshot(State.FINISHED), width)


def test_an_answer_to_a_key_has_the_row_to_itself() -> None:
    """What was asked for is never cut short for resource usage."""
    pending = ViewState(pending="requested to stop after this batch: not acknowledged for 12 s")
    assert top(snapshot(system=BUSY), 110, pending) == top(snapshot(), 110, pending)


def test_nothing_changes_below_the_shown_precision() -> None:
    """A tenth of a percent and a few megabytes give the same row, so nothing is drawn."""
    near = replace(BUSY, cpu_percent=143.1, memory_bytes=0.62 * GIB, machine_cpu_percent=9.0)
    assert header_rows(snapshot(system=BUSY), ViewState(), 120) == header_rows(snapshot(system=near), ViewState(), 120)


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        (None, ""),
        (ResourceUsage(), ""),
        (BUSY, WORDS),
        (ResourceUsage(99.5, memory_bytes=12 * GIB), "CPU 100 % · 12.0 GiB"),
        (ResourceUsage(5, gpus=(GpuUsage(),)), "CPU 5 %"),
        (ResourceUsage(gpus=(GpuUsage(None, GIB, 2 * GIB),)), "GPU 1.0/2.0 GiB"),
        (ResourceUsage(gpus=(GpuUsage(20, GIB, 2 * GIB), GpuUsage(40, GIB, 2 * GIB))), "2 GPUs 30 % 2.0/4.0 GiB"),
    ],
)
def test_what_is_not_known_is_left_out(usage: ResourceUsage | None, words: str) -> None:
    """Each part appears where it is known; several GPUs are put together."""
    assert usage_words(usage) == words


def test_each_worker_has_its_own_where_the_table_has_room() -> None:
    """Wide enough, the workers' table has a column of it; one that says nothing has a dash."""
    moment = on_workers(replace(FAST, system=BUSY), SLOW)
    rows = said(moment, 120).splitlines()
    assert rows[0].endswith("uses")
    assert rows[1].endswith("CPU 143 % · 0.6 GiB")
    assert rows[2].endswith("–")
    assert said(moment, 100) == said(on_workers(FAST, SLOW), 100)
