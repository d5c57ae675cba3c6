"""The help page: the list of keys, made from the table and from nothing else."""

from collections.abc import Collection

from tui_monitor.view.keys.key import Group, Key
from tui_monitor.view.keys.table import KEYS, OF_A_RUN
from tui_monitor.view.text.rows import Row, Rows, Run, left, wrap

_KEY = 10


def help_rows(width: int, groups: Collection[Group] = OF_A_RUN, search: str = "") -> Rows:
    """Return the keys of some groups under their headings.

    Args:
        width: cells a row.
        groups: of keys.
        search: words that must all stand in what is said about a key, in any order; none gives every key.
    """
    words = search.lower().split()
    rows: list[Row] = []
    for group in (group for group in Group if group in groups):
        keys = [key for key in KEYS if key.group is group and all(word in _said(key) for word in words)]
        if not keys:
            continue
        rows += [(), (Run(group.value, "headline"),)] if rows else [(Run(group.value, "headline"),)]
        for key in keys:
            lines = wrap(key.help, width - _KEY)
            rows.append((left(key.shown, _KEY, "key-name"), *lines[0]))
            rows += [(left("", _KEY), *line) for line in lines[1:]]
    return tuple(rows) or wrap("No key does that.", width, "muted")


def _said(key: Key) -> str:
    return f"{key.shown} {key.label} {key.help} {key.group.value}".lower()
