"""How old what is said of a gap is."""

from dataclasses import replace

from tests.app.snapshots import explanation, fit, snapshot
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.run_log.format.layout import State
from tui_monitor.view.panels.gap.age import dated
from tui_monitor.view.panels.panel_table import panel_table
from tui_monitor.view.view_state import ViewState


def test_a_verdict_names_its_epoch_beside_newer_values() -> None:
    """Two epochs after the measurement the verdict can't be taken for one on the values of the header.

    One epoch later it may be the next one's turn at any moment, unless the run has ended.
    """
    said = explanation(1)
    for ended, epochs in ((False, 3), (True, 3), (True, 2)):
        assert dated(said, fit(epochs=epochs), ended=ended).verdict == f"Epoch 1: {said.verdict}"
    for ended, given in ((False, fit(epochs=2)), (False, fit(epochs=1)), (True, fit(epochs=1)), (True, None)):
        assert dated(said, given, ended=ended) is said


def test_the_panel_shows_the_dated_verdict_live_and_ended() -> None:
    """Whether the run goes on or has ended with epochs that were not measured."""
    whole = fit(epochs=3)
    old = replace(whole, explanations=whole.explanations[:1])
    (body,) = [content.body for content in panel_table(MarkerSet.BRAILLE) if content.id == "gap"]
    for state in (State.TRAINING, State.FINISHED):
        rows = body(snapshot(state, old), ViewState(), 80, 20)
        assert "Epoch 1: val_loss is" in "".join(run.text for row in rows for run in row)
