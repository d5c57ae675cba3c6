"""Text that a pattern of the user's reads."""

from pathlib import Path

import pytest

from tests.unit.importers.reading import NOW, logged_epochs
from tui_monitor.errors import UsageError
from tui_monitor.history.load import load
from tui_monitor.importers.importing import import_path, import_runs

LINES = "start\nepoch 0 loss 0.51 val 0.62\nnoise 1 2 3\nepoch 1 loss 4.1e-01 val nan\n"


@pytest.mark.parametrize(
    "pattern",
    [
        "epoch {epoch} loss {loss:float} val {val_loss:float}",
        "epoch {epoch} loss {loss} val {val_loss}",
        "epoch {epoch:d} loss {loss:g} val {val_loss:number}",
    ],
)
def test_fields_of_a_pattern_are_epochs_and_metrics(tmp_path: Path, pattern: str) -> None:
    """Lines that match give the values they hold, whatever stands between; epochs from 0 count from 1."""
    source = tmp_path / "train.txt"
    source.write_text(LINES)
    (folder,) = import_path(source, tmp_path / "runs", NOW, patterns=[pattern])
    (first, second) = logged_epochs(load(folder))
    assert first == (1, {"loss": 0.51, "val_loss": 0.62})
    assert (second[0], second[1]["loss"]) == (2, 0.41)


def test_several_patterns_tell_one_epoch(tmp_path: Path) -> None:
    """A heading, a line of training and one of validation make an epoch; one that breaks off is not ended."""
    source = tmp_path / "train.md"
    source.write_text(
        "".join(f"#### Epoch {n}/9\ntrain loss: 0.{n}1, acc: 0.5<br>\nval loss: 0.{n}2\n" for n in (0, 1, 2))
        + "#### Epoch 3/9\ntrain loss: 0.31, acc: 0.5<br>\n"
    )
    patterns = ["Epoch {epoch}/{}", "train loss: {loss}, acc: {acc}", "val loss: {val_loss}"]
    (imported,) = import_runs(source, tmp_path / "runs", NOW, patterns=patterns)
    read = list(logged_epochs(load(imported.folder)))
    assert [epoch for epoch, _ in read] == [1, 2, 3]
    assert read[1][1] == {"loss": 0.11, "accuracy": 0.5, "val_loss": 0.12}
    assert "Epoch 4 does not end in the log" in imported.remarks[0]


def test_lines_without_a_number_are_counted(tmp_path: Path) -> None:
    """Where the pattern names no epoch, every line that matches is one, and that is said."""
    source = tmp_path / "train.txt"
    source.write_text("loss=0.5\nloss=0.25\n")
    (imported,) = import_runs(source, tmp_path / "runs", NOW, patterns=["loss={loss}"])
    assert list(logged_epochs(load(imported.folder))) == [(1, {"loss": 0.5}), (2, {"loss": 0.25})]
    assert "epochs were counted" in imported.remarks[0]


@pytest.mark.parametrize("pattern", ["epoch {epoch}", "loss", "epoch {epoch} {"])
def test_a_pattern_that_reads_nothing_is_refused(tmp_path: Path, pattern: str) -> None:
    """A pattern without a value, or that can't be read, is refused before anything is written."""
    source = tmp_path / "train.txt"
    source.write_text(LINES)
    with pytest.raises(UsageError, match="--pattern"):
        import_path(source, tmp_path / "runs", NOW, patterns=[pattern])
    assert not (tmp_path / "runs").exists()
