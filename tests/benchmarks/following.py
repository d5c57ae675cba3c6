"""What the screen costs, sends and shows while 5 000 batches a second are written: CPU, bytes, lag to the pixels."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
import pyte

from tests.faults.terminal import monitor
from tests.faults.training import wait_until
from tui_monitor.history.load import load
from tui_monitor.run_log.events.progress import EpochBegan, EpochEnded
from tui_monitor.run_log.format.layout import RunInfo, State
from tui_monitor.run_log.write.writer import RunWriter

BATCHES_A_SECOND, STEPS, EPOCHS = 5_000, 25_000, 10
SIZE = (120, 40)
FRAMES_A_SECOND = 4
WARM_SECONDS, SECONDS = 8.0, 20.0
_POSITION_ASKED, _POSITION = b"\x1b[6n", b"\x1b[1;1R"
_PROGRESS_ROW = 1
_PROGRESS = re.compile(r"epoch (\d+)/\d+\D*? (\d[\d ]*)/25 000")


@dataclass(frozen=True)
class Following:
    """One look at a screen that follows a run."""

    cpu: float
    """Fraction of one core that the screen's process took."""
    bytes_a_second: float
    """Sent to the terminal."""
    frames_a_second: float
    """Times that the number of batches shown changed."""
    lag: tuple[float, float, float]
    """Seconds from a batch's end until the terminal shows it or a later one: median, 99th percentile, greatest."""


def followed() -> Following:
    """Follow a run on a terminal in memory for a while, and return what that took."""
    with tempfile.TemporaryDirectory() as runs:
        run = Path(runs) / "fast"
        run.mkdir()
        command = [sys.executable, "-m", "tests.benchmarks.following", "write", str(run)]
        with subprocess.Popen(command, start_new_session=True) as writer:
            try:
                wait_until((run / "batches.bin").exists, 30)
                return _watched(run)
            finally:
                writer.kill()


def write(folder: Path) -> None:
    """Write batches at an even pace, with epochs and their validation, until killed."""
    generator = np.random.default_rng(0)
    noise = generator.gamma(4.0, 0.25, (4096, 2)).tolist()
    with RunWriter(folder, RunInfo(name=folder.name, pid=os.getpid(), host="here")) as writer:
        writer.begin_fit(["loss", "accuracy"], epochs=EPOCHS, steps_per_epoch=STEPS)
        writer.status(State.TRAINING)
        begun, written = time.perf_counter(), 0
        while True:
            due = int((time.perf_counter() - begun) * BATCHES_A_SECOND)
            for number in range(written, due):
                epoch, step = number // STEPS + 1, number % STEPS
                if step == 0:
                    _end_epoch(writer, epoch - 1)
                    writer.event(EpochBegan(epoch=epoch))
                level = _level(number / STEPS)
                above, below = noise[number % 4096]
                writer.batch(epoch, 32, (level * above, 1.0 - 0.4 * level * min(below, 2.0)))
            written = due
            time.sleep(0.001)


def _level(epochs: float) -> float:
    return 0.25 + 0.75 * 0.97**epochs


def _end_epoch(writer: RunWriter, epoch: int) -> None:
    if epoch:
        level = _level(epoch)
        logs = {"loss": level, "accuracy": 1 - 0.4 * level, "val_loss": level * 1.1, "val_accuracy": 0.98 - 0.4 * level}
        writer.event(EpochEnded(epoch=epoch, logs=logs, batches=STEPS, samples=STEPS * 32, seconds=STEPS / 5000))


def _watched(run: Path) -> Following:
    command = monitor("attach", str(run), "--fps", str(FRAMES_A_SECOND))
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(TERM="xterm-256color", LANG="C.UTF-8")
        os.environ.pop("COLORTERM", None)
        os.execv(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
    try:
        arrived = _received(terminal, WARM_SECONDS)
        before, begun = _cpu_seconds(process), time.time()
        arrived += _received(terminal, SECONDS)
        cpu, ended = _cpu_seconds(process) - before, time.time()
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(terminal)
    measured = [content for when, content in arrived if when >= begun]
    frames = [(when, shown) for when, shown in _shown(arrived) if when >= begun]
    return Following(
        cpu=cpu / (ended - begun),
        bytes_a_second=sum(map(len, measured)) / (ended - begun),
        frames_a_second=len(frames) / (ended - begun),
        lag=_lag(run, frames),
    )


def _cpu_seconds(process: int) -> float:
    times = psutil.Process(process).cpu_times()
    return float(times.user + times.system)


def _received(terminal: int, seconds: float) -> list[tuple[float, bytes]]:
    """Return what arrives and when, answering as a terminal does; nothing is drawn meanwhile."""
    arrived = []
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            content = os.read(terminal, 65_536)
            arrived.append((time.time(), content))
            if _POSITION_ASKED in content:
                os.write(terminal, _POSITION)
    return arrived


def _shown(arrived: list[tuple[float, bytes]]) -> list[tuple[float, int]]:
    """Return when the number of batches on the screen changed, and to what, counted from the run's begin."""
    screen = pyte.Screen(*SIZE)
    stream = pyte.ByteStream(screen)
    frames: list[tuple[float, int]] = []
    for when, content in arrived:
        stream.feed(content)
        batches = _batches(screen.display[_PROGRESS_ROW])
        if batches is not None and (not frames or batches != frames[-1][1]):
            frames.append((when, batches))
    return frames


def _batches(row: str) -> int | None:
    """Return the batches that a progress row tells of, such as ` epoch 3/100 ▇▇ 1 234/25 000 batches`."""
    found = _PROGRESS.search(row)
    return None if found is None else (int(found[1]) - 1) * STEPS + int(found[2].replace(" ", ""))


def _lag(run: Path, frames: list[tuple[float, int]]) -> tuple[float, float, float]:
    """Return how long batches took to the screen, over those that ended while it was watched."""
    snapshot = load(run)
    assert snapshot.fit is not None
    records = np.fromfile(run / snapshot.fit.info.batches, dtype=snapshot.fit.info.dtype)
    ends = snapshot.run.created + records["time"]
    lags = []
    for (_, known), (when, shown) in pairwise(frames):
        lags.append(when - ends[known:shown])
    median, high = np.quantile(np.concatenate(lags), [0.5, 0.99])
    return float(median), float(high), float(max(part.max() for part in lags if len(part)))


def main(arguments: list[str]) -> None:
    """Measure and print, or write the run that is followed."""
    if arguments:
        write(Path(arguments[1]))
    else:
        print(followed())


if __name__ == "__main__":
    main(sys.argv[1:])
