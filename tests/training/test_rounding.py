"""What a model's float16 does to its losses, against the same arithmetic in NumPy."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training.conftest import OpenSession
from tests.training.three_classes import FEATURES, Data, make_data, raised, train
from tui_monitor.training.backends.precision import cut_in_float32, narrow_type_of
from tui_monitor.training.backends.repeatable import NotRepeatable


@pytest.fixture(params=["mixed_float16", "mixed_bfloat16"])
def policy(request: pytest.FixtureRequest) -> Iterator[str]:
    """Have layers compute in a narrow type."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(before)


def _regression(offset: float) -> tuple[Data, keras.Model]:
    """Return numbers around an offset, and a model that knows them but for noise and whose weights stay."""
    plain = make_data()
    generator = np.random.default_rng(0)
    kernel = np.random.default_rng(1).normal(size=(FEATURES, 1)).astype(np.float32)
    y, other = (x @ kernel + offset + generator.normal(0, 0.3, (len(x), 1)) for x in (plain.x, plain.validation_x))
    model = keras.Sequential([keras.layers.Input((FEATURES,)), keras.layers.Dense(1)])
    model.layers[0].set_weights([kernel, np.full(1, offset, dtype=np.float32)])
    # The optimizer keeps the weights, so that their losses can be told beforehand.
    model.compile(keras.optimizers.SGD(0.0), "mse")
    return Data(plain.x, y.astype(np.float32), plain.validation_x, other.astype(np.float32)), model


def test_rounding_that_matters_is_a_finding(open_session: OpenSession, policy: str) -> None:
    """Outputs of some thousands are steps of 2 or more apart: the loss in float32 stands beside it, on both sides."""
    data, model = _regression(3000.0)
    last = train(open_session, model, data, 1)[-1]
    assert "rounding" in raised(last)
    sentence = next(finding.sentence for finding in last.findings if finding.cause == "rounding")
    assert policy.removeprefix("mixed_") in sentence
    kernel, bias = model.get_weights()
    said = float(sentence.split("would be ")[1].split(",")[0])
    # Some samples alone were computed again: their mean lies near that of all.
    errors = (data.validation_x.astype(np.float64) @ kernel + bias - data.validation_y) ** 2
    rounded = (model.predict(data.validation_x, verbose=0).astype(np.float64) - data.validation_y) ** 2
    assert said == pytest.approx(errors.mean(), rel=0.2)
    assert rounded.mean() > 2 * said


def test_rounding_that_does_not_matter_stays_silent(open_session: OpenSession) -> None:
    """A classifier in float16 raises nothing, and nothing is said to be missing."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        layers = [keras.layers.Input((FEATURES,)), keras.layers.Dense(32, activation="relu")]
        model = keras.Sequential([*layers, keras.layers.BatchNormalization(), keras.layers.Dense(3)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
        last = train(open_session, model, make_data(), 2)[-1]
    finally:
        keras.config.set_dtype_policy(before)
    assert not raised(last)
    assert not any("float16" in sentence for sentence in last.limits)


def test_a_model_in_float32_is_not_run_again(open_session: OpenSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """No piece is cut a second time where nothing is narrow."""

    def fail(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("tui_monitor.training.probe.variables.cut_in_float32", fail)
    data, model = _regression(3000.0)
    assert "rounding" not in raised(train(open_session, model, data, 1)[-1])


class _Bits(keras.layers.Layer):  # type: ignore[misc]
    """Clears the lowest bit of its inputs, which a wider type does not have in that place."""

    def call(self, x: Any) -> Any:
        """Return the inputs, nearly."""
        bits = tf.bitwise.bitwise_and(tf.bitcast(tf.cast(x, tf.float16), tf.uint16), tf.constant(0xFFFE, tf.uint16))
        return tf.cast(tf.stop_gradient(tf.bitcast(bits, tf.float16)), x.dtype) + x - tf.stop_gradient(x)


def test_what_can_not_be_widened_says_so(open_session: OpenSession) -> None:
    """A layer that works on the bits of float16 is no finding: a limit says why rounding is not measured."""
    data, _ = _regression(0.0)
    model = keras.Sequential([keras.layers.Input((FEATURES,)), _Bits(), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    last = train(open_session, model, data, 1)[-1]
    assert "rounding" not in raised(last)
    (sentence,) = [sentence for sentence in last.limits if "rounding" in sentence.lower()]
    assert "float16" in sentence
    assert "Bitcast" in sentence


def test_loops_and_variables_of_a_narrow_type_are_widened() -> None:
    """A graph whose loop, branch and variable are float16 gives what the same graph in float32 gives."""
    variable = tf.Variable(tf.constant([0.1, 3.0], tf.float16))

    def looping(x: Any) -> Any:
        for _ in tf.range(5):
            x = x * variable + tf.constant(0.3, tf.float16)
        return tf.cond(tf.reduce_sum(x) > 0, lambda: x * tf.constant(1.1, tf.float16), lambda: x)

    step = tf.function(looping, input_signature=[tf.TensorSpec([2], tf.float16)])
    graph = step.get_concrete_function().graph
    piece = cut_in_float32(graph.inputs[:1], graph.outputs[:1])
    given = tf.constant([1.0, 7.0], tf.float16)
    (result,) = piece([given])
    expected = given.numpy().astype(np.float32)
    tenth, three = variable.numpy().astype(np.float32)
    for _ in range(5):
        expected = expected * np.array([tenth, three]) + np.float32(np.float16(0.3))
    assert result.dtype == tf.float32
    np.testing.assert_allclose(result.numpy(), expected * np.float32(np.float16(1.1)), rtol=1e-6)
    assert np.abs(step(given).numpy().astype(float) / result.numpy() - 1).max() > 1e-5
    assert narrow_type_of(graph.inputs[:1], graph.outputs[:1]) == "float16"


def test_a_graph_that_writes_is_refused() -> None:
    """What would write a narrow variable is not run in another type."""
    variable = tf.Variable(tf.constant(1.0, tf.float16))

    def writing(x: Any) -> Any:
        variable.assign_add(x)
        return variable.read_value() * x

    graph = tf.function(writing, input_signature=[tf.TensorSpec([], tf.float16)]).get_concrete_function().graph
    with pytest.raises(NotRepeatable):
        cut_in_float32(graph.inputs[:1], graph.outputs[:1])
