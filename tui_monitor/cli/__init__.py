"""The command line: one function per command, one place where errors become sentences and exit codes."""

import sys

from tui_monitor.cli.boundary import run_program
from tui_monitor.cli.commands import program


def main() -> None:
    """Run `tui-monitor` with the process's arguments and exit with its code."""
    sys.exit(run_program(program, sys.argv[1:]))
