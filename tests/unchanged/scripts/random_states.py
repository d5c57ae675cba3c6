"""Every source of random numbers, and every automatic name, after a fit full of random layers."""

import random

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(5)
x = np.random.default_rng(0).normal(size=(48, 6)).astype("float32")
y = np.arange(48) % 3


class Noise(keras.layers.Layer):
    """Draws from Keras' global generator, and from TensorFlow's operations seeded by their number in the graph."""

    def call(self, x, training=False):
        if not training:
            return x
        return x + keras.random.normal(keras.ops.shape(x), stddev=0.1) + tf.random.normal(tf.shape(x), stddev=0.1)


def state():
    drawn = [random.random(), float(np.random.random()), float(tf.random.uniform([])), float(keras.random.uniform(()))]
    print([value.hex() for value in drawn], keras.layers.Dense(1).name, keras.metrics.Mean().name)


for steps in (2,):
    layers = [keras.layers.Input((6,)), Noise(), keras.layers.Dropout(0.3), keras.layers.BatchNormalization()]
    model = keras.Sequential([*layers, keras.layers.Dense(3, "softmax")])
    top = keras.metrics.SparseTopKCategoricalAccuracy(2)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy", top], steps_per_execution=steps)
    print(model.fit(x, y, epochs=2, batch_size=16, validation_data=(x, y), verbose=0).history)
    state()
