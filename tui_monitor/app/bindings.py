"""The key table as Textual bindings."""

from textual.binding import Binding

from tui_monitor.view.key_table import KEYS, Group


def bindings(*, without: Group | None = None) -> list[Binding | tuple[str, str] | tuple[str, str, str]]:
    """Return the table as Textual bindings.

    Args:
        without: a group of keys that an app has no action for.
    """
    return [
        Binding(key.keys, key.action, key.label, priority=key.keys.startswith("ctrl+"))
        for key in KEYS
        if key.group is not without
    ]
