"""Which of the user's code AutoGraph converts: where it does not, a condition on a tensor is an error."""

import keras
import numpy as np
import tensorflow as tf
import tf_keras

x = np.random.default_rng(0).normal(size=(48, 4)).astype("float32")


def model_of(package):
    class Conditional(package.Model):
        def __init__(self):
            super().__init__()
            self.dense = package.layers.Dense(1)

        def call(self, inputs):
            return self.dense(inputs)

        def train_step(self, data):
            inputs, targets = data
            if tf.reduce_mean(inputs) > 0:
                inputs = inputs * 2.0
            return super().train_step((inputs, targets))

        def test_step(self, data):
            return super().test_step(data)

    return Conditional()


for package in (keras, tf_keras):
    for arguments in ({}, {"steps_per_execution": 2}, {"jit_compile": True}):
        package.utils.set_random_seed(0)
        model = model_of(package)
        model.compile("sgd", "mse", **arguments)
        try:
            history = model.fit(x, x[:, :1], validation_data=(x, x[:, :1]), batch_size=16, verbose=0).history
            print(package.__name__, arguments, sorted(history))
        except Exception as error:
            print(package.__name__, arguments, type(error).__name__, str(error).splitlines()[0])
