"""A plain run, and how it is read to its end."""

import math
from pathlib import Path
from typing import Any

from tests.clock import Clock
from tui_monitor.history.state.fold import History
from tui_monitor.run_log.events.progress import EpochBegan, EpochEnded
from tui_monitor.run_log.format.layout import RunInfo, State
from tui_monitor.run_log.read.reader import RunReader
from tui_monitor.run_log.write.writer import RunWriter


def record(folder: Path, epochs: int = 2, steps: int = 10, clock: Clock | None = None) -> RunWriter:
    """Write a plain run of one fit, a batch every 0.1 s and two seconds of validation an epoch."""
    clock = clock or Clock()
    writer = RunWriter(folder, RunInfo(name=folder.name), clock=clock, heartbeat_seconds=None)
    writer.begin_fit(["loss", "acc"], epochs=5, steps_per_epoch=steps)
    writer.status(State.TRAINING)
    for epoch in range(1, epochs + 1):
        writer.event(EpochBegan(epoch=epoch))
        for batch in range(steps):
            clock.now += 0.1
            writer.batch(epoch, 32, (1 / (batch + 1), 0.5))
        clock.now += 2
        logs = {"loss": 0.5, "acc": 0.75, "val_loss": math.nan, "val_binary_accuracy": 0.5}
        seconds = 2 + 0.1 * steps
        writer.event(
            EpochEnded(epoch=epoch, logs=logs, batches=steps, samples=32 * steps, seconds=seconds, learning_rate=0.1)
        )
    return writer


def followed(folder: Path, **limits: Any) -> History:
    """Read a run to its present end."""
    reader, history = RunReader(folder), History()
    while True:
        arrival = reader.poll(**limits)
        history.fold(arrival)
        if arrival.complete:
            return history
