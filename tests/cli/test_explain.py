"""`explain` on a long run: fast, and without the packages it has no use for."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import environment
from tests.unit.explain.random_probes import make_probe
from tui_monitor.cli.explain_command import explain
from tui_monitor.errors import RunUnreadable
from tui_monitor.explain.measure import Moment, explain_probe
from tui_monitor.run_log.events.explanation import RecordedExplanation, explanation_to_json
from tui_monitor.run_log.events.notifications import Explained
from tui_monitor.run_log.events.progress import EpochEnded
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.write.writer import RunWriter

EPOCHS = 100
BATCHES = 300


@pytest.fixture(scope="module")
def long_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a run of 100 epochs of 300 batches, each epoch explained."""
    folder = tmp_path_factory.mktemp("runs") / "long"
    writer = RunWriter(folder, RunInfo(name="long"), heartbeat_seconds=None)
    writer.begin_fit(("loss", "accuracy"), epochs=EPOCHS, steps_per_epoch=BATCHES)
    probe, validation = make_probe(seed=1, batches=12)
    for epoch in range(1, EPOCHS + 1):
        for _ in range(BATCHES):
            writer.batch(epoch, 32, (0.7, 0.8))
        writer.event(
            EpochEnded(epoch=epoch, logs={"loss": 0.7, "val_loss": 0.5}, batches=BATCHES, samples=32 * BATCHES)
        )
        content = explanation_to_json(explain_probe(probe, validation, Moment("long", epoch, None, None)))
        writer.event(Explained(epoch=epoch, batch=None, explanation=RecordedExplanation(content)))
    writer.close()
    return folder


def test_a_run_of_100_epochs_is_explained_well_under_a_second(
    long_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The best of three readings, all epochs printed, takes less than half a second of this process's time."""
    taken = []
    for _ in range(3):
        begun = time.process_time()
        assert explain(str(long_run), None, epoch=None, every=True, as_json=False, class_shares=None) == 0
        taken.append(time.process_time() - begun)
        assert capsys.readouterr().out.count("Loss, nats") == EPOCHS
    assert min(taken) < 0.5


def test_an_epoch_that_was_not_measured_names_the_nearest_that_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the budget left an epoch out, the way to an answer is the run's own measurement, not another training."""
    with RunWriter(tmp_path / "run", RunInfo(name="run"), heartbeat_seconds=None) as writer:
        writer.begin_fit(("loss", "accuracy"), epochs=3)
        probe, validation = make_probe(seed=1, batches=12)
        for epoch in (1, 2, 3):
            writer.event(EpochEnded(epoch=epoch, logs={"loss": 0.7, "val_loss": 0.5}, batches=1, samples=32))
            if epoch == 2:
                content = explanation_to_json(explain_probe(probe, validation, Moment("run", epoch, None, None)))
                writer.event(Explained(epoch=epoch, batch=None, explanation=RecordedExplanation(content)))
    assert explain(str(tmp_path / "run"), None, epoch=3, every=False, as_json=False, class_shares=None) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "this epoch was not measured" in said
    assert "`tui-monitor explain run --epoch 2`" in said
    assert "tui-monitor run train.py" not in said


def test_a_fit_that_was_killed_at_once_leaves_the_one_before_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the newest fit has ended no epoch, the newest that has is explained."""
    with RunWriter(tmp_path / "run", RunInfo(name="run"), heartbeat_seconds=None) as writer:
        for losses in ((0.7, 0.5), None):
            writer.begin_fit(("loss",), epochs=1)
            writer.batch(1, 32, (0.7,))
            if losses:
                writer.event(EpochEnded(epoch=1, logs=dict(zip(("loss", "val_loss"), losses, strict=True)), batches=1))
    assert explain(str(tmp_path / "run"), None, epoch=None, every=False, as_json=False, class_shares=None) == 0
    assert "val_loss 0.5000" in capsys.readouterr().out


def test_explain_imports_neither_textual_nor_tensorflow(long_run: Path) -> None:
    """Python's own list of imports, for the whole command, names none of them."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tui_monitor", "explain", str(long_run)],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    imported = set(re.findall(r"\|\s+(\w+)", done.stderr))
    assert "tui_monitor" in imported
    assert not imported & {"textual", "tensorflow", "keras", "rich", "plotext"}


def test_class_shares_that_have_no_use_are_said_to_be_ignored(
    long_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A measured epoch has its class shares: those of the command line change nothing, and that is said."""
    assert explain(str(long_run), None, epoch=3, every=False, as_json=True, class_shares=None) == 0
    without = capsys.readouterr()
    assert explain(str(long_run), None, epoch=3, every=False, as_json=True, class_shares="0.8,0.2") == 0
    given = capsys.readouterr()
    assert given.out == without.out
    assert without.err == ""
    assert given.err == "--class-shares is ignored for epoch 3: what was measured holds the class shares.\n"


def test_a_damaged_explanation_is_said_so(tmp_path: Path) -> None:
    """Text can't be made of it, which is an error with a sentence; its JSON is printed as it is."""
    with RunWriter(tmp_path / "run", RunInfo(name="run"), heartbeat_seconds=None) as writer:
        writer.begin_fit(("loss",))
        writer.event(Explained(1, None, RecordedExplanation({"schema": 1})))
    with pytest.raises(RunUnreadable, match="can't be read"):
        explain(str(tmp_path / "run"), None, epoch=None, every=False, as_json=False, class_shares=None)
    assert explain(str(tmp_path / "run"), None, epoch=None, every=False, as_json=True, class_shares=None) == 0
