"""How many cells a text takes: as the function says with which Textual crops rows, so that both always agree."""

import re

ONE_CELL = re.compile(r"[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2500-\u259f]*")
"""Characters of one cell each: a text of these alone needs no table, which takes its time to load."""


def cell_len(text: str) -> int:
    """Return the cells of a text."""
    if ONE_CELL.fullmatch(text):
        return len(text)
    from rich import cells  # noqa: PLC0415

    return cells.cell_len(text)


def set_cell_size(text: str, total: int) -> str:
    """Return a text cut or filled with blanks to so many cells."""
    if ONE_CELL.fullmatch(text):
        return text[: max(total, 0)].ljust(total)
    from rich import cells  # noqa: PLC0415

    return cells.set_cell_size(text, total)
