"""The ledger of every demo scenario against a brute-force computation over all its data."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np
import pytest

from tests.training.brute_force import Array, Samples, folded, ledger
from tests.training.conftest import OpenSession
from tui_monitor.demo import SCENARIOS, DemoData
from tui_monitor.history.load import load
from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.events.ledger import Ledger
from tui_monitor.training.demo import train

EPOCHS = 1


@dataclass(frozen=True)
class Trained:
    """One scenario's run, measured on everything, and the brute-force terms of its last epoch."""

    explanation: Explanation
    reported: dict[str, float]
    expected: dict[str, dict[str, float]]
    random_mode: bool
    train_samples: int
    labels: np.ndarray
    """True class of each validation sample."""
    outputs: np.ndarray
    """The model's probabilities for each validation sample, shape (n, 2)."""


def _values(metric: str, targets: np.ndarray, outputs: Array) -> Array:
    if metric == "accuracy":
        return (targets.argmax(axis=1) == outputs.argmax(axis=1)).astype(float)
    return np.asarray(-np.log(np.clip((targets * outputs).sum(axis=1), 1e-37, 1.0)))


def _last_epoch_batches(data: DemoData) -> list[np.ndarray]:
    """Return the sample numbers of each batch in order, from the generator run on numbers instead of samples."""
    numbers = np.arange(len(data.x), dtype=np.float64).reshape(-1, 1, 1)
    replayed = DemoData(
        numbers.astype(np.float32),
        data.y,
        data.validation_x,
        data.validation_y,
        data.batch_sizes,
        data.scenario,
        data.seed,
    )
    steps = len(data.batch_sizes)
    batches: Iterator[tuple[np.ndarray, np.ndarray]] = itertools.islice(
        replayed.batches(), (EPOCHS - 1) * steps, EPOCHS * steps
    )
    return [x.reshape(-1).astype(np.int64) for x, _ in batches]


@pytest.fixture(scope="module", params=sorted(SCENARIOS))
def trained(request: pytest.FixtureRequest, open_session: OpenSession) -> Trained:
    """Train a scenario with a probe that measures every batch."""
    scenario = SCENARIOS[request.param]
    session = open_session(probe_budget=1.0)
    told: list[Explanation] = []
    session.explained = told.append
    model, data, history = train(scenario, seed=3, epochs=EPOCHS, session=session)
    session.writer.close()
    reported = {name: float(values[-1]) for name, values in history.history.items()}

    def predict(x: np.ndarray, training: bool) -> np.ndarray:
        return keras.ops.convert_to_numpy(model(x, training=training)).astype(np.float64)

    batches = _last_epoch_batches(data)
    order = np.concatenate(batches)
    x, y = data.x[order], data.y[order]
    # First: a pass in training mode moves batch norm's statistics.
    in_inference, validation = predict(x, False), predict(data.validation_x, False)
    parts = np.split(x, np.cumsum([batch.size for batch in batches])[:-1])
    in_training = [
        np.concatenate([predict(part, True) for part in (parts if scenario.momentum else [x])])
        for _ in range(40 if scenario.dropout else 1)
    ]
    label = y.argmax(axis=1)
    class_weight = np.array(scenario.class_weight or (1.0, 1.0))
    expected = {}
    for metric in ("loss", "accuracy"):
        samples = Samples(
            training=np.mean([_values(metric, y, outputs) for outputs in in_training], axis=0),
            inference=_values(metric, y, in_inference),
            weight=class_weight[label] if metric == "loss" else np.ones(label.size),
            label=label,
            sizes=[batch.size for batch in batches],
            validation=_values(metric, data.validation_y, validation),
            validation_weight=np.ones(len(validation)),
            validation_label=data.validation_y.argmax(axis=1),
            every_batch_same=scenario.every_batch_same,
        )
        expected[metric] = dict(ledger(samples, reported[metric], reported[f"val_{metric}"]))
    alerts = [entry.alert for entry in load(session.folder).timeline if entry.kind == "alert"]
    # A machine with much else to do lets a training stall, which is said rightly.
    assert set(alerts) - {"stall"} == ({"small_validation"} if scenario.name == "small-validation" else set())
    return Trained(
        told[-1],
        reported,
        expected,
        random_mode=bool(scenario.dropout),
        train_samples=len(data.x),
        labels=data.validation_y.argmax(axis=1),
        outputs=validation,
    )


def test_distributions_are_those_of_the_models_own_outputs(trained: Trained) -> None:
    """Confusion, confidence and losses of validation are what the final model's outputs for all of it give."""
    held = trained.explanation.distributions
    assert held is not None
    assert held.confusion is not None
    assert held.calibration is not None
    assert held.losses is not None
    predicted, count = trained.outputs.argmax(axis=1), len(trained.labels)
    table = np.bincount(2 * trained.labels + predicted, minlength=4).reshape(2, 2)
    np.testing.assert_allclose(np.array(held.confusion.validation), table, atol=2)
    side, spread = held.calibration.validation, held.losses.validation
    assert side is not None
    assert spread is not None
    assert side.mean_confidence == pytest.approx(trained.outputs.max(axis=1).mean(), abs=1e-4)
    assert side.mean_accuracy == pytest.approx(np.mean(predicted == trained.labels), abs=2 / count)
    loss = -np.log(trained.outputs[np.arange(count), trained.labels])
    assert spread.mean == pytest.approx(loss.mean(), abs=1e-4)
    assert spread.largest == pytest.approx(loss.max(), rel=1e-3)
    assert (held.train_samples, held.validation_samples) == (trained.train_samples, count)


def test_every_term_equals_the_brute_force_one(trained: Trained) -> None:
    """Measured on every batch, each term is the definition's to float32 rounding, or to the noise of dropout."""
    tolerance = 0.006 if trained.random_mode else 2e-5
    for metric in ("loss", "accuracy"):
        book: Ledger | None = getattr(trained.explanation, metric)
        assert book is not None
        effects = folded((term.cause, term.effect) for term in book.terms)
        assert effects == pytest.approx(trained.expected[metric], abs=tolerance)


def test_terms_add_up_to_the_reported_gap(trained: Trained) -> None:
    """The sum of the terms is the gap between the values Keras reported, to 1e-9."""
    for metric in ("loss", "accuracy"):
        book: Ledger | None = getattr(trained.explanation, metric)
        assert book is not None
        gap = trained.reported[metric] - trained.reported[f"val_{metric}"]
        assert book.gap == pytest.approx(gap, abs=1e-9)
        assert sum(term.effect or 0.0 for term in book.terms) == pytest.approx(gap, abs=1e-9)
