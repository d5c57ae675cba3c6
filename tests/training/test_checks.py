"""Checks that are no terms, raised by real trainings in which their fault is planted, against counts over all data."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training.conftest import OpenSession
from tests.training.three_classes import BATCH, CLASSES, FEATURES, Data, build, make_data, raised, train
from tui_monitor.run_log.events.explanation import Explanation, Finding
from tui_monitor.training.probe.opening import opening

Array = np.ndarray
Fit = dict[str, Any]


@pytest.fixture(autouse=True)
def _there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine the few hundredths of a second that opening may take end before it has looked at anything."""
    monkeypatch.setattr(opening, "_LEAST_SECONDS", 60.0)


def compiled(layers: list[Any], loss: Any, metrics: Any = None, **compile_with: Any) -> keras.Model:
    """Return a model of layers behind an input of the usual features, the same each time."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.layers.Input((FEATURES,)), *layers])
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=metrics, **compile_with)
    return model


def found(explanation: Explanation, cause: str) -> Finding:
    """Return the finding of a check."""
    return next(finding for finding in explanation.findings if finding.cause == cause)


def percentages(finding: Finding) -> list[float]:
    """Return the percentages that a finding gives, in their order."""
    return [float(number) for number in re.findall(r"(\d+(?:\.\d+)?) %", finding.sentence)]


def outputs(model: keras.Model, x: Array) -> Array:
    """Return what a model gives in inference mode."""
    return np.asarray(keras.ops.convert_to_numpy(model(x, training=False)), np.float64)


def multi_hot(data: Data, labels: int = 4) -> Data:
    """Return data whose samples have any number of labels."""
    weights = np.random.default_rng(2).normal(size=(FEATURES, labels)) / 4

    def of(x: Array) -> Array:
        return (x @ weights > 0.3).astype(np.float32)

    return replace(data, y=of(data.x), validation_y=of(data.validation_x))


@pytest.mark.parametrize("ends_in_logits", [False, True])
def test_accuracy_of_several_labels(open_session: OpenSession, ends_in_logits: bool) -> None:
    """The largest output, as `accuracy` counts it, or 0.5 on logits stands beside labels at one half, each counted."""
    data = multi_hot(make_data())
    activation = None if ends_in_logits else "sigmoid"
    metric = keras.metrics.BinaryAccuracy() if ends_in_logits else "accuracy"
    loss = keras.losses.BinaryCrossentropy(from_logits=ends_in_logits)
    model = compiled([keras.layers.Dense(4, activation=activation)], loss, [metric])
    last = train(open_session, model, data, 2)[-1]
    assert raised(last) == {"multi_label_metric"}
    finding = found(last, "multi_label_metric")
    told = percentages(finding)
    for place, (x, y) in enumerate(((data.validation_x, data.validation_y), (data.x, data.y))):
        given = outputs(model, x)
        said = given > (0 if ends_in_logits else 0.5)
        metric_says = (given > 0.5) == y if ends_in_logits else given.argmax(axis=1) == y.argmax(axis=1)
        assert told[2 * place] == pytest.approx(100 * (said == y).mean(), abs=0.051)
        assert told[2 * place + 1] == pytest.approx(100 * np.mean(metric_says), abs=0.051)
        assert told[4 + place] == pytest.approx(100 * (said == y).all(axis=1).mean(), abs=0.051)
    assert "BinaryAccuracy" in finding.code


def test_rare_labels_make_accuracy_say_little(open_session: OpenSession) -> None:
    """Labels that are seldom there, of which the model finds none: accuracy beside that of saying never."""
    plain = make_data()
    generator = np.random.default_rng(1)
    y, other = (generator.random((len(x), 6)) < 0.05 for x in (plain.x, plain.validation_x))
    data = replace(plain, y=y.astype(np.float32), validation_y=other.astype(np.float32))
    model = compiled([keras.layers.Dense(6, activation="sigmoid")], "binary_crossentropy", ["binary_accuracy"])
    last = train(open_session, model, data, 2)[-1]
    assert raised(last) == {"rare_labels"}
    said = outputs(model, data.validation_x) > 0.5
    expected = [(~other).mean(), (said == other).mean(), said[other].mean(), (said == other).all(axis=1).mean()]
    assert percentages(found(last, "rare_labels")) == pytest.approx([100 * value for value in expected], abs=0.051)


def _one_hot(data: Data) -> Data:
    return replace(data, y=np.eye(CLASSES)[data.y], validation_y=np.eye(CLASSES)[data.validation_y])


def _two_classes(data: Data) -> Data:
    return replace(data, y=(data.y > 0).astype(float), validation_y=(data.validation_y > 0).astype(float))


METERS: list[tuple[Callable[[Data], Data], int, str, str, str, str]] = [
    (_one_hot, 3, "softmax", "categorical_crossentropy", "binary_accuracy", "CategoricalAccuracy()"),
    (_two_classes, 1, "sigmoid", "binary_crossentropy", "categorical_accuracy", "BinaryAccuracy(threshold=0.5)"),
]
"""Targets, units, activation, loss, the metric that doesn't fit, and the one that does."""


@pytest.mark.parametrize(("targets", "units", "activation", "loss", "metric", "fits"), METERS)
def test_an_accuracy_that_does_not_fit_the_targets(
    open_session: OpenSession,
    targets: Callable[[Data], Data],
    units: int,
    activation: str,
    loss: str,
    metric: str,
    fits: str,
) -> None:
    """It stands beside the fraction of samples whose class is predicted, on both sides, with the metric that fits."""
    data = targets(make_data())
    model = compiled([keras.layers.Dense(units, activation=activation)], loss, [metric])
    last = train(open_session, model, data, 2)[-1]
    assert raised(last) == {"metric_meaning"}
    finding = found(last, "metric_meaning")
    told = percentages(finding)
    for place, (x, y) in enumerate(((data.validation_x, data.validation_y), (data.x, data.y))):
        given = outputs(model, x)
        right = given.argmax(axis=1) == y.argmax(axis=1) if units > 1 else (given[:, 0] > 0.5) == y
        assert told[2 * place] == pytest.approx(100 * right.mean(), abs=0.051)
    assert fits in finding.code


def test_a_softmax_of_one_output(open_session: OpenSession) -> None:
    """A model that ends in it is told that it can't learn."""
    model = compiled([keras.layers.Dense(1, activation="softmax")], "binary_crossentropy", ["accuracy"])
    assert "softmax_of_one" in raised(train(open_session, model, _two_classes(make_data()), 1)[-1])


@dataclass(frozen=True)
class Planted:
    """A fault in the data of a model of three classes."""

    finding: str
    change: Callable[[Data], Data]
    words: str
    """A part of the sentence."""
    fit: Callable[[Data], Fit] = field(default=lambda data: {})
    epochs: int = 2


def _streamed(data: Data, batches: Callable[[np.random.Generator], Iterator[Any]]) -> Any:
    signature = (tf.TensorSpec((None, FEATURES), tf.float32), tf.TensorSpec((None,), tf.int64))
    return tf.data.Dataset.from_generator(lambda: batches(np.random.default_rng(5)), output_signature=signature)


def _repeating(data: Data) -> Fit:
    def batches(_: np.random.Generator) -> Iterator[Any]:
        while True:
            for begin in range(0, 200, BATCH):
                yield data.validation_x[begin : begin + BATCH], data.validation_y[begin : begin + BATCH]

    return {"validation_data": _streamed(data, batches), "validation_steps": 20}


def _augmented(data: Data) -> Fit:
    def batches(generator: np.random.Generator) -> Iterator[Any]:
        while True:
            chosen = generator.permutation(len(data.x))[:BATCH]
            yield (data.x[chosen] + generator.normal(0, 0.1, (BATCH, FEATURES))).astype(np.float32), data.y[chosen]

    return {"x": _streamed(data, batches), "y": None, "batch_size": None, "steps_per_epoch": 30}


def _cut_dataset(data: Data) -> Fit:
    whole = tf.data.Dataset.from_tensor_slices((data.validation_x, data.validation_y)).batch(BATCH)
    return {"validation_data": whole, "validation_steps": 8}


def _sorted_split(data: Data) -> Data:
    x, y = np.concatenate([data.x, data.validation_x]), np.concatenate([data.y, data.validation_y])
    order = np.argsort(y, kind="stable")
    return Data(x[order[:1200]], y[order[:1200]], x[order[1200:]], y[order[1200:]])


def _with_nan(data: Data) -> Data:
    x = data.validation_x.copy()
    x[[3, 70, 500], 2] = np.nan
    return replace(data, validation_x=x)


def _drifting(data: Data) -> Data:
    pulled = data.validation_x * np.linspace(1, -0.2, len(data.validation_x))[:, None]
    return replace(data, validation_x=pulled.astype(np.float32))


def _half(data: Data) -> Data:
    return replace(data, validation_x=data.validation_x.astype(np.float16))


PLANTED = {
    "labels shifted": Planted(
        "labels_shifted", lambda d: replace(d, validation_y=np.roll(d.validation_y, 1)), "1 place behind it"
    ),
    "labels shuffled": Planted(
        "labels_unrelated",
        lambda d: replace(d, validation_y=np.random.default_rng(0).permutation(d.validation_y)),
        "no more often than by chance",
    ),
    "sorted split": Planted("missing_classes", _sorted_split, "training lacks class 2"),
    "validation repeated": Planted("validation_repeats", lambda d: d, "200 different samples in 800", _repeating),
    "arrays cut": Planted("validation_cut", lambda d: d, "200 of its 800 samples", lambda d: {"validation_steps": 5}),
    "dataset cut": Planted("validation_cut", lambda d: d, "8 of its 20 batches", _cut_dataset),
    "labels as weights": Planted(
        "validation_weights",
        lambda d: d,
        "its labels again",
        lambda d: {"validation_data": (d.validation_x, d.validation_y, d.validation_y)},
    ),
    "validation weighted": Planted(
        "validation_weights",
        lambda d: d,
        "weighted (1 to 9)",
        lambda d: {"validation_data": (d.validation_x, d.validation_y, np.arange(len(d.validation_y)) % 9 + 1)},
    ),
    "augmented": Planted("training_changes", lambda d: d, "none did", _augmented),
    "NaN in validation": Planted("not_finite", _with_nan, "of 3 validation samples"),
    "drift": Planted("validation_drifts", _drifting, "Validation is ordered"),
    "half precision": Planted("rounded", _half, "inputs of validation fit float16"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_faults_of_the_data_are_found(open_session: OpenSession, name: str) -> None:
    """Each raises its own finding alone, with its number, an advice and a line of code."""
    planted = PLANTED[name]
    data = planted.change(make_data(noise=0.7))
    last = train(open_session, build(), data, planted.epochs, **planted.fit(data))[-1]
    assert raised(last) == {planted.finding}
    finding = found(last, planted.finding)
    assert planted.words in finding.sentence
    assert finding.advice
    assert finding.code


def test_a_loss_without_weights_is_what_plain_validation_would_show(open_session: OpenSession) -> None:
    """Labels given as weights: the sentence has the mean over all of validation beside the one that is reported."""
    data, model = make_data(), build()
    weighted = (data.validation_x, data.validation_y, data.validation_y)
    last = train(open_session, model, data, 2, validation_data=weighted)[-1]
    given = outputs(model, data.validation_x)
    plain = (np.logaddexp.reduce(given, axis=1) - given[np.arange(len(given)), data.validation_y]).mean()
    assert (
        f"Without weights validation loss is {plain:.3f}, not {last.reported['val_loss']:.3f}"
        in found(last, "validation_weights").sentence
    )


def test_a_penalty_of_training_alone_is_found(open_session: OpenSession) -> None:
    """A layer that adds its loss in training mode alone is found with what it adds."""

    @keras.saving.register_keras_serializable()
    class Penalised(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any, training: bool = False) -> Any:
            if training:
                self.add_loss(keras.ops.convert_to_tensor(0.25))
            return inputs

    layers = [keras.layers.Dense(8), Penalised(), keras.layers.Dense(CLASSES)]
    model = compiled(layers, keras.losses.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"])
    last = train(open_session, model, make_data(), 2)[-1]
    assert raised(last) == {"penalty_in_one_mode"}
    assert "0.2500 in training, 0.0000 in inference" in found(last, "penalty_in_one_mode").sentence


def _sentences(samples: int, seed: int) -> tuple[Array, Array]:
    """Return sequences of tokens that end in padding, and the parity of each token; padding has target 0."""
    generator = np.random.default_rng(seed)
    x = generator.integers(1, 40, (samples, 10))
    x[np.arange(10) >= generator.integers(4, 11, samples)[:, None]] = 0
    noisy = generator.random(x.shape) < 0.2
    return x, np.where(x == 0, 0, (x + noisy) % 2)


@pytest.mark.parametrize("is_masked", [False, True])
def test_padding_in_a_mean_is_found(open_session: OpenSession, is_masked: bool) -> None:
    """Accuracy without padding is counted over the tokens alone, where nothing masks it; a mask raises nothing."""
    keras.utils.set_random_seed(3)
    layers: list[Any] = [keras.layers.Input((10,)), keras.layers.Embedding(40, 8, mask_zero=is_masked)]
    model = keras.Sequential([*layers, keras.layers.Dense(2)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    (x, y), (validation_x, validation_y) = _sentences(600, 1), _sentences(400, 2)
    last = train(open_session, model, Data(x, y, validation_x, validation_y), 3)[-1]
    assert raised(last) == (set() if is_masked else {"padding_counted"})
    if is_masked:
        return
    told = percentages(found(last, "padding_counted"))
    assert told[0] == pytest.approx(100 * (x == 0).mean(), abs=0.51)
    for place, (tokens, targets) in enumerate(((validation_x, validation_y), (x, y))):
        right = outputs(model, tokens).argmax(axis=2) == targets
        assert told[1 + 2 * place] == pytest.approx(100 * right[tokens > 0].mean(), abs=0.051)
        assert told[2 + 2 * place] == pytest.approx(100 * right.mean(), abs=0.051)


def test_tokens_that_are_0_are_no_padding(open_session: OpenSession) -> None:
    """Sequences of zeros and ones end in zeros now and then, which is not taken for padding."""
    generator = np.random.default_rng(0)
    x, validation_x = (generator.integers(0, 2, (size, 10)) for size in (600, 400))
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.layers.Input((10,)), keras.layers.Embedding(2, 4), keras.layers.Dense(2)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    assert raised(train(open_session, model, Data(x, x, validation_x, validation_x), 2)[-1]) == set()


def _numbers(data: Data) -> Data:
    return replace(data, y=data.x[:, 0], validation_y=data.validation_x[:, 0])


HEALTHY: dict[str, Callable[[], tuple[keras.Model, Data]]] = {
    "classes": lambda: (build(), make_data()),
    "two classes": lambda: (
        compiled([keras.layers.Dense(1, activation="sigmoid")], "binary_crossentropy", ["accuracy"]),
        _two_classes(make_data()),
    ),
    "logits of two classes": lambda: (
        compiled(
            [keras.layers.Dense(1)],
            keras.losses.BinaryCrossentropy(from_logits=True),
            [keras.metrics.BinaryAccuracy(threshold=0.0)],
        ),
        _two_classes(make_data()),
    ),
    "several labels": lambda: (
        compiled([keras.layers.Dense(4, activation="sigmoid")], "binary_crossentropy", ["binary_accuracy"]),
        multi_hot(make_data()),
    ),
    "regression": lambda: (
        compiled([keras.layers.Dense(1)], "mse", ["mae"]),
        _numbers(make_data()),
    ),
    "one-hot, dropout, penalty": lambda: (
        compiled(
            [
                keras.layers.Dense(16, activation="relu", kernel_regularizer="l2"),
                keras.layers.Dropout(0.5),
                keras.layers.Dense(3, activation="softmax"),
            ],
            "categorical_crossentropy",
            ["accuracy"],
        ),
        _one_hot(make_data()),
    ),
}


@pytest.mark.parametrize("kind", HEALTHY)
def test_healthy_trainings_of_many_kinds_raise_nothing(open_session: OpenSession, kind: str) -> None:
    """With nothing planted no check is raised, in the first epoch or a later one."""
    model, data = HEALTHY[kind]()
    for explanation in train(open_session, model, data, 3):
        assert raised(explanation) == set()
