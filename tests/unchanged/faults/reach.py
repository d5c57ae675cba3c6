"""What every function of an instrumented copy calls first: it counts, and raises where a fault is to be injected.

Nothing happens outside of `watched`. The copy imports it, so it imports nothing of the monitor.
"""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

FIRST, SECOND, EVERY = "first call", "second call", "every call"
MODES = (FIRST, SECOND, EVERY)
_DUE: dict[str, Callable[[int], bool]] = {
    FIRST: lambda call: call == 1,
    SECOND: lambda call: call == 2,
    EVERY: lambda call: True,
}


class InjectedFault(Exception):
    """What a function raises for the test."""


@dataclass
class Watch:
    """One watched fit."""

    function: str = ""
    """Which function is to raise; none if empty."""
    mode: str = EVERY
    forced: frozenset[str] = frozenset()
    """Functions that raise at every call beside it, for what runs only after a failure."""
    calls: Counter[str] = field(default_factory=Counter)
    """Calls of each function, from whatever thread."""
    raised: int = 0
    """Faults that were injected."""


_watch: Watch | None = None
_lock = threading.Lock()


@contextlib.contextmanager
def watched(watch: Watch) -> Iterator[Watch]:
    """Count calls inside the block, and inject the watch's fault."""
    global _watch  # noqa: PLW0603 - the instrumented functions of a process call one place
    _watch = watch
    try:
        yield watch
    finally:
        _watch = None


def reach(function: str) -> None:
    """Note that a function is entered, and raise if it is to fail now.

    Raises:
        InjectedFault: it is.
    """
    watch = _watch
    if watch is None:
        return
    with _lock:
        watch.calls[function] += 1
        due = function == watch.function and _DUE[watch.mode](watch.calls[function])
        watch.raised += due
    if due or function in watch.forced:
        raise InjectedFault(f"injected into {function}")
