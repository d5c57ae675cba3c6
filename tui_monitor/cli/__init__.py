"""The command line: a module for each command, and one place where errors become sentences and exit codes.

In: arguments, the environment and whether there is a terminal. Out: a screen, lines on standard error, text or JSON on
standard output, and an exit code.

`commands` declares every command with its options, so open it first; the module of a command is imported only when it
runs, to start fast. `watch_command` decides between the screen and `headless` lines for all that watch a run.
`boundary` catches errors. `screen_options` are the options of every command that may open a screen, `options`
those that several commands have.
"""

import sys

from tui_monitor.cli.boundary import run_program
from tui_monitor.cli.commands import program


def main() -> None:
    """Run `tui-monitor` with the process's arguments and exit with its code."""
    sys.exit(run_program(program, sys.argv[1:]))
