"""Lines without a screen tell a run in the order in which it went, whenever one begins to follow it."""

from pathlib import Path

import pytest

from tests.app.snapshots import explanation
from tests.clock import Clock
from tui_monitor.cli.headless import follow_headless
from tui_monitor.run_log.events.explanation import RecordedExplanation, explanation_to_json
from tui_monitor.run_log.events.notifications import AlertRaised, Explained
from tui_monitor.run_log.events.progress import EpochEnded
from tui_monitor.run_log.format.layout import RunInfo, State
from tui_monitor.run_log.write.writer import RunWriter


def test_a_run_that_has_ended_is_told_in_the_order_in_which_it_went(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each epoch of each fit is followed by its own explanation and alerts; how the run ended comes last."""
    clock = Clock()
    with RunWriter(tmp_path / "run", RunInfo(name="run"), clock=clock, heartbeat_seconds=None) as writer:
        for _ in range(2):
            writer.begin_fit(["loss"], epochs=2, steps_per_epoch=1)
            for epoch in (1, 2):
                clock.now += 1
                writer.event(EpochEnded(epoch=epoch, logs={"loss": 0.5, "val_loss": 0.4}))
                content = explanation_to_json(explanation(epoch, verdict=f"Verdict on {epoch}.", headline="Why."))
                clock.now += 1
                writer.event(Explained(epoch=epoch, batch=None, explanation=RecordedExplanation(content)))
                writer.event(AlertRaised(epoch=epoch, text=f"Alert in {epoch}."))
        writer.status(State.FINISHED)
    follow_headless(tmp_path / "run", None)
    lines = capsys.readouterr().err.splitlines()
    told = [line.split("  loss")[0].strip() for line in lines]
    of_epoch = [("Verdict on 1.", "Why.", "alert: Alert in 1."), ("Verdict on 2.", "Why.", "alert: Alert in 2.")]
    assert told == [
        *("epoch 1/2", *of_epoch[0], "epoch 2/2", *of_epoch[1]),
        *("fit 2  epoch 1/2", *of_epoch[0], "fit 2  epoch 2/2", *of_epoch[1]),
        "finished",
    ]


def test_an_epoch_that_was_not_measured_is_said_to_be_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every epoch has its lines: where the budget left no probe, they give the gap and say why there is no more."""
    clock = Clock()
    with RunWriter(tmp_path / "run", RunInfo(name="run"), clock=clock, heartbeat_seconds=None) as writer:
        writer.begin_fit(["loss"], epochs=3, steps_per_epoch=1)
        for epoch in (1, 2, 3):
            clock.now += 1
            writer.event(EpochEnded(epoch=epoch, logs={"loss": 0.5, "val_loss": 0.4}))
            if epoch == 1:
                content = explanation_to_json(explanation(epoch, verdict="Verdict.", headline="Why."))
                writer.event(Explained(epoch=epoch, batch=None, explanation=RecordedExplanation(content)))
        writer.status(State.FINISHED)
    follow_headless(tmp_path / "run", None)
    told = [line.split("  loss")[0].strip() for line in capsys.readouterr().err.splitlines()]
    unmeasured = (
        "Validation loss is 0.100 lower.",
        "Not measured here: that would have cost more than the budget (--probe-budget).",
    )
    assert told == ["epoch 1/3", "Verdict.", "Why.", "epoch 2/3", *unmeasured, "epoch 3/3", *unmeasured, "finished"]
