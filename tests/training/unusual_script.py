"""A training script that knows nothing of the monitor: many unusual fits, then a call that Keras 3 dropped."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

draws = np.random.default_rng(0)
X = draws.normal(size=(120, 4)).astype("float32")
Y = (X[:, 0] + draws.normal(size=120) > 0.3).astype("float32")
TRAIN: dict[str, Any] = {"x": X[:80], "y": Y[:80], "batch_size": 10, "verbose": 0, "shuffle": False}
VALIDATION = (X[80:], Y[80:])
NOTES: dict[str, Any] = {}


def classifier(**compiling: Any) -> keras.Model:
    """Return a model without randomness."""
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(**{"optimizer": "adam", "loss": "binary_crossentropy", "metrics": ["accuracy"], **compiling})
    return model


class Alone(keras.callbacks.Callback):  # type: ignore[misc]
    """Counts each batch's precision and recall from the model as it was before the batch."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Count."""
        rows = slice(10 * batch, 10 * batch + 10)
        says, truth = np.asarray(self.model(X[rows]))[:, 0] > 0.5, Y[rows] > 0.5
        right = (says & truth).sum()
        NOTES.setdefault("precision", []).append(float(right / max(says.sum(), 1)))
        NOTES.setdefault("recall", []).append(float(right / max(truth.sum(), 1)))


def metrics_that_are_no_means() -> None:
    """Two of the metrics can be counted by hand; the third makes its variables when first updated."""
    metrics = ["accuracy", keras.metrics.Precision(name="precision"), keras.metrics.Recall(name="recall")]
    metrics.append(keras.metrics.F1Score(average="micro", threshold=0.5))
    data = {**TRAIN, "y": TRAIN["y"].reshape(-1, 1)}
    classifier(metrics=metrics).fit(**data, epochs=2, callbacks=[Alone()])


def two_outputs() -> None:
    """Its gap can't be split by sample."""
    inputs = keras.Input((4,))
    outputs = {"a": keras.layers.Dense(1, name="a", activation="sigmoid"), "b": keras.layers.Dense(1, name="b")}
    model = keras.Model(inputs, {name: layer(inputs) for name, layer in outputs.items()})
    losses = {"a": "binary_crossentropy", "b": "mse"}
    model.compile("adam", losses, metrics={"a": ["accuracy"], "b": ["mae"]})
    model.fit(X, {"a": Y, "b": X[:, 1]}, validation_split=0.3, verbose=0)


class OwnStep(keras.Model):  # type: ignore[misc]
    """Computes its loss by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.mean = keras.layers.Dense(1), keras.metrics.Mean(name="loss")

    def call(self, x: Any) -> Any:
        """Return the outputs."""
        return self.layer(x)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train on a batch."""
        x, y = data
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self(x, training=True)[:, 0] - y) ** 2)
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        self.mean.update_state(loss)
        return {"loss": self.mean.result(), "of_each_class": tf.constant([0.25, 0.75])}

    def test_step(self, data: Any) -> dict[str, Any]:
        """Validate on a batch."""
        x, y = data
        self.mean.update_state(tf.reduce_mean((self(x)[:, 0] - y) ** 2))
        return {"loss": self.mean.result()}


def own_step() -> None:
    """No loss passes through Keras."""
    model = OwnStep()
    model.compile("adam")
    model.fit(**TRAIN, validation_data=VALIDATION)


def several_steps_a_call() -> None:
    """Eight training batches and five of validation, three a call."""
    model = classifier(steps_per_execution=3)
    model.fit(**TRAIN, validation_data=VALIDATION, validation_batch_size=9, epochs=2)


def mixed_precision() -> None:
    """Half precision inside, single precision out."""
    keras.mixed_precision.set_global_policy("mixed_float16")
    hidden = keras.layers.Dense(4)
    keras.mixed_precision.set_global_policy("float32")
    model = keras.Sequential([keras.layers.Input((4,)), hidden, keras.layers.Dense(1, activation="sigmoid")])
    model.compile(keras.mixed_precision.LossScaleOptimizer(keras.optimizers.Adam()), "binary_crossentropy")
    model.fit(**TRAIN, validation_data=VALIDATION)


def loggers() -> None:
    """Everything a script usually hangs on a training, and an early end."""
    callbacks = keras.callbacks
    classifier(optimizer=keras.optimizers.SGD(0.0)).fit(
        **{**TRAIN, "verbose": 1},
        validation_data=VALIDATION,
        epochs=9,
        callbacks=[
            callbacks.CSVLogger("log.csv"),
            callbacks.TensorBoard("board", update_freq="batch"),
            callbacks.ModelCheckpoint("best.keras", save_best_only=True),
            callbacks.ReduceLROnPlateau(patience=1),
            callbacks.EarlyStopping(patience=2, restore_best_weights=True),
        ],
    )


class At(keras.callbacks.Callback):  # type: ignore[misc]
    """Does something after the third batch."""

    def __init__(self, *, fails: bool) -> None:
        super().__init__()
        self.fails = fails

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Stop, or fail."""
        if batch == 2:
            if self.fails:
                raise RuntimeError("in the middle")
            self.model.stop_training = True


def stopped_within_an_epoch() -> None:
    """Keras still validates the epoch it stopped in."""
    classifier().fit(**TRAIN, validation_data=VALIDATION, epochs=3, callbacks=[At(fails=False)])


def failing() -> None:
    """The script catches what its own callback raised."""
    try:
        classifier().fit(**TRAIN, epochs=3, callbacks=[At(fails=True)])
    except RuntimeError as error:
        NOTES["caught"] = str(error)


def forking() -> None:
    """A loader whose children end without a word; then validation every other epoch."""

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        while True:
            child = os.fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
            yield X[:10], Y[:10]

    loss_alone = classifier(metrics=None)
    steps = {"steps_per_epoch": 2, "epochs": 2, "validation_freq": 2, "verbose": 0}
    loss_alone.fit(batches(), validation_data=VALIDATION, **steps)


def main() -> None:
    """Fit each way; the last line fails on Keras 3."""
    for case in (
        metrics_that_are_no_means,
        two_outputs,
        own_step,
        several_steps_a_call,
        mixed_precision,
        loggers,
        stopped_within_an_epoch,
        failing,
        forking,
    ):
        case()
        NOTES.setdefault("cases", []).append(case.__name__)
    Path(sys.argv[1]).write_text(json.dumps(NOTES))
    classifier().predict_classes(X)


main()
