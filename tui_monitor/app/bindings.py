"""The key table as Textual bindings."""

from textual.binding import Binding

from tui_monitor.view.key_table import KEYS


def bindings() -> list[Binding | tuple[str, str] | tuple[str, str, str]]:
    """Return the table as Textual bindings."""
    return [Binding(key.keys, key.action, key.label, priority=key.keys.startswith("ctrl+")) for key in KEYS]
