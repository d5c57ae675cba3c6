"""Fits whose data the checks look at: several labels, unmasked padding, a cut dataset, weights, augmented batches."""

import random

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(5)
random.seed(7)
np.random.seed(8)
generator = np.random.default_rng(0)


def report(model, history):
    """Print all that training has left."""
    for name, values in history.history.items():
        print(name, [float(value).hex() for value in values])
    for weight in model.get_weights():
        print(weight.dtype, float(np.sum(weight)).hex(), float(np.sum(weight**2)).hex())
    for variable in model.optimizer.variables:
        print(variable.name, float(np.sum(np.asarray(variable.numpy(), np.float64))).hex())
    print(random.random().hex(), float(np.random.random()).hex())


x = generator.normal(size=(600, 8)).astype("float32")
y = (x[:, :4] + generator.normal(size=(600, 4)) > 0.5).astype("float32")
model = keras.Sequential([keras.layers.Input((8,)), keras.layers.Dropout(0.2), keras.layers.Dense(4, "sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
weights = np.arange(200) % 3 + 1.0
report(model, model.fit(x[:400], y[:400], epochs=3, validation_data=(x[400:], y[400:], weights), verbose=0))


def augmented(one, target):
    """Return a sample with noise that is new each time."""
    return one + tf.random.normal(tf.shape(one), stddev=0.1), target


training = tf.data.Dataset.from_tensor_slices((x[:400], y[:400])).shuffle(400, seed=1).map(augmented).batch(25)
validation = tf.data.Dataset.from_tensor_slices((x[400:].astype("float16"), y[400:])).batch(20)
report(model, model.fit(training, epochs=3, validation_data=validation, validation_steps=4, verbose=0))

tokens = generator.integers(1, 30, (400, 12))
tokens[np.arange(12) >= generator.integers(4, 13, 400)[:, None]] = 0
tagger = keras.Sequential([keras.layers.Input((12,)), keras.layers.Embedding(30, 8), keras.layers.LSTM(8, return_sequences=True), keras.layers.Dense(2)])  # fmt: skip
tagger.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
report(tagger, tagger.fit(tokens, tokens % 2, epochs=3, validation_split=0.3, verbose=0))
