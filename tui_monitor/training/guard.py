"""The one guard between our code and the training: what fails in us is told, and the training goes on.

Whatever of ours is called from inside a `fit` is called through `attempt`, or does by hand what that does.
"""

import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any

Failed = Callable[[Exception], None]
"""Takes the word that something of ours failed; may fail itself."""


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
    if comes_from_signal_handler(error):
        raise error
    with suppress(Exception):
        failed(error)
    return None


def ignored(error: Exception) -> None:
    """Say nothing of a failure that something else says, or that costs nobody anything."""


def comes_from_signal_handler(error: BaseException) -> bool:
    """Return whether an error was raised by a signal handler of the user's that ran while our code did.

    A time limit, for one, is often made of `signal.alarm` and a handler that raises.
    """
    handlers = {getattr(signal.getsignal(number), "__code__", None) for number in signal.valid_signals()}
    frame = error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code in handlers:
            return True
        frame = frame.tb_next
    return False
