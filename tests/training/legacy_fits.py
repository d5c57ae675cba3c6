"""Models of legacy Keras in every way to run a step, their data, and a fit of them."""

from typing import Any

import numpy as np

from tui_monitor.training.record.recorded_fit import recorded_fit
from tui_monitor.training.record.session import Session

SAMPLES, VALIDATION, BATCH, EPOCHS = 200, 100, 30, 2


STEPS = -(-SAMPLES // BATCH)


SIZES = np.array([min(BATCH, SAMPLES - start) for start in range(0, SAMPLES, BATCH)])


def make_arrays() -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and labels of a noisy two-class problem, training samples first."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(SAMPLES + VALIDATION, 6, 6, 1)).astype(np.float32)
    return x, (x[:, 0, 0, 0] + generator.normal(size=len(x)) > 0.5).astype(np.int64)


def build_without_noise(**compiling: Any) -> Any:
    """Return a model whose training is the same each time under XLA, which ignores the seeds of random layers."""
    import tf_keras

    layers = tf_keras.layers
    hidden = [layers.Flatten(), layers.Dense(8, activation="relu"), layers.BatchNormalization()]
    return compiled(tf_keras.Sequential([*hidden, layers.Dense(2, activation="softmax")]), **compiling)


def _noisy_layers() -> list[Any]:
    import tf_keras

    layers = tf_keras.layers
    return [
        layers.Input((6, 6, 1)),
        layers.RandomFlip(),
        layers.Conv2D(4, 3, kernel_regularizer="l2"),
        layers.BatchNormalization(),
        layers.GaussianNoise(0.1),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(8, activation="relu"),
        layers.Dropout(0.3, seed=3),
        layers.Dense(2, activation="softmax"),
    ]


def build_model(**compiling: Any) -> Any:
    """Return a model full of random layers and running statistics."""
    import tf_keras

    return compiled(tf_keras.Sequential(_noisy_layers()), **compiling)


def compiled(model: Any, **compiling: Any) -> Any:
    """Return the model, compiled for two classes."""
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], **compiling)
    return model


def build_own_step() -> Any:
    """Return a model with a training step as guides for Keras 2 wrote it."""
    import tensorflow as tf
    import tf_keras

    class OwnStep(tf_keras.Sequential):  # type: ignore[misc]
        def train_step(self, data: Any) -> Any:
            x, y, weight = tf_keras.utils.unpack_x_y_sample_weight(data)
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compiled_loss(y, y_pred, weight, regularization_losses=self.losses)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
            self.compiled_metrics.update_state(y, y_pred, weight)
            return {metric.name: metric.result() for metric in self.metrics}

    return compiled(OwnStep(_noisy_layers()))


def build_with_generators() -> Any:
    """Return the model with random layers that draw from generators held in variables."""
    import tf_keras

    tf_keras.backend.experimental.enable_tf_random_generator()
    try:
        return build_model()
    finally:
        tf_keras.backend.experimental.disable_tf_random_generator()


def fit(model: Any, session: Session | None, epochs: int = EPOCHS) -> dict[str, list[float]]:
    """Fit with class weights, recorded where a session is given; return the history."""
    x, y = make_arrays()
    arguments = {
        "x": x[:SAMPLES],
        "y": y[:SAMPLES],
        "epochs": epochs,
        "batch_size": BATCH,
        "verbose": 0,
        "validation_data": (x[SAMPLES:], y[SAMPLES:]),
        "class_weight": {0: 1.0, 1: 2.0},
    }
    if session is None:
        return dict(model.fit(**arguments).history)
    return dict(recorded_fit(model.fit, model, session, (), arguments).history)
