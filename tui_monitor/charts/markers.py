"""The characters a chart is drawn with: one set for each kind of terminal, all told apart without colour."""

from dataclasses import dataclass
from enum import StrEnum


class MarkerSet(StrEnum):
    """How finely, and with which characters, curves are drawn."""

    BRAILLE = "braille"
    """Two by four dots a cell: the default."""
    BLOCKS = "blocks"
    """Two by two quarters a cell, for fonts without braille."""
    ASCII = "ascii"
    """One character a cell, for terminals without UTF-8."""


@dataclass(frozen=True)
class Glyphs:
    """The characters of one marker set."""

    columns: int
    """Dot columns in a cell."""
    rows: int
    """Dot rows in a cell."""
    train_line: str
    """plotext's name of the marker, or the character itself."""
    validation_line: str
    band: str
    """Two cells of the band as it is drawn, for the legend."""
    edge: str
    """Two cells of a level edge of the band, where that is drawn as an outline."""
    line: str
    """Two cells of a level mean line as it is drawn, for the legend."""
    train_marker: str
    validation_marker: str
    bad_marker: str
    above_marker: str
    below_marker: str
    bracket: str
    """Of the gap: its upper end, its middle, its lower end, and all of it in one row."""
    leader: str
    """Of the dots from the gap's marks to its bracket."""
    grid: str
    horizontal: str
    vertical: str
    corner: str
    tick_below: str
    tick_left: str


_DRAWN = {
    "train_marker": "●",
    "validation_marker": "◆",
    "bad_marker": "×",
    "above_marker": "↑",
    "below_marker": "↓",
    "bracket": "┐│┘╴",
    "leader": "·",
    "grid": "┈",
    "horizontal": "─",
    "vertical": "│",
    "corner": "└",
    "tick_below": "┬",
    "tick_left": "┤",
}

_GLYPHS = {
    MarkerSet.BRAILLE: Glyphs(2, 4, "braille", "braille", band="⡐⡐", edge="⠂⠂", line="⠒⠒", **_DRAWN),
    MarkerSet.BLOCKS: Glyphs(2, 2, "hd", "hd", band="▖▖", edge="▘▘", line="▀▀", **_DRAWN),
    MarkerSet.ASCII: Glyphs(
        columns=1,
        rows=1,
        train_line="*",
        validation_line="-",
        band="..",
        edge="..",
        line="**",
        train_marker="o",
        validation_marker="V",
        bad_marker="x",
        above_marker="^",
        below_marker="_",
        bracket="+|+-",
        leader=".",
        grid=".",
        horizontal="-",
        vertical="|",
        corner="+",
        tick_below="+",
        tick_left="+",
    ),
}


def glyphs(markers: MarkerSet) -> Glyphs:
    """Return the characters of a marker set."""
    return _GLYPHS[markers]
