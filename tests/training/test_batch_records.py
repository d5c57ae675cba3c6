"""Batch records hold the true values of each batch, whatever came before it."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest

from tests.training.conftest import OpenSession
from tui_monitor.history.load import load
from tui_monitor.run_log.format.layout import State
from tui_monitor.training.keras2.generator_fit import fit_generator


class _Alone(keras.callbacks.Callback):  # type: ignore[misc]
    """Computes each batch's own values from the model as it was before the batch, without Keras' trackers."""

    def __init__(self, batches: list[tuple[np.ndarray, np.ndarray]], weights: dict[int, float]) -> None:
        super().__init__()
        self.batches, self.weights = batches, weights
        self.metrics: list[tuple[int, float, float]] = []
        self._seen = 0

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        x, y = self.batches[self._seen % len(self.batches)]
        self._seen += 1
        outputs = keras.ops.convert_to_numpy(self.model(x, training=True)).astype(np.float64)
        chosen = np.clip(outputs[np.arange(len(y)), y], 1e-7, 1)
        weight = np.array([self.weights[int(label)] for label in y])
        loss = float((-np.log(chosen) * weight).sum() / len(y))
        self.metrics.append((len(y), loss, float((outputs.argmax(axis=1) == y).mean())))


def _unequal_batches(poison: int | None) -> list[tuple[np.ndarray, np.ndarray]]:
    generator = np.random.default_rng(3)
    batches = []
    for index, size in enumerate((5, 17, 1, 32, 9, 2)):
        x = generator.normal(size=(size, 4)).astype(np.float32)
        if index == poison:
            x[0, 0] = np.nan
        batches.append((x, generator.integers(0, 2, size)))
    return batches


def _train(open_session: OpenSession, poison: int | None) -> tuple[Any, _Alone, keras.callbacks.History]:
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2, activation="softmax")])
    # Nothing to train keeps the weights finite after the poisoned batch.
    model.trainable = poison is None
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="sparse_categorical_crossentropy", metrics=["acc"])
    batches = _unequal_batches(poison)
    weights = {0: 1.0, 1: 2.5}
    alone = _Alone(batches, weights)

    def endless() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        while True:
            yield from batches

    session = open_session()
    history = fit_generator(
        model,
        endless(),
        steps_per_epoch=len(batches),
        epochs=3,
        verbose=0,
        class_weight=weights,
        callbacks=[alone],
        session=session,
    )
    session.writer.status(State.FINISHED, exit_code=0)
    session.writer.close()
    return load(session.folder), alone, history


def test_values_equal_an_independent_computation(open_session: OpenSession) -> None:
    """Loss and accuracy of every batch equal those computed from the model alone, with weights and unequal sizes."""
    snapshot, alone, history = _train(open_session, poison=None)
    fit = snapshot.fit
    assert fit is not None
    assert fit.batches == len(alone.metrics) == 18
    assert fit.info.metrics == ("loss", "acc")
    for name, column in (("loss", 1), ("accuracy", 2)):
        expected = np.array([metrics[column] for metrics in alone.metrics])
        np.testing.assert_allclose(fit.series[name].values(), expected, atol=1e-5)
    assert [row.samples for row in fit.epochs] == [66, 66, 66]
    assert [row.metrics["accuracy"] for row in fit.epochs] == pytest.approx(history.history["acc"])


def test_the_batch_after_a_nan_is_right_again(open_session: OpenSession) -> None:
    """One NaN stays one NaN: the running means Keras logs are poisoned, the records are not."""
    snapshot, _, history = _train(open_session, poison=2)
    assert snapshot.fit is not None
    losses = snapshot.fit.series["loss"].values()[:6]
    assert np.isnan(losses).tolist() == [False, False, True, False, False, False]
    assert np.isnan(history.history["loss"][0])
