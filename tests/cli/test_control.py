"""A live training is steered from the shell, and says on its timeline what came of each request."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import Command, command_line, environment
from tui_monitor.history.load import load
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.run_log.format.layout import State


def _wait_for(folder: Path, condition: Callable[[Snapshot], bool]) -> Snapshot:
    deadline = time.monotonic() + 240
    while True:
        if (folder / "run.json").exists() and condition(snapshot := load(folder)):
            return snapshot
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def test_pause_note_resume_and_stop(tui_monitor: Command, tmp_path: Path) -> None:
    """Paused, no batch is trained; resumed, it goes on; stopped, it ends gracefully with every request acknowledged."""
    process = subprocess.Popen(
        command_line("demo", "--headless", "--epochs", "500", "--name", "steered"),
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    folder = tmp_path / "runs" / "steered"
    try:
        _wait_for(folder, lambda s: s.fit is not None and s.fit.batches > 10)
        assert tui_monitor("pause", "steered").returncode == 0
        paused = _wait_for(folder, lambda s: s.state is State.PAUSED)
        assert tui_monitor("note", "steered", "looked at [it]").returncode == 0
        noted = _wait_for(folder, lambda s: any(entry.kind == "note" for entry in s.timeline))
        assert paused.fit is not None
        assert noted.fit is not None
        assert noted.fit.batches == paused.fit.batches
        assert tui_monitor("resume", "steered").returncode == 0
        held_at = noted.fit.batches
        _wait_for(folder, lambda s: s.fit is not None and s.fit.batches > held_at)
        assert tui_monitor("stop", "steered").returncode == 0
        assert process.wait(timeout=240) == 0
    finally:
        process.kill()
    ended = load(folder)
    assert ended.state is State.STOPPED
    said = [entry.text for entry in ended.timeline if entry.kind == "control"]
    assert said == ["Paused between two batches.", "Training goes on.", "Stopping after this batch."]
    assert [entry.text for entry in ended.timeline if entry.kind == "note"] == ["looked at [it]"]
    refused = tui_monitor("pause", "steered")
    assert refused.returncode == 2
    assert "stopped" in refused.stderr
