"""Training mode's random draws while measuring: independent of one pass from the next, and none of the training's."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tests.training.conftest import OpenSession
from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.events.ledger import Cause
from tui_monitor.training.probe.draws import Draws
from tui_monitor.training.record.recorded_fit import recorded_fit


class _FromGenerator:
    """Noise drawn from a TensorFlow generator, as legacy layers and users' own do."""

    def __init__(self) -> None:
        self.generator = tf.random.Generator.from_seed(5)

    def __call__(self, x: Any, training: bool) -> Any:
        return x + self.generator.normal(tf.shape(x))


LAYERS: dict[str, Callable[[], Any]] = {
    "dropout": lambda: keras.layers.Dropout(0.5, seed=1),
    "noise": lambda: keras.layers.GaussianNoise(1.0, seed=1),
    "two": lambda: keras.Sequential([keras.layers.Dropout(0.5, seed=1), keras.layers.GaussianDropout(0.5, seed=2)]),
    "legacy": lambda: tf_keras.layers.Dropout(0.5, seed=1),
    "generator": _FromGenerator,
}


def _traced(layer: Any) -> tuple[Any, Any, Any]:
    """Return a step that calls a layer in training mode, with its input and its output."""
    tf.random.set_seed(7)
    seen: list[tuple[Any, Any]] = []

    def step(rows: Any) -> Any:
        out = layer(rows, training=True)
        seen.append((rows, out))
        return out

    function = tf.function(step, input_signature=[tf.TensorSpec([None, 8], tf.float32)])
    function.get_concrete_function()
    return (function, *seen[-1])


@pytest.mark.parametrize("kind", LAYERS)
def test_passes_draw_anew_and_the_training_goes_on_as_if_there_had_been_none(kind: str) -> None:
    """Two passes draw the same until they are told to draw anew; the step's own next draw is not spent."""
    x = tf.ones([64, 8])
    (measured, rows, out), (alone, _, _) = _traced(LAYERS[kind]()), _traced(LAYERS[kind]())
    measured(x), alone(x)
    draws = Draws()
    run = draws.cut([rows], [out])
    first, again = run([x])[0].numpy(), run([x])[0].numpy()
    draws.anew()
    other = run([x])[0].numpy()
    # Legacy layers draw from a state of their operation alone, of which a piece has its own: anew each time.
    assert (first == again).all() == (kind != "legacy")
    # Of two masks that have nothing in common about half of the entries are the same.
    assert (first != other).mean() > 0.3
    np.testing.assert_array_equal(measured(x).numpy(), alone(x).numpy())


def test_a_counter_that_is_no_random_state_stays_what_it_is() -> None:
    """Values that follow from a counter are those of now."""
    counter = tf.Variable(3, dtype=tf.int64)
    seen: list[tuple[Any, Any]] = []

    def step(rows: Any) -> Any:
        noise = tf.random.stateless_uniform(tf.shape(rows), [1, 2])
        out = rows * tf.cast(counter, tf.float32) + 0.0 * noise
        seen.append((rows, out))
        return out

    tf.function(step, input_signature=[tf.TensorSpec([None, 8], tf.float32)]).get_concrete_function()
    draws = Draws()
    run = draws.cut([seen[-1][0]], [seen[-1][1]])
    draws.anew()
    np.testing.assert_array_equal(run([tf.ones([2, 8])])[0].numpy(), np.full((2, 8), 3.0))


@pytest.mark.parametrize("package", [keras, tf_keras], ids=["Keras 3", "legacy Keras"])
def test_batches_that_are_the_same_differ_by_their_draws_alone(open_session: OpenSession, package: Any) -> None:
    """Batch normalisation makes each batch a pass of its own: the interval has the width that dropout's draws give."""
    layers = package.layers
    body = [layers.Input((6,)), layers.Dense(8), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(1)]
    model = package.Sequential(body)
    model.compile(package.optimizers.SGD(0.0), "mse")
    rows = np.random.default_rng(0).normal(size=(16, 6)).astype(np.float32)
    x, y = np.tile(rows, (12, 1)), np.tile(rows[:, :1], (12, 1))
    session = open_session(probe_budget=1.0, probe_seconds=60.0)
    told: list[Explanation] = []
    session.explained = told.append
    arguments = {"epochs": 1, "batch_size": 16, "shuffle": False, "validation_data": (rows, rows[:, :1]), "verbose": 0}
    recorded_fit(model.fit, model, session, [x, y], arguments)
    session.writer.close()
    assert told[-1].loss is not None
    term = next(term for term in told[-1].loss.terms if term.cause is Cause.TRAIN_MODE_LAYERS)
    assert term.low is not None
    assert term.high is not None
    assert term.effect is not None
    assert term.high - term.low > 0.02 * abs(term.effect)
