"""One run with a planted fault: trained under the product's instruments, its explanation against the truth."""

import functools
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.benchmarks.causes.families import FAMILIES, Family
from tests.benchmarks.causes.faults.plans import VALIDATION, Array, Fault, Sides, draw, healthy
from tests.benchmarks.causes.planting import FEATURES
from tui_monitor.run_log.events.explanation import Explanation, Term, Verdict
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.probe.budget import ProbeBudget
from tui_monitor.training.probe.opening import opening
from tui_monitor.training.record.recorded_fit import recorded_fit
from tui_monitor.training.record.session import Session

METRICS = ("loss", "accuracy")
NEW_TERMS = ("leaked", "input_scale", "unfamiliar", "memorised")
_FRESH_DRAWS = 20_000

opening.TESTS_FRESH_BATCHES = True


@dataclass(frozen=True)
class Scored:
    """One run: what was said, and what is true."""

    mains: Mapping[str, str | None]
    """The main cause of each gap."""
    raised: tuple[str, ...]
    """Findings of checks."""
    lead: str
    """Kind of layer that most of the train-mode term is of; empty where it was not opened."""
    effects: Mapping[str, tuple[float | None, float | None, float | None]]
    """Of the planted term, in each metric: effect and interval."""
    truth: Mapping[str, float | None]
    reason: str
    """Why the planted term has no amount; empty where it has."""


class Trainer:
    """Trains one run after the other; models of one shape are built and traced once, then reset."""

    def __init__(self) -> None:
        self._models: dict[Any, tuple[Any, Any]] = {}

    def run(self, fault: Fault, name: str, seed: int) -> Scored:
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
        explanation = _trained(model, family, fault, sides, generator)
        return _scored(explanation, fault, _truth(forward, family, fault, sides, seed))

    def _fresh(self, family: Family, fault: Fault, seed: int, *, body: Family) -> tuple[Any, Any]:
        key = (family.name, body.name, fault.momentum, fault.logits, fault.units)
        if key not in self._models:
            model = _build(family, body, fault)
            signature = [tf.TensorSpec([None, FEATURES], tf.float32)]
            forward = tf.function(functools.partial(model, training=False), input_signature=signature)
            self._models[key] = model, forward
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


def _trained(model: Any, family: Family, fault: Fault, sides: Sides, generator: np.random.Generator) -> Explanation:
    told: list[Explanation] = []
    with tempfile.TemporaryDirectory() as folder:
        writer = RunWriter(Path(folder) / "run", RunInfo(name="run"), heartbeat_seconds=None)
        session = Session(writer, Path(folder) / "run", ProbeBudget(1.0))
        session.explained = lambda explanation: told.append(explanation) if explanation.distributions else None
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


def _truth(forward: Any, family: Family, fault: Fault, sides: Sides, seed: int) -> Mapping[str, float | None]:
    """Return the planted term's true effect on each metric, None where no number is planted."""

    def values(x: Array, y: Array) -> Values:
        return family.per_sample(y, np.asarray(forward(tf.constant(x, tf.float32)), np.float64))

    fed = values(sides.validation_x, sides.validation_y)
    if fault.term == "leaked":
        kept = ~sides.copies
        return {
            metric: _at_shares(fed[metric][kept], sides.validation_y[kept], sides.validation_y) - fed[metric].mean()
            for metric in METRICS
        }
    if fault.term == "input_scale":
        should = values(sides.right_validation_x, sides.validation_y)
        return {metric: float(should[metric].mean() - fed[metric].mean()) for metric in METRICS}
    if fault.term in ("unfamiliar", "memorised"):
        within, generator = values(sides.x, sides.y), np.random.default_rng([seed, 12])
        x, y = draw(_FRESH_DRAWS, family.classes, fault.noise, generator)
        fresh = values(x + generator.normal(0.0, fault.augmented, x.shape) if fault.augmented else x, y)
        truth = {}
        for metric in METRICS:
            unseen = _at_shares(fresh[metric], y, sides.validation_y)
            known = _at_shares(within[metric], sides.y, sides.validation_y)
            truth[metric] = unseen - float(fed[metric].mean()) if fault.term == "unfamiliar" else known - unseen
        return truth
    return dict.fromkeys(METRICS)


def _at_shares(values: Array, label: Array, of: Array) -> float:
    shares = np.bincount(of, minlength=int(label.max()) + 1) / of.size
    return float(sum(share * values[label == c].mean() for c, share in enumerate(shares) if (label == c).any()))


def _scored(explanation: Explanation, fault: Fault, truth: Mapping[str, float | None]) -> Scored:
    ledgers = {metric: getattr(explanation, metric) for metric in METRICS}
    found: dict[str, Term | None] = {
        metric: next((term for term in ledger.terms if term.cause == fault.term), None)
        for metric, ledger in ledgers.items()
    }
    mains = {
        metric: next((str(term.cause) for term in ledger.terms if term.verdict is Verdict.MAIN), None)
        for metric, ledger in ledgers.items()
    }
    train_mode = next(term for term in ledgers["loss"].terms if term.cause == "train_mode_layers")
    lead = max(train_mode.parts, key=lambda part: abs(part.effect)).kind if train_mode.parts else ""
    checks = tuple(finding.cause for finding in explanation.findings if finding.verdict == "known")
    return Scored(
        mains=mains,
        raised=tuple(cause for cause in checks if cause != "baseline"),
        lead=lead,
        effects={
            metric: (None, None, None) if term is None else (term.effect, term.low, term.high)
            for metric, term in found.items()
        },
        truth=truth,
        reason=next((term.reason for term in found.values() if term is not None and term.reason), ""),
    )
