"""Which classes of the style sheet hold: they decide, with the terminal's size, which panels show and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_monitor.metric_names import VALIDATION_PREFIX
from tui_monitor.view.charts.chart_metrics import further_metrics
from tui_monitor.view.view_state import EVIDENCE, View, ViewState

if TYPE_CHECKING:
    from tui_monitor.history.snapshot import Snapshot
    from tui_monitor.run_log.runs.summary import RunSummary

SMALLEST = (60, 20)
"""Columns and rows below which the screen says so instead of drawing."""
WIDTH_CLASSES = ((0, "-cut"), (SMALLEST[0], "-narrow"), (112, "-wide"), (170, "-vast"))
"""Columns from which a class of the style sheet holds."""
HEIGHT_CLASSES = ((0, "-flat"), (SMALLEST[1], "-low"), (36, "-tall"), (52, "-lofty"))
"""Rows from which a class of the style sheet holds."""

_FILLING = (View.GAP, View.EPOCHS, View.OUTPUT, View.TIMELINE, View.WORKERS)


def filling_panel(view: View) -> str | None:
    """Return the panel that fills the screen in a view, by its name in the style sheet; None where none does."""
    if view in EVIDENCE:
        return "evidence"
    return view.value if view in _FILLING else None


def screen_classes(snapshot: Snapshot | None, view: ViewState) -> dict[str, bool]:
    """Return which classes of the style sheet hold for a moment of the run.

    Args:
        snapshot: None before the first.
        view: what the user chose.
    """
    fit = view.fit_of(snapshot) if snapshot is not None else None
    return {
        **{f"view-{name.value}": view.view is name for name in View},
        "evidence": view.view in EVIDENCE,
        "no-fit": fit is None,
        "one-metric": fit is None or not further_metrics(fit),
        "replaying": snapshot is not None and snapshot.playback is not None,
    }


def expected_classes(opened: RunSummary, view: ViewState) -> dict[str, bool]:
    """Return the classes that will hold with the first snapshot, as far as a run's summary tells.

    Args:
        opened: the run, before it is read.
        view: what the user chose.
    """
    has_further = sum(not name.startswith(VALIDATION_PREFIX) for name in opened.metrics) > 1
    return {**screen_classes(None, view), "no-fit": not opened.fit, "one-metric": not has_further}
