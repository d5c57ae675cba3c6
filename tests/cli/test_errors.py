"""Every foreseeable fault is one sentence on standard error, with its documented exit code."""

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Command


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("explain", "no-such-run"), 3, "no-such-run"),
        (("attach", "no-such-run"), 3, "no-such-run"),
        (("attach",), 3, "tui-monitor demo"),
        (("demo", "no-such-scenario", "--headless"), 2, "question"),
        (("demo", "--epochs", "0"), 2, "epochs"),
        (("no-such-command",), 2, "no-such-command"),
    ],
)
def test_wrong_requests_are_told_in_a_sentence(
    tui_monitor: Command, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """What does not exist is named, with what does, and never with a traceback."""
    done = tui_monitor(*arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("blocked", ["file", "missing_parent"])
def test_an_unwritable_runs_folder_is_named(tui_monitor: Command, tmp_path: Path, blocked: str) -> None:
    """The folder that can't be written is in the message, and nothing is started."""
    (tmp_path / "taken").write_text("not a folder")
    runs = tmp_path / "taken" if blocked == "file" else tmp_path / "taken" / "below"
    done = tui_monitor("demo", "--headless", "--runs", str(runs))
    assert done.returncode == 5
    assert str(runs) in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_tensorflow_says_how_to_install_it(tui_monitor: Command, tmp_path: Path) -> None:
    """Without TensorFlow the demo names the extra to install, and leaves no run behind."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "from importlib.machinery import PathFinder\n"
        "find = PathFinder.find_spec\n"
        "def find_spec(name, path=None, target=None):\n"
        "    return None if name.split('.')[0] in ('tensorflow', 'keras') else find(name, path, target)\n"
        "PathFinder.find_spec = find_spec\n"
    )
    path = os.pathsep.join([str(hidden), os.environ.get("PYTHONPATH", "")])
    done = tui_monitor("demo", "--headless", PYTHONPATH=path)
    assert done.returncode == 6, done.stderr
    assert "tui-monitor[tensorflow]" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_list_describes_every_scenario(tui_monitor: Command) -> None:
    """`demo --list` names all nine scenarios with a description each."""
    done = tui_monitor("demo", "--list")
    names = [line.split()[0] for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert names == [
        "question",
        "class-weight",
        "dropout",
        "class-mix",
        "averaging",
        "batch-size",
        "label-noise",
        "small-validation",
        "healthy",
    ]
