"""Epochs and explanations read from the events alone are those of the whole run."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.history.plain_runs import record
from tui_monitor.errors import RunNotFound
from tui_monitor.history.load import load
from tui_monitor.history.load_epochs import load_epochs
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.run_log.events.explanation import RecordedExplanation
from tui_monitor.run_log.events.notifications import Explained, NoteTaken
from tui_monitor.run_log.events.progress import EpochEnded
from tui_monitor.run_log.format.layout import EVENTS_FILE, State


def told(snapshot: Snapshot) -> object:
    """Return what `explain` needs of a run, in a form that `==` compares; NaN equals itself."""
    fits = [(fit.info, fit.epochs, fit.explanations) for fit in snapshot.fits]
    return repr((snapshot.run, snapshot.state, fits))


def test_epochs_and_explanations_are_those_of_the_whole_run(tmp_path: Path) -> None:
    """Over two fits, with damaged, foreign and torn lines between, while it runs and once it has ended."""
    with record(tmp_path / "run", epochs=2) as writer:
        writer.event(Explained(epoch=1, batch=7, explanation=RecordedExplanation({"headline": "in between"})))
        writer.event(NoteTaken("a note", epoch=2))
        writer.event(
            Explained(epoch=2, batch=None, explanation=RecordedExplanation({"headline": "end", "limits": ["NaN"]}))
        )
        writer.begin_fit(["loss"], epochs=1)
        with (tmp_path / "run" / EVENTS_FILE).open("ab") as file:
            file.write(b'not JSON\n\n{"kind":"of tomorrow","phase":2}\n{"kind":"epoch","phase":9,"epoch":1}\n')
        writer.event(EpochEnded(epoch=1, logs={"loss": 0.25}, batches=3))
        assert told(load_epochs(tmp_path / "run")) == told(load(tmp_path / "run"))
        writer.status(State.FINISHED)
    with (tmp_path / "run" / EVENTS_FILE).open("ab") as file:
        file.write(b'{"kind":"epoch","phase":2,"epoch":2,"logs":{"loss":0.1}')
    light = load_epochs(tmp_path / "run")
    assert told(light) == told(load(tmp_path / "run"))
    assert [len(fit.epochs) for fit in light.fits] == [2, 1]


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    """As `load` does, in the same words."""
    with pytest.raises(RunNotFound, match=r"holds no run\.json"):
        load_epochs(tmp_path)


def test_explaining_a_run_needs_no_numpy(tmp_path: Path) -> None:
    """The whole command ends without having imported NumPy: start-up counts."""
    record(tmp_path / "run").close()
    code = (
        "import sys; from tui_monitor.cli.boundary import run_program; from tui_monitor.cli.commands import program;"
        f"code = run_program(program, ['explain', {str(tmp_path / 'run')!r}]);"
        "print(code, 'numpy' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.split() == ["0", "False"]
    assert "run, epoch 2:" in done.stdout
