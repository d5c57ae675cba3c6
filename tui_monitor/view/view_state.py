"""What the user chose to look at: a frozen value that, with a snapshot, decides the whole screen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_monitor.history.joined_fits import JoinedFits
    from tui_monitor.history.snapshot import EpochRow, FitSnapshot, Snapshot


class View(StrEnum):
    """What the screen is laid out for."""

    OVERVIEW = "overview"
    GAP = "gap"
    CHARTS = "charts"
    EPOCHS = "epochs"
    OUTPUT = "output"
    TIMELINE = "timeline"
    RECALL = "recall"
    CONFUSION = "confusion"
    CALIBRATION = "calibration"
    LOSSES = "losses"
    SHARES = "shares"
    FOUND = "found"
    WORKERS = "workers"


EVIDENCE = (View.RECALL, View.CONFUSION, View.CALIBRATION, View.LOSSES, View.SHARES, View.FOUND)
"""Views of what lies behind the explanation."""

SMOOTHING = (3, 9, 0)
"""Cells that each point of the mean line averages, in the order the key steps through them; 0 for single columns."""

_NARROWEST_WINDOW = 0.01


@dataclass(frozen=True, eq=False)
class Baseline:
    """Another run that this one is measured against."""

    name: str
    epochs: tuple[EpochRow, ...]
    """Of its newest call of fit, oldest first."""

    def value_at(self, epoch: int, metric: str) -> float | None:
        """Return a metric's value at the end of an epoch, or None where it has none."""
        return next((row.metrics.get(metric) for row in reversed(self.epochs) if row.epoch == epoch), None)


@dataclass(frozen=True)
class ViewState:
    """Everything the keys change."""

    view: View = View.OVERVIEW
    window: tuple[float, float] | None = None
    """Part of the x axis shown, in epochs, or None for all of it."""
    smoothing: int = 0
    """Index into `SMOOTHING`."""
    log_y: bool = False
    extremes: bool = False
    """Whether charts show the smallest and largest batches, and every value, instead of what is compared."""
    fit: int | None = None
    """Number of the call of fit that is shown, from 1, or None for the newest."""
    joins: bool = False
    """Whether successive fits of one model are shown as one."""
    metric: int = 0
    """Which of the further metrics the second chart shows."""
    output: int = 0
    """Which of several outputs the gap is explained of, from 1; 0, or one beyond the last, is the whole loss."""
    baseline: Baseline | None = None
    """Drawn dim on the charts, with the difference to it at the same epoch."""
    hides_baseline: bool = False
    from_table: bool = False
    """Whether the run was opened from the table of runs, to which one can go back."""
    pending: str = ""
    """Control requests that are sent and not acknowledged yet, in words; empty when there are none."""

    def fit_of(self, snapshot: Snapshot) -> FitSnapshot | None:
        """Return the call of fit to show, or None before the first."""
        if not snapshot.fits:
            return None
        index = self.fit_index(snapshot)
        if not self.joins:
            return snapshot.fits[index - 1]
        from tui_monitor.history.joined_fits import fits_of_one_model  # noqa: PLC0415 - NumPy

        together = fits_of_one_model(snapshot.fits, index)
        return _joined().of(together) if len(together) > 1 else together[0]

    def fit_index(self, snapshot: Snapshot) -> int:
        """Return the number of the call of fit to show, from 1; 0 before the first."""
        count = len(snapshot.fits)
        return count if self.fit is None else min(max(self.fit, 1), count)

    def zoomed(self, factor: float, full: tuple[float, float], newest: float) -> ViewState:
        """Return the view with a window `factor` times as wide.

        The first zoom keeps the newest data in view; further ones keep the window's middle.

        Args:
            factor: below 1 looks closer.
            full: the whole x range.
            newest: where the data ends, in epochs.
        """
        low, high = self.window or full
        width = (high - low) * factor
        if width >= full[1] - full[0]:
            return replace(self, window=None)
        width = max(width, _NARROWEST_WINDOW)
        middle = (low + high) / 2 if self.window else newest - width * 0.4
        return replace(self, window=_inside(middle - width / 2, width, full))

    def panned(self, fraction: float, full: tuple[float, float]) -> ViewState:
        """Return the view with the window moved by a fraction of its width; nothing changes without a zoom."""
        if self.window is None:
            return self
        low, high = self.window
        return replace(self, window=_inside(low + (high - low) * fraction, high - low, full))


@cache
def _joined() -> JoinedFits:
    from tui_monitor.history.joined_fits import JoinedFits  # noqa: PLC0415 - NumPy

    return JoinedFits()


def _inside(low: float, width: float, full: tuple[float, float]) -> tuple[float, float]:
    low = min(max(low, full[0]), full[1] - width)
    return low, low + width
