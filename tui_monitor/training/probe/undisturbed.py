"""How measuring runs between two steps of the user's: it leaves nothing of itself behind."""

import random
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from tui_monitor.training.backends.scopes import open_scopes, stop_tapes
from tui_monitor.training.guard import clear_frames, then_put_back

_Result = TypeVar("_Result")


def undisturbed(action: Callable[[], _Result]) -> _Result:
    """Return what an action returns, off the user's tapes, the thread's scopes and global random states put back.

    Tracing may call Python code of layers that draws. Keras' own generators are variables, which a piece of a graph
    restores; the global states of Python and NumPy are not.
    """
    python, numpy, scopes = random.getstate(), np.random.get_state(), open_scopes()

    def measure() -> _Result:
        stop_tapes()
        try:
            return action()
        except BaseException as error:
            # A scope whose block never began is a generator that leaves it when collected: not after it is put back.
            clear_frames(error)
            raise

    def put_back() -> None:
        scopes()
        random.setstate(python)
        np.random.set_state(numpy)

    return then_put_back(measure, put_back)
