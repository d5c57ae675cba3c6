"""Which panels are laid out, before and after a run is read."""

from pathlib import Path

import pytest

from tests.app.snapshots import fit, snapshot
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.summary import RunSummary
from tui_monitor.view.layout import expected_classes, screen_classes
from tui_monitor.view.view_state import ViewState

_ONE = {"loss": 0.5, "val_loss": 0.6}


@pytest.mark.parametrize(
    ("opened", "first"),
    [
        ({}, snapshot(State.STARTING, fits=())),
        ({"fit": 1, "epoch": 3, "metrics": {**_ONE, "accuracy": 0.8}}, snapshot(State.TRAINING, fit())),
        ({"fit": 1, "epoch": 3, "metrics": _ONE}, snapshot(State.TRAINING, fit(metrics=("loss",)))),
    ],
)
def test_the_first_snapshot_moves_no_panel(opened: dict[str, object], first: Snapshot) -> None:
    """A run that has not begun, one with two metrics, and one with its loss alone are laid out right before reading."""
    summary = RunSummary(Path("run"), "run", State.TRAINING, **opened)  # type: ignore[arg-type]
    assert expected_classes(summary, ViewState()) == screen_classes(first, ViewState())
