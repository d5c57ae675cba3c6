"""What Python sees of tracing: prints, counters and attributes in a layer, and a metric that is made from its config."""

import random

import keras
import numpy as np

random.seed(5)
keras.utils.set_random_seed(5)
x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")


class Traced(keras.layers.Layer):
    traces = 0

    def call(self, x, training=False):
        self.traces += 1
        print("traced", self.traces, training)
        return x * (1 + 0.1 * random.random())


class Mine(keras.metrics.Metric):
    def __init__(self, name="mine"):
        print("a metric is made")
        super().__init__(name=name)
        self.sum = self.add_weight(initializer="zeros")

    def update_state(self, y, prediction, sample_weight=None):
        self.sum.assign_add(keras.ops.mean(prediction))

    def result(self):
        return self.sum * 1.0

    def get_config(self):
        print("config asked")
        return {"name": self.name}


model = keras.Sequential([keras.layers.Input((4,)), Traced(), keras.layers.Dense(1)])
model.compile("sgd", "mse", metrics=[Mine()])
print(model.fit(x, x[:, :1], epochs=2, validation_data=(x, x[:, :1]), verbose=0).history)
print(model.evaluate(x, x[:, :1], verbose=0), model.predict(x, verbose=0).sum(), random.random())
