"""The first frame: true, useful, and there before anything heavy is imported."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.app.driving import arrive, screen_of, text_of
from tests.app.snapshots import ListSource, snapshot
from tui_monitor.app.widgets.cells_view import CellsView
from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.summary import RunSummary
from tui_monitor.view.splash import splash_rows

SUMMARY = RunSummary(
    Path("runs/first"),
    "first",
    State.FINISHED,
    fit=1,
    epoch=12,
    epochs=30,
    metrics={"loss": 0.6452, "val_loss": 0.5231},
    created=1.7e9,
    host="node7",
)

_HEAVY = ("numpy", "plotext", "tensorflow", "keras", "pandas", "matplotlib", "psutil", "msgspec")

_FIRST_FRAME = f"""
import sys
from pathlib import Path
from tui_monitor.app.replay_app import ReplayApp

class First(ReplayApp):
    def on_ready(self):
        strips = self.screen._compositor.render_strips()
        lines = ["".join(segment.text for segment in strip).rstrip() for strip in strips]
        held = [name for name in {_HEAVY!r} if name in sys.modules]
        self.exit("\\n".join([f"imported: {{' '.join(held)}}", *lines]))

import tui_monitor.cli.commands, tui_monitor.cli.replay_command, tui_monitor.cli.watch_command
print(First(Path("first")).run(headless=True))
"""


def test_the_first_frame_waits_for_nothing_heavy() -> None:
    """When it is drawn, with the run's name and the keys, not one heavy package has been imported."""
    done = subprocess.run([sys.executable, "-c", _FIRST_FRAME], capture_output=True, text=True, check=True)
    imported, *lines = done.stdout.splitlines()
    assert imported.strip() == "imported:"
    assert "OPENING" in lines[0]
    assert "first" in lines[0]
    assert "q quit" in lines[-1]


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
def test_the_first_frame_tells_what_the_ends_of_the_files_tell(size: tuple[int, int]) -> None:
    """State, epoch and last values are in it, at any size, and it fills the screen and no more."""
    rows = splash_rows(SUMMARY, size[0], size[1] - 1)
    text = "\n".join("".join(run.text for run in row) for row in rows)
    assert len(rows) == size[1] - 1
    assert all(cell_len(line) <= size[0] for line in text.splitlines())
    for word in ("first", "finished", "node7", "12 of 30", "0.6452", "0.5231"):
        assert word in text


def test_the_first_frame_obeys_nothing_that_the_run_holds() -> None:
    """Names, metrics, host, detail and description are shown without the escapes in them."""
    hostile = "x\x1b]0;owned\x07\x1b[2J\n"
    summary = replace(
        SUMMARY,
        folder=Path(hostile),
        metrics={hostile: 0.5},
        name=hostile,
        host=hostile,
        detail=hostile,
        description=hostile,
    )
    rows = splash_rows(summary, 80, 23)
    assert all(run.text.isprintable() for row in rows for run in row)
    assert "0.5000" in "".join(run.text for row in rows for run in row)


async def test_keys_pressed_early_count() -> None:
    """A view asked for before the run is read is the one that opens in place of the first frame."""
    source = ListSource(())
    async with screen_of(source=source) as pilot:
        assert "OPENING" in text_of(pilot)
        await pilot.press("t")
        source.add(snapshot())
        await arrive(pilot, 1)
        assert "OPENING" not in text_of(pilot)
        assert "view-epochs" in pilot.app.screen.classes
        assert isinstance(pilot.app.focused, CellsView)
