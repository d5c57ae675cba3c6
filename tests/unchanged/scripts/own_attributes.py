"""A model that asks for its own methods while it trains, and sees what is set on it and deleted from it."""

import keras
import numpy as np


class Model(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        own = self.train_step.__func__ is Model.train_step
        print("step", own, self.compute_loss.__func__ is keras.Model.compute_loss, self.train_function is None)
        return super().train_step(data)

    def __setattr__(self, name, value):
        if not name.startswith("_"):
            print("set", name, value is None)
        super().__setattr__(name, value)

    def __delattr__(self, name):
        print("delete", name)
        super().__delattr__(name)


x = np.ones((16, 4), "float32")
model = Model()
model.compile("sgd", "mse")
print(model.fit(x, x[:, :1], validation_data=(x, x[:, :1]), verbose=0).history)
print(sorted(name for name in vars(model) if "step" in name or "function" in name))
print(hasattr(model, "fit_generator"), [name for name in dir(model) if name.endswith("_generator")])
