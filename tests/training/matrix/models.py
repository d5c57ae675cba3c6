"""The models of the matrix: the same layers in each style, the first of which tells what it is given."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.training.matrix.cells import FORMS, Cell, outputs_of


class Noted(keras.layers.Layer):  # type: ignore[misc]
    """Passes its input on, and keeps the first column of whatever it was called with last in training mode."""

    column = tf.Variable(tf.zeros([0]), shape=[None], trainable=False)
    """One for all models."""

    def call(self, x: Any, training: bool = False) -> Any:
        """Return the input."""
        if training:
            self.column.assign(tf.cast(x[:, 0], tf.float32))
        return x


class Subclassed(keras.Model):  # type: ignore[misc]
    """Takes one input or two; with one it holds a layer that it never calls."""

    def __init__(self, two_inputs: bool, parts: list[Any]) -> None:
        super().__init__()
        self.two_inputs, self.noted, self.join = two_inputs, Noted(), keras.layers.Concatenate()
        self.hidden, self.norm, self.out = parts

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the outputs."""
        if self.two_inputs:
            a, b = (inputs["a"], inputs["b"]) if isinstance(inputs, dict) else inputs
            x = self.join([self.noted(a, training=training), b])
        else:
            x = self.noted(inputs, training=training)
        return self.out(self.norm(self.hidden(x), training=training))


def build(cell: Cell) -> tuple[keras.Model, list[Any]]:
    """Return a compiled model with its weights built, and the layers that hold them."""
    units, activation = outputs_of(cell.loss)
    hidden, norm = keras.layers.Dense(5, activation="relu"), keras.layers.BatchNormalization(momentum=0.7)
    parts = [hidden, norm, keras.layers.Dense(units, activation=activation)]
    if cell.style == "subclassed":
        model: keras.Model = Subclassed(FORMS[cell.form].two_inputs, parts)
        model(_nothing(cell))
    elif cell.style == "sequential":
        model = keras.Sequential([keras.layers.Input((4,)), Noted(), *parts])
    else:
        model = _functional(cell, parts)
    loss = {
        "sigmoid": "binary_crossentropy",
        "softmax": "categorical_crossentropy",
        "sparse": "sparse_categorical_crossentropy",
        "logits": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        "regression": "mse",
    }[cell.loss]
    model.compile(keras.optimizers.SGD(0.05), loss, metrics=["mae" if cell.loss == "regression" else "accuracy"])
    return model, parts


def _nothing(cell: Cell) -> Any:
    if not FORMS[cell.form].two_inputs:
        return np.zeros((1, 4), np.float32)
    part = np.zeros((1, 2), np.float32)
    return {"a": part, "b": part} if "dict" in cell.form else (part, part)


def _functional(cell: Cell, parts: list[Any]) -> keras.Model:
    inputs: Any = keras.Input((4,))
    if FORMS[cell.form].two_inputs:
        two = {name: keras.Input((2,), name=name) for name in "ab"}
        inputs = two if "dict" in cell.form else tuple(two.values())
        x = keras.layers.Concatenate()([Noted()(two["a"]), two["b"]])
    else:
        x = Noted()(inputs)
    for part in parts:
        x = part(x)
    return keras.Model(inputs, x)
