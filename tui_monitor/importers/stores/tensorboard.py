"""TensorBoard event folders: `train/` and `validation/` are one run, epochs by step, batches as they were logged."""

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tui_monitor.errors import DependencyMissing
from tui_monitor.importers.logged_names import keras_name
from tui_monitor.importers.records import BatchEnded, Ended, EpochBegan, EpochEnded, FitBegan, Record, Remark

EVENT_FILES = "*tfevents*"
_TRAINING, _VALIDATION = "train", "validation"
_SIDE_FOLDERS: Mapping[str, str] = {_VALIDATION: "val_", "val": "val_", "eval": "val_", "test": "test_"}
"""Folders beside training's, and what their values are called; `eval` is validation's where nothing else is."""
_EPOCH, _BATCH, _EVALUATION = "epoch_", "batch_", "evaluation_"


@dataclass(frozen=True)
class _Scalar:
    """One value of an event file."""

    tag: str
    step: int
    value: float
    wall: float


@dataclass
class _Damage:
    files: list[str] = field(default_factory=list)
    late_tags: set[str] = field(default_factory=set)


def tensorboard_runs(folder: Path) -> list[Path]:
    """Return the folders below one that each hold a run: `train/` and `validation/` belong to their parent."""
    if folder.is_file():
        return [folder]
    leaves = {path.parent for path in folder.rglob(EVENT_FILES) if path.is_file()}
    return sorted({leaf.parent if leaf.name in (_TRAINING, *_SIDE_FOLDERS) else leaf for leaf in leaves})


def tensorboard_records(folder: Path) -> Iterator[Record]:
    """Yield what a run's event files tell.

    Per-batch tags hold what was logged: Keras logs the mean since the epoch began, not the batch's own value,
    so they keep their names and never pass for batch losses.

    Raises:
        DependencyMissing: the `tensorboard` package is not installed.
        OSError: a file can't be read.
    """
    _require()
    damage = _Damage()
    validation = _sides(folder, damage)
    yield from _records(_scalars(_training_files(folder), damage), validation, damage)
    if damage.files:
        yield Remark(f"Event files break off or are damaged, read as far as they go: {', '.join(damage.files)}.")
    if damage.late_tags:
        yield Remark(f"Per-batch values begun later are left out: {', '.join(sorted(damage.late_tags))}.")
    yield Ended()


def _records(
    scalars: Iterator[_Scalar], validation: Mapping[int, Mapping[str, float]], damage: _Damage
) -> Iterator[Record]:
    run = _Run(validation, damage)
    group: list[_Scalar] = []
    for scalar in scalars:
        if group and _position(scalar) != _position(group[0]):
            yield from run.take(group)
            group = []
        group.append(scalar)
    if group:
        yield from run.take(group)
    yield from run.close()


@dataclass
class _Run:
    """Where the records of one run have come to."""

    validation: Mapping[int, Mapping[str, float]]
    damage: _Damage
    columns: tuple[str, ...] | None = None
    """Per-batch tags of the fit; None before it began."""
    last: int = 0
    """Epoch, from 1, recorded before."""
    begun: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    """Of the epoch under way."""
    step: int | None = None
    """Of the epoch under way; None outside of one."""
    at: float = 0.0
    taken: set[int] = field(default_factory=set)
    """Steps recorded."""
    names: dict[str, str] = field(default_factory=dict)
    """Tags to the names their values have."""

    def take(self, group: list[_Scalar]) -> Iterator[Record]:
        """Take values of one kind and step, logged in a row."""
        first = group[0]
        self.begun = first.wall if self.begun is None else self.begun
        at = max(first.wall - self.begun, 0.0)
        named = {scalar.tag: scalar.value for scalar in group}
        if first.tag.startswith(_BATCH):
            yield from self._finish()
            yield from self._take_batch(named, at)
        else:
            if first.step != self.step:
                yield from self._finish()
            self.metrics.update({self._name(tag): value for tag, value in named.items()})
            self.step, self.at = first.step, at

    def _name(self, tag: str) -> str:
        """Return the name of a tag's values, all through the run; one that another tag has is not taken."""
        if tag not in self.names:
            wanted = _epoch_name(tag)
            self.names[tag] = tag if wanted in self.names.values() else wanted
        return self.names[tag]

    def close(self) -> Iterator[Record]:
        """Yield the last epoch, and those that only validation logged."""
        yield from self._finish()
        for step in sorted(set(self.validation) - self.taken):
            # A test set alone is no epoch.
            if not all(name.startswith("test_") for name in self.validation[step]):
                self.step = step
                yield from self._finish()

    def _take_batch(self, named: Mapping[str, float], at: float) -> Iterator[Record]:
        if self.columns is None:
            yield from self._begin(tuple(named), 0)
        columns = self.columns or ()
        self.damage.late_tags |= named.keys() - set(columns)
        yield BatchEnded(self.last + 1, tuple(named.get(tag, float("nan")) for tag in columns), at=at)

    def _finish(self) -> Iterator[Record]:
        metrics, self.metrics = self.metrics, {}
        step, self.step = self.step, None
        if step is None:
            return
        epoch = max(step + 1, 1)
        if self.columns is None or epoch <= self.last:
            if 1 < epoch <= self.last:
                yield Remark(f"Epoch {epoch} comes again: the training was set back.", epoch=epoch)
            yield from self._begin(self.columns or (), epoch - 1)
        self.last = epoch
        self.taken.add(step)
        yield EpochBegan(epoch)
        yield EpochEnded(epoch, {**metrics, **self.validation.get(step, {})}, at=self.at)

    def _begin(self, columns: tuple[str, ...], done: int) -> Iterator[Record]:
        self.columns = columns
        yield FitBegan(columns, initial_epoch=done)


def _position(scalar: _Scalar) -> tuple[bool, int]:
    return scalar.tag.startswith(_BATCH), scalar.step


def _epoch_name(tag: str) -> str:
    return tag.removeprefix(_EPOCH) if tag.startswith(_EPOCH) else keras_name(tag)


def _sides(folder: Path, damage: _Damage) -> dict[int, dict[str, float]]:
    """Return the metrics of validation and test by step, none in place of the other's."""
    steps: dict[int, dict[str, float]] = {}
    has_validation = False
    for name, usual in _SIDE_FOLDERS.items():
        files = sorted((folder / name).glob(EVENT_FILES)) if folder.is_dir() else []
        prefix = "eval_" if name == "eval" and has_validation else usual
        has_validation |= bool(files) and usual == "val_"
        for scalar in _scalars(files, damage):
            spelt = _epoch_name(scalar.tag)
            spelt = spelt if spelt.startswith(prefix) else prefix + spelt
            steps.setdefault(scalar.step, {})[spelt] = scalar.value
    return steps


def _training_files(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    training = folder / _TRAINING
    return sorted(path for root in (folder, training) for path in root.glob(EVENT_FILES) if path.is_file())


def _require() -> None:
    if importlib.util.find_spec("tensorboard") is None:
        raise DependencyMissing(
            "Reading TensorBoard files needs the tensorboard package, which is not installed. "
            "Install it with: pip install 'tui-monitor[tensorboard]'"
        )


def _scalars(files: list[Path], damage: _Damage) -> Iterator[_Scalar]:
    for path in files:
        yield from _file_scalars(path, damage)


def _file_scalars(path: Path, damage: _Damage) -> Iterator[_Scalar]:
    """Yield a file's scalars. The readers inside `tensorboard` proper would load TensorFlow where it is installed."""
    from tensorboard.compat.proto import event_pb2  # noqa: PLC0415
    from tensorboard.compat.tensorflow_stub import errors  # noqa: PLC0415
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New  # noqa: PLC0415

    reader = PyRecordReader_New(str(path))
    while True:
        try:
            reader.GetNext()
            event = event_pb2.Event.FromString(reader.record())
        except errors.OutOfRangeError:
            return
        except (errors.DataLossError, ValueError, OverflowError, MemoryError, _decode_error()):
            damage.files.append(path.name)
            return
        for value in event.summary.value:
            scalar = _scalar(value)
            if scalar is not None and not value.tag.startswith(_EVALUATION):
                yield _Scalar(value.tag, event.step, scalar, event.wall_time)


def _decode_error() -> type[Exception]:
    from google.protobuf.message import DecodeError  # noqa: PLC0415

    error: type[Exception] = DecodeError
    return error


def _scalar(value: Any) -> float | None:
    """Return the one number of a summary value, or None for anything else."""
    from tensorboard.util.tensor_util import make_ndarray  # noqa: PLC0415

    if value.HasField("simple_value"):
        return float(value.simple_value)
    plugin = value.metadata.plugin_data.plugin_name
    if not value.HasField("tensor") or plugin not in ("scalars", ""):
        return None
    try:
        array = make_ndarray(value.tensor)
        return float(array.item()) if array.size == 1 else None
    except (TypeError, ValueError):
        return None
