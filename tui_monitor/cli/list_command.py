"""`ls`: the runs in a folder, one line each."""

import sys
from datetime import UTC, datetime

from tui_monitor import units
from tui_monitor.run_log.runs.folders import list_runs, may_live, printable, runs_folder
from tui_monitor.run_log.runs.summary import RunSummary, summarise

_METRICS = ("loss", "val_loss", "accuracy", "val_accuracy")
NEWEST = 40
"""Runs listed unless all are asked for; live ones besides."""
_HEADINGS = ("run", "state", "epoch", *_METRICS, "started")


def list_all(runs: str | None, *, every: bool = False) -> int:
    """Print the newest runs and all live ones, newest first, and return the exit code.

    Args:
        runs: folder of the runs.
        every: print all runs.
    """
    folder = runs_folder(runs)
    folders = list_runs(folder)
    if not folders:
        print(f"No runs in {printable(str(folder))}. Start one with: tui-monitor demo", file=sys.stderr)
        return 0
    listed = folders if every else [*folders[:NEWEST], *may_live(folder, folders[NEWEST:])]
    rows = [_HEADINGS, *(_row(summarise(entry)) for entry in listed)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    for row in rows:
        cells = [
            cell.ljust(width) if column in (0, 1, 7) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    if len(listed) < len(folders):
        print(f"{units.count(len(folders) - len(listed))} older runs are not listed: --all", file=sys.stderr)
    return 0


def _row(summary: RunSummary) -> tuple[str, ...]:
    epochs = f"{summary.epoch}/{summary.epochs}" if summary.epochs else str(summary.epoch or "–")
    started = datetime.fromtimestamp(summary.created, UTC).astimezone() if summary.created else None
    return (
        printable(summary.name),
        str(summary.state),
        epochs,
        *(units.rounded(summary.metrics.get(name)) for name in _METRICS),
        f"{started:%Y-%m-%d %H:%M}" if started else "–",
    )
