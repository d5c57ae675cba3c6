"""`ls`: the runs in a folder, one line each."""

import sys
from datetime import UTC, datetime

from tui_monitor import units
from tui_monitor.run_log.folders import list_runs, printable, runs_folder
from tui_monitor.run_log.summary import RunSummary, summarise

_FIGURES = ("loss", "val_loss", "accuracy", "val_accuracy")
_HEADINGS = ("run", "state", "epoch", *_FIGURES, "started")


def list_all(runs: str | None) -> int:
    """Print the runs, newest first, and return the exit code."""
    folder = runs_folder(runs)
    folders = list_runs(folder)
    if not folders:
        print(f"No runs in {printable(str(folder))}. Start one with: tui-monitor demo", file=sys.stderr)
        return 0
    rows = [_HEADINGS, *(_row(summarise(entry)) for entry in folders)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    for row in rows:
        cells = [
            cell.ljust(width) if column in (0, 1, 7) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    return 0


def _row(summary: RunSummary) -> tuple[str, ...]:
    epochs = f"{summary.epoch}/{summary.epochs}" if summary.epochs else str(summary.epoch or "–")
    started = datetime.fromtimestamp(summary.created, UTC).astimezone() if summary.created else None
    return (
        printable(summary.name),
        str(summary.state),
        epochs,
        *(units.figure(summary.figures.get(name)) for name in _FIGURES),
        f"{started:%Y-%m-%d %H:%M}" if started else "–",
    )
