"""Which call of `fit` a recording began in, and whether that still runs: a callback does not learn of its end."""

import sys
import threading
from dataclasses import dataclass
from types import FrameType

_NOT_TRAINING = ("evaluate", "predict")


@dataclass(frozen=True)
class Caller:
    """A function that is under way, in some thread."""

    frame: FrameType
    thread: int

    def is_running(self) -> bool:
        """Return whether the function has neither returned nor raised; any thread may ask."""
        frame = sys._current_frames().get(self.thread)
        while frame is not None and frame is not self.frame:
            frame = frame.f_back
        return frame is not None


@dataclass(frozen=True)
class Inside:
    """What this thread is in the midst of."""

    fit: Caller | None
    """The innermost function of the name `fit`, or None."""
    is_training: bool
    """False within an `evaluate` or a `predict` that is no part of it."""


def inside() -> Inside:
    """Return what the caller of this function is a part of."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_name
        if name == "fit":
            return Inside(Caller(frame, threading.get_ident()), is_training=True)
        if name in _NOT_TRAINING:
            return Inside(None, is_training=False)
        frame = frame.f_back
    return Inside(None, is_training=True)
