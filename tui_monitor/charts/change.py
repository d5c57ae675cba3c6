"""Where two drawings of a chart begin to differ: what lies left of it need not be drawn again."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise


@dataclass(frozen=True)
class Layer:
    """Dots of one style; later layers take the cells of earlier ones."""

    style: str
    x: Sequence[float]
    """Dot columns from the left, in the canvas' finest resolution."""
    y: Sequence[float]
    """Dot rows from the bottom."""
    marker: str | Sequence[str]
    """plotext's marker name, a character, or one character a point."""
    joined: bool = False
    """Whether a line connects the points."""


def first_change(before: Sequence[Layer], now: Sequence[Layer], across: int) -> int | None:
    """Return the first column of cells in which two drawings may differ; None where they are the same.

    Args:
        before: layers of one.
        now: layers of the other, on the same canvas.
        across: dot columns in a cell.
    """
    if [_kind(layer) for layer in before] != [_kind(layer) for layer in now]:
        return 0
    if any(layer.joined and a > b for layer in (*before, *now) for a, b in pairwise(layer.x)):
        # A training that was set back: its line runs to the left.
        return 0
    leftmost = min((_change(old, new) for old, new in zip(before, now, strict=True)), default=math.inf)
    return None if math.isinf(leftmost) else int(leftmost // across)


def columns_from(layers: Sequence[Layer], start: int, across: int) -> tuple[int, Sequence[Layer]]:
    """Return what must be drawn for the cells from a column on.

    Args:
        layers: of the whole drawing.
        start: the first column of cells wanted.
        across: dot columns in a cell.

    Returns:
        The column of cells to begin at, left enough for every line that enters `start`, and the layers from there,
        their coordinates counted from it.
    """
    edge = start * across
    firsts = [_first_point(layer, edge) for layer in layers]
    entering = [layer.x[first] for layer, first in zip(layers, firsts, strict=True) if layer.joined and layer.x]
    begin = int(min([edge, *entering]) // across)
    return begin, [_part(layer, first, begin * across, edge) for layer, first in zip(layers, firsts, strict=True)]


def _kind(layer: Layer) -> tuple[str, str, bool]:
    return layer.style, layer.marker if isinstance(layer.marker, str) else "", layer.joined


def _points(layer: Layer) -> Iterator[tuple[float, float, str]]:
    markers: Iterable[str] = [layer.marker] * len(layer.x) if isinstance(layer.marker, str) else layer.marker
    return zip(layer.x, layer.y, markers, strict=True)


def _change(old: Layer, new: Layer) -> float:
    """Return the leftmost dot column in which two layers of one kind differ."""
    if (old.x, old.y, old.marker) == (new.x, new.y, new.marker):
        return math.inf
    if not old.joined:
        return min((x for x, _, _ in set(_points(old)) ^ set(_points(new))), default=math.inf)
    pairs = zip(old.x, old.y, new.x, new.y, strict=False)
    same = next((i for i, (ax, ay, bx, by) in enumerate(pairs) if (ax, ay) != (bx, by)), min(len(old.x), len(new.x)))
    # The line from the last point that both have leads elsewhere.
    return min([*old.x[max(same - 1, 0) : same + 1], *new.x[max(same - 1, 0) : same + 1]], default=math.inf)


def _first_point(layer: Layer, edge: float) -> int:
    """Return the last point of a line left of an edge, or its first one; lines run from left to right."""
    if not layer.joined:
        return 0
    left = sum(1 for x in layer.x if x < edge)
    return max(left - 1, 0)


def _part(layer: Layer, first: int, begin: float, edge: float) -> Layer:
    if layer.joined:
        return replace(layer, x=[x - begin for x in layer.x[first:]], y=layer.y[first:])
    kept = [(x - begin, y, marker) for x, y, marker in _points(layer) if x >= edge]
    marker = layer.marker if isinstance(layer.marker, str) else [marker for _, _, marker in kept]
    return replace(layer, x=[x for x, _, _ in kept], y=[y for _, y, _ in kept], marker=marker)
