"""The two rows at the top: what changes many times in an epoch moves nothing beside it."""

import pytest

from tests.app.snapshots import fit, snapshot
from tui_monitor.run_log.format.layout import State
from tui_monitor.view.panels.header import header_rows
from tui_monitor.view.view_state import ViewState


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_words_and_bars_of_a_live_run_keep_their_places(width: int) -> None:
    """Through an epoch's states, batches, paces and guesses of the time left, the rest stands where it stood."""
    names, bars = set(), set()
    for state, batch, left, pace in (
        (State.TRAINING, 1, 598.0, 9.3),
        (State.TRAINING, 99, 605.0, 203.0),
        (State.TRAINING, 100, 3599.0, 85.0),
        (State.VALIDATING, 128, 2.0, 0.7),
        (State.MEASURING, 128, 4000.0, 100.0),
    ):
        moment = snapshot(state, fit(batch=batch), seconds_left=left, batches_per_second=pace)
        top, progress = ("".join(run.text for run in row) for row in header_rows(moment, ViewState(), width))
        names.add(top.index("class-weights"))
        bars.add((progress.index("run "), progress.index(" %"), len(progress.rstrip())))
    assert len(names) == 1
    assert len(bars) == 1
