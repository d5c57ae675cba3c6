"""One run with a planted fault: trained under the product's instruments, its explanation against the truth."""

import functools
import tempfile
import unittest.mock
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.benchmarks.causes.families import FAMILIES, Family
from tests.benchmarks.causes.faults.plans import VALIDATION, Array, Fault, Sides, draw, healthy
from tests.benchmarks.causes.faults.store import METRICS, Measured, Outcome
from tests.benchmarks.causes.planting import FEATURES
from tui_monitor.explain.measure import explain_probe
from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.probe import explained as arithmetic
from tui_monitor.training.probe.budget import ProbeBudget
from tui_monitor.training.record.recorded_fit import recorded_fit
from tui_monitor.training.record.session import Session

_FRESH_DRAWS = 20_000


class Trainer:
    """Trains one run after the other; models of one shape are built and traced once, then reset."""

    def __init__(self) -> None:
        self._models: dict[Any, tuple[Any, Any]] = {}

    def run(self, fault: Fault, name: str, seed: int) -> Outcome:
        """Train one fault in one family of models.

        Args:
            fault: what is planted.
            name: of the family.
            seed: of data, weights and order.
        """
        family = FAMILIES["LSTM"] if fault.logits else FAMILIES[name]
        generator = np.random.default_rng([seed, 11])
        sides = fault.change(healthy(fault, family.classes, generator), generator, family.classes)
        keras.utils.set_random_seed(seed)
        model, forward = self._fresh(family, fault, seed, body=FAMILIES[name])
        measured = _trained(model, family, fault, sides, generator)
        return Outcome(measured, _truth(forward, family, fault, sides, seed))

    def _fresh(self, family: Family, fault: Fault, seed: int, *, body: Family) -> tuple[Any, Any]:
        key = (family.name, body.name, fault.momentum, fault.logits, fault.units)
        if key not in self._models:
            model = _build(family, body, fault)
            signature = [tf.TensorSpec([None, FEATURES], tf.float32)]
            self._models[key] = model, tf.function(functools.partial(_logits, model), input_signature=signature)
        model, forward = self._models[key]
        model.set_weights(_build(family, body, fault).get_weights())
        for variable in model.optimizer.variables:
            variable.assign(tf.zeros_like(variable.value))
        model.optimizer.learning_rate = fault.rate
        return model, forward


def _build(family: Family, body: Family, fault: Fault) -> Any:
    layers: list[Any] = [keras.layers.Input((FEATURES,))]
    if fault.momentum is not None:
        layers.append(keras.layers.BatchNormalization(momentum=fault.momentum))
    layers += body.body()
    if fault.units:
        layers.append(keras.layers.Dense(fault.units, activation="relu"))
    layers.append(keras.layers.Dense(1) if fault.logits else family.head())
    model = keras.Sequential(layers)
    loss: Any = family.loss
    if fault.logits:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
    elif family.from_logits:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"], jit_compile=False)
    return model


def _trained(model: Any, family: Family, fault: Fault, sides: Sides, generator: np.random.Generator) -> Measured:
    told: list[Measured] = []

    def explained(*values: Any, **options: Any) -> Explanation:
        if values[2].samples is not None and options.get("opened") is not None:
            told.append(Measured(values, options))
        return explain_probe(*values, **options)

    with tempfile.TemporaryDirectory() as folder:
        writer = RunWriter(Path(folder) / "run", RunInfo(name="run"), heartbeat_seconds=None)
        session = Session(writer, Path(folder) / "run", ProbeBudget(1.0))
        arguments: dict[str, Any] = {
            "epochs": fault.epochs,
            "validation_data": _validation(family, fault, sides, generator),
            "verbose": 0,
        }
        if fault.redrawn:
            arguments["validation_steps"] = VALIDATION // 4 // 100
        steps = len(sides.y) // fault.batch
        if fault.augmented:
            arguments |= {"x": _augmented(family, fault, sides, generator), "steps_per_epoch": steps}
        else:
            arguments |= {"x": sides.x, "y": family.targets(sides.y), "batch_size": fault.batch}
        with unittest.mock.patch.object(arithmetic, "explain_probe", explained):
            recorded_fit(model.fit, model, session, (), arguments)
        writer.close()
    return told[-1]


def _validation(family: Family, fault: Fault, sides: Sides, generator: np.random.Generator) -> Any:
    if not fault.redrawn:
        return sides.validation_x, family.targets(sides.validation_y)

    def batches() -> Iterator[Any]:
        while True:
            chosen = generator.integers(0, VALIDATION, 100)
            yield sides.validation_x[chosen], family.targets(sides.validation_y[chosen])

    return _dataset(batches, family, sides)


def _augmented(family: Family, fault: Fault, sides: Sides, generator: np.random.Generator) -> Any:
    def batches() -> Iterator[Any]:
        while True:
            for chosen in np.array_split(generator.permutation(len(sides.y)), len(sides.y) // fault.batch):
                noise = generator.normal(0.0, fault.augmented, (chosen.size, FEATURES))
                yield (sides.x[chosen] + noise).astype(np.float32), family.targets(sides.y[chosen])

    return _dataset(batches, family, sides)


def _dataset(batches: Any, family: Family, sides: Sides) -> Any:
    targets = family.targets(sides.y[:1])
    signature = (tf.TensorSpec((None, FEATURES), tf.float32), tf.TensorSpec((None, *targets.shape[1:]), tf.float32))
    return tf.data.Dataset.from_generator(batches, output_signature=signature)


Values = Mapping[str, Array]


def _logits(model: Any, x: Any) -> Any:
    """Return what the last layer makes probabilities of: Keras computes its loss from there, without clipping."""
    for layer in model.layers[:-1]:
        x = layer(x, training=False)
    return tf.matmul(x, model.layers[-1].kernel) + model.layers[-1].bias


def _per_sample(y: Array, logits: Array) -> Values:
    """Return each sample's loss in nats, and 1 where it is right, from logits of shape (n, 1) or (n, classes)."""
    both = np.column_stack([np.zeros(len(y)), logits]) if logits.shape[1] == 1 else logits
    loss = np.logaddexp.reduce(both, axis=1) - both[np.arange(len(y)), y]
    return {"loss": loss, "accuracy": (both.argmax(axis=1) == y).astype(float)}


def _truth(forward: Any, family: Family, fault: Fault, sides: Sides, seed: int) -> Mapping[str, Mapping[str, float]]:
    """Return the true effect of each cause on each metric, by brute force; of label faults there is none."""

    def values(x: Array, y: Array) -> Values:
        return _per_sample(y, np.asarray(forward(tf.constant(x, tf.float32)), np.float64))

    if not fault.has_truth:
        return {}
    labels, kept = sides.validation_y, ~sides.copies
    fed, within = values(sides.validation_x, labels), values(sides.x, sides.y)
    should = values(sides.right_validation_x, labels)
    generator = np.random.default_rng([seed, 12])
    x, y = draw(_FRESH_DRAWS, family.classes, fault.noise, generator)
    x = fault.as_fed(sides, x + generator.normal(0.0, fault.augmented, x.shape) if fault.augmented else x)
    fresh = values(x, y)
    if fault.augmented:
        noisy = [sides.x + generator.normal(0.0, fault.augmented, sides.x.shape) for _ in range(10)]
        each = [values(x, sides.y) for x in noisy]
        within = {metric: np.mean([one[metric] for one in each], axis=0) for metric in METRICS}
    found: dict[str, Mapping[str, float]] = {}
    for metric in METRICS:
        mean, unseen = float(fed[metric].mean()), _at_shares(fresh[metric], y, labels)
        leaked = _at_shares(fed[metric][kept], labels[kept], labels) - mean
        scale = float(should[metric].mean()) - mean
        found[metric] = {
            "leaked": leaked,
            "input_scale": scale,
            "unfamiliar": unseen - mean - leaked - scale,
            "memorised": _at_shares(within[metric], sides.y, labels) - unseen,
        }
    return found


def _at_shares(values: Array, label: Array, of: Array) -> float:
    shares = np.bincount(of, minlength=int(label.max()) + 1) / of.size
    return float(sum(share * values[label == c].mean() for c, share in enumerate(shares) if (label == c).any()))
