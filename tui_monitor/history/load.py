"""A whole run at once, for reports, exports and tests: read to its end, then left alone."""

import math
from pathlib import Path

from tui_monitor.errors import RunNotFound
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.history.state.fold import History
from tui_monitor.run_log.format.layout import RUN_FILE
from tui_monitor.run_log.read.cluster_reader import ClusterReader
from tui_monitor.run_log.runs.liveness import concluded_state, observe_run
from tui_monitor.run_log.runs.workers import signs_of_life


def load(folder: Path) -> Snapshot:
    """Return everything that a run folder holds now.

    Raises:
        RunNotFound: there is no run in the folder.
        RunUnreadable: its `run.json` is damaged or of a newer format.
    """
    if not (folder / RUN_FILE).is_file():
        raise RunNotFound(f"No run in {folder}: it holds no {RUN_FILE}.")
    # Looked at first: what a process wrote before it went is then read before it is called lost.
    presence, signs = observe_run(folder), signs_of_life(folder)
    reader, history = ClusterReader(folder, patience=0), History(folder.name)
    while True:
        arrival = reader.poll(max_seconds=math.inf)
        history.fold(arrival)
        if arrival.complete:
            break
    history.mark_workers(signs)
    history.mark(concluded_state(history.snapshot().state, presence))
    return history.snapshot()
