"""Every foreseeable fault is one sentence on standard error, with its documented exit code."""

import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.cli.conftest import Command
from tui_monitor.cli.boundary import run_program
from tui_monitor.cli.commands import program


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("explain", "no-such-run"), 3, "no-such-run"),
        (("attach", "no-such-run"), 3, "no-such-run"),
        (("attach",), 3, "tui-monitor demo"),
        (("demo", "no-such-scenario", "--headless"), 2, "question"),
        (("demo", "--epochs", "0"), 2, "epochs"),
        (("no-such-command",), 2, "no-such-command"),
        (
            ("demo", "--epochs", "abc"),
            2,
            "'--epochs': 'abc' is not a whole number of at least 1. More: tui-monitor demo",
        ),
        (("demo", "--probe-budget", "2"), 2, "'2' is not a number from 0 to 1."),
        (("note", "run"), 2, "Missing argument 'TEXT'. More: tui-monitor note --help"),
    ],
)
def test_wrong_requests_are_told_in_a_sentence(
    tui_monitor: Command, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """What does not exist is named, with what does, and never with a traceback."""
    done = tui_monitor(*arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert done.stderr.startswith("tui-monitor: ")
    assert done.stderr.count("\n") == 1


def test_what_is_no_script_and_no_log_is_said_to_be_what_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`run` of a folder and `open` of what is no log give the reason first, then what to give instead."""
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "train.py").write_text("print('hello')\n")
    run = tmp_path / "runs" / "first"
    (run / "control").mkdir(parents=True)
    for arguments, expected in (
        (("run", str(scripts)), f"{scripts} is a folder. Name the script in it, such as {scripts / 'train.py'}"),
        (("run", str(run)), "is the folder of a run, not a script. Watch it with: tui-monitor attach"),
        (("open", str(scripts / "train.py")), "train.py: it is text that begins with \"print('hello')\". Looked for: "),
        (("open", str(run.parent)), f"it is a folder of runs; watch one with tui-monitor attach {run}. Looked for: "),
    ):
        assert run_program(program, arguments) == 2
        assert expected in capsys.readouterr().err


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
    """`demo --list` names all thirteen scenarios with a description each."""
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
        "leak",
        "scale",
        "batch-norm-lag",
        "overfitting",
        "small-validation",
        "healthy",
    ]


def test_a_script_that_never_trains_is_told_in_a_line(tui_monitor: Command, tmp_path: Path) -> None:
    """Its own output and exit code are untouched; one line says that fit was never called, and how loops are logged."""
    (tmp_path / "empty.py").write_text("print('no training here')\n")
    done = tui_monitor("run", "--headless", "empty.py")
    assert (done.returncode, done.stdout) == (0, "no training here\n")
    assert done.stderr.splitlines()[-1] == (
        "finished: The script never called fit here, so nothing was recorded. A loop of the script's own is recorded "
        "with tui_monitor.log_batch(loss=...) after each batch and tui_monitor.log_epoch(val_loss=...) after each "
        "epoch."
    )


def test_help_is_whole() -> None:
    """No line of the list of commands is cut by dots, every option has a sentence, and examples stand at the end."""
    text = CliRunner().invoke(program, ["--help"]).output
    assert "..." not in text.partition("Options:")[2]
    assert text.index("Commands:") < text.index("Examples:")
    for name, command in program.commands.items():
        bare = [option.opts for option in command.params if isinstance(option, click.Option) and not option.help]
        assert bare == [], name
