"""A run as TensorBoard event files, in Keras' own layout: `train/` and `validation/`, epochs counted from 0."""

import importlib.util
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from tui_monitor.errors import DependencyMissing, UsageError
from tui_monitor.export.tables import Table
from tui_monitor.metric_names import VALIDATION_PREFIX

_FILE = "events.out.tfevents.{:010d}.tui-monitor"


def write_tensorboard(table: Table, folder: Path, created: float) -> None:
    """Write one scalar per metric: `epoch_loss` by epoch, or `batch_loss` by step for a table of batches.

    Epochs keep all their digits: they are written as doubles.

    Args:
        table: of epochs or of batches.
        folder: of the event files; created when missing.
        created: seconds since 1970 at the run's begin.

    Raises:
        UsageError: the folder holds event files already, which TensorBoard would mix with these.
        DependencyMissing: the `tensorboard` package is not installed.
        OSError: the files can't be written.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise DependencyMissing(
            "TensorBoard files need the tensorboard package, which is not installed. "
            "Install it with: pip install 'tui-monitor[tensorboard]'"
        )
    if any(folder.rglob("*tfevents*")):
        raise UsageError(f"{folder} holds event files already: name another folder with -o.")
    with ExitStack() as stack:
        files = _Files(folder, created, stack)
        is_batches = table.holds_batches
        for block in table.blocks:
            named = dict(zip(table.columns, block, strict=True))
            steps = (named["step"] if is_batches else named["epoch"] - 1).tolist()
            times = (named["time"] if is_batches else np.arange(len(steps))).tolist()
            metrics = table.metrics
            for index, (step, seconds) in enumerate(zip(steps, times, strict=True)):
                for name in metrics:
                    if not np.ma.getmaskarray(named[name])[index]:
                        files.add(name, step, named[name][index], seconds, is_batch=is_batches)


class _Files:
    """The two event files, opened as they are needed."""

    def __init__(self, folder: Path, created: float, stack: ExitStack) -> None:
        self._folder, self._created, self._stack = folder, created, stack
        self._writers: dict[str, Any] = {}

    def add(self, name: str, step: int, value: Any, seconds: float, *, is_batch: bool) -> None:
        """Write one value to the file of its side, as Keras' own callback does."""
        from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2  # noqa: PLC0415

        is_validation = name.startswith(VALIDATION_PREFIX) and not is_batch
        stem = name.removeprefix(VALIDATION_PREFIX) if is_validation else name
        tensor = tensor_pb2.TensorProto(
            dtype=types_pb2.DT_FLOAT if is_batch else types_pb2.DT_DOUBLE,
            tensor_shape=tensor_shape_pb2.TensorShapeProto(),
        )
        (tensor.float_val if is_batch else tensor.double_val).append(float(value))
        metadata = summary_pb2.SummaryMetadata(
            plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name="scalars"),
            data_class=summary_pb2.DATA_CLASS_SCALAR,
        )
        tag = stem if stem.startswith("batch_") else f"{'batch' if is_batch else 'epoch'}_{stem}"
        scalar = summary_pb2.Summary.Value(tag=tag, metadata=metadata, tensor=tensor)
        event = event_pb2.Event(
            wall_time=self._created + seconds, step=step, summary=summary_pb2.Summary(value=[scalar])
        )
        self._writer("validation" if is_validation else "train").write(event.SerializeToString())

    def _writer(self, side: str) -> Any:
        from tensorboard.compat.proto import event_pb2  # noqa: PLC0415
        from tensorboard.summary.writer.record_writer import RecordWriter  # noqa: PLC0415

        if side not in self._writers:
            path = self._folder / side / _FILE.format(max(int(self._created), 0))
            path.parent.mkdir(parents=True, exist_ok=True)
            writer = RecordWriter(self._stack.enter_context(path.open("wb")))
            first = event_pb2.Event(wall_time=self._created, file_version="brain.Event:2")
            writer.write(first.SerializeToString())
            self._writers[side] = writer
        return self._writers[side]
