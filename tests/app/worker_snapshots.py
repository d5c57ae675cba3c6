"""Snapshots of a training on several workers, and its panel as text."""

from dataclasses import replace

from tests.app.snapshots import snapshot
from tui_monitor.history.snapshot import Snapshot, StepTimes, WorkerSnapshot
from tui_monitor.run_log.format.layout import State, WorkerInfo
from tui_monitor.view.panels.workers import workers_rows

FAST = WorkerSnapshot(0, "node1", State.TRAINING, "", 120, 9.5, 1.0, StepTimes(0.010, 0.020, 0.070))


SLOW = WorkerSnapshot(1, "node2", State.TRAINING, "", 119, 9.5, 2.0, StepTimes(0.060, 0.039, 0.001))


def on_workers(*workers: WorkerSnapshot, expected: int = 2, covered: int = 2) -> Snapshot:
    """Return a live run on several workers."""
    run = replace(snapshot().run, worker=WorkerInfo(0, expected))
    return replace(snapshot(State.TRAINING), run=run, workers=workers, covered=covered)


def said(moment: Snapshot, width: int = 100) -> str:
    """Return the panel's text."""
    return "\n".join("".join(run.text for run in row) for row in workers_rows(moment, width))
