"""Says that no batch comes while training waits: a thread compares the time since the last one with the usual pace."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tui_monitor import units
from tui_monitor.training.guard import Failed, ignored, tell

TICK_SECONDS = 1.0
LEAST_SECONDS = 10.0
"""Seconds without a batch that may be a stall, at least."""
_TIMES_USUAL = 50.0
_FEWEST_BATCHES = 20
_IDLE = 0.1
"""Fraction of one core below which the process counts as idle."""


@dataclass
class Pace:
    """Learns the usual pace from a count of batches, and notices an unusual wait. All times in seconds of any clock."""

    batches: int = 0
    busy_seconds: float = 0.0
    """Time in which batches were being trained on."""
    since: float | None = None
    """When the count last rose, or watching began; None while no batch is awaited."""
    idle_since: float = 0.0
    """Processor time of the process then."""
    told: bool = False

    def tick(self, batches: int | None, now: float, processor: float) -> str:
        """Take the count of batches and return a sentence at the beginning of a stall, else an empty one.

        Args:
            batches: done so far, or None while none is awaited: before the first, in validation, when paused.
            now: the present.
            processor: processor time that the process has used.
        """
        if batches is None or self.since is None or batches != self.batches:
            if batches is not None and self.since is not None and not self.told:
                self.busy_seconds += now - self.since
            self.batches = self.batches if batches is None else batches
            self.since = None if batches is None else now
            self.idle_since, self.told = processor, False
            return ""
        waited = now - self.since
        usual = self.busy_seconds / max(self.batches, 1)
        if self.told or self.batches < _FEWEST_BATCHES or waited < max(LEAST_SECONDS, _TIMES_USUAL * usual):
            return ""
        self.told = True
        is_idle = processor - self.idle_since < _IDLE * waited
        why = (
            "The process is idle: it waits, most likely for the input pipeline."
            if is_idle
            else "The process is busy: preparing the batch, a callback or the step itself takes this long."
        )
        return f"No batch for {units.duration(waited)}, usually {_short(usual)} each. {why}"


def _short(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


@dataclass
class StallWatch:
    """Ticks once a second, in a thread of its own that touches nothing of the training."""

    count: Callable[[], int | None]
    """Batches done so far, or None while none is awaited."""
    tell: Callable[[str], None]
    """Called from the thread with a sentence."""
    failed: Failed = ignored
    """Told where watching fails, which ends it."""
    seconds: float = TICK_SECONDS
    _done: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch inside the block."""
        thread = threading.Thread(target=self._watch, name="stall-watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            # Bounded: the thread may be inside a write to a disk that hangs, and the fit has to return.
            thread.join(timeout=1.0)

    def _watch(self) -> None:
        try:
            self._watch_until_done()
        except Exception as error:  # a thread's error would be printed into the script's output
            tell(self.failed, error)

    def _watch_until_done(self) -> None:
        pace = Pace()
        while not self._done.wait(self.seconds):
            # Processor time of all threads: an input pipeline that works in threads of its own is busy, not idle.
            sentence = pace.tick(self.count(), time.monotonic(), time.process_time())
            if sentence:
                self.tell(sentence)
