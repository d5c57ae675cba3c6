"""Many small run folders, written by hand: a writer for each of ten thousand would take minutes."""

import json
import os
import random
from pathlib import Path

from tui_monitor.run_log.format.layout import EVENTS_FILE, RUN_FILE, FitInfo, RunInfo, batch_columns, run_info_to_json


def make_runs(runs: Path, count: int, epochs: int = 12) -> None:
    """Make runs that have finished, of one script, with three arguments that vary.

    Args:
        runs: the folder of the runs.
        count: how many.
        epochs: of each.
    """
    drawn = random.Random(1)
    for number in range(count):
        lr, units = drawn.choice([0.1, 0.01, 0.001]), drawn.choice([32, 64, 128])
        command = ("tui-monitor", "run", "train.py", "--lr", str(lr), "--units", str(units), "--seed", str(number))
        fit = FitInfo(
            1, batch_columns(["loss"]), "batches.bin", epochs=epochs, fit={"epochs": epochs, "batch_size": 32}
        )
        info = RunInfo(name=f"run-{number:05}", command=command, host="elsewhere", created=1.7e9 + number, fits=(fit,))
        lines = [{"kind": "status", "time": 0.0, "phase": 1, "state": "training", "detail": ""}]
        for epoch in range(1, epochs + 1):
            loss = 1 / (epoch + 10 * lr) + drawn.random() / 20
            logs = {"loss": loss, "val_loss": loss + 0.1, "accuracy": 1 - loss / 2, "val_accuracy": 0.9 - loss / 2}
            lines.append({"kind": "epoch", "time": 10.0 * epoch, "phase": 1, "epoch": epoch, "logs": logs})
        lines.append({"kind": "status", "time": 10.0 * epochs + 1, "phase": 1, "state": "finished", "exit_code": 0})
        folder = runs / info.name
        folder.mkdir(parents=True)
        (folder / RUN_FILE).write_text(json.dumps(run_info_to_json(info)))
        (folder / EVENTS_FILE).write_text("".join(json.dumps(line) + "\n" for line in lines))
        os.utime(folder, (info.created, info.created))
