"""TensorBoard folders beyond Keras' own: several runs, damage, set-backs, and a machine without the package."""

import importlib.util
import struct
from pathlib import Path

import pytest

from tests.unit.importers.reading import NOW, alerts, imported, logged_epochs
from tui_monitor.errors import DependencyMissing
from tui_monitor.history.load import load
from tui_monitor.importers.importing import import_path

pytest.importorskip("tensorboard")

Scalar = tuple[str, int, float]


def _write(path: Path, scalars: list[Scalar], tail: bytes = b"") -> None:
    from tensorboard.compat.proto import event_pb2, summary_pb2
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    path.parent.mkdir(parents=True, exist_ok=True)
    events = [event_pb2.Event(wall_time=1.0, file_version="brain.Event:2")]
    for tag, step, value in scalars:
        summary = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, simple_value=value)])
        events.append(event_pb2.Event(wall_time=10.0 + step, step=step, summary=summary))
    with path.open("wb") as file:
        for event in events:
            data = event.SerializeToString()
            header = struct.pack("<Q", len(data))
            file.write(header + struct.pack("<I", masked_crc32c(header)) + data)
            file.write(struct.pack("<I", masked_crc32c(data)))
        file.write(tail)


def test_tags_of_keras_1_in_one_folder(tmp_path: Path) -> None:
    """Values logged without a prefix, in one folder and with `val_`, are epochs as well."""
    _write(
        tmp_path / "logs" / "events.out.tfevents.1.host", [("loss", 0, 0.5), ("val_acc", 0, 0.75), ("loss", 1, 0.25)]
    )
    read = list(logged_epochs(imported(tmp_path / "logs", tmp_path / "runs")))
    assert read == [(1, {"loss": 0.5, "val_accuracy": 0.75}), (2, {"loss": 0.25})]


def test_every_run_below_a_folder(tmp_path: Path) -> None:
    """A folder of runs gives one run for each, `train/` and `validation/` counted together."""
    for run in ("a", "b"):
        _write(tmp_path / "logs" / run / "train" / "events.out.tfevents.1.host", [("epoch_loss", 0, 0.5)])
        _write(tmp_path / "logs" / run / "validation" / "events.out.tfevents.1.host", [("epoch_loss", 0, 0.25)])
    folders = import_path(tmp_path / "logs", tmp_path / "runs", NOW)
    assert [list(logged_epochs(load(folder))) for folder in folders] == [[(1, {"loss": 0.5, "val_loss": 0.25})]] * 2


def test_a_folder_that_grows_adds_to_its_run(tmp_path: Path) -> None:
    """More events, and validation that came after training, end up in the run that is there."""
    train = tmp_path / "logs" / "train" / "events.out.tfevents.1.host"
    batches = [("batch_loss", step, 0.5) for step in range(3)]
    _write(train, [*batches, ("epoch_loss", 0, 0.5)])
    (folder,) = import_path(tmp_path / "logs", tmp_path / "runs", NOW)
    _write(tmp_path / "logs" / "validation" / "events.out.tfevents.1.host", [("epoch_loss", 0, 0.25)])
    _write(train, [*batches, ("epoch_loss", 0, 0.5), ("batch_loss", 3, 0.125), ("epoch_loss", 1, 0.125)])
    assert import_path(tmp_path / "logs", tmp_path / "runs", NOW) == [folder]
    snapshot = load(folder)
    assert list(logged_epochs(snapshot)) == [(1, {"loss": 0.5, "val_loss": 0.25}), (2, {"loss": 0.125})]
    assert snapshot.fits[0].series["batch_loss"].values().tolist() == [0.5, 0.5, 0.5, 0.125]


@pytest.mark.parametrize("tail", [b"\x01", b"\x18" + b"\0" * 30, b"\xff" * 40])
def test_a_file_that_breaks_off(tmp_path: Path, tail: bytes) -> None:
    """A torn or corrupt record ends a file there; what precedes it counts, and the file is named."""
    _write(tmp_path / "logs" / "events.out.tfevents.1.host", [("epoch_loss", 0, 0.5)], tail)
    snapshot = imported(tmp_path / "logs", tmp_path / "runs")
    assert list(logged_epochs(snapshot)) == [(1, {"loss": 0.5})]
    assert "events.out.tfevents.1.host" in alerts(snapshot)[0]


def test_a_training_set_back_is_another_fit(tmp_path: Path) -> None:
    """Two files in one folder, the second from an earlier epoch on, keep all their epochs."""
    _write(tmp_path / "logs" / "events.out.tfevents.1.host", [("epoch_loss", step, 0.5) for step in range(3)])
    _write(tmp_path / "logs" / "events.out.tfevents.2.host", [("epoch_loss", step, 0.25) for step in (1, 2)])
    snapshot = imported(tmp_path / "logs", tmp_path / "runs")
    assert [[row.epoch for row in fit.epochs] for fit in snapshot.fits] == [[1, 2, 3], [2, 3]]
    assert alerts(snapshot) == ["Epoch 2 comes again: the training was set back."]


def test_without_the_package_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing reader is named with the command that installs it, and no empty run is left."""
    _write(tmp_path / "logs" / "events.out.tfevents.1.host", [("epoch_loss", 0, 0.5)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(DependencyMissing, match=r"pip install 'tui-monitor\[tensorboard\]'"):
        import_path(tmp_path / "logs", tmp_path / "runs", NOW)
    assert list((tmp_path / "runs").iterdir()) == []
