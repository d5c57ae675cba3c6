"""Options of every command that may open a screen; they hold for whatever screen the command opens."""

import os
from collections.abc import Callable
from typing import Any

import click

from tui_monitor.app.terminal.screen_options import COARSE_FRAMES, LOCAL_FRAMES, REMOTE_FRAMES, ScreenOptions
from tui_monitor.cli.option_types import NumberWithin
from tui_monitor.errors import UsageError

THEME_VARIABLE = "TUI_MONITOR_THEME"
"""Environment variable that names the theme."""

_KEY = "tui_monitor.screen"
_THEMES = {"light": "textual-light", "dark": "textual-dark"}
_LIGHT_BACKGROUNDS = ("7", "15")


def screen_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command; `chosen_options` then returns what was given."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    context.meta.setdefault(_KEY, {})[parameter.name] = value


_OPTIONS = (
    click.option(
        "--fps",
        type=NumberWithin(0.1, 10),
        metavar="N",
        expose_value=False,
        callback=_keep,
        help=f"Maximum frames per second (default: {LOCAL_FRAMES:g}, over SSH {REMOTE_FRAMES:g}).",
    ),
    click.option(
        "--low-bandwidth",
        is_flag=True,
        expose_value=False,
        callback=_keep,
        help="Send little: one frame a second, charts less often, fewer colours, no animation.",
    ),
    click.option(
        "--quiet",
        is_flag=True,
        expose_value=False,
        callback=_keep,
        help="No bell and no notification at the end or at alerts.",
    ),
    click.option(
        "--ascii",
        is_flag=True,
        expose_value=False,
        callback=_keep,
        help="Draw charts and frames with ASCII characters alone (default where the terminal has no others).",
    ),
    click.option(
        "--theme",
        metavar="NAME",
        expose_value=False,
        callback=_keep,
        help=f"light, dark, or a Textual theme (default: {THEME_VARIABLE}, else what the terminal says).",
    ),
)


def chosen_options() -> ScreenOptions:
    """Return the options of the command that runs, filled in from the terminal, which is prepared for them.

    Raises:
        UsageError: there is no such theme.
    """
    context = click.get_current_context(silent=True)
    given: dict[str, Any] = context.meta.get(_KEY, {}) if context is not None else {}
    is_remote = any(name in os.environ for name in ("SSH_CONNECTION", "SSH_TTY"))
    is_low = bool(given.get("low_bandwidth"))
    # Read by Textual when it is imported.
    if is_low or is_remote:
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    if is_low and os.environ.get("COLORTERM"):
        os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "256")
    usual = COARSE_FRAMES if is_low else REMOTE_FRAMES if is_remote else LOCAL_FRAMES
    return ScreenOptions(
        frames_a_second=given.get("fps") or usual,
        low_bandwidth=is_low,
        notifies=not given.get("quiet"),
        ascii_only=bool(given.get("ascii")),
        theme=_theme(given.get("theme") or os.environ.get(THEME_VARIABLE, "")),
    )


def _theme(name: str) -> str:
    if not name:
        background = os.environ.get("COLORFGBG", "").rpartition(";")[2]
        return _THEMES["light"] if background in _LIGHT_BACKGROUNDS else ""
    from textual.theme import BUILTIN_THEMES

    theme = _THEMES.get(name, name)
    if theme not in BUILTIN_THEMES:
        raise UsageError(f"There is no theme {name!r}. Name one of: {', '.join([*_THEMES, *BUILTIN_THEMES])}.")
    return theme
