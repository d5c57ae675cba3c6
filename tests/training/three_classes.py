"""A noisy problem of three classes, models for it, and what recording its training explains."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from tests.training.conftest import OpenSession
from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.training.record.recorded_fit import recorded_fit

Array = np.ndarray
CLASSES, FEATURES, BATCH = 3, 12, 40


@dataclass(frozen=True)
class Data:
    """Both sides of a noisy problem of three classes."""

    x: Array
    y: Array
    validation_x: Array
    validation_y: Array


def make_data(samples: int = 1200, validation: int = 800, noise: float = 2.0, seed: int = 0) -> Data:
    """Return data in which nothing is planted."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(CLASSES, FEATURES)) * 1.2
    y = generator.integers(0, CLASSES, samples + validation)
    x = (centres[y] + generator.normal(size=(y.size, FEATURES)) * noise).astype(np.float32)
    return Data(x[:samples], y[:samples], x[samples:], y[samples:])


def build(width: int = 64, rate: Any = 0.01) -> keras.Model:
    """Return a compiled classifier, the same each time."""
    keras.utils.set_random_seed(3)
    layers = [
        keras.layers.Input((FEATURES,)),
        keras.layers.Dense(width, activation="relu"),
        keras.layers.Dense(CLASSES),
    ]
    return compiled(layers, rate)


def compiled(layers: list[Any], rate: Any) -> keras.Model:
    """Return a compiled classifier of layers that end in logits."""
    model = keras.Sequential(layers)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    return model


def train(open_session: OpenSession, model: keras.Model, data: Data, epochs: int, **fit: Any) -> list[Explanation]:
    """Fit under a probe that measures everything, and return the explanation of each epoch."""
    session = open_session(probe_budget=1.0)
    told: list[Explanation] = []
    # A slow machine explains within an epoch, too.
    session.explained = lambda explanation: told.append(explanation) if explanation.distributions else None
    arguments = {
        "x": data.x,
        "y": data.y,
        "epochs": epochs,
        "batch_size": BATCH,
        "verbose": 0,
        "validation_data": (data.validation_x, data.validation_y),
        **fit,
    }
    recorded_fit(model.fit, model, session, (), arguments)
    session.writer.close()
    assert len(told) == epochs
    return told


def raised(explanation: Explanation) -> set[str]:
    """Return the checks that a run has raised."""
    return {finding.cause for finding in explanation.findings if finding.verdict == "known"} - {"baseline"}
