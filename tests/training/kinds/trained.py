"""One kind trained twice from the same seed: as it is, and recorded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.training.kinds.table import BATCH, EPOCHS, TRAINED, Kind
from tui_monitor.history.load import load
from tui_monitor.history.snapshot import FitSnapshot
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.probe.budget import ProbeBudget
from tui_monitor.training.record.recorded_fit import recorded_fit
from tui_monitor.training.record.session import Session


class OwnBatches(keras.callbacks.Callback):  # type: ignore[misc]
    """Has Keras itself say what each batch of the last epoch comes to alone: its metrics begin anew before each."""

    def __init__(self) -> None:
        super().__init__()
        self.values: list[dict[str, float]] = []
        self.is_last = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note whether it is the last epoch."""
        self.is_last = epoch == EPOCHS - 1

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Begin the metrics anew."""
        if self.is_last:
            for metric in _metrics(self.model):
                metric.reset_state()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note the batch."""
        if self.is_last:
            self.values.append({name: float(value) for name, value in logs.items()})


def _metrics(model: Any) -> list[Any]:
    own = vars(model).get("total")
    return [*model.metrics, *([own] if own is not None else [])]


@dataclass(frozen=True)
class Trained:
    """What became of a kind."""

    kind: Kind
    bare: Any
    """The model, trained without the monitor."""
    state: list[np.ndarray]
    """Weights, optimizer and random states after it."""
    logs: Mapping[str, list[float]]
    """Of each epoch."""
    batches: list[dict[str, float]]
    """The last epoch's, alone."""
    recorded_state: list[np.ndarray]
    recorded_logs: Mapping[str, list[float]]
    fit: FitSnapshot
    alerts: list[str]

    @property
    def explanation(self) -> Mapping[str, Any]:
        """The last of the fit."""
        return self.fit.explanations[-1].content


def part(nest: Any, rows: slice) -> Any:
    """Return some samples of arrays."""
    return None if nest is None else keras.tree.map_structure(lambda leaf: leaf[rows], nest)


TRAIN, VALID = slice(0, TRAINED), slice(TRAINED, None)


def train(name: str, kind: Kind, folder: Path) -> Trained:
    """Return both trainings."""
    own = OwnBatches()
    bare, state, logs = _fit(kind, lambda model, data: model.fit(**data), [own])
    writer = RunWriter(folder, RunInfo(name=name.replace(" ", "-")), heartbeat_seconds=None)
    session = Session(writer, folder, ProbeBudget(fraction=1.0))
    _, recorded_state, recorded_logs = _fit(
        kind, lambda model, data: recorded_fit(model.fit, model, session, (), data), []
    )
    writer.close()
    snapshot = load(folder)
    assert snapshot.fit is not None
    alerts = [entry.text for entry in snapshot.timeline if entry.kind == "alert"]
    return Trained(kind, bare, state, logs, own.values, recorded_state, recorded_logs, snapshot.fit, alerts)


def _fit(kind: Kind, fit: Callable[[Any, dict[str, Any]], Any], callbacks: list[Any]) -> tuple[Any, Any, Any]:
    keras.utils.set_random_seed(11)
    model = kind.build()
    data = {"x": part(kind.x, TRAIN), "y": part(kind.y, TRAIN), "batch_size": BATCH, "epochs": EPOCHS, **kind.fit}
    if kind.weight is not None:
        data["sample_weight"] = part(kind.weight, TRAIN)
    if kind.validates:
        given = (part(kind.x, VALID), part(kind.y, VALID), part(kind.validation_weight, VALID))
        data["validation_data"] = tuple(side for side in given if side is not None)
    history = fit(model, {**data, "verbose": 0, "shuffle": False, "callbacks": callbacks})
    optimizer = getattr(model, "optimizer", None)
    variables = [*model.variables, *(optimizer.variables if optimizer is not None else ())]
    metrics = {id(variable) for metric in _metrics(model) for variable in metric.variables}
    state = [_array(variable) for variable in variables if id(variable) not in metrics]
    return model, [*state, np.random.random(3), tf.random.uniform([3]).numpy()], history.history


def _array(variable: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(variable))
