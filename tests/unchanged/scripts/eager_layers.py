"""Layers that remember in Python how often they were called, run eagerly in both ways that there are."""

import keras
import numpy as np
import tensorflow as tf

x = np.random.default_rng(0).normal(size=(48, 6)).astype("float32")
y = np.arange(48) % 3


class Counting(keras.layers.Layer):
    calls = 0

    def call(self, x):
        self.calls += 1
        return x * (1 + 0.01 * self.calls)


def train(**compiled):
    keras.utils.set_random_seed(5)
    layer = Counting()
    model = keras.Sequential([keras.layers.Input((6,)), layer, keras.layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], **compiled)
    print(model.fit(x, y, epochs=2, batch_size=16, validation_data=(x, y), verbose=0).history, layer.calls)


train(run_eagerly=True)
tf.config.run_functions_eagerly(True)
train()
tf.config.run_functions_eagerly(False)
