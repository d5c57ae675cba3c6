"""Faults that befall the screen and its line: the training does not notice, and another screen shows the run whole."""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.child import readable
from tests.faults.table import Outcome
from tests.faults.terminal import Terminal, monitor
from tests.faults.training import Training, wait_until
from tui_monitor.history.load import load
from tui_monitor.run_log.runs.control import Action, send_request

_KILLS = 4
_CTRL_Z = "\x1a"


def _attached(training: Training, size: tuple[int, int] = (80, 24)) -> Terminal:
    return Terminal(monitor("attach", str(training.folder)), size, {})


def _shows_live_run(terminal: Terminal, training: Training) -> None:
    """Return once a terminal shows the run, and batches that came after this call."""
    # The badge is as wide as that of the longest state.
    terminal.wait_for(f"TRAINING   {training.folder.name}")
    before = terminal.display[1]
    wait_until(lambda: terminal.display[1] != before)


def _outcome(fault: str, training: Training, tries: int, recovered: int) -> Outcome:
    send_request(training.folder, Action.STOP_BATCH)
    finished = training.end()
    read = readable(load(training.folder))
    return Outcome(fault, tries, training.batches, read, tries if finished else 0, recovered)


def screen_killed(folder: Path) -> Outcome:
    """`kill -9` of the screen at a random moment, while it starts and while it draws."""
    chance = random.Random(7)
    training = Training(folder / "run", seconds_a_batch=0.01)
    training.wait_for(1)
    for _ in range(_KILLS):
        with _attached(training) as terminal:
            time.sleep(chance.uniform(0.2, 1.5))
            terminal.process.kill()
        training.wait_for(3)
    with _attached(training, (60, 20)) as terminal:
        _shows_live_run(terminal, training)
    return _outcome("kill -9 of the screen", training, _KILLS, _KILLS)


def line_dropped(folder: Path) -> Outcome:
    """The line breaks off (SIGHUP), SIGTERM comes: re-attached at another size, the run is whole."""
    training = Training(folder / "run", seconds_a_batch=0.01)
    training.wait_for(1)
    recovered = 0
    for size, end in (((120, 40), Terminal.hang_up), ((60, 20), _terminate), ((200, 60), Terminal.hang_up)):
        with _attached(training, size) as terminal:
            _shows_live_run(terminal, training)
            end(terminal)
            wait_until(lambda: terminal.process.poll() is not None)
        training.wait_for(3)
        recovered += 1
    return _outcome("line dropped, screen ended", training, recovered, recovered)


def _terminate(terminal: Terminal) -> None:
    terminal.process.terminate()
    wait_until(lambda: terminal.process.poll() is not None)
    # The terminal is as it was: main screen, cursor shown.
    assert terminal.received.rstrip().endswith(b"\x1b[?25h") or b"\x1b[?1049l" in terminal.received


def suspended(folder: Path) -> Outcome:
    """Ctrl-Z and `fg`, and a change of size meanwhile: the frame is drawn anew."""
    training = Training(folder / "run", seconds_a_batch=0.01)
    training.wait_for(1)
    with _attached(training, (120, 40)) as terminal:
        _shows_live_run(terminal, training)
        terminal.press(_CTRL_Z)
        wait_until(lambda: _state(terminal.process.pid) == "T")
        terminal.resize((80, 24))
        training.wait_for(20)
        os.kill(terminal.process.pid, signal.SIGCONT)
        wait_until(lambda: "help" in terminal.display[23] and "TRAINING" in terminal.display[0])
        _shows_live_run(terminal, training)
    return _outcome("Ctrl-Z, resize, fg", training, 1, 1)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def line_stalled(folder: Path) -> Outcome:
    """A line that takes nothing for seconds: nothing queues up, and the newest frame comes when it drains."""
    training = Training(folder / "run", seconds_a_batch=0.002)
    training.wait_for(1)
    with _attached(training, (120, 40)) as terminal:
        _shows_live_run(terminal, training)
        terminal.stalled = True
        time.sleep(1)
        before, arrived = _memory(terminal.process.pid), len(terminal.received)
        time.sleep(4)
        assert _memory(terminal.process.pid) - before < 8 * 2**20
        trained = training.batches
        terminal.stalled = False
        wait_until(lambda: _shown_batches(terminal) >= trained, 10)
        assert len(terminal.received) - arrived < 150_000
    return _outcome("line stalled for 5 s", training, 1, 1)


def _memory(pid: int) -> int:
    """Return the bytes of memory a process has in use."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _shown_batches(terminal: Terminal) -> int:
    """Return how many batches the progress row says are done."""
    words = terminal.display[1].replace("/", " ").split()
    try:
        return (int(words[1]) - 1) * 40 + next(int(word) for word in words[3:] if word.isdigit())
    except (IndexError, ValueError, StopIteration):
        return 0


SCREEN_FAULTS: tuple[Callable[[Path], Outcome], ...] = (screen_killed, line_dropped, suspended, line_stalled)
