"""How often a step of the user's is traced, or called, in each way that Keras makes a function of it."""

import collections

import keras
import numpy as np
import tf_keras

x = np.random.default_rng(0).normal(size=(48, 4)).astype("float32")
y = (x[:, :1] > 0).astype("float32")


def model_of(package):
    class Counting(package.Model):
        def __init__(self):
            super().__init__()
            self.dense = package.layers.Dense(1, "sigmoid")

        def call(self, inputs):
            seen["call"] += 1
            return self.dense(inputs)

        def train_step(self, data):
            seen["train"] += 1
            return super().train_step(data)

        def test_step(self, data):
            seen["test"] += 1
            return super().test_step(data)

    return Counting()


for package in (keras, tf_keras):
    for arguments in ({}, {"steps_per_execution": 2}, {"run_eagerly": True}):
        seen = collections.Counter()
        model = model_of(package)
        metrics = ["mae", package.metrics.AUC(name="auc")]
        model.compile("sgd", "binary_crossentropy", metrics=metrics, **arguments)
        model.fit(x, y, batch_size=16, epochs=2, validation_data=(x, y), verbose=0)
        print(package.__name__, arguments, sorted(seen.items()))
