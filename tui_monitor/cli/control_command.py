"""`stop`, `pause`, `resume`, `note`: control requests to a live run from the shell."""

import sys

from tui_monitor.errors import UsageError
from tui_monitor.run_log.runs.control import Action, send_request
from tui_monitor.run_log.runs.folders import find_run, printable, runs_folder
from tui_monitor.run_log.runs.summary import summarise

_SENDER = "command line"


def request(run: str, runs: str | None, action: Action, value: str | float | None = None) -> int:
    """Send a control request to a run and return the exit code; the run acknowledges it on its timeline.

    Args:
        run: folder or name.
        runs: folder of the runs.
        action: what the training is to do.
        value: the text of a note, or the new learning rate.

    Raises:
        RunNotFound: no such run.
        UsageError: the run has ended, so there is nothing to control.
        FolderNotWritable: the folder can't be written to.
    """
    folder = find_run(run, runs_folder(runs))
    state = summarise(folder).state
    if state.ended:
        raise UsageError(f"{printable(folder.name)} is {state}: there is no training to {action.split('_')[0]}.")
    send_request(folder, action, value, sender=_SENDER)
    print(f"Request sent to {printable(folder.name)}; it is applied after its next batch.", file=sys.stderr)
    return 0
