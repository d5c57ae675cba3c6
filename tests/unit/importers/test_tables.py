"""Tables of metrics: what the loggers of Keras and Lightning write, damaged or whole."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from tests.unit.importers.reading import alerts, epochs_of, imported, logged_epochs, records_of
from tui_monitor.importers.records import FitBegan, Remark
from tui_monitor.importers.tables.csv_table import CsvTable


def _epochs(text: str) -> list[tuple[int, dict[str, float]]]:
    return epochs_of(records_of(text.encode(), CsvTable()))


def test_metrics_that_appear_late_are_absent_before() -> None:
    """Empty cells and `NA` are absent values, not zeros and not NaN."""
    read = _epochs("epoch,loss,val_loss\n0,0.5,\n1,0.25,NA\n2,0.125,0.75\n")
    assert read == [(1, {"loss": 0.5}), (2, {"loss": 0.25}), (3, {"loss": 0.125, "val_loss": 0.75})]


def test_an_appended_run_is_a_fit_of_its_own() -> None:
    """Epochs that begin again, with or without another header, begin a fit; new columns count from there."""
    content = b"epoch,loss\n0,0.5\n1,0.4\n0,0.3\nepoch,loss,acc\n0,0.2,0.9\n"
    records = records_of(content, CsvTable())
    assert sum(isinstance(record, FitBegan) for record in records) == 3
    assert epochs_of(records)[-1] == (1, {"loss": 0.2, "acc": 0.9})


def test_nan_and_infinity_are_values() -> None:
    """A loss that went to NaN or infinity is a record, not damage."""
    ((_, logs),) = _epochs("epoch,loss,val_loss\n0,nan,inf\n")
    assert math.isnan(logs["loss"])
    assert logs["val_loss"] == math.inf


def test_damaged_rows_are_counted_and_named() -> None:
    """Rows that are none, cells without a heading and words are left out, with their number."""
    records = records_of(b"epoch,loss\n0,0.5\n?!\n1,oops\n2,0.25,9\n3", CsvTable())
    assert epochs_of(records) == [(1, {"loss": 0.5}), (2, {}), (3, {"loss": 0.25})]
    texts = " ".join(record.text for record in records if isinstance(record, Remark))
    assert "1 lines are no rows" in texts
    assert "first line 3" in texts
    assert "1 cells have no heading" in texts
    assert "1 cells hold words" in texts
    assert "breaks off" in texts


def test_a_restarted_csv_logger_counts_from_0_still() -> None:
    """A table that begins late is `CSVLogger`'s by its line ends, and the run says how it was read."""
    assert _epochs("epoch,accuracy,loss\r\n5,0.5,0.5\r\n")[0][0] == 6
    assert _epochs("epoch,loss,accuracy\n5,0.5,0.5\n")[0][0] == 5


def test_lightning_rows_of_one_epoch_are_one_epoch(tmp_path: Path) -> None:
    """Lightning writes training and validation in rows of their own, under names of its own."""
    path = tmp_path / "metrics.csv"
    path.write_text(
        "epoch,step,train_loss_epoch,train_loss_step,val_acc,val_loss\n"
        "0,49,,0.9,,\n0,99,,0.8,,\n0,99,,,0.5,0.7\n0,99,0.85,,,\n1,149,,0.6,,\n1,199,0.55,,0.75,0.5\n"
    )
    assert list(logged_epochs(imported(tmp_path, tmp_path / "runs"))) == [
        (1, {"loss": 0.85, "val_accuracy": 0.5, "val_loss": 0.7}),
        (2, {"loss": 0.55, "val_accuracy": 0.75, "val_loss": 0.5}),
    ]


@pytest.mark.parametrize("wrapped", [True, False])
def test_history_with_validation_every_second_epoch(tmp_path: Path, wrapped: bool) -> None:
    """Shorter lists of validation metrics belong to every n-th epoch, as `validation_freq` leaves them."""
    content = {"loss": [4.0, 3.0, 2.0, 1.0], "val_loss": [3.5, 1.5]}
    path = tmp_path / "anything"
    path.write_text(json.dumps({"history": content, "params": {"epochs": 4}} if wrapped else content))
    assert list(logged_epochs(imported(path, tmp_path / "runs"))) == [
        (1, {"loss": 4.0}),
        (2, {"loss": 3.0, "val_loss": 3.5}),
        (3, {"loss": 2.0}),
        (4, {"loss": 1.0, "val_loss": 1.5}),
    ]


def test_history_that_breaks_off(tmp_path: Path) -> None:
    """Truncated JSON gives its whole values, and says that it is damaged."""
    path = tmp_path / "h.json"
    path.write_text('{"loss": [0.5, 0.25, NaN], "val_loss": [0.5, 0.12')
    snapshot = imported(path, tmp_path / "runs")
    read = list(logged_epochs(snapshot))
    assert [logs.get("val_loss") for _, logs in read] == [0.5, None, None]
    assert [logs["loss"] for _, logs in read[:2]] == [0.5, 0.25]
    assert math.isnan(read[2][1]["loss"])
    assert "damaged" in alerts(snapshot)[0]


def test_history_as_arrays(tmp_path: Path) -> None:
    """`numpy.savez(path, **history)` opens without anything being executed."""
    path = tmp_path / "history.npz"
    np.savez(path, loss=np.array([0.5, 0.25]), val_acc=np.array([0.75, 0.875]))
    read = list(logged_epochs(imported(path, tmp_path / "runs")))
    assert read == [(1, {"loss": 0.5, "val_accuracy": 0.75}), (2, {"loss": 0.25, "val_accuracy": 0.875})]
