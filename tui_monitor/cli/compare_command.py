"""`compare`: why one run differs from another, as text or JSON."""

import json
import shutil
import sys

from tui_monitor.compare.comparison import compare, comparison_to_json
from tui_monitor.run_log.format.strict_json import with_nulls
from tui_monitor.run_log.runs.place import local_run
from tui_monitor.view.runs.comparison_rows import comparison_rows

_WIDEST, _NARROWEST = 100, 60


def compare_runs(first: str, second: str, runs: str | None, *, at_best: bool, as_json: bool) -> int:
    """Print why the second run differs from the first, and return the exit code.

    Args:
        first: folder or name of a run.
        second: of another.
        runs: folder of the runs.
        at_best: compare the epochs with the lowest validation loss in place of the last ones.
        as_json: print one JSON object.

    Raises:
        RunNotFound: no such run.
        RunUnreadable: a `run.json` is damaged or of a newer format.
    """
    comparison = compare(local_run(first, runs), local_run(second, runs), at_best=at_best)
    if as_json:
        print(json.dumps(with_nulls(comparison_to_json(comparison)), ensure_ascii=False))
        return 0
    width = min(_WIDEST, max(_NARROWEST, shutil.get_terminal_size().columns))
    for row in comparison_rows(comparison, width):
        sys.stdout.write("".join(run.text for run in row).rstrip() + "\n")
    return 0
