"""What can't be read is named with the nearest thing that can, leaves no run, and never costs a value."""

import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from tests.unit.importers.reading import NOW
from tui_monitor.errors import UsageError
from tui_monitor.history.load import load
from tui_monitor.importers.importing import import_path, import_runs

HISTORY = {"loss": [0.5, 0.25], "val_loss": [0.75, 0.5]}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("Epoch [1/5], Step [100/600], Loss: 0.5123\n", "PyTorch"),
        (
            "epoch 1 train_loss 0.51 val_loss 0.62\n",
            "'epoch {epoch:float} train_loss {loss:float} val_loss {val_loss:float}",
        ),
        ("Epoch 3: 100%|███| 60/60 [00:03<00:00, 20.1it/s, loss=0.512, v_num=0]\n", "tqdm"),
        ("[0]\ttrain-logloss:0.6\tvalid-logloss:0.7\n", "XGBoost"),
        ("0 [D loss: 0.81, acc.: 41.2%] [G loss: 0.77]\n", "{epoch:float} [D loss: {d_loss:float}"),
        ("Train loss: 1.91, acc: 0.31\n", "'Train loss: {loss:float}, acc: {acc:float}'"),
        ("Train loss: 1.91\nand then\nat last loss of 1.7\n", "`--pattern` can read text that is regular"),
    ],
)
def test_a_foreign_log_is_named_with_the_way_to_read_it(tmp_path: Path, content: str, found: str) -> None:
    """Prints that Keras never makes are told by kind, with a pattern that reads them where one can be made."""
    source = tmp_path / "train.txt"
    source.write_text(content)
    with pytest.raises(UsageError) as raised:
        import_path(source, tmp_path / "runs", NOW)
    assert found in str(raised.value)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("content", "logs"),
    [
        (
            "Epoch {0}: 100%|███| 60/60 [00:0{0}<00:00, {0}9.1it/s, loss=0.{0}1, v_num=3, val_loss=0.{0}2]\n",
            {"loss": 0.01, "val_loss": 0.02},
        ),
        (
            "Epoch {0}\n100%|██| 9/9 [00:03<00:00, 2{0}it/s, loss=0.{0}1, acc=0.{0}3]\n",
            {"loss": 0.01, "accuracy": 0.03},
        ),
        ("[{0}]\ttrain-logloss:0.{0}1\teval-logloss:0.{0}2\n", {"logloss": 0.01, "val_logloss": 0.02}),
        (
            "Epoch: {0} | Train Loss: 0.{0}1 | Train Acc: {0}.3% | Val. Loss: 0.{0}2 | Val. Acc: {0}.4%\n",
            {"loss": 0.01, "accuracy": 0.3, "val_loss": 0.02, "val_accuracy": 0.4},
        ),
    ],
)
def test_the_pattern_of_a_refusal_reads_the_log(tmp_path: Path, content: str, logs: dict[str, float]) -> None:
    """What a refusal proposes, with the braces and quotes it prints, reads every epoch with both sides."""
    source = tmp_path / "train.txt"
    source.write_text("".join(content.format(epoch) for epoch in range(4)))
    with pytest.raises(UsageError) as raised:
        import_path(source, tmp_path / "runs", NOW)
    proposed = re.search(r"--pattern '(.*?)'`", str(raised.value))
    assert proposed is not None
    (imported,) = import_runs(source, tmp_path / "runs", NOW, patterns=(proposed[1],))
    (fit,) = load(imported.folder).fits
    assert len(fit.epochs) == 4
    assert logs.items() <= dict(fit.epochs[0].metrics).items()


def test_a_pickled_history_is_never_unpickled(tmp_path: Path) -> None:
    """A pickle could run code: the sentence says how its owner converts it, and the command does."""
    plain, array = tmp_path / "history.pkl", tmp_path / "history.npy"
    plain.write_bytes(pickle.dumps(HISTORY))
    np.save(array, np.array(HISTORY, dtype=object), allow_pickle=True)
    for source, how in ((plain, "pickle.load(open("), (array, "allow_pickle=True")):
        with pytest.raises(UsageError) as raised:
            import_path(source, tmp_path / "runs", NOW)
        assert "can run code and are not opened" in str(raised.value)
        assert how in str(raised.value)
        assert str(source) in str(raised.value)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"PK\x03\x04 archive/data.pkl", "PyTorch's"),
        (b"\x89HDF\r\n", "HDF5"),
        (b"SQLite format 3\0" + b"\0" * 99, "SQLite"),
        (b"PAR1....", "to_csv"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
    ],
)
def test_files_that_hold_no_text_are_named(tmp_path: Path, content: bytes, found: str) -> None:
    """Weights, databases and packed files are told by their first bytes, each with what to do."""
    source = tmp_path / "what"
    source.write_bytes(content)
    with pytest.raises(UsageError, match=found):
        import_path(source, tmp_path / "runs", NOW)


def test_a_log_without_an_ended_epoch_leaves_no_run(tmp_path: Path) -> None:
    """A log that breaks off in its first epoch is refused with what was found in it."""
    source = tmp_path / "train.log"
    source.write_text("Epoch 1/5\n 3/60 [>....] - ETA: 9s - loss: 0.5\n")
    with pytest.raises(UsageError, match="Epoch 1 does not end in the log"):
        import_path(source, tmp_path / "runs", NOW)
    assert list((tmp_path / "runs").iterdir()) == []
