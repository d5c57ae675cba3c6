"""The data area of a chart: its size in cells and dots, and where values fall on it."""

import numpy as np
from numpy.typing import NDArray

from tui_monitor.charts.dots import levels, logarithmic, slices
from tui_monitor.charts.markers import glyphs
from tui_monitor.charts.spec import ChartSpec, FloatArray


class Canvas:
    """The data area of one chart."""

    def __init__(self, spec: ChartSpec, width: int, height: int) -> None:
        self.spec = spec
        self.width = width
        self.height = height
        self.glyphs = glyphs(spec.markers)
        self.columns = width * self.glyphs.columns
        self.rows = height * self.glyphs.rows
        self._y_range = spec.y_on_rows or spec.y_range
        if spec.log_y:
            low, high = logarithmic(np.array(spec.y_range, dtype=np.float64))
            self._y_range = (float(low), float(high))

    def heights(self, values: FloatArray) -> FloatArray:
        """Return values in the units of the y axis: themselves, or their logarithm."""
        values = np.asarray(values, dtype=np.float64)
        return logarithmic(values) if self.spec.log_y else values

    def dot_rows(self, heights: FloatArray) -> FloatArray:
        """Return dot rows from the bottom as floats, NaN where a height is not finite."""
        result = np.full(len(heights), np.nan)
        finite = np.isfinite(heights)
        result[finite] = levels(heights[finite], self._y_range, self.rows)
        return result

    def dot_columns(self, x: FloatArray) -> FloatArray:
        """Return dot columns from the left as floats, NaN where x is not finite or outside the range."""
        x = np.asarray(x, dtype=np.float64)
        low, high = self.spec.x_range
        result = np.full(len(x), np.nan)
        inside = np.isfinite(x) & (x >= low) & (x <= high)
        result[inside] = slices(x[inside], self.spec.x_range, self.columns)
        return result

    def column_of_slice(self, slices: int) -> FloatArray:
        """Return the dot column of each of equal slices of the x range."""
        return np.floor((np.arange(slices) + 0.5) / max(slices, 1) * self.columns)

    def cell_centre(self, columns: FloatArray, rows: FloatArray) -> tuple[list[float], list[float]]:
        """Return the centres, in dots, of the cells that hold the given dots."""
        across, up = self.glyphs.columns, self.glyphs.rows
        x = columns // across * across + (across - 1) / 2
        y = rows // up * up + (up - 1) / 2
        return x.tolist(), y.tolist()

    @property
    def top(self) -> float:
        """The topmost dot row."""
        return float(self.rows - 1)

    def is_above(self, heights: FloatArray) -> NDArray[np.bool_]:
        """Return whether heights lie above the y range, shape as given; NaN does not."""
        with np.errstate(invalid="ignore"):
            return np.asarray(heights > self._y_range[1], dtype=np.bool_)

    def is_below(self, heights: FloatArray) -> NDArray[np.bool_]:
        """Return whether heights lie below the y range, shape as given; NaN does not."""
        with np.errstate(invalid="ignore"):
            return np.asarray(heights < self._y_range[0], dtype=np.bool_)
