"""What reading foreign logs costs: a million rows or lines, bars in one stream, and a pipe that is followed."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MILLION = 1_000_000
BYTES_OF_BARS = 500_000_000
LINES_A_SECOND = 5_000
PIPED_SECONDS = 20
_BARS = 50_000
_TICKS_A_SECOND = 50
_TELLING = """
import atexit, re, sys, time
from tui_monitor.cli import main

def tell():
    with open("/proc/self/status") as status:
        print(time.process_time(), re.search(r"VmHWM:\\s*(\\d+)", status.read())[1], file=sys.stderr)

atexit.register(tell)
main()
"""
"""Runs a command and prints what it took: the most memory that the system tells a parent may be the parent's own."""


@dataclass(frozen=True)
class Cost:
    """What one command took."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of its process, in user and system."""
    memory: float
    """Most of its process, in MiB."""

    def __str__(self) -> str:
        return f"{self.wall:.0f} s ({self.cpu:.0f} s of a core, {self.memory:.0f} MiB)"


def rows_of_a_table() -> Iterator[str]:
    """Yield a CSV file with an epoch on each of a million rows."""
    yield "epoch,accuracy,loss,val_accuracy,val_loss\n"
    for row in range(MILLION):
        falling = 1 / (row + 2)
        yield f"{row},0.{row % 9000 + 1000},{falling + 0.3:.6f},0.{row % 8000 + 1000},{falling + 0.4:.6f}\n"


def lines_of_progress() -> Iterator[str]:
    """Yield a million lines as Keras prints them into a file: 100 an epoch."""
    for epoch in range(1, MILLION // 100 + 1):
        yield f"Epoch {epoch}/{MILLION // 100}\n"
        for batch in range(1, 99):
            yield f"{batch:>3}/98 [====>.......] - ETA: 3s - loss: 0.{batch + 1000} - acc: 0.{batch + 2000}\n"
        yield _finished(98, epoch)


def epochs_of_progress() -> Iterator[str]:
    """Yield a million lines of which every second ends an epoch."""
    for epoch in range(1, MILLION // 2 + 1):
        yield f"Epoch {epoch}/{MILLION // 2}\n"
        yield _finished(60, epoch)


def bars_with_returns() -> Iterator[str]:
    """Yield 500 MB of bars that a carriage return draws over each other: a line an epoch."""
    size, epoch = 0, 0
    while size < BYTES_OF_BARS:
        epoch += 1
        bars = (
            f"\r{batch:>5}/{_BARS} [====>.......] - ETA: 3s - loss: 0.{batch % 9000 + 1000} - acc: 0.{batch % 99 + 1}"
            for batch in range(1, _BARS)
        )
        text = f"Epoch {epoch}/999\n" + "".join(bars) + "\r" + _finished(_BARS, epoch)
        size += len(text)
        yield text


def _finished(batches: int, epoch: int) -> str:
    train, validation = 1 / (epoch + 1) + 0.3, 1 / (epoch + 1) + 0.4
    metrics = f"loss: {train:.4f} - acc: 0.8123 - val_loss: {validation:.4f} - val_acc: 0.7123"
    return f"{batches}/{batches} [============] - 3s 45ms/step - {metrics}\n"


def importing_cost(lines: Callable[[], Iterator[str]]) -> Cost:
    """Return what `tui-monitor import` takes for a file of lines, its start included."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "train.log"
        with source.open("w") as file:
            file.writelines(lines())
        return _measured(["import", str(source), "--runs", f"{folder}/runs"])


def piped_cost() -> tuple[float, float]:
    """Return the fraction of a core that following a pipe at 5 000 lines a second takes, and its delay in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tui_monitor", "-", "--headless", "--runs", folder]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert process.stdin is not None
        lines, begun = lines_of_progress(), time.perf_counter()
        for tick in range(PIPED_SECONDS * _TICKS_A_SECOND):
            content = "".join(next(lines) for _ in range(LINES_A_SECOND // _TICKS_A_SECOND))
            process.stdin.write(content.encode())
            process.stdin.flush()
            time.sleep(max(0.0, begun + (tick + 1) / _TICKS_A_SECOND - time.perf_counter()))
        written = time.perf_counter()
        process.stdin.close()
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        return (usage.ru_utime + usage.ru_stime) / (written - begun), time.perf_counter() - written


def _measured(arguments: list[str]) -> Cost:
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", _TELLING, *arguments], capture_output=True, text=True, check=True)
    cpu, memory = done.stderr.splitlines()[-1].split()
    return Cost(time.perf_counter() - begun, float(cpu), int(memory) / 1024)
