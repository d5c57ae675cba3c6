"""The ledger of every demo scenario against a brute-force computation over all its data."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np
import pytest

from tests.training.brute_force import Epoch, ledger
from tests.training.conftest import OpenSession
from tui_monitor.demo.scenarios import SCENARIOS, DemoData
from tui_monitor.explain.explanation import Explanation, Ledger
from tui_monitor.history.load import load
from tui_monitor.training.demo import train

EPOCHS = 1


@dataclass(frozen=True)
class Trained:
    """One scenario's run, measured on everything, and the brute-force terms of its last epoch."""

    explanation: Explanation
    reported: dict[str, float]
    expected: dict[str, dict[str, float]]
    random_mode: bool


def _last_epoch_batches(data: DemoData) -> list[np.ndarray]:
    """Replay the generator on sample numbers instead of samples."""
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

    draws = 40 if scenario.dropout else 1
    batches = _last_epoch_batches(data)
    expected = {
        figure: dict(
            ledger(
                Epoch(data, batches, predict, weighted=figure == "loss"),
                figure,
                reported[figure],
                reported[f"val_{figure}"],
                draws,
            )
        )
        for figure in ("loss", "accuracy")
    }
    assert not [entry for entry in load(session.folder).timeline if entry.kind == "alert"]
    return Trained(told[-1], reported, expected, random_mode=bool(scenario.dropout))


def test_every_term_equals_the_brute_force_one(trained: Trained) -> None:
    """Measured on every batch, each term is the definition's to float32 rounding, or to the noise of dropout."""
    tolerance = 0.006 if trained.random_mode else 2e-5
    for figure in ("loss", "accuracy"):
        book: Ledger | None = getattr(trained.explanation, figure)
        assert book is not None
        for term in book.terms:
            assert term.effect == pytest.approx(trained.expected[figure][term.cause], abs=tolerance), term.cause


def test_terms_add_up_to_the_reported_gap(trained: Trained) -> None:
    """The sum of the terms is the gap between the figures Keras reported, to 1e-9."""
    for figure in ("loss", "accuracy"):
        book: Ledger | None = getattr(trained.explanation, figure)
        assert book is not None
        gap = trained.reported[figure] - trained.reported[f"val_{figure}"]
        assert book.gap == pytest.approx(gap, abs=1e-9)
        assert sum(term.effect or 0.0 for term in book.terms) == pytest.approx(gap, abs=1e-9)
