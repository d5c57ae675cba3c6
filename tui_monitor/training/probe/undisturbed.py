"""How measuring runs between two steps of the user's: it leaves nothing of itself behind."""

import random
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from tui_monitor.training.backends.scopes import off_tape, open_scopes
from tui_monitor.training.guard import clear_frames

_Result = TypeVar("_Result")


def undisturbed(action: Callable[[], _Result]) -> _Result:
    """Return what an action returns, off the user's tapes, with global random states put back.

    Where the action fails, the scopes that the thread was in are put back, too.

    Tracing may call Python code of layers that draws. Keras' own generators are variables, which a piece of a graph
    restores; the global states of Python and NumPy are not.
    """
    python, numpy, scopes = random.getstate(), np.random.get_state(), open_scopes()
    try:
        try:
            with off_tape():
                return action()
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
    except BaseException as error:
        # What a signal handler raises may have fallen between any two lines, those of putting back included.
        random.setstate(python)
        np.random.set_state(numpy)
        # A scope whose block never began is a generator that leaves it when collected: not after it is put back.
        clear_frames(error)
        scopes()
        raise
