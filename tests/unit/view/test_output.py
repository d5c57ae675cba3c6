"""The output pane says why it is empty."""

from pathlib import Path

import pytest

from tui_monitor.history.load import load
from tui_monitor.run_log.format.layout import RunInfo, State
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.view.panels.output import output_rows


@pytest.mark.parametrize(
    ("keeps_output", "state", "said"),
    [
        (False, State.FINISHED, "The script's output went to its own streams"),
        (True, State.TRAINING, "The script has not printed anything yet."),
        (True, State.FINISHED, "The script has printed nothing."),
    ],
)
def test_an_empty_output_is_told_from_one_that_went_elsewhere(
    tmp_path: Path, keeps_output: bool, state: State, said: str
) -> None:
    """A headless run's output is with the caller's streams, which is not to have printed nothing."""
    with RunWriter(tmp_path / "run", RunInfo("run", keeps_output=keeps_output), heartbeat_seconds=None) as writer:
        writer.status(state)
    (row, *_) = output_rows(load(tmp_path / "run"), 120, None)
    assert "".join(run.text for run in row).startswith(said)
