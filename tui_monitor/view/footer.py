"""The bottom row: the few keys that one needs now, most useful first, never cut in the middle."""

from collections.abc import Iterable

from tui_monitor.view.keys.key import Group, Key
from tui_monitor.view.text.rows import Rows, Run, cell_len

_MOST = 6
"""Keys beside help and quit."""


def footer_rows(keys: Iterable[Key], width: int) -> Rows:
    """Return the footer: six keys at most in the table's order, then help and quit.

    Args:
        keys: those that do something now.
        width: cells a row.
    """
    keys = [key for key in keys if key.in_footer]
    program = [key for key in keys if key.group is Group.PROGRAM]
    room = width - sum(_width(key) for key in program)
    shown: list[Key] = []
    for key in keys:
        if key.group is not Group.PROGRAM and _width(key) <= room and len(shown) < _MOST:
            shown.append(key)
            room -= _width(key)
    runs = [run for key in (*shown, *program) for run in (Run(f" {key.shown} ", "key"), Run(f"{key.label} ", "muted"))]
    return (tuple(runs),)


def typing_rows(*keys: tuple[str, str]) -> Rows:
    """Return the footer while a line is typed, when all other keys are letters: names of keys and what they do."""
    return (tuple(run for name, does in keys for run in (Run(f" {name} ", "key"), Run(f"{does} ", "muted"))),)


def _width(key: Key) -> int:
    return cell_len(key.shown) + cell_len(key.label) + 3
