"""The epochs and explanations of a run, from its events alone: no batch is read and NumPy not imported.

Importing NumPy takes as long as all else that `explain` does.
"""

from dataclasses import dataclass, field
from pathlib import Path

from tui_monitor.errors import RunNotFound
from tui_monitor.history.snapshot import EpochRow, ExplanationAt, FitSnapshot, Snapshot, TimelineEntry
from tui_monitor.history.state.fit_events import add_alert, epoch_row, explanation_at, timeline_entry
from tui_monitor.run_log.events.lines import parse_event_line
from tui_monitor.run_log.events.notifications import AlertRaised, Explained, NoteTaken
from tui_monitor.run_log.events.progress import EpochEnded
from tui_monitor.run_log.format.layout import EVENTS_FILE, RUN_FILE
from tui_monitor.run_log.format.run_json import read_run_info
from tui_monitor.run_log.runs.summary import summarise


@dataclass
class _Fit:
    epochs: list[EpochRow] = field(default_factory=list)
    explanations: list[ExplanationAt] = field(default_factory=list)


def load_epochs(folder: Path) -> Snapshot:
    """Return what `load` does, but for batches, output and pace, which are left empty.

    The timeline has alerts and notes alone.

    Raises:
        RunNotFound: there is no run in the folder.
        RunUnreadable: its `run.json` is damaged or of a newer format.
    """
    if not (folder / RUN_FILE).is_file():
        raise RunNotFound(f"No run in {folder}: it holds no {RUN_FILE}.")
    # Before the events: what a process wrote before it ended is then read before the run is called lost.
    state = summarise(folder).state
    info = read_run_info(folder)
    found = {fit.index: _Fit() for fit in info.fits}
    timeline: list[TimelineEntry] = []
    for line in _whole_lines(folder / EVENTS_FILE):
        recorded = parse_event_line(line)
        if recorded is not None and isinstance(recorded.event, AlertRaised | NoteTaken):
            stage = recorded.event.stage if isinstance(recorded.event, AlertRaised) else ""
            add_alert(timeline, timeline_entry(recorded.event, recorded.seconds or 0.0, recorded.fit), stage)
        fit = found.get(recorded.fit) if recorded is not None and recorded.fit is not None else None
        if recorded is None or fit is None:
            continue
        match recorded.event:
            case EpochEnded() as ended:
                fit.epochs.append(epoch_row(ended, recorded.seconds or 0.0))
            case Explained() as explained:
                fit.explanations.append(explanation_at(explained, recorded.seconds or 0.0))
    fits = tuple(
        FitSnapshot(
            info=fit,
            epochs=tuple(found[fit.index].epochs),
            explanations=tuple(found[fit.index].explanations),
        )
        for fit in info.fits
    )
    return Snapshot(revision=0, run=info, state=state, fits=fits, timeline=tuple(timeline))


def _whole_lines(path: Path) -> list[bytes]:
    """Return the complete lines of a file: a torn tail means that its event is not written yet."""
    try:
        return path.read_bytes().split(b"\n")[:-1]
    except OSError:
        return []
