"""A grid of characters with symbolic style names: never changes, and every row is exactly as wide as the grid."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple


class Run(NamedTuple):
    """Neighbouring characters of one row that share a style."""

    text: str
    """One character a cell, except in text that came from outside, where a character may take two."""
    style: str
    """Symbolic name, such as `train` or `axis`; empty for the default."""


Row = tuple[Run, ...]


class Cell(NamedTuple):
    """One cell of the grid."""

    character: str
    style: str


@dataclass(frozen=True)
class CellGrid:
    """Rows of cells, top first."""

    width: int
    height: int
    rows: tuple[Row, ...]
    """One entry for each of `height` rows."""

    def cells(self, row: int) -> Iterator[Cell]:
        """Yield the cells of a row from left to right.

        Args:
            row: from 0 at the top.

        Raises:
            IndexError: there is no such row.
        """
        for text, style in self.rows[row]:
            for character in text:
                yield Cell(character, style)

    @property
    def text(self) -> str:
        """The characters alone, one line a row."""
        return "\n".join("".join(run.text for run in row) for row in self.rows)


def row_of(cells: Iterable[Cell]) -> Row:
    """Return cells as a row, neighbours of one style joined."""
    return tuple(
        Run("".join(cell.character for cell in group), style)
        for style, group in groupby(cells, key=lambda cell: cell.style)
    )


def grid_of(rows: Iterable[Iterable[Cell]], width: int) -> CellGrid:
    """Return a grid of the given rows.

    Args:
        rows: top first, each of exactly `width` cells.
        width: cells a row.
    """
    joined = tuple(row_of(row) for row in rows)
    return CellGrid(width, len(joined), joined)
