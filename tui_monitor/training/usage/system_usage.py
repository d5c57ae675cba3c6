"""What the training process and its machine use, written into the run at a low rate by a thread beside `fit`.

Nothing of the training is touched, and nothing here can fail it: the first failure ends the sampling; the run says so.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tui_monitor.run_log.events.usage import UsageSampled
from tui_monitor.run_log.format.error_text import in_a_line
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.guard import tell
from tui_monitor.training.usage.gpu_usage import GpuReader

_INTERVALS = ((600.0, 2.0), (7200.0, 10.0))
_LAST_INTERVAL = 60.0
_PATIENCE_SECONDS = 1.0
_JOIN_SECONDS = 0.1
"""A thread that a driver keeps longer ends by itself; training does not wait for it."""

Read = Callable[[], Mapping[str, Any]]
"""Returns the fields of one `system` event: what was used since the call before."""


def interval_seconds(run_seconds: float) -> float:
    """Return the time between two samples: 2 s in the first ten minutes, 10 s in the first two hours, then 60 s.

    A day's run so holds about 2 300 of them, of some 200 bytes each.
    """
    return next((interval for end, interval in _INTERVALS if run_seconds < end), _LAST_INTERVAL)


class SystemReader:
    """Reads what this process and its machine use; a call takes well under a millisecond without GPUs."""

    def __init__(self) -> None:
        """Begin to count.

        Raises:
            ImportError: psutil is not there.
        """
        import psutil

        self._psutil = psutil
        self._process = psutil.Process()
        self._gpus = GpuReader()
        self._at = (time.monotonic(), time.process_time(), *self._machine_seconds())

    def __call__(self) -> dict[str, Any]:
        """Return the usage; that of processors is a mean since the call before, or since the reader was made.

        `cpu_percent` is of one core, so 150 means one and a half of `cores`; `machine_cpu_percent` is of all cores.
        """
        before, now = self._at, (time.monotonic(), time.process_time(), *self._machine_seconds())
        self._at = now
        wall, own, busy, every = (after - earlier for after, earlier in zip(now, before, strict=True))
        return {
            "cpu_percent": _percent(own, wall),
            "cores": self._psutil.cpu_count(),
            "memory_bytes": self._process.memory_info().rss,
            "machine_cpu_percent": _percent(busy, every),
            "machine_memory_percent": self._psutil.virtual_memory().percent,
            "gpus": self._gpus.read(),
        }

    def _machine_seconds(self) -> tuple[float, float]:
        """Return busy and all processor seconds; psutil's own percentage is left to the script, as it keeps state."""
        times = self._psutil.cpu_times()
        # Linux counts a guest's time in user and nice already.
        every = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        return every - times.idle - getattr(times, "iowait", 0.0), every


def _percent(part: float, whole: float) -> float:
    return round(100 * max(part, 0.0) / whole, 1) if whole > 0 else 0.0


class SystemSampler:
    """Writes `system` events while a `fit` runs; short ones share an interval. A forked child writes none."""

    def __init__(
        self,
        writer: RunWriter,
        open_reader: Callable[[], Read] = SystemReader,
        interval: Callable[[float], float] = interval_seconds,
    ) -> None:
        """Prepare; nothing is imported or read yet.

        Args:
            writer: of the run.
            open_reader: makes what is called for each event; may raise, as may what it makes.
            interval: seconds to the next event at a run time in seconds.
        """
        self._writer = writer
        self._open_reader = open_reader
        self._interval = interval
        self._pid = os.getpid()
        self._turn = threading.Lock()
        self._read: Read | None = None
        self._due = 0.0
        self._has_failed = False

    @contextlib.contextmanager
    def sampling(self) -> Iterator[None]:
        """Write what is used inside the block."""
        if self._has_failed or os.getpid() != self._pid:
            yield
            return
        done = threading.Event()
        thread = threading.Thread(target=self._run, args=(done,), name="system-usage", daemon=True)
        with contextlib.suppress(RuntimeError):  # the system has no thread to give
            thread.start()
        try:
            yield
        finally:
            done.set()
            if thread.ident is not None:
                thread.join(timeout=_JOIN_SECONDS)

    def _run(self, done: threading.Event) -> None:
        try:
            # One thread at a time: another fit's may be reading, or stuck in a driver.
            if self._turn.acquire(timeout=_PATIENCE_SECONDS):
                try:
                    self._sample_until(done)
                finally:
                    self._turn.release()
        except Exception as error:  # a thread's error would be printed into the script's output
            tell(self._failed, error)

    def _failed(self, error: Exception) -> None:
        self._has_failed = True
        self._writer.event(UsageSampled(None, in_a_line(error)))

    def _sample_until(self, done: threading.Event) -> None:
        now = self._writer.seconds()
        if self._read is None or now > self._due:
            # What was used between two fits counts for neither.
            self._read = self._open_reader()
            self._due = now + self._interval(now)
        while not done.wait(max(self._due - self._writer.seconds(), 0.0)):
            self._writer.event(UsageSampled.read(self._read()))
            now = self._writer.seconds()
            self._due = now + self._interval(now)
