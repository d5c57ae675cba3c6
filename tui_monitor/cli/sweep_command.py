"""`sweep`: which hyper-parameters go with better runs."""

import shutil
import sys

from tui_monitor import units
from tui_monitor.compare.sweep import sweep_of
from tui_monitor.errors import NothingMeasured, UsageError
from tui_monitor.run_log.runs.catalogue import Catalogue
from tui_monitor.run_log.runs.entry import RunEntry
from tui_monitor.run_log.runs.place import local_runs
from tui_monitor.view.runs.columns import metric_that_matters
from tui_monitor.view.runs.query import read_query
from tui_monitor.view.runs.sweep_rows import group_name, sweep_rows

_MOST_RUNS = 20
_UNLIMITED, _NARROWEST = 10_000, 60


def print_sweeps(filter_by: str, runs: str | None, metric: str | None) -> int:
    """Print a ranking and the arguments' correlations for each script with two runs or more; return the exit code.

    Args:
        filter_by: words that must hold for a run.
        runs: folder of the runs.
        metric: whose best value counts; None for validation loss, or the loss without it.

    Raises:
        UsageError: the filter can't be read.
        NothingMeasured: no script has two runs with a value of the metric.
    """
    query = read_query(filter_by)
    if query.complaint:
        raise UsageError(query.complaint)
    catalogue = Catalogue(local_runs(runs))
    kept = [entry for entry in catalogue.refresh().values() if query.keeps(entry)]
    catalogue.save()
    name = metric or metric_that_matters(kept)
    scripts: dict[str, list[RunEntry]] = {}
    for entry in kept:
        if name in entry.best:
            scripts.setdefault(entry.script, []).append(entry)
    several = {script: entries for script, entries in scripts.items() if len(entries) > 1}
    if not several:
        raise NothingMeasured(f"No script has two runs with a value of {name}.")
    width = max(_NARROWEST, shutil.get_terminal_size().columns) if sys.stdout.isatty() else _UNLIMITED
    for index, (script, entries) in enumerate(several.items()):
        sys.stdout.write("\n" * bool(index) + f"{group_name(script)}: {units.count(len(entries))} runs\n")
        for row in sweep_rows(sweep_of(entries, name), width, most=_MOST_RUNS):
            sys.stdout.write("".join(run.text for run in row).rstrip() + "\n")
    return 0
