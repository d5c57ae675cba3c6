"""Keys that do the same on every screen."""

from tui_monitor.view.keys.key import Group, Key

OF_THE_PROGRAM: tuple[Key, ...] = (
    Key("question_mark,f1", "?", "help", "Show this list of keys.", "help", Group.PROGRAM),
    Key("q", "q", "quit", "Leave the screen; a live run asks whether to let it train on.", "leave", Group.PROGRAM),
    Key("ctrl+c", "Ctrl-C", "stop", "Ask how to stop the run.", "interrupt", Group.PROGRAM, in_footer=False),
    Key(
        "ctrl+z",
        "Ctrl-Z",
        "suspend",
        "Put the screen in the background; training goes on.",
        "suspend_process",
        Group.PROGRAM,
        in_footer=False,
    ),
    Key("ctrl+l", "Ctrl-L", "redraw", "Draw the whole screen again.", "redraw", Group.PROGRAM, in_footer=False),
    Key("ctrl+p", "Ctrl-P", "commands", "Find a command by name.", "command_palette", Group.PROGRAM, in_footer=False),
)
