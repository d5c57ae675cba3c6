"""Harm that comes from inside the training's process: each returns what is called before every batch."""

import resource
import signal
import time
from collections.abc import Callable

FULL_FROM, ROOM_FROM = 100, 240
"""Batches between which the disk is full."""
ROOM_SECONDS = 0.6
"""Waited before there is room: the writer looks again twice a second."""
JUMP_AT = 50


def full_disk() -> Callable[[int], None]:
    """Let no file grow for more batches than can wait."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]

    def before(batch: int) -> None:
        if batch == FULL_FROM:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        elif batch == ROOM_FROM:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            time.sleep(ROOM_SECONDS)

    return before


def clock_back() -> Callable[[int], None]:
    """Set the wall clock of the process back by a day."""
    now, now_ns = time.time, time.time_ns

    def before(batch: int) -> None:
        if batch == JUMP_AT:
            time.time = lambda: now() - 86_400
            time.time_ns = lambda: now_ns() - 86_400 * 10**9

    return before
