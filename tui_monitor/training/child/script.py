"""Runs a user's script or module as `python` would: `__main__`, `sys.argv`, `sys.path[0]`, traceback, exit code."""

import contextlib
import importlib.util
import os
import runpy
import sys
import traceback
import types
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path

from tui_monitor.errors import UsageError
from tui_monitor.training.guard import with_causes

_OURS = str(Path(__file__).resolve().parents[2]) + os.sep
"""Where our own code lies."""


@dataclass(frozen=True)
class Target:
    """What `python TARGET arguments...` is to run."""

    name: str
    """Path of a script, or dotted name of a module."""
    arguments: tuple[str, ...] = ()
    """What follows it on the command line."""
    is_module: bool = False
    """Whether it was given with `-m`."""


def run_target(target: Target) -> None:
    """Run the target in this process, as its `__main__`.

    Whatever the target raises, `SystemExit` included, comes out unchanged.

    Raises:
        UsageError: there is no such script or module.
    """
    if target.is_module:
        _run_module(target)
    else:
        _run_script(target)


def _run_script(target: Target) -> None:
    path = Path(target.name)
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UsageError(f"Can't open the script {target.name}: {error.strerror}.") from error
    sys.argv = [target.name, *target.arguments]
    sys.orig_argv = [sys.executable, *sys.argv]
    if not sys.flags.safe_path:
        # As Python does: the folder of the file itself, not of a symbolic link to it.
        sys.path[0] = str(path.resolve().parent)
    # No `runpy.run_path`: it puts the old `__main__` back at the end, while the script's threads still use theirs.
    main = types.ModuleType("__main__")
    # Absolute, as Python has it: a script finds what lies beside it wherever it goes.
    main.__file__ = os.path.join(os.getcwd(), target.name)  # noqa: PTH109, PTH118 - Python leaves `./` in it
    main.__cached__ = None  # type: ignore[attr-defined]
    main.__loader__ = SourceFileLoader("__main__", main.__file__)
    main.__annotations__ = {}
    main.__builtins__ = sys.modules["builtins"]  # type: ignore[attr-defined]
    sys.modules["__main__"] = main
    # From bytes, for the encoding that the script declares; none of our own `__future__` imports are passed on.
    code = compile(source, main.__file__, "exec", dont_inherit=True)
    exec(code, main.__dict__)


def _run_module(target: Target) -> None:
    sys.argv = [target.name, *target.arguments]
    sys.orig_argv = [sys.executable, "-m", *sys.argv]
    if not sys.flags.safe_path:
        sys.path[0] = str(Path.cwd())
    try:
        found = importlib.util.find_spec(target.name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{target.name}.".startswith(f"{error.name}."):
            raise UsageError(f"Importing the package of {target.name} failed: {error}.") from error
        found = None
    if found is None:
        raise UsageError(f"There is no module {target.name} to run from {Path.cwd()}.")
    runpy.run_module(target.name, run_name="__main__", alter_sys=True)


def exit_code_of(leaving: SystemExit) -> int:
    """Return the exit code that Python gives a `SystemExit`; a message is printed, as Python would."""
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    # Without one, Python prints to what was the process' own.
    print(leaving.code, file=sys.stderr or sys.__stderr__)
    return 1


def traceback_text(error: BaseException) -> str:
    """Return the error's traceback as Python would print it."""
    return "".join(traceback.format_exception(type(error), error, error.__traceback__))


def print_failed_hook(failure: BaseException, error: BaseException) -> None:
    """Print what Python prints where `sys.excepthook` itself fails.

    Args:
        failure: what the hook raised.
        error: what the hook was to print.
    """
    without_our_frames(failure)
    first = failure
    while first.__context__ is not None and first.__context__ is not error:
        first = first.__context__
    # Python calls the hook when nothing is being handled any more.
    BaseException.__dict__["__context__"].__set__(first, None)
    with contextlib.suppress(Exception):
        sys.stderr.write(f"Error in sys.excepthook:\n{traceback_text(failure)}\n")
        sys.stderr.write(f"Original exception was:\n{traceback_text(error)}")


def comes_from_script(error: BaseException) -> bool:
    """Whether an error was raised while the target ran, as opposed to before it."""
    return _theirs(error.__traceback__) is not None


def without_our_frames(error: BaseException) -> None:
    """Remove our frames from the tracebacks of an error and of its causes: they then read as under `python`."""
    for each in with_causes(error):
        # Past `__setattr__`, which a class of the script's may have.
        BaseException.with_traceback(each, _theirs(each.__traceback__))


def _theirs(trace: types.TracebackType | None) -> types.TracebackType | None:
    """Return a traceback without the frames that ran the target or recorded its fits."""
    frames = []
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith((_OURS, "<frozen runpy>")):
            frames.append(trace)
        trace = trace.tb_next
    # In a loop: an endless recursion of the script's leaves no room for one of ours.
    rest: types.TracebackType | None = None
    for each in reversed(frames):
        # What Python compiles of no line, such as the end of a loop, has no number.
        line = each.tb_lineno or each.tb_frame.f_code.co_firstlineno
        rest = types.TracebackType(rest, each.tb_frame, each.tb_lasti, line)
    return rest
