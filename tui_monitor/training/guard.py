"""The one guard between our code and the training: what fails in us is told, and the training goes on.

Whatever of ours is called from inside a `fit` is called through `attempt`, or follows it by hand in the fast path.
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
        if comes_from_signal_handler(error):
            raise
        with suppress(Exception):
            failed(error)
        return otherwise


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
