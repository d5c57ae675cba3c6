"""The one table of keys, and which of them each screen has."""

from tui_monitor.view.keys.key import Group, Key
from tui_monitor.view.keys.of_many_runs import OF_MANY_RUNS
from tui_monitor.view.keys.of_one_run import OF_ONE_RUN
from tui_monitor.view.keys.of_the_program import OF_THE_PROGRAM

KEYS: tuple[Key, ...] = (*OF_ONE_RUN, *OF_MANY_RUNS, *OF_THE_PROGRAM)
"""In the order in which footer and help have them."""

OF_THE_TABLE = (Group.TABLE, Group.PROGRAM)
"""Groups whose keys the table of runs has."""
OF_THE_OVERLAY = (Group.OVERLAY,)
"""Groups whose keys the chart of several runs has."""
OF_A_PAGE = (Group.PAGE,)
"""Groups whose keys an answer over the whole screen has."""
OF_A_SWEEP = (Group.PAGE, Group.SWEEP)
"""Groups whose keys the table of hyper-parameters has."""
OF_A_RUN = tuple(group for group in Group if group not in (Group.TABLE, Group.OVERLAY, Group.PAGE, Group.SWEEP))
"""Groups whose keys the screen of one run has."""


def keys_as_markdown() -> str:
    """Return the table as Markdown, for the README."""
    lines = ["| key | what it does |", "|---|---|"]
    for group in Group:
        lines.append(f"| **{group.value}** | |")
        lines += [f"| `{key.shown}` | {key.help} |" for key in KEYS if key.group is group]
    return "\n".join(lines) + "\n"
