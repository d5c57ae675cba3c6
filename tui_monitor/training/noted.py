"""What a script notes of its run with `tui_monitor.note(lr=0.1)`: kept in the run that this process records into.

Before there is a run the values wait for it; without a monitor they wait for nothing, and nothing happens.
"""

from typing import Any

from tui_monitor.run_log.runs.parameters import write_parameters
from tui_monitor.training.guard import attempt, ignored
from tui_monitor.training.record.session import ACTIVE, Session, told_of_sessions

_noted: dict[str, Any] = {}


def note(**values: Any) -> None:
    """Note values of this run, such as hyper-parameters: the table of runs shows, sorts and compares them.

    May be called several times, before or after the first `fit`; a later value of a name replaces the earlier one.

    Args:
        values: by name; kept as text.
    """
    _noted.update(values)
    session = ACTIVE.session
    if session is None:
        told_of_sessions(_keep)
    else:
        _keep(session)


def _keep(session: Session) -> None:
    if session.is_here():
        attempt(ignored, write_parameters, session.folder, dict(_noted), otherwise=None)
