"""What a chart shows, as data: ranges chosen, arrays in data units, and of the terminal only its marker set."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tui_monitor.charts.markers import MarkerSet

FloatArray = NDArray[np.float64]


def _empty() -> FloatArray:
    return np.empty(0)


@dataclass(frozen=True)
class Band:
    """Per-batch values summarised over equal slices of the x range; NaN where a slice holds none."""

    low: FloatArray
    """A quantile or the smallest value, shape (slices,)."""
    mean: FloatArray
    """Shape (slices,)."""
    high: FloatArray
    """A quantile or the largest value, shape (slices,)."""
    bad: NDArray[np.bool_]
    """Whether the slice holds NaN or an infinity, shape (slices,)."""
    is_outline: bool = False
    """Whether its two edges are drawn alone, so that the lines within stand out."""


@dataclass(frozen=True)
class Points:
    """Values at positions on the x axis, in order of x. NaN and infinities in `y` show as alert markers."""

    x: FloatArray = field(default_factory=_empty)
    """Shape (points,)."""
    y: FloatArray = field(default_factory=_empty)
    """Shape (points,)."""


@dataclass(frozen=True)
class Curve:
    """A further line on a chart, such as another run's: told apart by its mark where there is no colour."""

    points: Points
    style: str
    mark: str = ""
    """One character at some of its points; empty for none."""
    values: Points | None = None
    """What the line is a smoothing of: the marks stand there, so that no value is read off a mean; None for itself."""

    @property
    def marked(self) -> Points:
        """Where the marks stand."""
        return self.points if self.values is None else self.values


@dataclass(frozen=True)
class Tick:
    """A labelled position on an axis."""

    at: float
    label: str


@dataclass(frozen=True)
class LegendEntry:
    """One item of the title row: a marker with the words that say what it stands for."""

    mark: str
    text: str
    style: str
    brief: str = ""
    """The value alone, for where the words of all entries that have one don't fit; empty for an entry that may go."""


@dataclass(frozen=True)
class Gap:
    """The difference of the two sides at one epoch, shown as a bracket at the right edge."""

    train: float
    validation: float
    label: str
    """Training − validation, with its sign."""
    x: float = np.nan
    """The epoch; while the axis goes on behind it, dots lead from its marks to the bracket. NaN for none."""


@dataclass(frozen=True)
class ChartSpec:
    """One chart: training and validation of one metric over epochs."""

    title: str
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    """What is to be seen: kept from drawing to drawing while data still fit."""
    x_ticks: tuple[Tick, ...] = ()
    y_ticks: tuple[Tick, ...] = ()
    x_markers: tuple[float, ...] = ()
    """Positions of short unlabelled markers on the x axis: the ends of epochs."""
    x_label: str = "epoch"
    x_end: str = ""
    """What is said of the axis' end, such as how many epochs are planned; left out where there is no room."""
    band: Band | None = None
    train: Points = field(default_factory=Points)
    """Training's epoch means, each at its epoch's end."""
    validation: Points = field(default_factory=Points)
    """Validation values, each at its epoch's end."""
    curves: tuple[Curve, ...] = ()
    """Further lines, drawn below training's and validation's in this order."""
    gap: Gap | None = None
    """Of the newest epoch shown that has both."""
    legend: tuple[LegendEntry, ...] = ()
    """Most important first; entries that don't fit are left out from the end."""
    log_y: bool = False
    """Whether y is logarithmic. Values at or below 0 then have no position and are not drawn."""
    y_on_rows: tuple[float, float] | None = None
    """A range around `y_range` that fits the chart's rows, see `scale.on_rows`; None to draw `y_range` itself."""
    markers: MarkerSet = MarkerSet.BRAILLE
