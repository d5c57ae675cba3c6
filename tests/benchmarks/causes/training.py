"""One planted run: trained for real under the product's instruments, and the truth of each term over all its data."""

import contextlib
import functools
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from tests.benchmarks.causes.families import FAMILIES, Family, build
from tests.benchmarks.causes.planting import FEATURES, Planted, plant
from tests.benchmarks.causes.recipes import Recipe
from tests.training.brute_force import Samples, ledger
from tui_monitor.explain.measure import explain_probe
from tui_monitor.explain.samples.probes import TrainingProbe, ValidationProbe
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.probe import explained
from tui_monitor.training.probe.budget import ProbeBudget
from tui_monitor.training.record.recorded_fit import recorded_fit
from tui_monitor.training.record.session import Session

PROBED_BATCHES = 12
"""Of the last epoch's batches, whatever the machine's speed: two in five of most recipes'."""
_DRAWS = 30
"""Draws of dropout or noise that the truth of training mode is averaged over."""


class _OneEpoch(ProbeBudget):
    """A budget for some batches of one epoch alone, so that results do not hang on the machine's speed."""

    opened = False

    def batches_allowed(
        self,
        training_seconds: float,
        samples_per_batch: float,
        *,
        begins: bool,
        builds: bool = True,
        is_last: bool = False,
    ) -> int:
        return PROBED_BATCHES if self.opened else 0


class _OpensBudget(keras.callbacks.Callback):  # type: ignore[misc]
    """Lets the last epoch be measured."""

    def __init__(self, budget: _OneEpoch, epochs: int) -> None:
        super().__init__()
        self._budget, self._epochs = budget, epochs

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._budget.opened = epoch + 1 == self._epochs


@dataclass(frozen=True)
class Outcome:
    """What one run gave."""

    probe: TrainingProbe
    validation: ValidationProbe
    history: Mapping[str, list[float]]
    truth: Mapping[str, Mapping[str, float]]
    """Each metric's terms over all data, by brute force."""
    noise: Mapping[str, float]
    """Standard error that drawing both sets at random leaves each gap, over all data."""


class Trainer:
    """Trains recipes one after the other; models of one shape are built and traced once, then reset."""

    def __init__(self) -> None:
        self._models: dict[Any, tuple[Any, Any]] = {}

    def run(self, recipe: Recipe, family_name: str, seed: int) -> Outcome:
        """Train a recipe for real and return what was probed in its last epoch, with the truth."""
        family = FAMILIES[family_name]
        data = plant(recipe, family.classes, seed)
        keras.utils.set_random_seed(seed)
        model, forward = self._fresh(family, recipe, seed)
        with _probes_noted() as noted:
            history = _train(model, family, recipe, data)
        probe, validation = noted[-1]
        truth, noise = _truth(forward, family, recipe, data, history)
        return Outcome(probe, validation, history, truth, noise)

    def _fresh(self, family: Family, recipe: Recipe, seed: int) -> tuple[Any, Any]:
        """Return the recipe's model with new weights, an optimizer that has not begun, and its forward pass."""
        key = (family.name, *recipe.layers)
        if key not in self._models:
            model = build(family, recipe)
            self._models[key] = model, _forward(model)
        model, forward = self._models[key]
        model.set_weights(build(family, recipe).get_weights())
        for variable in model.optimizer.variables:
            variable.assign(tf.zeros_like(variable.value))
        for layer in model.layers:
            if hasattr(layer, "seed_generator"):
                layer.seed_generator.state.assign([seed, 0])
        return model, forward


@contextlib.contextmanager
def _probes_noted() -> Iterator[list[tuple[TrainingProbe, ValidationProbe]]]:
    """Note what is explained at epochs' ends, so that a change of the arithmetic alone needs no new training."""
    noted: list[Any] = []

    def noting(probe: Any, validation: Any, moment: Any, opened: Any = None, **options: Any) -> Any:
        if moment.batch is None:
            noted.append((probe, validation))
        return explain_probe(probe, validation, moment, opened=opened, **options)

    with mock.patch.object(explained, "explain_probe", noting):
        yield noted


def _train(model: Any, family: Family, recipe: Recipe, data: Planted) -> Mapping[str, list[float]]:
    rates = recipe.learning_rates
    weights = {**dict.fromkeys(range(family.classes), 1.0), family.classes - 1: recipe.hard_class_weight}
    with tempfile.TemporaryDirectory() as folder:
        writer = RunWriter(Path(folder) / "run", RunInfo(name="run"), heartbeat_seconds=None)
        budget = _OneEpoch()
        session = Session(writer, Path(folder) / "run", budget, sampling_seed=data.seed)
        history = recorded_fit(
            model.fit,
            model,
            session,
            [_dataset(family, data)],
            {
                "epochs": len(rates),
                "steps_per_epoch": len(data.batches),
                "validation_data": (data.validation_x, family.targets(data.validation_labels)),
                "validation_batch_size": 2000,
                "class_weight": weights if recipe.hard_class_weight != 1.0 else None,
                "callbacks": [
                    keras.callbacks.LearningRateScheduler(lambda epoch, _: rates[epoch]),
                    _OpensBudget(budget, len(rates)),
                ],
                "verbose": 0,
            },
        )
        writer.close()
    return {name: [float(value) for value in values] for name, values in history.history.items()}


def _dataset(family: Family, data: Planted) -> Any:
    targets = family.targets(data.labels)
    columns = [data.x, targets] + ([] if data.sample_weights is None else [data.sample_weights])

    def batches() -> Iterator[tuple[Any, ...]]:
        for order in data.orders():
            yield tuple(column[order] for column in columns)

    signature = tuple(tf.TensorSpec((None, *column.shape[1:]), tf.float32) for column in columns)
    return tf.data.Dataset.from_generator(batches, output_signature=signature)


def _forward(model: Any) -> Any:
    signature = [tf.TensorSpec([None, FEATURES], tf.float32)]
    modes = {
        training: tf.function(functools.partial(model, training=training), input_signature=signature)
        for training in (True, False)
    }
    return lambda x, training: modes[training](x)


def _truth(
    forward: Any, family: Family, recipe: Recipe, data: Planted, history: Mapping[str, list[float]]
) -> tuple[Mapping[str, Mapping[str, float]], Mapping[str, float]]:
    def outputs(x: Any, *, training: bool) -> Any:
        return forward(x, training).numpy().astype(np.float64)

    inference = family.per_sample(data.labels, outputs(data.x, training=False))
    validation = family.per_sample(data.validation_labels, outputs(data.validation_x, training=False))
    training = _in_training_mode(outputs, family, recipe, data)
    weights = np.ones(data.labels.size) if data.sample_weights is None else data.sample_weights.astype(np.float64)
    weights = weights * np.where(data.labels == family.classes - 1, recipe.hard_class_weight, 1.0)
    order = np.concatenate(data.batches)
    terms, noise = {}, {}
    for metric in ("loss", "accuracy"):
        applied = weights if metric == "loss" else np.ones(weights.size)
        samples = Samples(
            training=training[metric][order],
            inference=inference[metric][order],
            weight=applied[order],
            label=data.labels[order],
            sizes=[batch.size for batch in data.batches],
            validation=validation[metric],
            validation_weight=np.ones(data.validation_labels.size),
            validation_label=data.validation_labels,
            every_batch_same=recipe.every_batch_same,
        )
        terms[metric] = ledger(samples, history[metric][-1], history[f"val_{metric}"][-1])
        noise[metric] = float(
            np.sqrt(
                np.var(inference[metric]) / data.labels.size + np.var(validation[metric]) / data.validation_labels.size
            )
        )
    return terms, noise


def _in_training_mode(outputs: Any, family: Family, recipe: Recipe, data: Planted) -> Mapping[str, Any]:
    """Return each sample's metrics in training mode, averaged over draws; batch norm sees the batches as trained."""
    if recipe.batch_norm_momentum is not None:
        made = np.concatenate([outputs(data.x[batch], training=True) for batch in data.batches])
        back = np.argsort(np.concatenate(data.batches))
        return family.per_sample(data.labels, made[back])
    if not recipe.dropout and not recipe.noise:
        return family.per_sample(data.labels, outputs(data.x, training=True))
    drawn = [family.per_sample(data.labels, outputs(data.x, training=True)) for _ in range(_DRAWS)]
    return {name: np.mean([per_sample[name] for per_sample in drawn], axis=0) for name in drawn[0]}
