"""Why two runs differ, from their run folders."""

import json
from pathlib import Path

import numpy as np
import pytest

from tui_monitor.cli.compare_command import compare_runs
from tui_monitor.compare.changes import Change, ScriptDifference
from tui_monitor.compare.comparison import Comparison, compare, comparison_to_json
from tui_monitor.compare.ledgers import LedgerDifference, TermDifference
from tui_monitor.compare.outcome import Outcome
from tui_monitor.compare.words import why
from tui_monitor.run_log.events.ledger import Cause
from tui_monitor.run_log.events.progress import EpochEnded
from tui_monitor.run_log.format.layout import RunInfo, State
from tui_monitor.run_log.format.validation_samples import LAST_FILE, ValidationSamples, samples_to_bytes
from tui_monitor.run_log.runs.origin import record_origin
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.view.runs.comparison_rows import comparison_rows
from tui_monitor.view.text.rows import width_of

COUNT = 600
KEYS = np.random.default_rng(3).integers(0, 2**63, COUNT).astype(np.uint64)
LABELS = (np.arange(COUNT) % 3 == 0).astype(np.int32)


def run(
    runs: Path,
    name: str,
    *arguments: str,
    shift: float = 0.0,
    wrong: int = 100,
    keys: np.ndarray | None = KEYS,
    order: np.ndarray | None = None,
    script: str = "print()\n",
    keeps: bool = True,
) -> Path:
    """Write a run that has validated once.

    Args:
        runs: the runs folder.
        name: of the run.
        arguments: of its script.
        shift: added to every sample's loss.
        wrong: how many samples of class 0 are wrong.
        keys: of the samples.
        order: in which they were validated.
        script: the text it was run from.
        keeps: whether its samples were kept.
    """
    folder = runs / name
    writer = RunWriter(
        folder, RunInfo(name=name, command=("tui-monitor", "run", "train.py", *arguments)), heartbeat_seconds=None
    )
    writer.begin_fit(["loss"], epochs=1, fit={"batch_size": 32})
    loss = (np.random.default_rng(5).exponential(0.5, COUNT) + shift).astype(np.float32)
    loss += np.random.default_rng(len(name)).normal(0, 0.02, COUNT).astype(np.float32)
    correct = np.ones(COUNT, dtype=np.float32)
    correct[np.flatnonzero(LABELS == 0)[:wrong]] = 0
    logs = {"loss": 0.4, "val_loss": float(loss.mean()), "val_accuracy": float(correct.mean())}
    writer.event(EpochEnded(epoch=1, logs=logs, samples=900))
    writer.status(State.FINISHED)
    writer.close()
    if keeps:
        order = np.arange(COUNT) if order is None else order
        samples = ValidationSamples(
            1, 1, loss[order], correct[order], LABELS[order], None if keys is None else keys[order]
        )
        (folder / LAST_FILE).write_bytes(samples_to_bytes(samples))
    (runs / f"{name}-source").mkdir()
    (runs / f"{name}-source" / "train.py").write_text(script)
    record_origin(folder, runs / f"{name}-source" / "train.py", asks_git=False)
    return folder


def test_one_changed_argument_is_found_and_its_winner_named(tmp_path: Path) -> None:
    """The one difference is named, the better run is called better, and its class is said to have won."""
    one = run(tmp_path, "one", "--lr", "0.1", shift=0.2, wrong=200)
    other = run(tmp_path, "other", "--lr", "0.01", wrong=100)
    found = compare(one, other)
    assert [(change.name, change.first, change.second) for change in found.changes] == [("lr", "0.1", "0.01")]
    assert found.verdict.startswith("other is better in validation loss (−0.2")
    assert "accuracy (+16.7 points" in found.verdict
    assert found.why.startswith("The one recorded difference is lr (0.1 → 0.01). Recall: class 0")
    assert "two more seeds" in found.next_step
    assert (found.outcome.mended, found.outcome.broken) == (100, 0)
    assert [each.is_worth_naming for each in found.outcome.classes] == [True, False]
    turned = compare(other, one)
    assert turned.verdict.replace("one", "") == found.verdict.replace("one", "")


def test_chance_is_said_as_readily(tmp_path: Path) -> None:
    """Two runs that differ by noise alone have no winner, and nothing recorded differs."""
    found = compare(run(tmp_path, "a"), run(tmp_path, "b"))
    assert found.verdict.startswith("Within chance: b against a")
    assert "Nothing that is recorded differs" in found.why
    assert "don't tell them apart" in found.next_step


def test_the_order_of_validation_does_not_matter(tmp_path: Path) -> None:
    """Samples are matched by their keys: shuffled, they give the same differences to the last digit."""
    order = np.random.default_rng(9).permutation(COUNT)
    one, other, shuffled = run(tmp_path, "one"), run(tmp_path, "two"), run(tmp_path, "six", order=order)
    assert compare(one, other).outcome.accuracy == compare(one, shuffled).outcome.accuracy
    plain, turned = compare(one, other).outcome.loss, compare(one, shuffled).outcome.loss
    assert plain is not None
    assert turned is not None
    assert turned.value == pytest.approx(plain.value)
    assert turned.error == pytest.approx(plain.error)


def test_other_samples_are_not_paired(tmp_path: Path) -> None:
    """Where the samples are others it is said, and the interval is wider; without keys equal labels in order pair."""
    one = run(tmp_path, "one")
    others = compare(one, run(tmp_path, "two", keys=KEYS + np.uint64(1)))
    assert "not the same" in others.outcome.matching
    assert any(change.name == "validation digest" for change in others.changes)
    assert "The one recorded difference is the validation samples." in others.why
    assert "same samples" in others.next_step
    keyless = compare(run(tmp_path, "three", keys=None), run(tmp_path, "four", keys=None))
    assert keyless.outcome.matching.startswith("Paired by position")
    assert others.outcome.loss is not None
    assert keyless.outcome.loss is not None
    assert (others.outcome.loss.error or 0) > 5 * (keyless.outcome.loss.error or 1)


def test_runs_without_samples_have_no_interval(tmp_path: Path) -> None:
    """What was reported is compared, and that nobody knows whether it is more than chance is said."""
    found = compare(run(tmp_path, "one", keeps=False), run(tmp_path, "other", shift=0.3))
    assert "can't be told" in found.verdict
    assert "one kept no validation sample" in found.outcome.matching
    assert found.outcome.loss is not None
    assert found.outcome.loss.low is None
    (tmp_path / "other" / LAST_FILE).write_bytes(b"PK\x03\x04 damaged")
    assert "one and other kept no" in compare(tmp_path / "one", tmp_path / "other").outcome.matching


def test_scripts_are_compared_line_by_line(tmp_path: Path) -> None:
    """A change of the script's text is shown, and counts as a difference."""
    one = run(tmp_path, "one", script="units = 8\nfit()\n")
    other = run(tmp_path, "other", script="units = 16\nfit()\n")
    found = compare(one, other)
    assert "-units = 8" in found.script.lines
    assert "+units = 16" in found.script.lines
    assert "the script's text" in found.why


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_rows_fit(tmp_path: Path, width: int) -> None:
    """All of a comparison fits any width, whatever names and arguments are like."""
    one = run(tmp_path, "a-very-long-name-of-a-run-" + "x" * 40, "--path", "y" * 200, shift=0.2)
    found = compare(one, run(tmp_path, "other", script="z" * 300))
    rows = comparison_rows(found, width)
    assert max(width_of(row) for row in rows) <= width


def test_the_command_prints_text_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`compare` answers first; as JSON it holds all that `Comparison` does, without a NaN."""
    run(tmp_path, "one", "--lr", "0.1", shift=0.2)
    run(tmp_path, "other", "--lr", "0.01")
    assert compare_runs("one", "other", str(tmp_path), at_best=False, as_json=False) == 0
    assert capsys.readouterr().out.startswith("Verdict other is better in validation loss")
    assert compare_runs("one", "other", str(tmp_path), at_best=False, as_json=True) == 0
    content = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert set(content) == set(Comparison.__dataclass_fields__)
    assert content["changes"][0] == {"about": "argument", "name": "lr", "first": "0.1", "second": "0.01"}
    assert comparison_to_json(compare(tmp_path / "one", tmp_path / "other"))["schema"] == 1


@pytest.mark.parametrize(
    ("value", "said"),
    [(-0.003, ""), (-0.05, "In the accuracy gap (+4.1 → +4.0 points): Running average −5.0 points.")],
)
def test_a_cause_that_hardly_moved_is_no_reason(value: float, said: str) -> None:
    """However sure it is, a cause that moved by less than a tenth of the gap says nothing of why two runs differ."""
    term = TermDifference(Cause.IN_EPOCH_AVERAGING, 0.0, value, value, 0.0025, value, value)
    accuracy = LedgerDifference(0.041, 0.040, (term,), (3, 40))
    changed = (Change("argument", "epochs", "3", "40"),)
    script = ScriptDifference(is_known=True)
    found = why(changed, script, Outcome(None, None, ""), None, accuracy)
    assert found == " ".join(filter(None, ("The one recorded difference is epochs (3 → 40).", said)))
