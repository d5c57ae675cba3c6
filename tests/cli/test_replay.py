"""`replay` from the command line: where it starts, what it refuses, and what it does without a terminal."""

import math
from pathlib import Path

import pytest
from click.testing import CliRunner

from tui_monitor.cli.commands import program
from tui_monitor.cli.replay_command import start_of
from tui_monitor.errors import MonitorError, RunNotFound, UsageError
from tui_monitor.run_log.events.progress import EpochEnded
from tui_monitor.run_log.format.layout import RunInfo, State
from tui_monitor.run_log.write.writer import RunWriter


def start(**options: str | int | bool | None) -> object:
    """Return where a replay with the given options begins."""
    return start_of(**{"speed": None, "epoch": None, "moment": None, "paused": False, **options})  # type: ignore[arg-type]


def test_places_and_speeds_are_understood() -> None:
    """Seconds, clock times, percentages, epochs, factors and `max` mean what they say."""
    assert start(moment="90").seconds == 90  # type: ignore[attr-defined]
    assert start(moment="1:02:03.5").seconds == 3723.5  # type: ignore[attr-defined]
    assert start(moment="50%").fraction == 0.5  # type: ignore[attr-defined]
    assert start(epoch=3).epoch == 3  # type: ignore[attr-defined]
    assert start(speed="0.25").speed == 0.25  # type: ignore[attr-defined]
    assert start(speed="4x").speed == 4  # type: ignore[attr-defined]
    assert math.isinf(start(speed="max").speed)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "options",
    [
        {"speed": "0"},
        {"speed": "fast"},
        {"speed": "nan"},
        {"moment": "-5"},
        {"moment": "1:2:3:4"},
        {"moment": "101%"},
        {"moment": "half"},
        {"moment": "50%", "epoch": 2},
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, str]) -> None:
    """A speed or position that is none is told in a sentence that names one that is."""
    with pytest.raises(UsageError, match="Name"):
        start(**options)


def test_without_a_terminal_the_run_is_told_in_lines(tmp_path: Path) -> None:
    """Where no screen can be drawn, the run's epochs are printed, and the exit code is 0."""
    with RunWriter(tmp_path / "run", RunInfo(name="run"), heartbeat_seconds=None) as writer:
        writer.begin_fit(["loss"], epochs=1)
        writer.event(EpochEnded(epoch=1, logs={"loss": 0.625}, batches=4, seconds=1.0))
        writer.status(State.FINISHED)
    done = CliRunner().invoke(program, ["replay", "run", "--runs", str(tmp_path)], standalone_mode=False)
    assert done.exit_code == 0
    assert "loss 0.6250" in done.stderr


@pytest.mark.parametrize("run", ["no-such-run", "nonsense://bucket/run"])
def test_a_run_that_is_not_there_is_told(run: str, tmp_path: Path) -> None:
    """A name or an address that leads to no run ends with exit code 3."""
    with pytest.raises(MonitorError) as raised:
        CliRunner().invoke(
            program, ["replay", run, "--runs", str(tmp_path)], standalone_mode=False, catch_exceptions=False
        )
    assert raised.value.exit_code == RunNotFound.exit_code
