"""Models, data and fits that several workers train together."""

from typing import Any

import numpy as np

SAMPLES, VALIDATION, BATCH, EPOCHS = 200, 100, 30, 2


STEPS = -(-SAMPLES // BATCH)


SIZES = np.array([min(BATCH, SAMPLES - start) for start in range(0, SAMPLES, BATCH)])


CLASS_WEIGHT = {0: 1.0, 1: 2.0}


def make_arrays() -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and labels of a noisy two-class problem, training samples first."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(SAMPLES + VALIDATION, 4)).astype(np.float32)
    return x, (x[:, 0] + generator.normal(size=len(x)) > 0.5).astype(np.int64)


def build_model() -> Any:
    """Return a small classifier whose training one process can repeat on whole batches."""
    import tf_keras

    tf_keras.utils.set_random_seed(1)
    return _compiled([tf_keras.layers.Dense(8, activation="relu")])


def build_noisy_model() -> Any:
    """Return a model with dropout, and with batch normalisation, whose statistics each worker keeps for itself."""
    import tf_keras

    layers = [tf_keras.layers.Dense(8, activation="relu"), tf_keras.layers.Dropout(0.3)]
    return _compiled([*layers, tf_keras.layers.BatchNormalization()])


def _compiled(layers: list[Any]) -> Any:
    import tf_keras

    outputs = tf_keras.layers.Dense(2, activation="softmax")
    model = tf_keras.Sequential([tf_keras.layers.Input((4,)), *layers, outputs])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(model: Any, epochs: int = EPOCHS, **arguments: Any) -> dict[str, list[float]]:
    """Fit in the order of the samples with class weights; return the history."""
    x, y = make_arrays()
    history = model.fit(
        x[:SAMPLES],
        y[:SAMPLES],
        batch_size=BATCH,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        validation_data=(x[SAMPLES:], y[SAMPLES:]),
        class_weight=CLASS_WEIGHT,
        **arguments,
    ).history
    return {name: [float(value) for value in values] for name, values in history.items()}
