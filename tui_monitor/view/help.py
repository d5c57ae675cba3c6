"""The help page: the list of keys, made from the table and from nothing else."""

from collections.abc import Collection

from tui_monitor.view.key_table import KEYS, OF_A_RUN, Group
from tui_monitor.view.text.rows import Row, Rows, Run, left, wrap

_KEY = 10


def help_rows(width: int, groups: Collection[Group] = OF_A_RUN) -> Rows:
    """Return the keys of some groups under their headings."""
    rows: list[Row] = []
    for group in (group for group in Group if group in groups):
        rows += [(), (Run(group.value, "headline"),)] if rows else [(Run(group.value, "headline"),)]
        for key in (k for k in KEYS if k.group is group):
            lines = wrap(key.help, width - _KEY)
            rows.append((left(key.shown, _KEY, "key-name"), *lines[0]))
            rows += [(left("", _KEY), *line) for line in lines[1:]]
    return tuple(rows)
