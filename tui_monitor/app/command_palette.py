"""The key table as commands that can be found by name."""

from collections.abc import Callable, Collection, Iterator
from functools import partial

from textual.actions import parse
from textual.app import App, SystemCommand

from tui_monitor.view.keys.key import Group
from tui_monitor.view.keys.table import KEYS, OF_A_RUN


def palette_commands(
    app: App[None],
    is_enabled: Callable[[str, tuple[object, ...]], bool],
    groups: Collection[Group] = OF_A_RUN,
) -> Iterator[SystemCommand]:
    """Yield a command for every key whose action would change anything now.

    Args:
        app: runs the actions.
        is_enabled: takes an action's name and parameters.
        groups: whose keys the app has.
    """
    for key in (key for key in KEYS if key.group in groups):
        _, name, parameters = parse(key.action)
        if name != "command_palette" and is_enabled(name, parameters):
            run = partial(app.call_later, app.run_action, key.action)
            # The palette searches titles alone: with the sentence in it, any of its words finds the command.
            yield SystemCommand(f"{key.label.capitalize()}: {key.help}", f"Key {key.shown}", run)
