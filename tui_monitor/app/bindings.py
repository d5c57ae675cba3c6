"""The key table as Textual bindings."""

from collections.abc import Collection

from textual.binding import Binding

from tui_monitor.view.keys.key import Group
from tui_monitor.view.keys.table import KEYS, OF_A_RUN


def bindings(
    groups: Collection[Group] = OF_A_RUN, *, without: Group | None = None
) -> list[Binding | tuple[str, str] | tuple[str, str, str]]:
    """Return keys of the table as Textual bindings.

    Args:
        groups: whose keys an app has.
        without: a group among them that it has no action for.
    """
    return [
        Binding(key.keys, key.action, key.label, priority=key.keys.startswith("ctrl+"))
        for key in KEYS
        if key.group in groups and key.group is not without
    ]
