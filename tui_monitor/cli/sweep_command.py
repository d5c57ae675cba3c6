"""`sweep`: which arguments go with better runs."""

import sys
import time
from collections.abc import Sequence

from tui_monitor import units
from tui_monitor.compare.sweep import LEAST_RUNS, ArgumentEffect, argument_effects
from tui_monitor.errors import NothingMeasured, UsageError
from tui_monitor.metric_names import is_higher_better
from tui_monitor.run_log.runs.catalogue import Catalogue
from tui_monitor.run_log.runs.entry import RunEntry
from tui_monitor.run_log.runs.folders import printable, runs_folder
from tui_monitor.view.runs.columns import TableContext, metric_that_matters, sorted_entries
from tui_monitor.view.runs.query import read_query

_MOST_RUNS = 20


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
    catalogue = Catalogue(runs_folder(runs))
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
    for index, (script, entries) in enumerate(several.items()):
        sys.stdout.write("\n" * bool(index) + f"{printable(script) or 'runs'}: {units.count(len(entries))} runs\n")
        _print(entries, name)
    return 0


def _print(entries: Sequence[RunEntry], metric: str) -> None:
    effects = argument_effects(entries, metric)
    ordered = sorted_entries(entries, metric, TableContext(metric, now=time.time()))
    names = [effect.name for effect in effects]
    rows = [("best " + metric, "at", "run", *names)]
    for entry in ordered[:_MOST_RUNS]:
        best = entry.best[metric]
        values = (printable(entry.arguments.get(name, "–")) for name in names)
        rows.append((units.rounded(best.value), str(best.epoch), printable(entry.name), *values))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        sys.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")
    if len(ordered) > _MOST_RUNS:
        sys.stdout.write(f"{units.count(len(ordered) - _MOST_RUNS)} more are worse.\n")
    for effect in effects:
        sys.stdout.write(f"{_sentence(effect, metric)}\n")


def _sentence(effect: ArgumentEffect, metric: str) -> str:
    name = printable(effect.name)
    if effect.correlation is None:
        return f"{name}: no rank correlation, it is not a number in three runs or does not vary among them."
    amount = f"{name}: rank correlation {units.signed(effect.correlation, 2)}"
    if effect.low is None or effect.high is None:
        return f"{amount} over {effect.runs} runs; {LEAST_RUNS} give an interval."
    interval = f"[{units.signed(effect.low, 2)}, {units.signed(effect.high, 2)}]"
    if effect.low <= 0 <= effect.high:
        return f"{amount} {interval}: chance alone would give that."
    better = (effect.correlation > 0) is is_higher_better(metric)
    return f"{amount} {interval}: {'more' if better else 'less'} of it goes with a better {metric}."
