"""Standard input: text that is piped in is a live run, whole, and can be passed on unchanged."""

import os
import subprocess
import sys
import threading
from pathlib import Path

from tests.unit.importers.printed_progress import EXPECTED, QUESTION
from tests.unit.importers.reading import logged_epochs
from tui_monitor.history.load import load
from tui_monitor.importers.standard_input import Pump
from tui_monitor.run_log.format.layout import RunInfo, State
from tui_monitor.run_log.write.writer import RunWriter

EPOCHS = [epoch for epoch, _ in EXPECTED]


def test_text_is_kept_read_and_passed_on(tmp_path: Path) -> None:
    """Every byte is in the run's output and goes on unchanged; the values are those it shows."""
    source, target = os.pipe()
    kept, passed_on = os.pipe()
    with RunWriter(tmp_path / "run", RunInfo(name="run"), heartbeat_seconds=None) as writer:
        thread = threading.Thread(target=Pump(source, writer, passed_on).run)
        thread.start()
        for start in range(0, len(QUESTION), 100):
            os.write(target, QUESTION[start : start + 100].encode())
        os.close(target)
        thread.join()
    os.close(passed_on)
    with os.fdopen(kept, "rb") as file:
        assert file.read() == QUESTION.encode()
    assert (tmp_path / "run" / "output.log").read_bytes() == QUESTION.encode()
    snapshot = load(tmp_path / "run")
    assert snapshot.state is State.FINISHED
    assert [epoch for epoch, _ in logged_epochs(snapshot)] == EPOCHS


def test_a_reader_that_leaves_does_not_stop_the_training(tmp_path: Path) -> None:
    """Where nobody takes what is passed on any more, the text is still read and kept to its end."""
    source, target = os.pipe()
    kept, passed_on = os.pipe()
    os.close(kept)
    os.write(target, QUESTION.encode())
    os.close(target)
    with RunWriter(tmp_path / "run", RunInfo(name="run"), heartbeat_seconds=None) as writer:
        Pump(source, writer, passed_on).run()
    assert [epoch for epoch, _ in logged_epochs(load(tmp_path / "run"))] == EPOCHS


def test_text_without_training_ends_the_run_with_a_word(tmp_path: Path) -> None:
    """A pipe that ends without an epoch is a finished run that says that there was none."""
    source, target = os.pipe()
    os.write(target, b"no training here\n")
    os.close(target)
    with RunWriter(tmp_path / "run", RunInfo(name="run"), heartbeat_seconds=None) as writer:
        Pump(source, writer).run()
    snapshot = load(tmp_path / "run")
    assert snapshot.state.ended
    assert "No finished epoch" in snapshot.timeline[0].text


def test_a_pipeline_without_a_terminal_prints_lines(tmp_path: Path) -> None:
    """`... | tui-monitor - --tee` ends with code 0, a line for each epoch, and the text on standard output."""
    command = [sys.executable, "-m", "tui_monitor", "-", "--tee", "--runs", str(tmp_path)]
    done = subprocess.run(command, input=QUESTION, capture_output=True, text=True, check=False, start_new_session=True)
    assert done.returncode == 0
    assert done.stdout == QUESTION
    assert [line.split()[1] for line in done.stderr.splitlines() if line.startswith("epoch")] == [
        f"{epoch}/5" for epoch in EPOCHS
    ]


def test_a_pipe_without_a_byte_leaves_no_run(tmp_path: Path) -> None:
    """Where nothing comes, no folder is left; a sentence says so, and the exit code is that of wrong usage."""
    command = [sys.executable, "-m", "tui_monitor", "-", "--runs", str(tmp_path)]
    done = subprocess.run(command, input="", capture_output=True, text=True, check=False, start_new_session=True)
    assert done.returncode == 2
    assert "stopped: Nothing came on standard input." in done.stderr
    assert done.stderr.splitlines()[-1].startswith("tui-monitor: Standard input ended before anything came")
    assert list(tmp_path.iterdir()) == []
