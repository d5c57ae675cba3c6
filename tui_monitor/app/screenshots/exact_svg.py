"""Makes Textual's SVG independent of fonts: every word at its own column, dots and blocks as shapes."""

import html
import re

_TEXT = re.compile(
    r'<text class="(?P<css>[^"]*)" x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" textLength="(?P<length>[\d.]+)"'
    r"(?P<more>[^>]*)>(?P<text>.*?)</text>",
    re.DOTALL,
)
_WORD = re.compile(r"[^\s░█▌▐▀▄▉▊▋▍▎▏\u2800-\u28ff]+")
_ROW_HEIGHT = 24.4
_BASELINE = 18.5
_DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
"""Column and row of each braille bit, lowest first."""
_BLOCKS = {
    "█": (0.0, 0.0, 1.0, 1.0),
    "▌": (0.0, 0.0, 0.5, 1.0),
    "▐": (0.5, 0.0, 0.5, 1.0),
    "▀": (0.0, 0.0, 1.0, 0.5),
    "▄": (0.0, 0.5, 1.0, 0.5),
    **{chr(0x2590 - eighths): (0.0, 0.0, eighths / 8, 1.0) for eighths in range(1, 8)},
}


def exact_svg(svg: str) -> str:
    """Return the SVG with every word pinned to its cells.

    Args:
        svg: as `App.export_screenshot` returns it.
    """
    return _TEXT.sub(_pinned, svg)


def _pinned(match: re.Match[str]) -> str:
    text = html.unescape(match["text"]).replace("\xa0", " ")
    left, base, length = float(match["x"]), float(match["y"]), float(match["length"])
    cell = length / max(len(text), 1)
    top = base - _BASELINE
    css, more = match["css"], match["more"]
    shapes: list[str] = []
    for index, character in enumerate(text):
        x = left + index * cell
        if "\u2800" <= character <= "\u28ff":
            shapes += _dots(character, x, top, cell)
        elif character in _BLOCKS:
            shapes.append(_rectangle(_BLOCKS[character], x, top, cell))
        elif character == "░":
            shapes += _shade(x, top, cell)
    parts = [f'<g class="{css}"{more}>{"".join(shapes)}</g>'] if shapes else []
    for word in _WORD.finditer(text):
        x = left + word.start() * cell
        parts.append(
            f'<text class="{css}" x="{x:.1f}" y="{base:g}" textLength="{len(word[0]) * cell:.1f}"{more}>'
            f"{html.escape(word[0])}</text>"
        )
    return "".join(parts)


def _dots(character: str, x: float, top: float, cell: float) -> list[str]:
    bits = ord(character) - 0x2800
    return [
        f'<circle cx="{x + cell * (0.25 + 0.5 * column):.1f}" cy="{top + _ROW_HEIGHT * (0.125 + 0.25 * row):.1f}" '
        f'r="{cell * 0.155:.2f}"/>'
        for bit, (column, row) in enumerate(_DOTS)
        if bits >> bit & 1
    ]


def _rectangle(shape: tuple[float, float, float, float], x: float, top: float, cell: float) -> str:
    across, down, width, height = shape
    return (
        f'<rect x="{x + across * cell:.2f}" y="{top + down * _ROW_HEIGHT:.2f}" '
        f'width="{width * cell + 0.1:.2f}" height="{height * _ROW_HEIGHT + 0.1:.2f}"/>'
    )


def _shade(x: float, top: float, cell: float) -> list[str]:
    size = cell / 8
    return [
        f'<rect x="{x + cell * (column + 0.25 + 0.5 * (row % 2)) / 2:.2f}" '
        f'y="{top + _ROW_HEIGHT * (row + 0.3) / 8:.2f}" '
        f'width="{size:.2f}" height="{size:.2f}"/>'
        for row in range(8)
        for column in range(2)
    ]
