"""What other loggers cost the same training when they are given every batch: those of the extra `rivals` there are."""

import contextlib
import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import keras

Log = Callable[[int, Mapping[str, float]], object]
"""Takes the number of a batch and its values."""
Logger = Callable[[Path], contextlib.AbstractContextManager[Log]]
"""Logs into a folder inside the block; nothing leaves the machine."""


def loggers() -> Mapping[str, Logger]:
    """Return those that are installed, by name."""
    return {name: logger for name, (package, logger) in _LOGGERS.items() if importlib.util.find_spec(package)}


class EveryBatch(keras.callbacks.Callback):  # type: ignore[misc]
    """Hands every batch's logs to a logger, as their own callbacks do."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log
        self._batches = 0

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Log a batch."""
        self._batches += 1
        self._log(self._batches, logs or {})


@contextlib.contextmanager
def _tensorboard(folder: Path) -> Iterator[Log]:
    import tensorflow as tf

    def log(step: int, metrics: Mapping[str, float]) -> None:
        for name, value in metrics.items():
            tf.summary.scalar(f"batch_{name}", value, step=step)

    with tf.summary.create_file_writer(str(folder)).as_default():
        yield log


@contextlib.contextmanager
def _wandb(folder: Path) -> Iterator[Log]:
    import wandb

    os.environ["WANDB_SILENT"] = "true"
    with wandb.init(mode="offline", dir=str(folder), project="benchmark") as run:
        yield lambda step, metrics: run.log(dict(metrics), step=step)


@contextlib.contextmanager
def _mlflow(folder: Path) -> Iterator[Log]:
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # the quicker one: its database takes thirty times as long
    import mlflow

    mlflow.set_tracking_uri((folder / "mlruns").as_uri())
    with mlflow.start_run():
        yield lambda step, metrics: mlflow.log_metrics(dict(metrics), step=step)


@contextlib.contextmanager
def _aim(folder: Path) -> Iterator[Log]:
    import aim

    run = aim.Run(repo=str(folder), system_tracking_interval=None)

    def log(step: int, metrics: Mapping[str, float]) -> None:
        for name, value in metrics.items():
            run.track(value, name=name, step=step)

    yield log
    run.close()


@contextlib.contextmanager
def _trackio(folder: Path) -> Iterator[Log]:
    os.environ["TRACKIO_DIR"] = str(folder)
    import trackio

    with contextlib.redirect_stdout(None):
        trackio.init(project="benchmark", embed=False)
    yield lambda step, metrics: trackio.log(dict(metrics), step=step)
    with contextlib.redirect_stdout(None):
        trackio.finish()


_LOGGERS: Mapping[str, tuple[str, Logger]] = {
    "TensorBoard": ("tensorboard", _tensorboard),
    "W&B, offline": ("wandb", _wandb),
    "MLflow": ("mlflow", _mlflow),
    "aim": ("aim", _aim),
    "trackio": ("trackio", _trackio),
}
