"""Two sides as marks on one scale from left to right: shapes tell them apart, whatever the colours."""

from tui_monitor.charts.cells import Row
from tui_monitor.view.text.rows import Run

TRAIN, VALIDATION, BOTH, REFERENCE = "●", "◆", "◈", "│"
LEGEND: Row = (
    Run(TRAIN, "train-mark"),
    Run(" training  ", "muted"),
    Run(VALIDATION, "validation"),
    Run(" validation  ", "muted"),
    Run(BOTH, "validation"),
    Run(" both", "muted"),
)


def dots(train: float | None, validation: float | None, width: int, reference: float | None = None) -> tuple[Run, ...]:
    """Return a scale from 0 to 1 with a marker for each side.

    Args:
        train: from 0 to 1, clipped; None leaves the mark out.
        validation: the same for the other side.
        width: cells.
        reference: where a thin upright line is drawn under the marks, or None.
    """
    cells = [Run("┈", "bar-rest")] * max(0, width)
    for value, mark, style in ((reference, REFERENCE, "zero-axis"), (train, TRAIN, "train-mark")):
        if value is not None and width > 0:
            cells[_column(value, width)] = Run(mark, style)
    if validation is not None and width > 0:
        together = train is not None and _column(train, width) == _column(validation, width)
        cells[_column(validation, width)] = Run(BOTH if together else VALIDATION, "validation")
    return tuple(cells)


def _column(value: float, width: int) -> int:
    return round(min(1.0, max(0.0, value)) * (width - 1))
