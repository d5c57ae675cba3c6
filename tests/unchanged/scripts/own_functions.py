"""Functions of the user's own: a train function set before fit, a step set between fits and inside one."""

import keras
import numpy as np
import tensorflow as tf


def new():
    keras.utils.set_random_seed(5)
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
data = {"x": x, "y": x[:, :1], "verbose": 0, "batch_size": 16}

model, calls = new(), []
model.make_train_function()
inner = model.train_function


def mine(iterator):
    calls.append(1)
    return inner(iterator)


model.train_function = mine
model.fit(**data, epochs=2)
print("own train function", len(calls), model.train_function is mine)

model = new()
print(model.fit(**data).history)
model.train_step = lambda data: {"loss": tf.constant(9.0)}
print("step set without compile", model.fit(**data).history)
make, forced = model.make_train_function, []
model.make_train_function = lambda force=False: forced.append(force) or make(force)
model.fit(**data)
print("maker of the user's", forced)


class Changes(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            self.model.train_step = lambda data: {"loss": tf.constant(7.0)}
            self.model.make_train_function(force=True)


model = new()
print("step set by a callback", model.fit(**data, epochs=3, callbacks=[Changes()]).history)
print(sorted(name for name in vars(model) if "step" in name or "function" in name))
