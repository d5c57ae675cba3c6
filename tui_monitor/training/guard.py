"""The one guard between our code and the training: what fails in us is told, and the training goes on.

Whatever of ours is called from inside a `fit` is called through `attempt`, or does by hand what that does.
"""

import functools
import inspect
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

Failed = Callable[[Exception], None]
"""Takes the word that something of ours failed; may fail itself."""


@dataclass
class _LastResort:
    """Who is told of a failure that whoever was to be told could not take."""

    told: Failed = lambda error: None


LAST_RESORT: Final = _LastResort()


def attempt(failed: Failed, action: Callable[..., Any], *args: Any, otherwise: Any) -> Any:
    """Return what an action returns, or something else where it fails.

    Args:
        failed: told of a failure.
        action: called with the arguments that follow.
        args: of the action.
        otherwise: returned after a failure.

    Raises:
        BaseException: what is no failure of ours passes: a `KeyboardInterrupt`, and whatever a signal handler raises.
    """
    try:
        return action(*args)
    except Exception as error:  # training must go on
        tell(failed, error)
        return otherwise


def tell(failed: Failed, error: Exception) -> Any:
    """Tell of a failure of ours that was caught, and return None in place of what failed; raise it where it is none.

    What Keras itself calls catches by hand, its first statement being `try`, so that not even the guard can fail it.
    """
    try:
        theirs = _of_the_user(error)
    except Exception:  # looking for it must not take its place
        theirs = None
    if theirs is not None:
        raise theirs
    try:
        failed(error)
    except Exception as second:  # it is told, too, but by something that knows less of what is lost
        with suppress(Exception):
            LAST_RESORT.told(second)
    return None


def ignored(error: Exception) -> None:
    """Say nothing of a failure that something else says, or that costs nobody anything."""


def raise_what_is_the_users(error: BaseException) -> None:
    """Raise what a signal handler has raised while our code ran, if that is the error or made it.

    A time limit, for one, is often made of `signal.alarm` and a handler that raises; libraries that we call may turn
    what they catch, Ctrl-C included, into an error of their own.
    """
    try:
        theirs = _of_the_user(error)
    except Exception:  # looking for it must not take its place
        theirs = None
    if theirs is not None:
        raise theirs


def clear_frames(error: BaseException) -> None:
    """Forget the variables of all functions that an error being handled has ended, or those that it followed from."""
    for each in with_causes(error):
        traceback.clear_frames(each.__traceback__)


def _of_the_user(error: BaseException) -> BaseException | None:
    """Return what a signal handler has raised, as if it had been called from the line of ours that raises it again."""
    handlers = {_code_of(signal.getsignal(number)) for number in signal.valid_signals()} - {None}
    for each in with_causes(error):
        at = each.__traceback__
        while at is not None and at.tb_frame.f_code not in handlers:
            at = at.tb_next
        if at is not None or isinstance(each, KeyboardInterrupt):
            return each.with_traceback(at)
    return None


def with_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error that is being handled, and those that it followed from and that our code, or a library's, raised.

    What a function around ours is handling was raised before: a `fit` may stand in an `except`.
    """
    around: set[FrameType] = set()
    frame = error.__traceback__.tb_frame.f_back if error.__traceback__ is not None else None
    while frame is not None:
        around.add(frame)
        frame = frame.f_back
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        each = todo.pop()
        if each is None or id(each) in seen or (each.__traceback__ and each.__traceback__.tb_frame in around):
            continue
        seen.add(id(each))
        yield each
        todo += [each.__cause__, each.__context__]


def _code_of(handler: Any) -> Any:
    """Return the code that a signal handler begins with, or None where it is none of Python's."""
    while isinstance(handler, functools.partial):
        handler = handler.func
    called = handler if hasattr(handler, "__code__") else inspect.getattr_static(type(handler), "__call__", None)
    return getattr(called, "__code__", None)
