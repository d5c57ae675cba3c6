"""Which keys do something now: the one answer for footer, palette and the keys themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from tui_monitor.run_log.format.layout import State
from tui_monitor.view.charts.chart_metrics import further_metrics
from tui_monitor.view.control_requests import receives_requests
from tui_monitor.view.explanations import outputs_of
from tui_monitor.view.keys.key import Group, Key
from tui_monitor.view.keys.table import KEYS, OF_A_RUN
from tui_monitor.view.view_state import EVIDENCE, View, ViewState

if TYPE_CHECKING:
    from tui_monitor.history.snapshot import Snapshot


def enabled_keys(snapshot: Snapshot, view: ViewState) -> tuple[Key, ...]:
    """Return the keys that do something now."""
    keys = [key for key in KEYS if key.group in OF_A_RUN and is_enabled(key.action, snapshot, view)]
    if snapshot.state is State.PAUSED:
        keys = [replace(key, label="go on") if key.action == "control('toggle_pause')" else key for key in keys]
    return tuple(keys)


def footer_keys(snapshot: Snapshot, view: ViewState) -> tuple[Key, ...]:
    """Return the keys for the footer: those of the evidence first where an explanation fills the screen, else none."""
    keys = enabled_keys(snapshot, view)
    others = tuple(key for key in keys if key.group is not Group.EVIDENCE)
    if view.view not in (View.GAP, *EVIDENCE):
        return others
    return (*(key for key in keys if key.group is Group.EVIDENCE), *others)


def is_enabled(action: str, snapshot: Snapshot, view: ViewState) -> bool:
    """Return whether an action would change anything."""
    if action == f"show('{view.view.value}')":
        return False
    is_needed = _need(action)
    return is_needed is None or is_needed(snapshot, view)


def _need(action: str) -> Callable[[Snapshot, ViewState], bool] | None:
    return _NEEDS.get(action) or _NEEDS.get(action.partition("(")[0])


def _has_fit(snapshot: Snapshot, view: ViewState) -> bool:
    return view.fit_of(snapshot) is not None


def _has_fits_to_join(snapshot: Snapshot, view: ViewState) -> bool:
    if len(snapshot.fits) < 2:
        return False
    from tui_monitor.history.joined_fits import fits_of_one_model  # noqa: PLC0415 - NumPy

    return len(fits_of_one_model(snapshot.fits, view.fit_index(snapshot))) > 1


def _has_further_metrics(snapshot: Snapshot, view: ViewState) -> bool:
    fit = view.fit_of(snapshot)
    return fit is not None and len(further_metrics(fit)) > 1


def _has_outputs(snapshot: Snapshot, view: ViewState) -> bool:
    return outputs_of(view.fit_of(snapshot)) > 0


def _is_zoomed(snapshot: Snapshot, view: ViewState) -> bool:
    return view.window is not None


def _has_fits(snapshot: Snapshot, view: ViewState) -> bool:
    return len(snapshot.fits) > 1


def _has_workers(snapshot: Snapshot, view: ViewState) -> bool:
    return bool(snapshot.workers)


def _came_from_table(snapshot: Snapshot, view: ViewState) -> bool:
    return view.from_table


def _has_baseline(snapshot: Snapshot, view: ViewState) -> bool:
    return view.baseline is not None


def _is_replay(snapshot: Snapshot, view: ViewState) -> bool:
    return snapshot.playback is not None


def _accepts_requests(snapshot: Snapshot, view: ViewState) -> bool:
    return receives_requests(snapshot)


_NEEDS: Mapping[str, Callable[[Snapshot, ViewState], bool]] = {
    "back_to_runs": _came_from_table,
    "next_metric": _has_further_metrics,
    "next_output": _has_outputs,
    "fit": _has_fits,
    "pan": _is_zoomed,
    "whole_axis": _is_zoomed,
    "zoom": _has_fit,
    "smooth": _has_fit,
    "toggle_log": _has_fit,
    "join_fits": _has_fits_to_join,
    "toggle_extremes": _has_fit,
    "toggle_baseline": _has_baseline,
    "replay": _is_replay,
    f"show('{View.WORKERS.value}')": _has_workers,
    "control": _accepts_requests,
}
"""What must hold for an action to change anything; those not named here always do something."""


def splash_keys(view: ViewState) -> tuple[Key, ...]:
    """Return the keys for the footer while nothing is known of the run: they need nothing of it."""
    return tuple(
        key
        for key in KEYS
        if key.group in OF_A_RUN
        and key.group is not Group.EVIDENCE
        and key.action != f"show('{view.view.value}')"
        and _need(key.action) is None
    )
