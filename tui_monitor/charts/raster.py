"""The only importer of plotext: clean integers in, rows of cells out; no value that reaches it can stop the process."""

import re
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from tui_monitor.charts.cells import Cell
from tui_monitor.charts.change import Layer, columns_from, first_change

_LOCK = threading.Lock()
_COLOUR_CODE = re.compile(r"\x1b\[([0-9;]*)m")


class LastDrawing:
    """What was drawn last of one chart: what is drawn next differs from it in its newest columns, as a rule."""

    def __init__(self) -> None:
        self.size: tuple[int, int, tuple[int, int]] | None = None
        self.layers: Sequence[Layer] = ()
        self.rows: list[list[Cell]] = []


def rasterise(
    layers: Sequence[Layer], width: int, height: int, dots: tuple[int, int], last: LastDrawing | None = None
) -> list[list[Cell]]:
    """Draw layers over one another.

    Args:
        layers: bottom first; no coordinate outside the canvas, none that is not finite.
        width: cells a row, at least 1.
        height: rows, at least 1.
        dots: dot columns and dot rows that coordinates count.
        last: what was drawn last, to draw only the columns from the first that differs; the result is the same.

    Returns:
        The rows, top first, each of `width` cells.
    """
    last = last or LastDrawing()
    size = (width, height, dots)
    start = first_change(last.layers, layers, dots[0] // width) if last.size == size else 0
    if start is not None:
        begin, part = columns_from(layers, start, dots[0] // width)
        drawn = _drawn(part, width - begin, height, (dots[0] - begin * (dots[0] // width), dots[1]))
        kept = last.rows if start else [[]] * height
        last.rows = [old[:start] + new[start - begin :] for old, new in zip(kept, drawn, strict=True)]
    last.size, last.layers = size, layers
    return last.rows


def _drawn(layers: Sequence[Layer], width: int, height: int, dots: tuple[int, int]) -> list[list[Cell]]:
    styles = ["", *sorted({layer.style for layer in layers})]
    with _LOCK:
        canvas = _build(layers, styles, width, height, dots)
    rows = [list(_cells(line, styles))[:width] for line in canvas.split("\n")[:height]]
    rows += [[] for _ in range(height - len(rows))]
    return [row + [Cell(" ", "")] * (width - len(row)) for row in rows]


def _build(layers: Sequence[Layer], styles: list[str], width: int, height: int, dots: tuple[int, int]) -> str:
    # plotext takes 0.1 s to import, which the first paint need not wait for.
    import plotext  # noqa: PLC0415

    figure: Any = plotext
    figure.clear_figure()
    figure.limit_size(False, False)
    figure.plot_size(width, height)
    figure.xaxes(False, False)
    figure.yaxes(False, False)
    figure.canvas_color("default")
    figure.axes_color("default")
    figure.xlim(0, max(1, dots[0] - 1))
    figure.ylim(0, max(1, dots[1] - 1))
    figure.xticks([])
    figure.yticks([])
    for layer in layers:
        if len(layer.x):
            draw = figure.plot if layer.joined else figure.scatter
            marker = layer.marker if isinstance(layer.marker, str) else list(layer.marker)
            # The colour number is a tag: it names the style when the drawing is read back.
            draw(list(layer.x), list(layer.y), marker=marker, color=styles.index(layer.style))
    return str(figure.build())


def _cells(line: str, styles: list[str]) -> Iterator[Cell]:
    style = ""
    for index, part in enumerate(_COLOUR_CODE.split(line)):
        if index % 2:
            style = styles[int(part.rsplit(";", 1)[1])] if part.startswith("38;5;") else ""
            continue
        for character in part:
            yield Cell(character, style if character != " " else "")
