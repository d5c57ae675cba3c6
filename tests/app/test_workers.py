"""The workers view tells how far each worker is, who is lost, and who holds up whom."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.driving import rows_of, screen_of, settle, text_of
from tests.app.snapshots import snapshot
from tests.app.worker_snapshots import FAST, SLOW, on_workers, said
from tui_monitor.history.snapshot import StepTimes
from tui_monitor.history.state.workers import hold_up
from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.liveness import LOST_DETAIL
from tui_monitor.view.panels.workers import workers_rows
from tui_monitor.view.text.rows import width_of
from tui_monitor.view.view_state import View, ViewState


@pytest.mark.parametrize("size", [(60, 20), (120, 40)])
async def test_w_opens_the_view(tmp_path: Path, size: tuple[int, int]) -> None:
    """The header counts the workers, w shows their table whole, and the slow one is marked and named."""
    async with screen_of(on_workers(FAST, SLOW), size=size, folder=tmp_path) as pilot:
        assert "2 workers" in text_of(pilot)
        await pilot.press("w")
        await settle(pilot)
        rows = rows_of(pilot, "#workers .panel-body").splitlines()
        assert rows[0].split()[0] == "worker"
        assert rows[0].rstrip().endswith("waits")
        assert [row.split()[0] for row in rows[1:3]] == ["0", "1"]
        assert "▲" in rows[2]
        assert "1.0 ms" in rows[2]
        assert "waits" in text_of(pilot)
        shown = " ".join(" ".join(rows).split())
        assert "▲ Worker 1 holds up the others by 69 ms a batch" in shown
        assert "50 ms more to fetch its data" in shown


async def test_w_does_nothing_in_a_run_of_one_process() -> None:
    """The key is neither offered nor applied."""
    async with screen_of(snapshot()) as pilot:
        await pilot.press("w")
        await settle(pilot)
        assert pilot.app.view.view is View.OVERVIEW  # type: ignore[attr-defined]
        assert "workers" not in text_of(pilot)


async def test_a_lost_worker_is_said_everywhere() -> None:
    """Header and view name the worker that is gone, in words."""
    lost = replace(SLOW, state=State.LOST, detail=LOST_DETAIL, heartbeat_age=75.0)
    async with screen_of(on_workers(FAST, lost), view=ViewState(view=View.WORKERS)) as pilot:
        assert "worker 1 lost" in text_of(pilot).splitlines()[0]
        assert f"Worker 1 is lost: {LOST_DETAIL}" in text_of(pilot)


def test_what_is_missing_is_said() -> None:
    """A worker without records here, and batches that are the chief's part alone, are each a sentence."""
    text = said(on_workers(FAST, expected=3, covered=1))
    assert "Workers 1 and 2 have no records in this folder" in text
    assert "Batch values are of worker 0's part of each batch alone" in text
    assert "Who holds up whom is not known yet." in text


def test_even_workers_hold_up_nobody() -> None:
    """A difference that is small beside a batch's time is none."""
    even = replace(SLOW, step_times=StepTimes(0.01, 0.02, 0.069))
    assert hold_up((FAST, even)) is None
    assert "No worker holds up the others." in said(on_workers(FAST, even))


@pytest.mark.parametrize("width", [50, 54, 80, 120])
def test_rows_fit(width: int) -> None:
    """No row is wider than the panel."""
    assert all(width_of(row) <= width for row in workers_rows(on_workers(FAST, SLOW), width)[3:])
    if width >= 54:
        assert all(width_of(row) <= width for row in workers_rows(on_workers(FAST, SLOW), width))
