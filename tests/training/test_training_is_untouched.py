"""Monitoring changes no weight, no random draw and no batch order."""

from typing import Any

import keras
import numpy as np
import pytest

from tests.training.conftest import OpenSession
from tui_monitor.demo import SCENARIOS
from tui_monitor.training.demo import train
from tui_monitor.training.keras2.generator_fit import fit_generator


def _state(model: keras.Model) -> list[np.ndarray]:
    return [np.array(variable) for variable in (*model.variables, *model.optimizer.variables)]


def _assert_same(first: list[np.ndarray], second: list[np.ndarray]) -> None:
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_demo_weights_are_the_same_with_and_without_the_monitor(open_session: OpenSession) -> None:
    """The question's scenario ends in the same weights and optimizer state, bit for bit, probes on."""
    session = open_session(probe_budget=0.5)
    plain, _, plain_history = train(SCENARIOS["question"], seed=5, epochs=2)
    watched, _, watched_history = train(SCENARIOS["question"], seed=5, epochs=2, session=session)
    _assert_same(_state(plain), _state(watched))
    assert plain_history.history == watched_history.history
    assert session.budget.spent > 0


def _noisy_model() -> keras.Model:
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.RandomFlip(),
            layers.Conv2D(4, 3),
            layers.BatchNormalization(),
            layers.GaussianNoise(0.1),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class _Order(keras.callbacks.Callback):  # type: ignore[misc]
    """Notes the global random streams at each batch, and that logs hold nothing of the monitor's."""

    def __init__(self) -> None:
        super().__init__()
        self.draws: list[float] = []
        self.keys: set[str] = set()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.draws.append(float(np.random.random()))
        self.keys.update(logs or {})


@pytest.mark.parametrize("eagerly", [False, True])
def test_noise_dropout_batch_norm_and_augmentation_are_untouched(open_session: OpenSession, eagerly: bool) -> None:
    """A model full of random layers and running statistics trains the same, and its callbacks see Keras' own logs."""

    def run(session: Any) -> tuple[list[np.ndarray], _Order]:
        keras.utils.set_random_seed(7)
        generator = np.random.default_rng(7)
        x = generator.normal(size=(96, 8, 8, 1)).astype(np.float32)
        y = generator.integers(0, 3, 96)
        model, order = _noisy_model(), _Order()
        model.run_eagerly = eagerly

        def batches() -> Any:
            while True:
                for start in range(0, 96, 16):
                    yield x[start : start + 16], y[start : start + 16]

        fit_generator(
            model,
            batches(),
            steps_per_epoch=6,
            epochs=3,
            verbose=0,
            validation_data=(x[:32], y[:32]),
            callbacks=[order],
            session=session,
        )
        return _state(model), order

    session = open_session(probe_budget=1.0)
    plain, plain_order = run(None)
    watched, watched_order = run(session)
    _assert_same(plain, watched)
    assert plain_order.draws == watched_order.draws
    assert watched_order.keys == plain_order.keys == {"loss", "accuracy"}
    assert session.budget.spent > 0


def test_the_model_is_as_it_was_after_a_recorded_fit(open_session: OpenSession) -> None:
    """No wrapped step stays on the model: it trains, evaluates and saves as if never watched."""
    session = open_session()
    model, data, _ = train(SCENARIOS["healthy"], seed=2, epochs=1, session=session)
    assert not {"train_step", "test_step", "make_train_function", "make_test_function"} & set(model.__dict__)
    logs = model.evaluate(data.validation_x, data.validation_y, verbose=0, return_dict=True)
    assert set(logs) == {"loss", "accuracy"}
