"""The one place on the command line where an error becomes a sentence and an exit code."""

import sys
from collections.abc import Sequence

import click

from tui_monitor.errors import MonitorError

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def run_program(program: click.Command, arguments: Sequence[str]) -> int:
    """Run a command and return its exit code; what goes wrong is one sentence on standard error."""
    try:
        code = program.main(list(arguments), prog_name="tui-monitor", standalone_mode=False)
    except MonitorError as error:
        return _say(str(error), error.exit_code)
    except click.ClickException as error:
        return _say(error.format_message() + _where_to_read(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _say("Interrupted.", INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        return _say(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), 1)
    return code if isinstance(code, int) else 0


def _where_to_read(error: click.ClickException) -> str:
    """Return which command tells how the one at fault is used."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f" More: {context.command_path} --help" if context is not None else ""


def _say(sentence: str, code: int) -> int:
    print(f"tui-monitor: {sentence}", file=sys.stderr)
    return code
