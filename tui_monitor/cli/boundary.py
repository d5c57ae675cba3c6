"""The one place on the command line where an error becomes a sentence and an exit code."""

import codecs
import sys
import unicodedata
from collections.abc import Sequence
from contextlib import suppress

import click

from tui_monitor.errors import MonitorError

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


_ANY_ENCODING = "tui-monitor-plain"
_PLAIN = str.maketrans(
    {
        "–": "-",
        "—": "-",
        "−": "-",
        "×": "x",
        "÷": "/",
        "…": "...",
        "→": "->",
        "≤": "<=",
        "≥": ">=",
        "≈": "~",
        "±": "+/-",
    }
    | {"·": "."}
    | dict.fromkeys("‘’", "'")
    | dict.fromkeys("“”", '"')
    | dict.fromkeys("━─╸╺", "-")
    | dict(zip("▁▂▃▄▅▆▇█", "_.,-~+*#", strict=True))
)


def speak_any_encoding() -> None:
    """Make standard output and error replace what their encoding has no character for, whatever the locale."""
    codecs.register_error(_ANY_ENCODING, _in_plain_characters)
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors=_ANY_ENCODING)  # type: ignore[union-attr]


def _in_plain_characters(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return what stands for characters that an encoding lacks; bytes of file names stay what they were."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    if all("\udc80" <= character <= "\udcff" for character in text):
        return bytes(ord(character) - 0xDC00 for character in text), error.end
    plain = "".join(map(_plain_character, text))
    return plain, error.end


def _plain_character(character: str) -> str:
    plain = character.translate(_PLAIN)
    if plain == character:
        plain = unicodedata.normalize("NFKD", character)
    plain = plain.encode("ascii", errors="ignore").decode("ascii")
    return plain or "?"


def run_program(program: click.Command, arguments: Sequence[str]) -> int:
    """Run a command and return its exit code; what goes wrong is one sentence on standard error."""
    speak_any_encoding()
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
