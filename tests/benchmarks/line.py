"""What the screen sends for a live demo, and the age of its frame: `python -m tests.benchmarks.line`."""

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.faults.terminal import Terminal, monitor
from tests.faults.training import wait_until
from tui_monitor.history.load import load

SIZES = ((80, 24), (120, 40), (200, 60))
SECONDS = 20.0
FRAMES_A_SECOND = 4
SLOW_BYTES_A_SECOND, SLOW_DELAY = 20_000, 0.15


def slow_line() -> tuple[dict[tuple[int, int], float], float, float]:
    """Return bytes a second by terminal size, then the frame's median and greatest age on a slow line in seconds."""
    with tempfile.TemporaryDirectory() as runs:
        command = monitor("demo", "--headless", "--epochs", "500", "--name", "live", "--runs", runs)
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as process:
            run = Path(runs) / "live"
            try:
                wait_until(lambda: (run / "run.json").exists() and _batches(run) > 400, 240)
                sent = {size: _bytes_a_second(run, size) for size in SIZES}
                ages = _ages(run)
            finally:
                _end(run, process)
    return sent, float(np.median(ages)), float(np.max(ages))


def _end(run: Path, process: subprocess.Popen[bytes]) -> None:
    os.kill(load(run).run.pid, signal.SIGKILL)
    process.wait()


def _batches(run: Path) -> int:
    fit = load(run).fit
    return fit.batches if fit is not None else 0


def _attach(run: Path) -> list[str]:
    return monitor("attach", str(run), "--fps", str(FRAMES_A_SECOND))


def _bytes_a_second(run: Path, size: tuple[int, int]) -> float:
    with Terminal(_attach(run), size, {}) as terminal:
        terminal.wait_for("epoch ")
        time.sleep(3)
        before = len(terminal.received)
        time.sleep(SECONDS)
        return (len(terminal.received) - before) / SECONDS


def _ages(run: Path) -> list[float]:
    """Return, for moments of a while on a slow line, how long ago the batch after the shown one had ended."""
    looks: list[tuple[float, int, int]] = []
    with Terminal(_attach(run), (120, 40), {}, bytes_a_second=SLOW_BYTES_A_SECOND, delay=SLOW_DELAY) as terminal:
        terminal.wait_for("epoch ")
        time.sleep(5)
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            words = terminal.display[1].replace("/", " ").split()
            looks.append((time.time(), int(words[1]), next(int(word) for word in words[3:] if word.isdigit())))
            time.sleep(0.05)
    snapshot = load(run)
    assert snapshot.fit is not None
    records = np.fromfile(run / snapshot.fit.info.batches, dtype=snapshot.fit.info.dtype)
    ends = snapshot.run.created + records["time"]
    ages = []
    for now, epoch, batch in looks:
        shown = snapshot.fit.epoch_starts[epoch - 1] + batch
        ages.append(max(0.0, now - ends[shown]) if shown < len(ends) else 0.0)
    return ages


def main() -> None:
    """Measure and print."""
    sent, median, greatest = slow_line()
    for (columns, rows), rate in sent.items():
        print(f"| bytes a second for a live demo at {columns}×{rows}, {FRAMES_A_SECOND} frames a second | {rate:.0f} |")
    slow = f"{SLOW_BYTES_A_SECOND // 1000} kB/s and {1000 * SLOW_DELAY:.0f} ms"
    print(
        f"| age of the frame at 120×40 over a line of {slow}, median (greatest) | {median:.2f} s ({greatest:.2f} s) |"
    )


if __name__ == "__main__":
    main()
